"""The stage screen for the hall, and the desk from which organizers drive it."""

import hashlib
import json

from django.http import Http404, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required, visible_event
from contest.errors import Refused
from contest.models import Round
from contest.numbers import whole
from contest.roles import is_organizer
from contest.views.saying import acted, asked, timed
from judging.services import stage as stages
from judging.services.grid import submitted_counts
from leaderboard.services import reveal as services
from leaderboard.services.schemes import ensure_scheme

# What the screen says around the names and numbers, in both languages at once.
WORDS = {
    "stage": gettext_lazy("On stage"),
    "nobody": gettext_lazy("We continue shortly"),
    "next": gettext_lazy("Up next"),
    "presentation": gettext_lazy("Presentation"),
    "questions": gettext_lazy("Questions"),
    "over": gettext_lazy("over time"),
    "held": gettext_lazy("held"),
    "sheets_in": gettext_lazy("Score sheets in"),
    "sheets": gettext_lazy("The judges' scores"),
    "judge": gettext_lazy("Judge"),
    "highest": gettext_lazy("highest, dropped"),
    "lowest": gettext_lazy("lowest, dropped"),
    "mean": gettext_lazy("Judges' mean"),
    "excluded": gettext_lazy("Excluded by the judges' veto"),
    "board": gettext_lazy("Teams so far"),
    "board_empty": gettext_lazy("No team's score has been shown yet"),
    "ranking": gettext_lazy("The ranking"),
    "total": gettext_lazy("Total"),
    "place": gettext_lazy("Place"),
    "and_now": gettext_lazy("And now"),
    "blank": gettext_lazy("Nothing"),
    "frozen": gettext_lazy("frozen"),
    "behind": gettext_lazy("keys act on:"),
    "team": gettext_lazy("Team"),
    "choose": gettext_lazy("Enter shows its scores, N calls it, S skips it"),
    "no_team": gettext_lazy("There is no team of this number."),
    "ask_again": gettext_lazy("Press the same key again to show them all the same."),
    "ask_ranking": gettext_lazy("The same key again shows it as it was, R begins anew."),
    "ask_skip": gettext_lazy("Press the same key again to skip the team."),
    "offline": gettext_lazy("No connection; trying again"),
    "keys": gettext_lazy("Keys"),
    "key_language": gettext_lazy("Chinese or English"),
    "key_help": gettext_lazy("This help, on and off"),
    "key_step": gettext_lazy("Next step; with a team on stage, Space is the clock"),
    "key_back": gettext_lazy("One step back"),
    "key_clock": gettext_lazy("Start or pause the clock"),
    "key_next": gettext_lazy("Next team"),
    "key_questions": gettext_lazy("Presentation or questions"),
    "key_skip": gettext_lazy("Skip the team on stage, or the next"),
    "key_undo": gettext_lazy("Called by mistake: back as it was"),
    "key_team": gettext_lazy("Any team by its number: Enter its scores, N call, S skip"),
    "key_minute": gettext_lazy("A minute more or less"),
    "key_anew": gettext_lazy("Begin the ranking anew, when asked"),
    "key_scenes": gettext_lazy("On stage, judges' scores, teams so far, ranking"),
    "key_freeze": gettext_lazy("Freeze and unfreeze the screen"),
    "key_blank": gettext_lazy("Show nothing, and back"),
    "key_full": gettext_lazy("Full screen of the browser"),
}


def _watched(request, slug: str, round_slug: str) -> tuple[Round, bool]:
    """The round and whether the viewer drives its screen; 404 for whoever may not watch."""
    event = visible_event(request, slug)
    round = get_object_or_404(
        Round.objects.select_related("event", "track"), event=event, slug=round_slug
    )
    drives = is_organizer(request.user, event)
    if round.format != Round.Format.ROADSHOW or not (drives or stages.is_open_to_all(round)):
        raise Http404
    return round, drives


def _roadshow(round: Round) -> None:
    if round.format != Round.Format.ROADSHOW:
        raise Http404


@never_cache
def stage_screen(request, slug, round_slug):
    """The full screen for a projector, and for whoever may watch at home."""
    round, drives = _watched(request, slug, round_slug)
    words = {}
    for short, language in (("zh", "zh-hans"), ("en", "en")):
        with translation.override(language):
            words[short] = {name: str(word) for name, word in WORDS.items()}
            words[short] |= {
                "event": round.event.name, "round": round.name, "track": round.track.name
            }  # fmt: skip
    return render(
        request,
        "leaderboard/stage_screen.html",
        {
            "event": round.event,
            "round": round,
            "drives": drives,
            "words": words,
            "server_time": timezone.now().isoformat(),
            "state": services.driven_state(round) if drives else services.public_state(round),
        },
    )


def stage_state(request, slug, round_slug):
    """What the screen shows now, as JSON; nothing where it is what the sender has already.

    The state says when it was made; the header, what time it is.
    """
    round, drives = _watched(request, slug, round_slug)
    state = services.driven_state(round) if drives else services.public_state(round)
    lasting = {name: value for name, value in state.items() if name != "server_time"}
    etag = quote_etag(hashlib.sha256(json.dumps(lasting).encode()).hexdigest())
    if request.headers.get("If-None-Match") == etag:
        answer = HttpResponseNotModified(headers={"ETag": etag})
    else:
        answer = JsonResponse(state, headers={"ETag": etag})
    patch_cache_control(answer, private=True, no_cache=True)
    return timed(answer)


