"""The live grid: who has done which sheet, who is late, and what stands out.

``load`` reads a round in a fixed number of queries; what is late and what stands out is worked out
by pure functions, whose rules the page states in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from uuid import UUID

from django.db import models
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.models import Participation, Round
from contest.states import ParticipationStatus
from judging.models import Assignment, Judge, Reminder
from judging.services.panels import awaited
from judging.services.scoresheets import may_write_in
from judging.services.sheet_results import inputs_of
from judging.services.stage import status_of, taking_part
from judging.services.totals import exact_total, fraction_to_decimal, is_veto
from judging.states import AppearanceStatus, ScoresheetStatus

# A sheet is late when the team's turn ended longer ago than this ...
LATE_AFTER = timedelta(minutes=3)
# ... or, where nobody was called to a stage, when the round closes sooner than this.
CLOSES_SOON = timedelta(hours=24)
# A total stands out when it lies further than this from the median of the others, ...
FAR_POINTS = 10
# ... and where there are at least four sheets also further than three robust deviations: 1.4826
# times the median distance of the others from their median.
FAR_DEVIATIONS = 3
ROBUST = Fraction("1.4826")
FEW_SHEETS = 3
# A judge stands out who on average differs by more than this from the others on the same teams.
JUDGE_POINTS = 8
JUDGE_TEAMS = 3


class State(models.TextChoices):
    """What an organizer sees of one judge and one team."""

    NONE = "none", _("not begun")
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned")
    RECUSED = "recused", _("conflict of interest")
    RELEASED = "released", _("released")


WAITED_FOR = (State.NONE, State.DRAFT, State.RETURNED)


@dataclass(frozen=True)
class Cell:
    """One judge's sheet for one team. ``marks`` of ``needed`` are there."""

    judge_id: int
    participation_id: int
    state: str
    sheet_id: UUID | None = None
    marks: int = 0
    needed: int = 0
    total: Fraction | None = None
    veto: bool = False  # the judge votes to exclude the team
    is_expected: bool = True  # the round waits for the sheet, or has it
    is_late: bool = False
    far: int = 0  # -1 far below the other judges, 1 far above them

    @property
    def state_label(self) -> str:
        return str(State(self.state).label)

    @property
    def shown_total(self) -> Decimal | None:
        return None if self.total is None else fraction_to_decimal(self.total)


@dataclass(frozen=True)
class Row:
    """One team. Mean and spread (highest less lowest) are those of its submitted sheets."""

    participation: Participation
    turn: str
    cells: tuple[Cell | None, ...]
    done: int
    all: int
    mean: Decimal | None
    spread: Decimal | None


@dataclass(frozen=True)
class Column:
    """One judge. ``difference``: how far on average from the others, over ``teams`` teams."""

    judge: Judge
    done: int
    all: int
    late: int
    difference: Decimal | None
    teams: int
    far: int
    reminded_at: datetime | None


@dataclass(frozen=True)
class Grid:
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    done: int
    all: int

    @property
    def missing(self) -> int:
        return self.all - self.done

    @property
    def percent(self) -> int:
        return 100 * self.done // self.all if self.all else 0

    @property
    def late(self) -> list[Judge]:
        return [column.judge for column in self.columns if column.late]


# --- What stands out -------------------------------------------------------------------------


def far_from_others(totals: Sequence[Fraction]) -> list[int]:
    """For each of a team's totals: 1 far above the others, -1 far below, 0 among them."""
    found = []
    for n, total in enumerate(totals):
        others = [*totals[:n], *totals[n + 1 :]]
        found.append(_side(total, others, len(totals)) if others else 0)
    return found


def _side(total: Fraction, others: Sequence[Fraction], sheets: int) -> int:
    middle = median(others)
    distance = abs(total - middle)
    if distance <= FAR_POINTS:
        return 0
    if sheets > FEW_SHEETS:
        deviation = ROBUST * median(abs(other - middle) for other in others)
        if distance <= FAR_DEVIATIONS * deviation:
            return 0
    return 1 if total > middle else -1


def judge_differences(
    totals: Mapping[int, Mapping[int, Fraction]],
) -> dict[int, tuple[Fraction, int]]:
    """``{judge: (mean difference from the mean of the others, teams in common)}``.

    ``totals``: by team, then by judge. Who alone judged a team is not compared on it.
    """
    found: dict[int, list[Fraction]] = {}
    for sheets in totals.values():
        for judge, total in sheets.items():
            others = [value for other, value in sheets.items() if other != judge]
            if others:
                found.setdefault(judge, []).append(total - sum(others) / len(others))
    return {judge: (sum(found[judge]) / len(found[judge]), len(found[judge])) for judge in found}


def is_due(round: Round, participation: Participation, stage_used: bool, now: datetime) -> bool:
    """Whether the team's sheets should be in by ``now``."""
    if stage_used:
        turn = getattr(participation, "appearance", None)
        return (
            turn is not None
            and turn.status == AppearanceStatus.DONE
            and turn.ended_at is not None
            and now - turn.ended_at > LATE_AFTER
        )
    return round.closes_at is not None and now >= round.closes_at - CLOSES_SOON


# --- Reading ---------------------------------------------------------------------------------


