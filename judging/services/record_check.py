"""Checking that nobody meddled with a round's judging record, or with what it is the record of."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from contest.models import Round
from contest.templatetags.wuzhen import event_time
from judging.models import (
    Assignment,
    Criterion,
    Mark,
    Panel,
    Record,
    RecordEntry,
    Recusal,
    Rubric,
    Scoresheet,
    Tie,
)
from judging.models.record import secret_keys
from judging.services.record import Anchor, anchor_of, anchors
from judging.services.scoresheets import note_digest
from judging.services.totals import missing
from judging.signals import record_checked
from judging.states import ScoresheetStatus, TieStatus

Kind = RecordEntry.Kind


@dataclass(frozen=True)
class Fault:
    """Something that does not fit. ``number`` names the entry; None where a row of data is off."""

    number: int | None
    what: str


def verify(
    round: Round,
    expected_head: str = "",
    progress: Callable[[int], None] = lambda count: None,
) -> list[Fault]:
    """Everything in the round's record that cannot have come about by using the platform.

    Checked are: each entry's digest; that the record ends where its head says, and that we sealed
    it there; that every head in the event's log, and with ``expected_head`` one from elsewhere, is
    in it where it should be; that marks, texts, states of sheets and whose they are, releases,
    conflicts of interest, chairs' decisions, rubrics and (see record_checked) what was signed are
    what the entries make them. ``progress`` is told the number of entries read.

    Judges may go on meanwhile: what they add is read last, with the record held, and compared with
    the data of that moment.
    """
    check = _Chain(round, anchor_of(expected_head).head if expected_head else "", progress)
    check.read(Record.objects.filter(round=round).first())
    with transaction.atomic():
        record = Record.objects.select_for_update().filter(round=round).first()
        check.read(record)
        return [*check.ending(record), *check.told.differences(round)]


class _Chain:
    """The entries one after another: whether they hold together, and what they tell."""

    def __init__(self, round: Round, wanted: str, progress: Callable[[int], None]):
        self.round, self.wanted, self.progress = round, wanted, progress
        self.written: dict[int | None, list[Anchor]] = {}
        for anchor in anchors(round):
            self.written.setdefault(anchor.number, []).append(anchor)
        self.faults: list[Fault] = []
        self.number, self.digest = 0, ""  # of the last entry read
        self.told = _Told()

    def read(self, record: Record | None) -> None:
        """Take the entries that came since the last time. After a fault it goes on: one entry that
        does not fit must not hide another."""
        if record is None:
            return
        for entry in record.entries.filter(number__gt=self.number).order_by("number").iterator():
            if entry.number != self.number + 1:
                self.faults.append(Fault(self.number + 1, _("The entry is missing.")))
            elif entry.digest_after(self.digest) != entry.digest:
                self.faults.append(
                    Fault(entry.number, _("The entry was changed, or one before it was."))
                )
            self.number, self.digest = entry.number, entry.digest
            for anchor in self.written.pop(entry.number, ()):
                if anchor.head != entry.digest:
                    self.faults.append(self.other_head(anchor))
            if self.wanted and entry.digest.startswith(self.wanted):
                self.wanted = ""
            self.told.add(entry)
            self.progress(entry.number)

    def ending(self, record: Record | None) -> list[Fault]:
        """All that is wrong with the chain, once all of it was read."""
        found = self.faults
        if record is not None:
            if (record.length, record.head) != (self.number, self.digest):
                found.append(
                    Fault(self.number + 1, _("The record was cut off, or its head changed."))
                )
            elif not record.is_sealed:
                found.append(
                    Fault(
                        self.number,
                        _("The seal is not ours: somebody added entries past the platform, or "
                          "SECRET_KEY was changed and the old one is not in SECRET_KEY_FALLBACKS."),
                    )
                )  # fmt: skip
        found += [self.other_head(a) for left in self.written.values() for a in left]
        if self.wanted:
            found.append(Fault(None, _("The head that was written down is not in the record.")))
        return found

    def other_head(self, anchor: Anchor) -> Fault:
        when = event_time(anchor.at, self.round.event)
        if anchor.number is None:
            return Fault(
                None, _("The log's entry of %(when)s about the head was changed.") % {"when": when}
            )
        return Fault(
            anchor.number,
            _("The log says that at %(when)s the record had %(count)s entries and the head "
              "%(head)s….")
            % {"when": when, "count": anchor.number, "head": anchor.head[:16]},
        )  # fmt: skip


class _Told:
    """What the entries, one after another, make of the round's data."""

    def __init__(self):
        self.marks: dict[tuple[UUID, int], Decimal | None] = {}
        self.comments: dict[UUID, str] = {}
        self.notes: dict[UUID, str] = {}
        self.status: dict[UUID, str] = {}
        self.owners: dict[UUID, set[tuple[int, int]]] = {}
        self.recused: dict[tuple[int, int], bool] = {}
        self.released: dict[tuple[int, int], bool] = {}
        self.ties: dict[int, str | None] = {}
        self.rubrics: dict[int, dict] = {}
        self.signed: dict[int, str] = {}

    def add(self, entry: RecordEntry) -> None:
        sheet, pair = entry.scoresheet_id, (entry.judge_id, entry.participation_id)
        if sheet:
            self.owners.setdefault(sheet, set()).add(pair)
        if entry.kind == Kind.MARK:
            self.marks[sheet, entry.criterion_id] = entry.value
        elif entry.kind == Kind.COMMENT:
            self.comments[sheet] = entry.text
        elif entry.kind == Kind.NOTE:
            self.notes[sheet] = entry.text
        elif entry.kind == Kind.SUBMITTED:
            self.status[sheet] = ScoresheetStatus.SUBMITTED
        elif entry.kind == Kind.RETURNED:
            self.status[sheet] = ScoresheetStatus.RETURNED
        elif entry.kind in (Kind.RECUSED, Kind.RECUSAL_LIFTED):
            self.recused[pair] = entry.kind == Kind.RECUSED
        elif entry.kind in (Kind.RELEASED, Kind.READMITTED):
            self.released[pair] = entry.kind == Kind.RELEASED
        elif entry.kind in (Kind.TIE, Kind.TIE_DROPPED):
            number, order = _numbered(entry.text)
            self.ties[number] = order if entry.kind == Kind.TIE else None
        elif entry.kind in (Kind.SIGNED, Kind.REVOKED, Kind.PROMOTED):
            number, digest = _numbered(entry.text)
            self.signed[number] = "" if entry.kind == Kind.REVOKED else digest
        elif entry.kind == Kind.CRITERIA and (content := entry.rubric_content):
            self.rubrics[content["rubric"]] = content

    def differences(self, round: Round) -> list[Fault]:
        """Where the data of today are not what the entries say."""
        sheets = {
            sheet.pk: sheet
            for sheet in Scoresheet.objects.filter(
                assignment__participation__round=round
            ).select_related("assignment__judge", "assignment__participation__team",
                             "assignment__participation__round", "assignment__panel")
        }  # fmt: skip
        marks: dict[UUID, dict[int, Decimal]] = {pk: {} for pk in sheets}
        for mark in Mark.objects.filter(scoresheet__in=sheets):
            marks[mark.scoresheet_id][mark.criterion_id] = mark.value
        said = [
            *self._owners(sheets),
            *self._marks(sheets, marks),
            *self._sheets(sheets, marks),
            *self._recusals(round),
            *self._releases(round),
            *self._ties(round),
            *self._rubrics(),
        ]
        for _receiver, found in record_checked.send(Round, round=round, signed=self.signed):
            said += found
        return [item if isinstance(item, Fault) else Fault(None, item) for item in said]

    def _owners(self, sheets: dict) -> Iterator[str]:
        """A sheet stays its judge's and its team's, and in its panel."""
        for pk, owners in self.owners.items():
            sheet = sheets.get(pk)
            if sheet is None:
                yield _(
                    "Sheet %(sheet)s, on which there are entries, is no longer in this round."
                ) % {"sheet": pk}
                continue
            now = (sheet.assignment.judge_id, sheet.assignment.participation_id)
            if owners != {now}:
                yield _("%(sheet)s: by the record it is another judge's or another team's.") % {
                    "sheet": sheet
                }

    def _marks(self, sheets: dict, marks: dict) -> Iterator[str]:
        held = {(sheet, c): value for sheet, given in marks.items() for c, value in given.items()}
        asked = {criterion for _sheet, criterion in held | self.marks}
        codes = dict(Criterion.objects.filter(pk__in=asked).values_list("pk", "code"))
        for key in sorted(held.keys() | self.marks.keys(), key=str):
            said, found = self.marks.get(key), held.get(key)
            if said != found:
                yield _("%(sheet)s, criterion %(criterion)s: the record says %(said)s, not "
                        "%(found)s.") % {
                    "sheet": sheets.get(key[0], key[0]),
                    "criterion": f"{key[1]} ({codes.get(key[1], '–')})",
                    **_versus(said, found),
                }  # fmt: skip

    def _sheets(self, sheets: dict, marks: dict) -> Iterator[str]:
        panels = {sheet.assignment.panel_id for sheet in sheets.values()}
        criteria = {
            panel.pk: list(panel.rubric.criteria.all())
            for panel in Panel.objects.filter(pk__in=panels)
            .select_related("rubric")
            .prefetch_related("rubric__criteria")
        }
        for pk, sheet in sheets.items():
            wanted = self.status.get(pk, ScoresheetStatus.DRAFT)
            if sheet.status != wanted:
                yield _("%(sheet)s: the record says “%(said)s”, not “%(found)s”.") % {
                    "sheet": sheet,
                    "said": ScoresheetStatus(wanted).label,
                    "found": sheet.get_status_display(),
                }
            if sheet.comment != self.comments.get(pk, ""):
                yield _("%(sheet)s: the comment is not that of the record.") % {"sheet": sheet}
            note = self.notes.get(pk, note_digest(sheet, ""))
            if all(note_digest(sheet, sheet.private_note, key) != note for key in secret_keys()):
                yield _("%(sheet)s: the private note is not that of the record.") % {"sheet": sheet}
            asked = criteria[sheet.assignment.panel_id]
            foreign = marks[pk].keys() - {criterion.pk for criterion in asked}
            lacking = missing(asked, marks[pk])
            if foreign or (sheet.status == ScoresheetStatus.SUBMITTED and lacking):
                yield _("%(sheet)s: its marks are not by the rubric of its panel.") % {
                    "sheet": sheet
                }

    def _recusals(self, round: Round) -> Iterator[str]:
        here = {p.team_id: p.pk for p in round.participations.all()}
        today = {
            (recusal.judge_id, here[recusal.team_id])
            for recusal in Recusal.objects.filter(team__in=here)
        }
        holds = {pair for pair, recused in self.recused.items() if recused}
        for judge, team in sorted(today ^ holds):
            yield _("Judge %(judge)s, team in the round %(team)s: the conflict of interest is not "
                    "that of the record.") % {"judge": judge, "team": team}  # fmt: skip

    def _releases(self, round: Round) -> Iterator[str]:
        today = Assignment.objects.filter(
            participation__round=round, released_at__isnull=False
        ).values_list("judge_id", "participation_id")
        holds = {pair for pair, released in self.released.items() if released}
        for judge, team in sorted(set(today) ^ holds):
            yield _("Judge %(judge)s, team in the round %(team)s: the release is not that of the "
                    "record.") % {"judge": judge, "team": team}  # fmt: skip

    def _ties(self, round: Round) -> Iterator[str]:
        decided = {}
        for tie in Tie.objects.filter(
            panel__round=round, status=TieStatus.DECIDED
        ).prefetch_related("teams__participation__team"):
            placed = sorted(tie.teams.all(), key=lambda team: team.place or 0)
            decided[tie.pk] = " > ".join(team.participation.team.code for team in placed)
        said = {pk: order for pk, order in self.ties.items() if order is not None}
        for pk in sorted(decided.keys() | said.keys()):
            if decided.get(pk) != said.get(pk):
                yield _(
                    "Chair's decision no. %(tie)s: the record says %(said)s, not %(found)s."
                ) % {
                    "tie": pk,
                    **_versus(said.get(pk), decided.get(pk)),
                }

    def _rubrics(self) -> Iterator[str]:
        rubrics = Rubric.objects.prefetch_related("criteria").in_bulk(self.rubrics)
        for pk, said in self.rubrics.items():
            rubric = rubrics.get(pk)
            found = rubric.content() if rubric else {"criteria": []}
            for name in sorted(said.keys() - {"criteria"}):
                if said[name] != found.get(name):
                    yield _other_rubric(pk, name, said[name], found.get(name))
            now = {criterion["id"]: criterion for criterion in found["criteria"]}
            for criterion in said["criteria"]:
                other = now.pop(criterion["id"], {})
                for name in criterion:
                    if criterion[name] != other.get(name):
                        where = f"{criterion['name_zh'] or criterion['name_en']}, {name}"
                        yield _other_rubric(pk, where, criterion[name], other.get(name))
            for criterion in now:
                yield _other_rubric(pk, criterion, None, criterion)
        known = {c["id"] for rubric in self.rubrics.values() for c in rubric["criteria"]}
        for pk in sorted({criterion for _sheet, criterion in self.marks} - known):
            yield _("The record does not say what criterion %(criterion)s asked.") % {
                "criterion": pk
            }


def _numbered(text: str) -> tuple[int, str]:
    """What an entry says of a numbered thing: ``#12 A > B`` is (12, "A > B").

    Somebody may have written anything there; then it is nothing's.
    """
    match = re.fullmatch(r"#(\d{1,18}) ?(.*)", text, re.DOTALL)
    return (int(match[1]), match[2]) if match else (0, text)


def _versus(said, found) -> dict:
    return {"said": "–" if said is None else said, "found": "–" if found is None else found}


def _other_rubric(rubric: int, where, said, found) -> str:
    return _("Rubric %(rubric)s, %(where)s: the record says %(said)s, not %(found)s.") % {
        "rubric": rubric,
        "where": where,
        **_versus(said, found),
    }
