"""The judging record of a round as CSV, XLSX and JSON. docs/auditors.md explains the columns."""

import json

from django.db.models import QuerySet
from django.utils import timezone

from contest import tables_out
from contest.models import Round
from judging.models import RecordEntry
from judging.services import record

# In this order, under these names, in every export; those of the JSON's ``content`` among them.
COLUMNS = (
    "number", "kind", "at", "device_at", "device", "by", "by_name", "judge", "judge_name",
    "participation", "team_code", "scoresheet", "criterion", "criterion_zh", "criterion_en",
    "previous", "value", "text", "reason", "key", "digest",
)  # fmt: skip


def with_names(round: Round) -> QuerySet[RecordEntry]:
    """The round's entries with everything that names them, in their order."""
    return (
        RecordEntry.objects.filter(record__round=round)
        .select_related("judge", "participation__team", "criterion", "by")
        .order_by("number")
    )


def row(entry: RecordEntry) -> dict:
    """One entry with the names of what it is about, by today's spelling."""
    values = {
        **entry.content(),
        "by_name": entry.by.name if entry.by else None,
        "judge_name": entry.judge.name if entry.judge else None,
        "team_code": entry.participation.team.code if entry.participation else None,
        "criterion_zh": entry.criterion.name_zh if entry.criterion else None,
        "criterion_en": entry.criterion.name_en if entry.criterion else None,
        "digest": entry.digest,
    }
    return {name: values[name] for name in COLUMNS}


def to_csv(round: Round) -> bytes:
    return tables_out.to_csv(COLUMNS, [row(entry) for entry in with_names(round)])


def to_xlsx(round: Round) -> bytes:
    rows = [row(entry) for entry in with_names(round)]
    return tables_out.to_xlsx({"record": (COLUMNS, rows)})


def to_json(round: Round) -> bytes:
    """Everything from which the digests can be computed anew, and apart from it the names."""
    # What comes in while we read is in the next export.
    kept = record.of_round(round)
    entries, judges, teams, criteria, people = [], {}, {}, {}, {}
    for entry in with_names(round).filter(number__lte=kept.length if kept else 0):
        entries.append({"content": entry.content(), "digest": entry.digest})
        if entry.judge:
            judges[entry.judge_id] = entry.judge.name
        if entry.participation:
            teams[entry.participation_id] = entry.participation.team.code
        if entry.criterion:
            criteria[entry.criterion_id] = {
                "zh": entry.criterion.name_zh, "en": entry.criterion.name_en,
            }  # fmt: skip
        if entry.by:
            people[entry.by_id] = entry.by.name
    document = {
        "event": round.event.slug,
        "round": round.slug,
        "exported_at": timezone.now().isoformat(),
        "length": kept.length if kept else 0,
        "head": kept.head if kept else "",
        "heads_in_the_log": [
            {"at": anchor.at.isoformat(), "length": anchor.number, "head": anchor.head}
            for anchor in record.anchors(round)
        ],
        "entries": entries,
        "names": {"judge": judges, "participation": teams, "criterion": criteria, "by": people},
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


FORMATS = {
    "csv": (tables_out.CSV_TYPE, to_csv),
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "json": (tables_out.JSON_TYPE, to_json),
}


def export(round: Round, fmt: str) -> tuple[str, str, bytes]:
    """(file name, content type, content). Raises Refused for a format that is none of FORMATS."""
    content_type, write = tables_out.choose(FORMATS, fmt)
    return f"{round.event.slug}-{round.slug}-record.{fmt}", content_type, write(round)
