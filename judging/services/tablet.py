"""What a judge's tablet holds and sends.

The tablet keeps one *package*, everything its judge needs with no network, and an *outbox* of
operations that the server has not confirmed. Each operation has a key of its own: sent twice, it
is done once. What the server answers for each is final; what it did not answer is sent again.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from contest.errors import OUT_OF_RANGE, Refused, out_of_range_message
from contest.models import EntryFile, LogEntry, Participation, Round
from contest.states import ParticipationStatus, RoundStatus
from judging.models import (
    Assignment,
    Criterion,
    Judge,
    Mark,
    RecordEntry,
    Rubric,
    Scoresheet,
    Tie,
)
from judging.services import reminders, scoresheets, stage, ties
from judging.services.panels import recuse
from judging.services.scoresheets import Conflict, Sent
from judging.states import ScoresheetStatus

Kind = RecordEntry.Kind
# So many operations are taken at once; a tablet that was long away sends several times.
MOST_OPERATIONS = 50
# What a package is made of. An app draws only packages of the form that it knows; count on where
# the form changes, here and in static/js/judge/tablet.js.
FORMAT = 2
LANGUAGES = {"zh": "zh-hans", "en": "en"}


# --- The package -----------------------------------------------------------------------------


def package(judge: Judge) -> dict:
    """Everything the judge's tablet shows, in both languages, as JSON.

    The number of queries does not grow with teams; per round there are a few. Numbers of entries
    are read before what they stand for: what is written meanwhile is then newer than its number,
    which costs a question at worst. The other way round a tablet would take what it never showed
    for known.
    """
    numbers = _Numbers(judge)
    assignments = list(
        Assignment.objects.filter(judge=judge)
        .exclude(participation__round__status=RoundStatus.DRAFT)
        .filter(participation__status=ParticipationStatus.ACTIVE)
        .select_related(
            "panel",
            "participation__round__track",
            "participation__round__event",
            "participation__team__entry",
            "scoresheet",
        )
        .prefetch_related("participation__team__entry__files")
        .order_by(
            "participation__round", "participation__running_order", "participation__team__code"
        )
    )
    sheets = [a.scoresheet for a in assignments if hasattr(a, "scoresheet")]
    known = _Known(judge, sheets, numbers)
    wanted = {a.panel.rubric_id for a in assignments}
    rubrics = {
        rubric.pk: rubric
        for rubric in Rubric.objects.filter(pk__in=wanted).prefetch_related("criteria")
    }
    rounds: dict[int, dict] = {}
    for assignment in assignments:
        round = assignment.participation.round
        if round.pk not in rounds:
            rounds[round.pk] = _round(round)
        rubric = rubrics[assignment.panel.rubric_id]
        rounds[round.pk]["teams"].append(_team(assignment, known, rubric))
        if str(rubric.pk) not in rounds[round.pk]["rubrics"]:
            rounds[round.pk]["rubrics"][str(rubric.pk)] = describe_rubric(rubric)
    for shown in rounds.values():
        # Anonymous teams come last, in an order that says nothing of the running order.
        shown["teams"].sort(
            key=lambda team: (team["anonymous"], team["anonymous"] and team["code"])
        )
    event = judge.event
    return {
        "format": FORMAT,
        "server_time": timezone.now().isoformat(),
        "judge": {
            "id": judge.pk,
            "name": judge.name,
            "organisation_zh": judge.organisation_zh,
            "organisation_en": judge.organisation_en,
        },
        "event": {
            "slug": event.slug,
            "name_zh": event.name_zh,
            "name_en": event.name_en,
            "time_zone": event.time_zone,
        },
        "reminders": [
            {"id": reminder.pk, "round": reminder.round_id, "text": reminder.text,
             "at": reminder.at.isoformat()}
            for reminder in reminders.standing(judge)
        ],
        "ties": _ties(judge),
        # What is to be done now comes first.
        "rounds": sorted(rounds.values(), key=lambda shown: shown["status"] != RoundStatus.OPEN),
    }  # fmt: skip


class _Numbers:
    """Of each thing that the judge may change, the newest entry: what tablets base changes on.

    Marks go by their criterion's code, so that what was given by one version of a rubric is known
    by the next; whatever handed a sheet in or returned it is one thing, and so are a conflict of
    interest and its end.
    """

    TURNS = (Kind.SUBMITTED, Kind.RETURNED)
    RECUSALS = (Kind.RECUSED, Kind.RECUSAL_LIFTED)

    def __init__(self, judge: Judge):
        self._newest: dict = {}
        for sheet_id, participation_id, kind, code, number in (
            RecordEntry.objects.filter(
                judge=judge,
                kind__in=[Kind.MARK, Kind.COMMENT, Kind.NOTE, *self.TURNS, *self.RECUSALS],
            )
            .order_by("record", "number")
            .values_list("scoresheet_id", "participation_id", "kind", "criterion__code", "number")
        ):
            if kind in self.RECUSALS:
                self._newest["recusal", participation_id] = number
            elif kind in self.TURNS:
                self._newest["turn", sheet_id] = number
            else:
                self._newest[kind, sheet_id, code] = number

    def mark(self, sheet: Scoresheet, criterion: Criterion) -> int:
        return self._newest.get((Kind.MARK, sheet.pk, criterion.code), 0)

    def text(self, sheet: Scoresheet, name: str) -> int:
        return self._newest.get((scoresheets.TEXTS[name], sheet.pk, None), 0)

    def turn(self, sheet: Scoresheet) -> int:
        return self._newest.get(("turn", sheet.pk), 0)

    def recusal(self, participation_id: int) -> int:
        return self._newest.get(("recusal", participation_id), 0)


class _Known:
    """What several queries say of all the judge's sheets at once."""

    def __init__(self, judge: Judge, sheets: list[Scoresheet], numbers: _Numbers):
        self.numbers = numbers
        self.recused = dict(judge.recusals.values_list("team_id", "reason"))
        self.marks: dict = {}
        for sheet_id, criterion_id, value in Mark.objects.filter(scoresheet__in=sheets).values_list(
            "scoresheet_id", "criterion_id", "value"
        ):
            self.marks.setdefault(sheet_id, {})[criterion_id] = value
        returned = [s.pk for s in sheets if s.status == ScoresheetStatus.RETURNED]
        self.returned: dict[str, str] = {}
        for entry in LogEntry.objects.filter(
            model="scoresheet",
            object_id__in=[str(pk) for pk in returned],
            after=ScoresheetStatus.RETURNED,
        ).order_by("at", "pk"):
            self.returned[entry.object_id] = entry.reason


