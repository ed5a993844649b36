"""The organizer's desk of a roadshow: who is on stage, the clock, the running order, the draw."""

import hashlib
import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from contest.errors import Refused
from contest.models import Round
from contest.numbers import whole
from contest.states import RoundStatus
from contest.views.saying import acted, say, timed
from judging.forms.stage import StageForm
from judging.models import Stage
from judging.services import grid
from judging.services import stage as services
from judging.states import AppearanceStatus

Phase = Stage.Phase


@never_cache
@round_organizer_required
def desk_roadshow(request, round):
    """The desk; of a page that is open already, the part that changes, if it has changed."""
    _roadshow(round)
    stage = services.stage_of(round)
    if request.htmx:
        return _part(request, round, unless=request.GET.get("seen", ""))
    form = StageForm(
        initial={
            "presentation_s": stage.presentation_s,
            "questions_s": stage.questions_s,
            "is_public": stage.is_public,
        }
    )
    return render(
        request, "judging/desk_roadshow.html", {**_context(round), "form": form, "stage": stage}
    )


def _roadshow(round: Round) -> None:
    """Other rounds have no stage."""
    if round.format != Round.Format.ROADSHOW:
        raise Http404


def _part(request, round: Round, unless: str = "") -> HttpResponse:
    context = _context(round)
    if context["digest"] == unless:
        return timed(HttpResponse(status=204))
    return timed(render(request, "judging/_roadshow.html", {**context, "part": True}))


def _context(round: Round) -> dict:
    stage = Stage.objects.select_related(
        "drawn_by", "round__event", "current__team", "current__team__entry"
    ).get(round=round)
    teams = services.taking_part(round)
    counts = grid.submitted_counts(round)
    rows = [
        {
            "participation": p,
            "status": services.status_of(p),
            "label": AppearanceStatus(services.status_of(p)).label,
            "turn": getattr(p, "appearance", None),
            "sheets": counts.get(p.pk),
        }
        for p in teams
    ]
    position, current = next(
        ((n, p) for n, p in enumerate(teams, start=1) if p.pk == stage.current_id), (None, None)
    )
    known = {p.pk: p for p in teams}
    following = next(
        (row["participation"] for row in rows if row["status"] == AppearanceStatus.WAITING), None
    )
    begun = any(row["status"] != AppearanceStatus.WAITING for row in rows)
    shown = [
        stage.version, round.status, stage.drawn_at,
        [[row["participation"].pk, row["status"], row["sheets"]] for row in rows],
    ]  # fmt: skip
    return {
        "event": round.event,
        "round": round,
        "stage": stage,
        "clock": services.describe(round),
        "rows": rows,
        "current": current,
        "position": position,
        # Who was on stage when it withdrew or was disqualified.
        "gone": stage.current if current is None else None,
        "before": known.get(stage.before["team"]) if stage.before else None,
        "next": following,
        "sheets": counts.get(current.pk) if current else None,
        "is_open": round.status == RoundStatus.OPEN,
        "begun": begun,
        "as_drawn": services.is_as_drawn(stage, teams) if stage.drawn_at else None,
        "draw_command": services.draw_command(stage) if stage.drawn_at else "",
        "digest": hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16],
    }


def _phase(phase: str):
    return lambda round, by, seen: services.go_to_phase(round, by, phase, seen)


# What is done to the stage as it is, and what is done with one team.
MINUTE = 60
ON_STAGE = {
    "next": services.call_next,
    "finish": services.finish,
    "start": services.start,
    "pause": services.pause,
    "toggle": services.toggle,
    "presentation": _phase(Phase.PRESENTATION),
    "questions": _phase(Phase.QUESTIONS),
    "undo": services.undo,
    "restart": services.restart_clock,
    "more": lambda round, by, seen: services.add_time(round, by, MINUTE, seen),
    "less": lambda round, by, seen: services.add_time(round, by, -MINUTE, seen),
}
WITH_TEAM = {
    "call": services.call,
    "skip": services.skip,
    "put_back": services.put_back,
    "up": lambda round, by, team, seen: services.move(round, by, team, -1, seen),
    "down": lambda round, by, team, seen: services.move(round, by, team, 1, seen),
}


@require_POST
@round_organizer_required
def desk_roadshow_act(request, round):
    """One act, ``action`` or ``action:team``, on the stage whose version ``seen`` names.

    Answers with the part of the desk that changed, with JSON to a screen that asks for it, or with
    the desk itself where there are no scripts.
    """
    _roadshow(round)
    answer = acted(request, lambda: _act(request, round), lambda: services.describe(round))
    if answer is not None:
        return answer
    if request.htmx:
        round.refresh_from_db()
        return _part(request, round)
    return redirect("desk-roadshow", round.event.slug, round.slug)


def _act(request, round: Round) -> None:
    action, _colon, team = request.POST.get("action", "").partition(":")
    seen = whole(request.POST.get("seen", ""))
    by = request.user
    if seen is None:
        raise Refused(_("Say which state of the stage you saw."), code="seen_required")
    if action in ON_STAGE:
        ON_STAGE[action](round, by, seen=seen)
    elif action in WITH_TEAM:
        number = whole(team)
        participation = get_object_or_404(
            round.participations.select_related("team"), pk=-1 if number is None else number
        )
        WITH_TEAM[action](round, by, participation, seen)
    elif action == "draw":
        services.draw(round, by, seed=request.POST.get("seed", ""), seen=seen)
    elif action == "reorder":
        order = [whole(text) for text in request.POST.getlist("order")]
        if None in order:
            raise Refused(
                _("The running order names a team twice, or one that is not in the round."),
                code="bad_running_order",
            )
        services.reorder(round, by, order, seen)
    else:
        raise Refused(_("Unknown action."), code="unknown_action")


@require_POST
@round_organizer_required
def desk_roadshow_settings(request, round):
    """How long the phases are, and who may watch the stage screen."""
    _roadshow(round)
    form = StageForm(request.POST)
    if form.is_valid():
        try:
            services.save_settings(round, request.user, **form.cleaned_data)
        except ValidationError as error:
            say(request, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk-roadshow", round.event.slug, round.slug)
    services.stage_of(round)
    return render(request, "judging/desk_roadshow.html", {**_context(round), "form": form})
