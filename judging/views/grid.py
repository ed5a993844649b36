"""The organizer's live grid: judges by teams, who is late, what stands out, one sheet returned."""

import hashlib
import time

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from contest.errors import Refused
from contest.models import Round
from contest.numbers import whole
from contest.services.rounds import close_round, reopen_round
from contest.states import RoundStatus
from contest.views.saying import say
from judging.models import Judge, Scoresheet
from judging.services import grid as services
from judging.services import reminders
from judging.services.scoresheets import is_recused, return_sheet, weighted_total
from judging.states import ScoresheetStatus

# Marks of drafts alone replace the grid at most this often: fifty judges tap all the time.
DRAFTS_APART_S = 5


@never_cache
@round_organizer_required
def desk_grid(request, round):
    """The grid; with ``sheet`` one sheet, as a dialog over it.

    Of a page that is open already, the part that changes, if it has changed.
    """
    if request.htmx and "sheet" in request.GET:
        return render(request, "judging/_grid_sheet.html", _sheet_context(round, request.GET))
    context = _context(round)
    if request.htmx:
        if not _is_new(context["digest"], request.GET.get("seen", "")):
            return HttpResponse(status=204)
        return _part(request, context)
    if "sheet" in request.GET:
        context |= _sheet_context(round, request.GET)
    return render(request, "judging/desk_grid.html", context)


def _part(request, context: dict) -> HttpResponse:
    """The grid; beside it the picture's data, and what locks the round if that has changed."""
    has_lock = request.GET.get("lock") == context["lock"]
    return render(
        request, "judging/_grid.html", {**context, "part": True, "with_lock": not has_lock}
    )


def _is_new(digest: str, seen: str) -> bool:
    """Whether the page that has ``seen`` should be sent the grid of this digest."""
    (facts, drafts, at), had = digest.split("."), seen.split(".")
    if len(had) != 3 or had[0] != facts:
        return True
    return had[1] != drafts and int(at) - (whole(had[2]) or 0) >= DRAFTS_APART_S


def _digest(round: Round, grid: services.Grid) -> str:
    """What the page shows, the marks of drafts on their own, and when that was."""
    cells = [cell for row in grid.rows for cell in row.cells if cell is not None]
    facts = [
        round.status,
        [[c.judge, *_facts(c)] for c in grid.columns],
        [[r.participation, r.turn, r.done, r.all, r.mean, r.spread] for r in grid.rows],
        [
            [c.participation_id, c.judge_id, c.state, c.is_expected, c.is_late, c.far, c.veto]
            + ([c.total] if c.state == services.State.SUBMITTED else [])
            for c in cells
        ],
    ]
    drafts = [[cell.marks, cell.needed] for cell in cells]
    digests = [hashlib.sha256(repr(part).encode()).hexdigest()[:16] for part in (facts, drafts)]
    return ".".join([*digests, str(int(time.time()))])


def _context(round: Round) -> dict:
    grid = services.load(round)
    is_open = round.status == RoundStatus.OPEN
    return {
        "event": round.event,
        "round": round,
        "grid": grid,
        "picture": _picture(grid),
        "rules": {
            "late_minutes": services.LATE_AFTER.seconds // 60,
            "points": services.FAR_POINTS,
            "deviations": services.FAR_DEVIATIONS,
            "few": services.FEW_SHEETS,
            "judge_points": services.JUDGE_POINTS,
            "judge_teams": services.JUDGE_TEAMS,
        },
        "is_open": is_open,
        "is_closed": round.status == RoundStatus.CLOSED,
        "lock": f"{round.status}-{grid.missing}" if is_open else round.status,
        "most_text": reminders.MAX_TEXT,
        "digest": _digest(round, grid),
    }


def _facts(column: services.Column) -> tuple:
    return (column.done, column.all, column.late, column.difference, column.reminded_at)