def _round(round: Round) -> dict:
    shown = {
        "id": round.pk,
        "slug": round.slug,
        "name_zh": round.name_zh,
        "name_en": round.name_en,
        "track_zh": round.track.name_zh,
        "track_en": round.track.name_en,
        "format": round.format,
        "status": round.status,
        "closes_at": round.closes_at.isoformat() if round.closes_at else None,
        "stage": None,
        "rubrics": {},
        "teams": [],
    }
    if round.format == Round.Format.ROADSHOW:
        shown["stage"] = stage.describe(round)
    return shown


def describe_rubric(rubric: Rubric) -> dict:
    """A rubric as the sheet draws it."""
    return {
        "id": rubric.pk,
        "name_zh": rubric.name_zh,
        "name_en": rubric.name_en,
        "version": rubric.version,
        "criteria": [describe_criterion(criterion) for criterion in rubric.criteria.all()],
    }


def describe_criterion(criterion: Criterion) -> dict:
    """A criterion as the sheet draws it; numbers as decimal texts, exactly as they are."""
    return {
        "id": criterion.pk,
        "kind": criterion.kind,
        "name_zh": criterion.name_zh,
        "name_en": criterion.name_en,
        "guide_zh": criterion.guide_zh,
        "guide_en": criterion.guide_en,
        "weight": str(criterion.weight),
        "minimum": str(criterion.minimum),
        "maximum": str(criterion.maximum),
        "step": str(criterion.step),
    }


def pseudonym(participation: Participation) -> str:
    """A short name for a team in an anonymous review, which leads nowhere without our secret."""
    mac = hmac.new(
        settings.SECRET_KEY.encode(), f"anonymous {participation.pk}".encode(), hashlib.sha256
    )
    return base64.b32encode(mac.digest()).decode()[:5]