def load(round: Round, now: datetime | None = None) -> Grid:
    """The whole grid as it is now, in eight queries however large it is."""
    now = now or timezone.now()
    teams = taking_part(round)
    stage_used = any(status_of(p) != AppearanceStatus.WAITING for p in teams)
    due = {p.pk: is_due(round, p, stage_used, now) for p in teams}
    cells, judges = _cells(round, due)
    cells = _marked(cells)
    reminded = dict(
        Reminder.objects.filter(round=round).order_by().values_list("judge").annotate(Max("at"))
    )
    columns = _columns(sorted(judges.values(), key=lambda j: (j.name, j.pk)), cells, reminded)
    rows = tuple(_row(p, columns, cells) for p in teams)
    return Grid(
        rows=rows,
        columns=columns,
        done=sum(row.done for row in rows),
        all=sum(row.all for row in rows),
    )


def _cells(round: Round, due: Mapping[int, bool]) -> tuple[dict, dict[int, Judge]]:
    """``{(participation, judge): cell}`` of the teams that compete, and the judges by id."""
    assignments = Assignment.objects.filter(
        participation__round=round, participation__status=ParticipationStatus.ACTIVE
    ).select_related("judge", "participation", "scoresheet", "panel")
    assignments = assignments.annotate(is_awaited=Exists(awaited(round).filter(pk=OuterRef("pk"))))
    marks, criteria, recused = inputs_of(round)
    cells, judges = {}, {}
    for assignment in assignments:
        judges[assignment.judge_id] = assignment.judge
        sheet = getattr(assignment, "scoresheet", None)
        given = marks.get(sheet.pk, {}) if sheet else {}
        mine = criteria.get(assignment.panel.rubric_id, [])
        needed = [criterion.pk for criterion in mine if criterion.is_required]
        state = _state(assignment, sheet, given, recused)
        late = (
            state in WAITED_FOR
            and due[assignment.participation_id]
            and may_write_in(round.status, sheet.status if sheet else ScoresheetStatus.DRAFT)
        )
        cells[assignment.participation_id, assignment.judge_id] = Cell(
            judge_id=assignment.judge_id,
            participation_id=assignment.participation_id,
            state=state,
            sheet_id=sheet.pk if sheet else None,
            marks=sum(pk in given for pk in needed),
            needed=len(needed),
            total=exact_total(mine, given),
            veto=state == State.SUBMITTED and is_veto(mine, given),
            is_expected=assignment.is_awaited,
            is_late=late,
        )
    return cells, judges


def _state(assignment: Assignment, sheet, given: Mapping, recused: set) -> str:
    if (assignment.judge_id, assignment.participation.team_id) in recused:
        return State.RECUSED
    if sheet is not None and sheet.status == ScoresheetStatus.SUBMITTED:
        return State.SUBMITTED
    if assignment.released_at is not None:
        return State.RELEASED
    if sheet is not None and sheet.status == ScoresheetStatus.RETURNED:
        return State.RETURNED
    return State.DRAFT if given else State.NONE


def _submitted(cells: Mapping) -> dict[int, dict[int, Fraction]]:
    """The totals that count, by team and then by judge."""
    totals: dict[int, dict[int, Fraction]] = {}
    for (participation_id, judge_id), cell in cells.items():
        if cell.state == State.SUBMITTED and cell.total is not None:
            totals.setdefault(participation_id, {})[judge_id] = cell.total
    return totals


def _marked(cells: Mapping) -> dict:
    """The cells, with those that lie far from the rest of their team marked."""
    marked = dict(cells)
    for participation_id, sheets in _submitted(cells).items():
        sides = far_from_others(list(sheets.values()))
        for judge_id, far in zip(sheets, sides, strict=True):
            key = participation_id, judge_id
            marked[key] = replace(marked[key], far=far)
    return marked


def _columns(judges: Sequence[Judge], cells: Mapping, reminded: Mapping) -> tuple[Column, ...]:
    differences = judge_differences(_submitted(cells))
    columns = []
    for judge in judges:
        mine = [c for c in cells.values() if c.judge_id == judge.pk and c.is_expected]
        difference, teams = differences.get(judge.pk, (None, 0))
        far = teams >= JUDGE_TEAMS and abs(difference) > JUDGE_POINTS
        columns.append(
            Column(
                judge=judge,
                done=sum(c.state == State.SUBMITTED for c in mine),
                all=len(mine),
                late=sum(c.is_late for c in mine),
                difference=None if difference is None else fraction_to_decimal(difference),
                teams=teams,
                far=(1 if difference > 0 else -1) if far else 0,
                reminded_at=reminded.get(judge.pk),
            )
        )
    return tuple(columns)


def _row(participation: Participation, columns: Sequence[Column], cells: Mapping) -> Row:
    mine = tuple(cells.get((participation.pk, column.judge.pk)) for column in columns)
    expected = [cell for cell in mine if cell is not None and cell.is_expected]
    submitted = [cell for cell in expected if cell.state == State.SUBMITTED]
    totals = [cell.total for cell in submitted if cell.total is not None]
    return Row(
        participation=participation,
        turn=status_of(participation),
        cells=mine,
        done=len(submitted),
        all=len(expected),
        mean=fraction_to_decimal(sum(totals) / len(totals)) if totals else None,
        spread=fraction_to_decimal(max(totals) - min(totals)) if totals else None,
    )


def submitted_counts(round: Round) -> dict[int, tuple[int, int]]:
    """``{participation: (sheets submitted, sheets expected)}`` in one query."""
    submitted = Q(scoresheet__status=ScoresheetStatus.SUBMITTED)
    rows = (
        awaited(round)
        .order_by()
        .values("participation")
        .annotate(done=Count("pk", filter=submitted), expected=Count("pk"))
    )
    return {row["participation"]: (row["done"], row["expected"]) for row in rows}
