"""Bring what was judged before into the judging record: marks, submissions, returns, conflicts."""

import hashlib
import json
import secrets
from datetime import UTC

from django.db import migrations
from django.utils.crypto import salted_hmac


def _utc(moment):
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(before, entry):
    content = {
        "number": entry.number,
        "kind": entry.kind,
        "judge": entry.judge_id,
        "participation": entry.participation_id,
        "scoresheet": str(entry.scoresheet_id) if entry.scoresheet_id else None,
        "criterion": entry.criterion_id,
        "value": None if entry.value is None else f"{entry.value:.2f}",
        "previous": None if entry.previous is None else f"{entry.previous:.2f}",
        "text": entry.text,
        "key": entry.key,
        "by": entry.by_id,
        "at": _utc(entry.at),
        "device_at": _utc(entry.device_at),
        "device": entry.device,
        "reason": entry.reason,
    }
    canonical = json.dumps(
        [before, content], sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _keyed(sheet, text):
    return salted_hmac(f"private note {sheet.pk}", text, algorithm="sha256").hexdigest()


def _content(rubric):
    texts = ("code", "kind", "name_zh", "name_en", "guide_zh", "guide_en")
    numbers = ("weight", "minimum", "maximum", "step")
    content = {
        "rubric": rubric.pk,
        "version": rubric.version,
        "name_zh": rubric.name_zh,
        "name_en": rubric.name_en,
        "veto_rule": rubric.veto_rule,
        "criteria": [
            {
                "id": criterion.pk,
                **{name: getattr(criterion, name) for name in texts},
                **{name: f"{getattr(criterion, name):.2f}" for name in numbers},
            }
            for criterion in rubric.criteria.order_by("ordinal", "pk")
        ],
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def codes(apps, schema_editor):
    for criterion in apps.get_model("judging", "Criterion").objects.all():
        criterion.code = secrets.token_hex(4)
        criterion.save(update_fields=["code"])


def record(apps, schema_editor):
    Entry = apps.get_model("judging", "RecordEntry")
    Record = apps.get_model("judging", "Record")
    Log = apps.get_model("contest", "LogEntry")
    entries = {}  # by round

    def add(round_id, moment, **fields):
        entries.setdefault(round_id, []).append((moment, len(entries), Entry(at=moment, **fields)))

    sheets = {}
    for sheet in apps.get_model("judging", "Scoresheet").objects.select_related(
        "assignment__judge", "assignment__participation"
    ):
        assignment = sheet.assignment
        same = {
            "judge_id": assignment.judge_id,
            "participation_id": assignment.participation_id,
            "scoresheet_id": sheet.pk,
        }
        sheets[str(sheet.pk)] = (assignment.participation.round_id, same)
        for kind, text in (("comment", sheet.comment), ("note", sheet.private_note)):
            if text:
                kept = text if kind == "comment" else _keyed(sheet, text)
                add(
                    assignment.participation.round_id,
                    sheet.updated_at,
                    kind=kind,
                    text=kept,
                    by_id=assignment.judge.user_id,
                    **same,
                )
    told = set()
    revisions = apps.get_model("judging", "MarkRevision").objects.order_by("at", "pk")
    for old in revisions.select_related("criterion__rubric"):
        round_id, same = sheets[str(old.scoresheet_id)]
        rubric = old.criterion.rubric
        if (round_id, rubric.pk) not in told:
            told.add((round_id, rubric.pk))
            add(round_id, old.at, kind="criteria", text=_content(rubric))
        add(
            round_id,
            old.at,
            kind="mark",
            criterion_id=old.criterion_id,
            value=old.value,
            previous=old.previous,
            key=old.key,
            by_id=old.by_id,
            device_at=old.device_at,
            reason=old.reason,
            **same,
        )
    moves = Log.objects.filter(
        model="scoresheet", action="status", after__in=["submitted", "returned"]
    )
    for entry in moves.order_by("pk"):
        if entry.object_id in sheets:
            round_id, same = sheets[entry.object_id]
            add(
                round_id, entry.at, kind=entry.after, by_id=entry.by_id, reason=entry.reason, **same
            )
    Participation = apps.get_model("contest", "Participation")
    for recusal in apps.get_model("judging", "Recusal").objects.order_by("pk"):
        for participation in Participation.objects.filter(team_id=recusal.team_id):
            add(
                participation.round_id,
                recusal.declared_at,
                kind="recused",
                judge_id=recusal.judge_id,
                participation_id=participation.pk,
                by_id=recusal.declared_by_id,
                reason=recusal.reason,
            )
    for round_id, found in entries.items():
        found.sort(key=lambda item: item[0])
        head = Record.objects.create(round_id=round_id, length=len(found))
        before = ""
        for number, (_moment, _n, entry) in enumerate(found, start=1):
            entry.record_id, entry.number = head.pk, number
            entry.digest = before = _digest(before, entry)
        Entry.objects.bulk_create([entry for _m, _n, entry in found], batch_size=500)
        head.head = before
        head.save(update_fields=["head"])


class Migration(migrations.Migration):
    dependencies = [("judging", "0006_roadshow"), ("contest", "0002_scoring_engine")]

    operations = [
        migrations.RunPython(codes, migrations.RunPython.noop),
        migrations.RunPython(record, migrations.RunPython.noop),
    ]
