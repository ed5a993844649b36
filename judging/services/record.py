"""Adding to a round's judging record, and checking that nobody meddled with it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from contest.models import LogEntry, Round, User
from contest.templatetags.wuzhen import event_time
from judging.models import (
    Assignment,
    Mark,
    Record,
    RecordEntry,
    Recusal,
    Rubric,
    Scoresheet,
    Tie,
)
from judging.services.telling import tell_desk, tell_judges
from judging.states import ScoresheetStatus, TieStatus

Kind = RecordEntry.Kind
# The log's action for a head, and how it is written: the number of entries and the last digest.
HEAD = "record_head"
WRITTEN = re.compile(r"(\d{1,9}) ([0-9a-f]{64})")


def _locked(round: Round) -> Record:
    locked = Record.objects.select_for_update()
    record = locked.filter(round=round).first()
    if record is None:  # the round's first entry
        Record.objects.get_or_create(round=round)
        record = locked.get(round=round)
    return record


def append(round: Round, kind: str, **fields) -> RecordEntry:
    """Add one entry; the caller's transaction holds the record until it ends.

    ``fields`` are those of RecordEntry. Take the record last: whoever holds it asks for no other
    lock, so that two writers never wait for each other.
    """
    (entry,) = append_all(round, [{"kind": kind, **fields}])
    return entry


def append_all(round: Round, entries: Iterable[Mapping]) -> list[RecordEntry]:
    """Add entries one after another, as ``append`` does, in as few queries as one of them."""
    record = _locked(round)
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


def tell_criteria(round: Round, rubric: Rubric) -> None:
    """Keep what the rubric asks and weighs, once a record: the marks that follow rest on it.

    Call it where ``append`` could be called; it takes the record too.
    """
    record = _locked(round)
    text = json.dumps(rubric.content(), sort_keys=True, ensure_ascii=False)
    if not record.entries.filter(kind=Kind.CRITERIA, text=text).exists():
        append(round, Kind.CRITERIA, text=text)


def of_round(round: Round) -> Record | None:
    """The round's record; None where nothing was entered yet."""
    return Record.objects.filter(round=round, length__gt=0).first()


# --- Heads that were written down ------------------------------------------------------------


@dataclass(frozen=True)
class Anchor:
    """A head as somebody wrote it down: after ``number`` entries the digest was ``head``.

    ``number`` is None where only the head is known; ``head`` may be its beginning.
    """

    head: str
    number: int | None = None
    at: datetime | None = None


def write_head_down(round: Round, by: User | None = None) -> LogEntry | None:
    """Keep in the event's log how the round's record ends now; nothing where it is empty."""
    record = of_round(round)
    if record is None:
        return None
    return LogEntry.write(round, HEAD, by=by, after=f"{record.length} {record.head}")


def anchors(round: Round) -> list[Anchor]:
    """The heads that the log holds, oldest first. One that cannot be read has an empty head."""
    kept = LogEntry.objects.filter(model="round", object_id=str(round.pk), action=HEAD)
    found = []
    for entry in kept.order_by("at", "pk"):
        match = WRITTEN.fullmatch(entry.after)
        number, head = (int(match[1]), match[2]) if match else (None, "")
        found.append(Anchor(head, number, entry.at))
    return found


def anchor_of(text: str) -> Anchor:
    """A head from paper: its digest, or at least the first 16 characters of it; case and spaces do
    not matter. Raises ValidationError."""
    head = "".join(text.split()).lower()
    if not re.fullmatch(r"[0-9a-f]{16,64}", head):
        raise ValidationError(
            _("A head is 64 characters of 0–9 and a–f, of which at least the first 16 are needed.")
        )
    return Anchor(head)


def holds(round: Round, head: str) -> bool:
    """Whether some entry's digest begins with ``head``."""
    return RecordEntry.objects.filter(record__round=round, digest__startswith=head).exists()