def _team(assignment: Assignment, known: _Known, rubric: Rubric) -> dict:
    participation, panel = assignment.participation, assignment.panel
    team, entry = participation.team, participation.team.entry
    hidden = panel.is_anonymous
    recused = known.recused.get(participation.team_id)
    return {
        "assignment": assignment.pk,
        "rubric": panel.rubric_id,
        "anonymous": hidden,
        "recused": recused,
        "recusal_number": known.numbers.recusal(participation.pk),
        "released": assignment.released_at is not None,
        # Ids, codes and places in the running order lead to the team's public page.
        "participation": None if hidden else participation.pk,
        "order": None if hidden else participation.running_order,
        "code": pseudonym(participation) if hidden else team.code,
        "name_zh": "" if hidden else team.name_zh,
        "name_en": "" if hidden else team.name_en,
        "organisation_zh": "" if hidden else team.organisation_zh,
        "organisation_en": "" if hidden else team.organisation_en,
        **{
            f"country_{short}": "" if hidden else _country(team, language)
            for short, language in LANGUAGES.items()
        },
        "title_zh": entry.title_zh,
        "title_en": entry.title_en,
        "abstract_zh": entry.abstract_zh,
        "abstract_en": entry.abstract_en,
        "base_model": entry.base_model,
        "licence": entry.licence,
        "links": {}
        if hidden
        else {
            name: url
            for name, url in (
                ("repository", entry.repository),
                ("demo", entry.demo_url),
                ("video", entry.video_url),
            )
            if url
        },
        "files": []
        if recused
        else [
            {
                "id": file.pk,
                "name": file_name(file, n) if hidden else file.original_name,
                "type": file_type(file),
                "size": file.size,
                "url": reverse("judge-file", args=[assignment.pk, file.pk]),
            }
            for n, file in enumerate(entry.files.all(), start=1)
        ],
        "sheet": _sheet(assignment, known, rubric.criteria.all()),
    }


def _country(team, language: str) -> str:
    with translation.override(language):
        return str(team.country.name)


def file_type(file: EntryFile) -> str:
    return file.original_name.rsplit(".", 1)[-1].lower()


def file_name(file: EntryFile, n: int) -> str:
    """A name that says only of what kind the file is."""
    return f"{n}.{file_type(file)}"


