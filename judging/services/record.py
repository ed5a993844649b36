"""Adding to a round's judging record, and checking that nobody meddled with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from contest.models import Round
from judging.models import Mark, Record, RecordEntry, Recusal, Scoresheet
from judging.services.telling import tell_desk, tell_judges
from judging.states import ScoresheetStatus

Kind = RecordEntry.Kind


def append(round: Round, kind: str, **fields) -> RecordEntry:
    """Add one entry; the caller's transaction holds the record until it ends.

    ``fields`` are those of RecordEntry. Take the record last: whoever holds it asks for no other
    lock, so that two writers never wait for each other.
    """
    (entry,) = append_all(round, [{"kind": kind, **fields}])
    return entry


def append_all(round: Round, entries: Iterable[Mapping]) -> list[RecordEntry]:
    """Add entries one after another, as ``append`` does, in as few queries as one of them."""
    Record.objects.get_or_create(round=round)
    record = Record.objects.select_for_update().get(round=round)
    head, added = record.head, []
    for number, fields in enumerate(entries, start=record.length + 1):
        entry = RecordEntry(record=record, number=number, at=timezone.now(), **fields)
        head = entry.digest = entry.digest_after(head)
        added.append(entry)
    RecordEntry.objects.bulk_create(added)
    Record.objects.filter(pk=record.pk).update(length=F("length") + len(added), head=head)
    tell_desk(round.pk)
    for device in {entry.device for entry in added}:
        tell_judges(
            (entry.judge_id for entry in added if entry.judge_id and entry.device == device), device
        )
    return added


@dataclass(frozen=True)
class Fault:
    """Something that does not fit. ``number`` names the entry; None where a row of data is off."""

    number: int | None
    what: str


def verify(round: Round, expected_head: str = "") -> list[Fault]:
    """Everything in the round's record that cannot have come about by using the platform.

    Three things are checked: each entry's digest; that the record ends where its head says, and
    with ``expected_head`` that a head written down earlier is still in it; that marks, comments,
    states of sheets and conflicts of interest are what the entries make them.
    """
    record = Record.objects.filter(round=round).first()
    if record is None:
        faults = [Fault(None, _("There is no record."))] if expected_head else []
        return faults + _replay(round, [])
    faults, before, seen, entries = [], "", set(), []
    for place, entry in enumerate(record.entries.order_by("number").iterator(), start=1):
        if entry.number != place:
            faults.append(Fault(place, _("The entry is missing.")))
            break
        if entry.digest_after(before) != entry.digest:
            faults.append(Fault(place, _("The entry was changed, or one before it was.")))
            break
        before = entry.digest
        seen.add(entry.digest)
        entries.append(entry)
    else:
        if (record.length, record.head) != (len(entries), before):
            faults.append(
                Fault(len(entries) + 1, _("The record was cut off, or its head changed."))
            )
    if expected_head and expected_head not in seen:
        faults.append(Fault(None, _("The head that was written down is not in the record.")))
    return faults or _replay(round, entries)


def _replay(round: Round, entries: list[RecordEntry]) -> list[Fault]:
    """Where the data of today differ from what the entries, one after another, make of them."""
    marks: dict[tuple, object] = {}
    comments: dict[object, str] = {}
    status: dict[object, str] = {}
    recused: dict[tuple, bool] = {}
    for entry in entries:
        sheet = entry.scoresheet_id
        if entry.kind == Kind.MARK:
            marks[sheet, entry.criterion_id] = entry.value
        elif entry.kind == Kind.COMMENT:
            comments[sheet] = entry.text
        elif entry.kind == Kind.SUBMITTED:
            status[sheet] = ScoresheetStatus.SUBMITTED
        elif entry.kind == Kind.RETURNED:
            status[sheet] = ScoresheetStatus.RETURNED
        elif entry.kind in (Kind.RECUSED, Kind.RECUSAL_LIFTED):
            recused[entry.judge_id, entry.participation_id] = entry.kind == Kind.RECUSED
    faults = []
    off = _("%(sheet)s, criterion %(criterion)s: the record says %(said)s, not %(found)s.")
    sheets = {
        sheet.pk: sheet
        for sheet in Scoresheet.objects.filter(
            assignment__participation__round=round
        ).select_related("assignment__judge", "assignment__participation__team")
    }
    held = {
        (mark.scoresheet_id, mark.criterion_id): mark.value
        for mark in Mark.objects.filter(scoresheet__in=sheets)
    }
    for sheet_id, criterion_id in sorted(held.keys() | marks.keys(), key=str):
        said, found = marks.get((sheet_id, criterion_id)), held.get((sheet_id, criterion_id))
        if said != found:
            faults.append(
                Fault(
                    None,
                    off
                    % {
                        "sheet": sheets.get(sheet_id, sheet_id),
                        "criterion": criterion_id,
                        "said": said,
                        "found": found,
                    },
                )
            )
    for sheet in sheets.values():
        wanted = status.get(sheet.pk, ScoresheetStatus.DRAFT)
        if sheet.status != wanted:
            faults.append(
                Fault(
                    None,
                    _("%(sheet)s: the record says “%(said)s”, not “%(found)s”.")
                    % {"sheet": sheet, "said": wanted, "found": sheet.status},
                )
            )
        if sheet.comment != comments.get(sheet.pk, ""):
            faults.append(
                Fault(None, _("%(sheet)s: the comment is not that of the record.")
                      % {"sheet": sheet})
            )  # fmt: skip
    today = {
        (recusal.judge_id, participation)
        for recusal in Recusal.objects.filter(team__participations__round=round)
        for participation in round.participations.filter(team=recusal.team_id).values_list(
            "pk", flat=True
        )
    }
    for pair in sorted(today ^ {pair for pair, holds in recused.items() if holds}):
        faults.append(
            Fault(
                None,
                _("Judge %(judge)s, team in the round %(team)s: the conflict of interest is not "
                  "that of the record.")
                % {"judge": pair[0], "team": pair[1]},
            )
        )  # fmt: skip
    return faults