@never_cache
@round_organizer_required
def desk_reveal(request, round):
    """The desk of the reveal; of a page that is open already, its part if it has changed."""
    _roadshow(round)
    context = _context(round)
    if not request.htmx:
        return render(request, "leaderboard/desk_reveal.html", context)
    if context["digest"] == request.GET.get("seen"):
        return timed(HttpResponse(status=204))
    return timed(render(request, "leaderboard/_reveal.html", {**context, "part": True}))


def _context(round: Round) -> dict:
    reveal = services.reveal_of(round)
    reveal.round = round
    outdated, outdated_means = services.outdated(reveal), services.outdated_means(reveal)
    counts = submitted_counts(round)
    state = services.state(round)
    at, steps = services.progress(reveal)
    teams = stages.taking_part(round)
    rows = [
        {
            "participation": p,
            "sheets": counts.get(p.pk, (0, 0)),
            "is_revealed": str(p.pk) in reveal.revealed,
            "is_chosen": p.pk == reveal.participation_id,
            "is_outdated": p.pk in outdated_means,
        }
        for p in teams
    ]
    lasting = {name: value for name, value in state.items() if name != "server_time"}
    coming = services.coming(reveal)
    shown = [
        lasting, at, steps, [row["sheets"] for row in rows], reveal.show_judges, reveal.scene,
        reveal.places_asked, outdated, outdated_means, [row.pk for row in coming],
    ]  # fmt: skip
    return {
        "event": round.event,
        "round": round,
        "reveal": reveal,
        "state": state,
        "clock": {**state["stage"], "server_time": state["server_time"]}
        if "stage" in state
        else None,
        "at": at,
        "steps": steps,
        "rows": rows,
        "coming": coming,
        "outdated": outdated,
        "sheets_in": [sum(numbers) for numbers in zip(*counts.values(), strict=True)] or [0, 0],
        "decimals": ensure_scheme(round).decimals,
        "digest": hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16],
    }


ACTIONS = {
    "step": services.step,
    "back": services.back,
    "freeze": services.freeze,
    "unfreeze": services.unfreeze,
}


@require_POST
@round_organizer_required
def desk_reveal_act(request, round):
    """One act, ``action`` or ``action:what``, on the reveal whose version ``seen`` names.

    Answers with JSON to the screen's own keys, with the part of the desk that changed, or with the
    desk itself where there are no scripts.
    """
    _roadshow(round)
    question = None

    def act() -> None:
        nonlocal question
        try:
            _act(request, round)
        except Refused as error:
            question = _question(request, error)
            if question is None or request.headers.get("Accept") == "application/json":
                raise

    answer = acted(request, act, lambda: services.driven_state(round))
    if answer is not None:
        return answer
    context = {"question": question}
    if request.htmx:
        context |= {**_context(round), "part": True}
        return timed(render(request, "leaderboard/_reveal.html", context))
    if question:
        context |= _context(round)
        return render(request, "leaderboard/desk_reveal.html", context, status=409)
    return redirect("desk-reveal", round.event.slug, round.slug)


def _question(request, error: Refused) -> dict | None:
    """What was refused to ask first: the sentence, and what the same request sends to mean it."""
    if (confirm := asked(error)) is None:
        return None
    sent = {
        name: value
        for name, value in request.POST.items()
        if name in ("team", "places", "drumroll", "missing", "standing")
    }
    return {
        "text": " ".join(error.messages),
        "code": error.code,
        "action": request.POST.get("action", ""),
        "fields": {**sent, **confirm},
        "missing": confirm.get("missing"),
    }


def _act(request, round: Round) -> None:
    action, _colon, what = request.POST.get("action", "").partition(":")
    seen, by = whole(request.POST.get("seen", "")), request.user
    missing = whole(request.POST.get("missing", "")) or 0
    standing = whole(request.POST.get("standing", ""))
    if seen is None:
        raise Refused(_("Say which state of the stage you saw."), code="seen_required")
    if action in ACTIONS:
        ACTIONS[action](round, by, seen=seen)
    elif action == "scene":
        services.show(round, by, what, seen, missing=missing, standing=standing)
    elif action == "blank":
        services.toggle_blank(round, by, seen, standing=standing)
    elif action == "anew":
        services.begin_anew(round, by, seen, missing=missing)
    elif action in ("team", "take_off"):
        number = whole(what or request.POST.get("team", ""))
        participation = get_object_or_404(
            round.participations.select_related("team"), pk=-1 if number is None else number
        )
        if action == "team":
            services.choose_team(round, by, participation, seen, missing=missing)
        else:
            services.take_off(round, by, participation, seen)
    elif action == "ranking":
        places, drumroll = (
            whole(request.POST.get(name, "") or "0") for name in ("places", "drumroll")
        )
        if places is None or drumroll is None:
            raise Refused(
                _("Give a number of places from 1 to %(most)s."),
                code="bad_places",
                params={"most": services.MOST_PLACES},
            )
        services.begin_ranking(round, by, places, drumroll, seen, missing=missing)
    elif action == "judges":
        services.set_show_judges(round, by, request.POST.get("show_judges") == "on", seen)
    else:
        raise Refused(_("Unknown action."), code="unknown_action")