def _sheet(assignment: Assignment, known: _Known, criteria: Iterable[Criterion]) -> dict | None:
    sheet = getattr(assignment, "scoresheet", None)
    if sheet is None:
        return None
    marks, numbers = known.marks.get(sheet.pk, {}), known.numbers
    return {
        "id": str(sheet.pk),
        "status": sheet.status,
        "turn": numbers.turn(sheet),
        "submitted_at": sheet.submitted_at.isoformat() if sheet.submitted_at else None,
        "returned": known.returned.get(str(sheet.pk), ""),
        # A mark that was cleared has an entry and no value.
        "marks": {
            str(criterion.pk): {"value": _text(marks.get(criterion.pk)), "number": number}
            for criterion in criteria
            if (number := numbers.mark(sheet, criterion))
        },
        **{
            name: {"text": getattr(sheet, name), "number": numbers.text(sheet, name)}
            for name in scoresheets.TEXTS
        },
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _ties(judge: Judge) -> list[dict]:
    return [
        {
            "id": tie.pk,
            "round": tie.panel.round_id,
            "asked_at": tie.asked_at.isoformat(),
            "teams": _tied(tie),
        }
        for tie in ties.open_for(judge)
    ]


def _tied(tie: Tie) -> list[dict]:
    """The tied teams. In an anonymous panel their ids are those of the tie's rows, which lead
    nowhere; the outbox takes them back."""
    teams = tie.teams.all()
    if not tie.panel.is_anonymous:
        return [stage.describe_team(team.participation) for team in teams]
    hidden = dict.fromkeys(("name_zh", "name_en", "organisation_zh", "organisation_en"), "")
    shown = [
        {
            **stage.describe_team(team.participation),
            **hidden,
            "participation": team.pk,
            "order": None,
            "code": pseudonym(team.participation),
        }
        for team in teams
    ]
    return sorted(shown, key=lambda team: team["code"])


def _untied(tie: Tie, order: Sequence[int]) -> list[int]:
    """The participations that the tablet's ids of tied teams stand for."""
    if not tie.panel.is_anonymous:
        return list(order)
    ids = dict(tie.teams.values_list("pk", "participation"))
    return [ids.get(pk, 0) for pk in order]


# --- The outbox ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operation:
    """One thing the judge did on the tablet. Which fields count depends on ``kind``."""

    kind: str  # mark, comment, private_note, submit, recuse, tie
    key: str
    assignment: int | None = None
    criterion: int | None = None
    value: Decimal | None = None
    text: str = ""
    marks: Mapping[int, Decimal] | None = None
    tie: int | None = None
    order: tuple[int, ...] = ()
    base: int = 0
    device_at: datetime | None = None
    imported: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one operation.

    ``saved``: it is on disk; ``number`` is its entry. ``conflict``: another tablet of the judge, or
    for a sheet handed in its return, was first; ``current`` is what holds. ``refused``: a rule
    forbids it, ``code`` and ``detail`` say which; sent again it is tried again.
    """

    key: str
    outcome: str
    number: int = 0
    code: str = ""
    detail: str = ""
    current: dict = field(default_factory=dict)


def take(judge: Judge, operation: Operation, device: str) -> Outcome:
    """Do one operation, in a transaction of its own, and say what became of it; a refusal is an
    answer, too, and does not stop the operations after it."""
    try:
        number = _do(judge, operation, device)
    except Conflict as conflict:
        return Outcome(
            operation.key, "conflict", code=conflict.code, detail=_words(conflict),
            current=_current(conflict.entry),
        )  # fmt: skip
    except ValidationError as error:
        return Outcome(
            operation.key, "refused", code=getattr(error, "code", None) or "invalid",
            detail=_words(error),
        )  # fmt: skip
    except OUT_OF_RANGE:
        return Outcome(
            operation.key, "refused", code="out_of_range", detail=str(out_of_range_message())
        )
    return Outcome(operation.key, "saved", number=number)


def _words(error: ValidationError) -> str:
    return " ".join(str(message) for message in error.messages)


def _current(entry: RecordEntry | None) -> dict:
    """What holds now, and the entry that the judge is to know of it when they choose.

    A new version of the rubric may have carried a mark over since, or dropped it; a note's text is
    not in the record.
    """
    if entry is None:
        return {}
    sheet, number, value, criterion_id = entry.scoresheet, entry.number, None, entry.criterion_id
    if entry.kind == Kind.MARK:
        code = entry.criterion.code
        same = sheet.entries.filter(kind=Kind.MARK, criterion__code=code)
        number = same.order_by("number").last().number
        if mark := sheet.marks.filter(criterion__code=code).first():
            value, criterion_id = mark.value, mark.criterion_id
    return {
        "kind": entry.kind,
        "criterion": criterion_id,
        "number": number,
        "value": _text(value),
        "text": sheet.private_note if entry.kind == Kind.NOTE else entry.text,
        "at": entry.at.isoformat(),
        "device": entry.device,
    }


def _do(judge: Judge, operation: Operation, device: str) -> int:
    """The number of the entry that the operation made, now or when it was first sent."""
    sent = Sent(
        operation.key, device, operation.device_at, operation.base, is_imported=operation.imported
    )
    by = judge.user
    if operation.kind == "tie":
        tie = (
            Tie.objects.filter(pk=operation.tie, panel__chair=judge).select_related("panel").first()
        )
        if tie is None:
            raise Refused(_("The tie was taken back."), code="tie_gone")
        ties.decide(tie, by, _untied(tie, operation.order), operation.text)
        return 0
    assignment = (
        Assignment.objects.select_related("judge", "participation__team", "panel")
        .filter(pk=operation.assignment, judge=judge)
        .first()
    )
    if assignment is None:
        raise Refused(_("The team was taken from you."), code="not_assigned")
    if operation.kind == "recuse":
        _require_not_lifted(assignment, operation.base)
        recuse(judge, assignment.participation.team, by, operation.text)
        return 0
    sheet = scoresheets.open_sheet(assignment)
    if operation.kind == "mark":
        criterion = Criterion.objects.filter(pk=operation.criterion).first()
        if criterion is None:
            raise Refused(_("The criterion is no longer on the sheet."), code="no_criterion")
        return scoresheets.save_mark(sheet, criterion, operation.value, sent=sent, by=by).number
    if operation.kind in scoresheets.TEXTS:
        return scoresheets.save_text(sheet, operation.kind, operation.text, sent=sent, by=by).number
    scoresheets.submit_sheet(sheet, by, sent=sent, seen=operation.marks)
    entry = sheet.entries.filter(kind=Kind.SUBMITTED).order_by("number").last()
    return entry.number if entry else 0


def _require_not_lifted(assignment: Assignment, base: int) -> None:
    """Raise Refused if the conflict of interest was lifted after the tablet sent it, so that one
    whose answer got lost is not declared again."""
    lifted = RecordEntry.objects.filter(
        judge=assignment.judge,
        participation=assignment.participation,
        kind=Kind.RECUSAL_LIFTED,
        number__gt=base,
    )
    if lifted.exists():
        raise Refused(
            _(
                "The organizers lifted this conflict of interest meanwhile. Declare it again if it "
                "still holds."
            ),
            code="recusal_lifted",
        )
