"""A panel as a matrix: its judges, the round's teams, and what lies between each two."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from contest.models import Participation, Round
from contest.states import ParticipationStatus
from judging.design import Design, described
from judging.models import Assignment, Judge, Panel, RecordEntry, Recusal
from judging.services.panels import awaited, same_organisation
from judging.states import ScoresheetStatus


class State(models.TextChoices):
    """What a judge has to do with a team."""

    FREE = "free", _("not assigned")
    ASSIGNED = "assigned", _("assigned")
    MARKED = "marked", _("marks given")
    SUBMITTED = "submitted", _("submitted")
    RELEASED = "released", _("released")
    RECUSED = "recused", _("conflict of interest")
    SAME = "same", _("same organisation")
    ELSEWHERE = "elsewhere", _("in another panel")
    OUT = "out", _("not to be assigned")


@dataclass(frozen=True)
class Cell:
    """One judge and one team. ``act`` is what a tap does; empty where nothing can be done."""

    judge: Judge
    participation: Participation
    state: State
    act: str = ""  # assign, confirm (assign with a reason), unassign, readmit (with a reason)
    why: str = ""
    # Assigned although judge and team belong to the same organisation.
    in_spite: bool = False

    @property
    def key(self) -> str:
        return f"{self.judge.pk}.{self.participation.pk}"

    @property
    def is_given(self) -> bool:
        return self.state in (State.ASSIGNED, State.MARKED, State.SUBMITTED)


@dataclass
class Column:
    """A judge of the panel, or one who left it with sheets on record."""

    judge: Judge
    is_seated: bool
    is_chair: bool
    load: int = 0
    submitted: int = 0


@dataclass
class Line:
    """A team with its cells, and how many judges it has in this panel."""

    participation: Participation
    cells: list[Cell] = field(default_factory=list)
    count: int = 0


@dataclass
class Matrix:
    panel: Panel
    columns: list[Column]
    lines: list[Line]
    # Of the whole panel, whichever lines are shown.
    measures: Design
    teams_without: int

    @property
    def load_range(self) -> tuple[int, int]:
        """The smallest and the largest load, of the judges who sit in the panel."""
        loads = [column.load for column in self.columns if column.is_seated]
        return (min(loads), max(loads)) if loads else (0, 0)


def matrix(panel: Panel, participations: Sequence[Participation]) -> Matrix:
    """The panel's matrix with these teams as lines; the number of queries does not grow."""
    seated = list(panel.judges.all())
    here = list(
        panel.assignments.filter(participation__status=ParticipationStatus.ACTIVE).select_related(
            "judge", "scoresheet"
        )
    )
    judges = {judge.pk: judge for judge in seated}
    columns = {
        judge.pk: Column(judge, True, judge.pk == panel.chair_id) for judge in seated
    }  # fmt: skip
    recused = {
        (recusal.judge_id, recusal.team_id): recusal.reason
        for recusal in Recusal.objects.filter(judge__event=panel.round.event_id)
    }
    teams = dict(
        panel.round.participations.filter(status=ParticipationStatus.ACTIVE).values_list(
            "pk", "team"
        )
    )
    given, counts = set(), Counter()
    for assignment in here:
        pk = assignment.judge_id
        if pk not in columns:
            judges[pk] = assignment.judge
            columns[pk] = Column(assignment.judge, False, False)
        if assignment.released_at is not None:
            continue
        if (pk, teams[assignment.participation_id]) in recused:
            continue
        given.add((pk, assignment.participation_id))
        counts[assignment.participation_id] += 1
        columns[pk].load += 1
        sheet = getattr(assignment, "scoresheet", None)
        columns[pk].submitted += sheet is not None and sheet.status == ScoresheetStatus.SUBMITTED
    ordered = sorted(columns.values(), key=lambda c: (not c.is_seated, c.judge.name, c.judge.pk))
    return Matrix(
        panel,
        ordered,
        _lines(panel, participations, ordered, recused, counts),
        described([judge.pk for judge in seated], given, 1),
        sum(not counts[pk] for pk in teams),
    )


def _lines(panel, participations, columns, recused, counts) -> list[Line]:
    there = {
        (assignment.judge_id, assignment.participation_id): assignment
        for assignment in Assignment.objects.filter(
            participation__in=participations
        ).select_related("scoresheet", "panel")
    }
    marked = set(
        RecordEntry.objects.filter(
            scoresheet__assignment__participation__in=participations
        ).values_list("scoresheet__assignment", flat=True)
    )
    lines = []
    for participation in participations:
        line = Line(participation, count=counts[participation.pk])
        for column in columns:
            reason = recused.get((column.judge.pk, participation.team_id))
            assignment = there.get((column.judge.pk, participation.pk))
            line.cells.append(
                _empty(column, participation, reason)
                if assignment is None
                else _given(panel, column, participation, assignment, reason, marked)
            )
        lines.append(line)
    return lines


def _empty(column: Column, participation: Participation, reason: str | None) -> Cell:
    judge = column.judge
    if reason is not None:
        return Cell(judge, participation, State.RECUSED, why=reason)
    if not column.is_seated or participation.status != ParticipationStatus.ACTIVE:
        return Cell(judge, participation, State.OUT)
    if same_organisation(judge, participation.team):
        return Cell(judge, participation, State.SAME, "confirm", why=judge.organisation)
    return Cell(judge, participation, State.FREE, "assign")


def _given(panel, column, participation, assignment, reason: str | None, marked: set) -> Cell:
    judge = column.judge
    if assignment.panel_id != panel.pk:
        return Cell(judge, participation, State.ELSEWHERE, why=assignment.panel.name)
    act = "" if assignment.pk in marked else "unassign"
    in_spite = same_organisation(judge, participation.team)
    if assignment.released_at is not None:
        may_return = (
            reason is None
            and participation.status == ParticipationStatus.ACTIVE
            and not panel.round.is_decided
        )
        return Cell(judge, participation, State.RELEASED, "readmit" if may_return else "")
    if reason is not None:
        return Cell(judge, participation, State.RECUSED, act, why=reason, in_spite=in_spite)
    sheet = getattr(assignment, "scoresheet", None)
    state = State.MARKED if assignment.pk in marked else State.ASSIGNED
    if sheet is not None and sheet.status == ScoresheetStatus.SUBMITTED:
        state, act = State.SUBMITTED, ""
    return Cell(judge, participation, state, act, in_spite=in_spite)


def loads(round: Round) -> dict[tuple[int, int], tuple[int, int]]:
    """By panel and judge: how many sheets are waited for or there, and how many are submitted."""
    counted = (
        awaited(round)
        .values("panel", "judge")
        .annotate(
            load=Count("pk"),
            submitted=Count("pk", filter=Q(scoresheet__status=ScoresheetStatus.SUBMITTED)),
        )
        .order_by("panel", "judge")
    )
    return {(row["panel"], row["judge"]): (row["load"], row["submitted"]) for row in counted}