# --- Checking --------------------------------------------------------------------------------


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

    Checked are: each entry's digest; that the record ends where its head says; that every head in
    the event's log, and with ``expected_head`` one from elsewhere, is in it where it should be;
    that marks, comments, states of sheets, releases, conflicts of interest, chairs' decisions and
    the rubrics that marks were given by are what the entries make them. ``progress`` is told the
    number of entries read.
    """
    record = Record.objects.filter(round=round).first()
    written: dict[int | None, list[Anchor]] = {}
    for anchor in anchors(round):
        written.setdefault(anchor.number, []).append(anchor)
    wanted = anchor_of(expected_head).head if expected_head else ""
    faults, before, count, told = [], "", 0, _Told()
    entries = record.entries.order_by("number").iterator() if record else ()
    for place, entry in enumerate(entries, start=1):
        if entry.number != place:
            faults.append(Fault(place, _("The entry is missing.")))
            break
        if entry.digest_after(before) != entry.digest:
            faults.append(Fault(place, _("The entry was changed, or one before it was.")))
            break
        before, count = entry.digest, place
        for anchor in written.pop(place, ()):
            if anchor.head != before:
                faults.append(_other_head(anchor, round))
        if wanted and before.startswith(wanted):
            wanted = ""
        told.add(entry)
        progress(place)
    else:
        if record is not None and (record.length, record.head) != (count, before):
            faults.append(Fault(count + 1, _("The record was cut off, or its head changed.")))
        faults += [_other_head(anchor, round) for left in written.values() for anchor in left]
    if wanted:
        faults.append(Fault(None, _("The head that was written down is not in the record.")))
    return faults or told.differences(round)


def _other_head(anchor: Anchor, round: Round) -> Fault:
    when = event_time(anchor.at, round.event)
    if anchor.number is None:
        return Fault(
            None, _("The log's entry of %(when)s about the head was changed.") % {"when": when}
        )
    return Fault(
        anchor.number,
        _("The log says that at %(when)s the record had %(count)s entries and the head %(head)s….")
        % {"when": when, "count": anchor.number, "head": anchor.head[:16]},
    )


class _Told:
    """What the entries, one after another, make of the round's data."""

    def __init__(self):
        self.marks: dict[tuple, Decimal | None] = {}
        self.comments: dict[UUID, str] = {}
        self.status: dict[UUID, str] = {}
        self.recused: dict[tuple[int, int], bool] = {}
        self.ties: set[str] = set()
        self.released: set[tuple[int, int]] = set()
        self.rubrics: dict[int, dict] = {}

    def add(self, entry: RecordEntry) -> None:
        sheet = entry.scoresheet_id
        if entry.kind == Kind.MARK:
            self.marks[sheet, entry.criterion_id] = entry.value
        elif entry.kind == Kind.COMMENT:
            self.comments[sheet] = entry.text
        elif entry.kind == Kind.SUBMITTED:
            self.status[sheet] = ScoresheetStatus.SUBMITTED
        elif entry.kind == Kind.RETURNED:
            self.status[sheet] = ScoresheetStatus.RETURNED
        elif entry.kind in (Kind.RECUSED, Kind.RECUSAL_LIFTED):
            self.recused[entry.judge_id, entry.participation_id] = entry.kind == Kind.RECUSED
        elif entry.kind == Kind.TIE:
            self.ties.add(entry.text)
        elif entry.kind == Kind.RELEASED:
            self.released.add((entry.judge_id, entry.participation_id))
        elif entry.kind == Kind.CRITERIA:
            content = entry.rubric_content
            self.rubrics[content["rubric"]] = content

    def differences(self, round: Round) -> list[Fault]:
        """Where the data of today are not what the entries say."""
        sheets = {
            sheet.pk: sheet
            for sheet in Scoresheet.objects.filter(
                assignment__participation__round=round
            ).select_related("assignment__judge", "assignment__participation__team",
                             "assignment__participation__round")
        }  # fmt: skip
        return [
            *self._marks(sheets),
            *self._sheets(sheets),
            *self._recusals(round),
            *self._ties(round),
            *self._releases(round),
            *self._rubrics(),
        ]

    def _marks(self, sheets: dict):
        held = {
            (mark.scoresheet_id, mark.criterion_id): mark.value
            for mark in Mark.objects.filter(scoresheet__in=sheets)
        }
        for key in sorted(held.keys() | self.marks.keys(), key=str):
            said, found = self.marks.get(key), held.get(key)
            if said != found:
                yield Fault(
                    None,
                    _("%(sheet)s, criterion %(criterion)s: the record says %(said)s, not "
                      "%(found)s.")
                    % {
                        "sheet": sheets.get(key[0], key[0]),
                        "criterion": key[1],
                        "said": "–" if said is None else said,
                        "found": "–" if found is None else found,
                    },
                )  # fmt: skip

    def _sheets(self, sheets: dict):
        for sheet in sheets.values():
            wanted = self.status.get(sheet.pk, ScoresheetStatus.DRAFT)
            if sheet.status != wanted:
                yield Fault(
                    None,
                    _("%(sheet)s: the record says “%(said)s”, not “%(found)s”.")
                    % {
                        "sheet": sheet,
                        "said": ScoresheetStatus(wanted).label,
                        "found": sheet.get_status_display(),
                    },
                )
            if sheet.comment != self.comments.get(sheet.pk, ""):
                yield Fault(
                    None,
                    _("%(sheet)s: the comment is not that of the record.") % {"sheet": sheet},
                )

    def _recusals(self, round: Round):
        """A conflict declared before the team joined the round is in the record of another."""
        here = {p.team_id: p for p in round.participations.all()}
        holds = {pair for pair, recused in self.recused.items() if recused}
        today, early = set(), set()
        for recusal in Recusal.objects.filter(team__in=here):
            participation = here[recusal.team_id]
            pair = (recusal.judge_id, participation.pk)
            today.add(pair)
            if recusal.declared_at < participation.joined_at:
                early.add(pair)
        for judge, team in sorted((today ^ holds) - (early - holds)):
            yield Fault(
                None,
                _("Judge %(judge)s, team in the round %(team)s: the conflict of interest is not "
                  "that of the record.")
                % {"judge": judge, "team": team},
            )  # fmt: skip

    def _ties(self, round: Round):
        decided = Tie.objects.filter(panel__round=round, status=TieStatus.DECIDED)
        for tie in decided.prefetch_related("teams__participation__team"):
            order = " > ".join(team.participation.team.code for team in tie.teams.all())
            if order not in self.ties:
                yield Fault(
                    None,
                    _("The order %(order)s that a chair decided is not in the record.")
                    % {"order": order},
                )

    def _releases(self, round: Round):
        released = Assignment.objects.filter(
            participation__round=round, released_at__isnull=False
        ).values_list("judge_id", "participation_id")
        for judge, team in sorted(set(released) ^ self.released):
            yield Fault(
                None,
                _("Judge %(judge)s, team in the round %(team)s: the release is not that of the "
                  "record.")
                % {"judge": judge, "team": team},
            )  # fmt: skip

    def _rubrics(self):
        """A record that says nothing of rubrics was begun before they were kept in it."""
        rubrics = Rubric.objects.prefetch_related("criteria").in_bulk(self.rubrics)
        for pk, said in self.rubrics.items():
            rubric = rubrics.get(pk)
            found = rubric.content() if rubric else {}
            for name in sorted(said.keys() - {"criteria"}):
                if said[name] != found.get(name):
                    yield _other_rubric(said, name, said[name], found.get(name))
            now = {criterion["id"]: criterion for criterion in found.get("criteria", ())}
            for criterion in said["criteria"]:
                other = now.pop(criterion["id"], {})
                for name in criterion:
                    if criterion[name] != other.get(name):
                        where = f"{criterion['name_zh'] or criterion['name_en']}, {name}"
                        yield _other_rubric(said, where, criterion[name], other.get(name))
            for pk in now:
                yield _other_rubric(said, pk, None, pk)
        known = {c["id"] for rubric in self.rubrics.values() for c in rubric["criteria"]}
        if known:
            for pk in sorted({criterion for _sheet, criterion in self.marks} - known):
                yield Fault(
                    None, _("The record does not say what criterion %(criterion)s asked.")
                    % {"criterion": pk},
                )  # fmt: skip


def _other_rubric(rubric: dict, where, said, found) -> Fault:
    return Fault(
        None,
        _("Rubric %(rubric)s, %(where)s: the record says %(said)s, not %(found)s.")
        % {
            "rubric": rubric["rubric"],
            "where": where,
            "said": "–" if said is None else said,
            "found": "–" if found is None else found,
        },
    )