def _picture(grid: services.Grid) -> dict | None:
    """Every submitted total as a dot, one line a team."""
    judges = {column.judge.pk: column.judge.name for column in grid.columns}
    teams = [
        {
            "name": row.participation.team.name,
            "mean": None if row.mean is None else float(row.mean),
            "dots": [
                {"judge": judges[cell.judge_id], "total": float(cell.total), "far": cell.far}
                for cell in row.cells
                if cell is not None and cell.state == services.State.SUBMITTED
            ],
        }
        for row in grid.rows
    ]
    if not any(team["dots"] for team in teams):
        return None
    words = {"mean": _("mean"), "sheet": _("sheet"), "far": _("stands out")}
    return {"teams": teams, "words": words}


def _sheet_context(round: Round, query) -> dict:
    sheet = get_object_or_404(_sheets(round), pk=_uuid(query.get("sheet", "")))
    marks = {mark.criterion_id: mark.value for mark in sheet.marks.all()}
    criteria = sheet.assignment.panel.rubric.criteria.all()
    return {
        "event": round.event,
        "round": round,
        "sheet": sheet,
        "lines": [(criterion, marks.get(criterion.pk)) for criterion in criteria],
        "total": weighted_total(sheet),
        "recused": is_recused(sheet.assignment),
        "may_return": sheet.status == ScoresheetStatus.SUBMITTED
        and round.status in (RoundStatus.OPEN, RoundStatus.CLOSED),
    }


def _sheets(round: Round):
    return Scoresheet.objects.filter(assignment__participation__round=round).select_related(
        "assignment__judge", "assignment__participation__team", "assignment__panel__rubric"
    )


def _uuid(text: str) -> str | None:
    """The id if it is one; anything else finds nothing."""
    digits = text.replace("-", "")
    return digits if len(digits) == 32 and set(digits) <= set("0123456789abcdef") else None


@require_POST
@round_organizer_required
def desk_grid_act(request, round):
    """Remind one judge or all who are late; lock the round, or open it again."""
    action, _colon, judge = request.POST.get("action", "").partition(":")
    reason, text = request.POST.get("reason", ""), request.POST.get("text", "")
    try:
        if action == "remind":
            number = whole(judge)
            chosen = get_object_or_404(
                Judge, event=round.event, pk=-1 if number is None else number
            )
            _say_reminded(request, [chosen] if reminders.remind(
                round, chosen, request.user, text) else [])  # fmt: skip
        elif action == "remind_late":
            sent = reminders.remind_late(round, request.user, text)
            _say_reminded(request, [reminder.judge for reminder in sent])
        elif action == "lock":
            close_round(round, request.user, whole(request.POST.get("missing", "")) or 0)
            messages.success(request, _("The round is locked: sheets take no more marks."))
        elif action == "unlock":
            reopen_round(round, request.user, reason)
            messages.success(request, _("The round is open again."))
        else:
            raise Refused(_("Unknown action."), code="unknown_action")
    except Refused as error:
        say(request, error)
    if request.htmx:
        round.refresh_from_db()
        return _part(request, _context(round))
    return redirect("desk-grid", round.event.slug, round.slug)


def _say_reminded(request, judges: list[Judge]) -> None:
    if judges:
        names = ", ".join(judge.name for judge in judges)
        messages.success(request, _("Reminded: %(names)s.") % {"names": names})
    else:
        messages.info(request, _("Nobody was reminded: it was done less than a minute ago."))


@require_POST
@round_organizer_required
def desk_sheet_return(request, round, pk):
    """Give a submitted sheet back to its judge."""
    sheet = get_object_or_404(Scoresheet, assignment__participation__round=round, pk=pk)
    try:
        return_sheet(sheet, request.user, request.POST.get("reason", ""))
        messages.success(request, _("The sheet was returned to its judge."))
    except Refused as error:
        say(request, error)
    return redirect("desk-grid", round.event.slug, round.slug)
