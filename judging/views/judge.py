"""The judge's pages, made for a tablet."""

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from contest.models import LogEntry, Round
from contest.numbers import round_half_up
from contest.states import RoundStatus
from judging.models import Assignment
from judging.roles import assignments_of, judge_of
from judging.services.panels import recuse
from judging.services.scoresheets import is_recused, open_sheet, submit_sheet, weighted_total
from judging.services.tablet import file_name
from judging.services.totals import exact_total, fraction_to_decimal
from judging.states import ScoresheetStatus

RUNNING_ORDER = (
    "participation__round",
    "participation__running_order",
    "participation__team__code",
)
# A scale with at most this many steps is shown as buttons, one a mark.
MOST_BUTTONS = 20


def judge_required(view):
    """``view(request, judge, ...)`` for a signed-in judge, in the event's time zone."""

    @wraps(view)
    @login_required
    def wrapper(request, *args, **kwargs):
        judge = judge_of(request.user)
        if judge is None:
            raise PermissionDenied
        with timezone.override(judge.event.tzinfo):
            return view(request, judge, *args, **kwargs)

    return wrapper


def _assignments(judge):
    return (
        assignments_of(judge.user)
        .select_related(
            "participation__round__track",
            "participation__round__event",
            "participation__team__entry",
            "panel__rubric",
            "scoresheet",
            "judge__event",
        )
        .order_by(*RUNNING_ORDER)
    )


def _state(assignment, recused: set[int]) -> str:
    """What became of an assignment: recused, none, or the state of its sheet."""
    if assignment.participation.team_id in recused:
        return "recused"
    sheet = getattr(assignment, "scoresheet", None)
    return sheet.status if sheet else "none"


@judge_required
def judge_home(request, judge):
    """The judge's rounds and how far each is."""
    recused = set(judge.recusals.values_list("team_id", flat=True))
    rounds: dict[int, dict] = {}
    for assignment in _assignments(judge):
        round = assignment.participation.round
        entry = rounds.setdefault(round.pk, {"round": round, "all": 0, "done": 0})
        state = _state(assignment, recused)
        if state != "recused":
            entry["all"] += 1
            entry["done"] += state == ScoresheetStatus.SUBMITTED
    for entry in rounds.values():
        entry["percent"] = 100 * entry["done"] // entry["all"] if entry["all"] else 100
    return render(
        request,
        "judging/judge_home.html",
        {"judge": judge, "event": judge.event, "rounds": list(rounds.values())},
    )


@judge_required
def judge_round(request, judge, round_slug):
    """The teams to score, in running order."""
    round = get_object_or_404(
        Round.objects.select_related("track", "event").exclude(status=RoundStatus.DRAFT),
        event=judge.event,
        slug=round_slug,
        panels__judges=judge,
    )
    recused = set(judge.recusals.values_list("team_id", flat=True))
    assignments = list(
        _assignments(judge)
        .filter(participation__round=round)
        .prefetch_related("scoresheet__marks", "panel__rubric__criteria")
    )
    for assignment in assignments:
        assignment.state = _state(assignment, recused)
        sheet = getattr(assignment, "scoresheet", None)
        marks = {mark.criterion_id: mark.value for mark in sheet.marks.all()} if sheet else {}
        total = exact_total(assignment.panel.rubric.criteria.all(), marks)
        assignment.total = None if total is None else fraction_to_decimal(total)
    return render(
        request,
        "judging/judge_round.html",
        {"judge": judge, "event": judge.event, "round": round, "assignments": assignments},
    )


def _own(judge, pk) -> Assignment:
    return get_object_or_404(_assignments(judge), pk=pk)


@judge_required
def judge_file(request, judge, pk, file):
    """A document of a team that the judge is to score, always as an attachment."""
    assignment = _own(judge, pk)
    if is_recused(assignment):
        raise PermissionDenied
    files = list(assignment.participation.team.entry.files.all())
    place = next((n for n, kept in enumerate(files, start=1) if kept.pk == file), None)
    if place is None:
        raise Http404
    kept = files[place - 1]
    return FileResponse(
        kept.file.open("rb"),
        as_attachment=True,
        filename=file_name(kept, place) if assignment.panel.is_anonymous else kept.original_name,
        content_type="application/octet-stream",
    )


@judge_required
def judge_sheet(request, judge, pk):
    """One team's sheet: every criterion, the total, the state."""
    assignment = _own(judge, pk)
    round = assignment.participation.round
    sheet = open_sheet(assignment)
    marks = dict(sheet.marks.values_list("criterion_id", "value"))
    criteria = list(assignment.panel.rubric.criteria.all())
    weights = sum(criterion.weight for criterion in criteria)
    for criterion in criteria:
        criterion.value = marks.get(criterion.pk)
        criterion.percent = round_half_up(100 * criterion.weight / weights, 0)
        steps = int((criterion.maximum - criterion.minimum) / criterion.step)
        criterion.choices = []
        if steps <= MOST_BUTTONS:
            criterion.choices = [criterion.minimum + n * criterion.step for n in range(steps + 1)]
    neighbours = list(_assignments(judge).filter(participation__round=round))
    place = next(n for n, other in enumerate(neighbours) if other.pk == assignment.pk)
    returned = (
        LogEntry.objects.filter(
            model="scoresheet", object_id=str(sheet.pk), after=ScoresheetStatus.RETURNED
        ).first()
        if sheet.status == ScoresheetStatus.RETURNED
        else None
    )
    recused = is_recused(assignment)
    return render(
        request,
        "judging/judge_sheet.html",
        {
            "judge": judge,
            "event": judge.event,
            "round": round,
            "assignment": assignment,
            "team": assignment.participation.team,
            "sheet": sheet,
            "criteria": criteria,
            "total": weighted_total(sheet),
            "editable": sheet.is_editable and round.status == RoundStatus.OPEN and not recused,
            "recused": recused,
            "returned": returned,
            "previous": neighbours[place - 1] if place else None,
            "next": neighbours[place + 1] if place + 1 < len(neighbours) else None,
        },
    )


@require_POST
@judge_required
def judge_submit(request, judge, pk):
    """Hand the sheet in and go back to the list."""
    assignment = _own(judge, pk)
    submit_sheet(open_sheet(assignment), request.user)
    return redirect("judge-round", assignment.participation.round.slug)


@require_POST
@judge_required
def judge_recuse(request, judge, pk):
    """Declare a conflict of interest with the team."""
    assignment = _own(judge, pk)
    recuse(judge, assignment.participation.team, request.user, request.POST.get("reason", ""))
    return redirect("judge-round", assignment.participation.round.slug)
