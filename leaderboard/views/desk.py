"""The organizer's pages: scheme, ranking, sign-off, prizes, export."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from contest.errors import Refused
from contest.numbers import whole
from contest.services.rounds import publish_round, unpublish_round
from contest.views.saying import do
from judging.models import Panel, Tie
from judging.services import ties
from judging.services.panels import missing as missing_sheets
from leaderboard.exports.finalists import FORMATS
from leaderboard.forms import AwardForm, ComponentFormSet, SchemeForm
from leaderboard.models import Award, AwardWinner, Scheme, SchemeComponent
from leaderboard.services import advancement as services
from leaderboard.services import awards as award_services
from leaderboard.services import scheme_words, standings, tied, unranked
from leaderboard.services.boards import picture
from leaderboard.services.schemes import (
    add_tie_break,
    draft,
    ensure_scheme,
    has_scores,
    metric_bounds,
    rules_of,
    save_scheme,
)
from leaderboard.services.trials import what_if
from leaderboard.states import Outcome
from leaderboard.views.advance import who_advances
from leaderboard.views.rescoring import moves_picture


@round_organizer_required
def desk_scheme(request, round):
    """What the total is made of, how ties are broken, how many advance."""
    scheme = ensure_scheme(round)
    rounds = round.track.rounds.filter(ordinal__lte=round.ordinal)
    form = SchemeForm(request.POST or None, instance=scheme, rounds=rounds)
    formset = ComponentFormSet(
        request.POST or None, instance=scheme, prefix="components", form_kwargs={"rounds": rounds}
    )
    moves, stored = None, rules_of(round)
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        fields = {**form.rules, "components": _components(formset)}
        try:
            if request.POST.get("action") == "try":
                left_out = frozenset(judge.pk for judge in form.cleaned_data.get("without", ()))
                # Whoever could try seeds would find one by which a friend is drawn.
                tried = draft(round, **fields | {"seed": stored.scheme.seed})
                moves = what_if(round, tried, left_out)
            else:
                reason = form.cleaned_data["reason"]
                save_scheme(round, request.user, **fields, reason=reason)
                messages.success(request, _("Saved."))
                return redirect("desk-scheme", round.event.slug, round.slug)
        except ValidationError as error:
            form.add_error(None, error.messages)
    context = {
        "event": round.event,
        "round": round,
        "form": form,
        "formset": formset,
        "bounds": [(item, *metric_bounds(item)) for item in rounds],
        **scheme_words.of(stored),
        "in_force": has_scores(round),
        "moves": moves,
        "decimals": scheme.decimals,
    }
    if moves is not None:
        context |= {
            "entering": [move for move in moves if move.enters],
            "leaving": [move for move in moves if move.leaves],
            "moved": [move for move in moves if move.is_move],
            "picture": moves_picture(moves),
        }
    return render(request, "leaderboard/desk_scheme.html", context)


def _components(formset) -> list[dict]:
    return [
        {
            name: value
            for name, value in row.cleaned_data.items()
            if name not in ("DELETE", "id", "scheme")
        }
        for row in formset.forms
        if row.cleaned_data and not row.cleaned_data.get("DELETE")
    ]


@round_organizer_required
def desk_ranking(request, round):
    """The whole ranking with how each total came about, and the decision who advances."""
    standings.refresh(round)
    standing = standings.current(round, standings.FULL)
    scheme = ensure_scheme(round)
    advancement = services.in_force(round)
    decided = who_advances(round, advancement)
    rows = []
    if standing:
        rows = list(
            standing.rows.select_related("participation__team__entry", "participation__team__track")
        )
        for row in rows:
            row.item = decided["items"].get(row.participation_id)
            row.lacks = unranked.why_unranked(row)
    missing = missing_sheets(round)
    ranked = [row for row in rows if row.rank is not None]
    asked = tied.ties_of(round)
    components = standing.method["components"] if standing else []
    return render(
        request,
        "leaderboard/desk_ranking.html",
        {
            "event": round.event,
            "round": round,
            "scheme": scheme,
            "standing": standing,
            "components": components,
            "rows": rows,
            "missing_sheets": missing,
            "pending": services.pending_submissions(round),
            "out_of_bounds": _out_of_bounds(rows),
            "advancement": advancement,
            **decided,
            "outdated": advancement is not None
            and advancement.status in services.UNSIGNED
            and (decided["outdated"] or standing is None or advancement.standing_id != standing.pk),
            "tied": [row for row in rows if row.item and row.item.outcome == Outcome.TIED],
            "tied_groups": tied.tied_groups(rows, scheme, asked),
            "ties": asked,
            "chaired_panels": tied.chaired_panels(round),
            "asks_chair": Scheme.TieBreak.CHAIR in scheme.tie_breaks,
            "is_signed": round.is_decided,
            "formats": FORMATS,
            "picture": picture(ranked[:30], components) if ranked else None,
        },
    )


def _out_of_bounds(rows) -> bool:
    """Whether some metric tells its teams apart and yet gives all of them 0, or all 100."""
    found: dict[str, set] = {}
    for row in rows:
        for part in row.explanation["components"]:
            if part["kind"] == SchemeComponent.Kind.METRIC and part["scaled"] is not None:
                found.setdefault(part["name"], set()).add((part["value"], float(part["scaled"])))
    for pairs in found.values():
        values, scaled = ({pair[n] for pair in pairs} for n in (0, 1))
        if len(values) > 1 and (scaled == {0.0} or scaled == {100.0}):
            return True
    return False


@require_POST
@round_organizer_required
def desk_decide(request, round):
    """Propose, decide a tie, sign off, revoke, publish, unpublish."""
    action, reason = request.POST.get("action"), request.POST.get("reason", "")
    advancement = services.in_force(round)
    if action not in ("propose", "publish", "unpublish") and advancement is None:
        raise Refused(_("Propose who advances first."), code="no_proposal")
    chosen = [pk for text in request.POST.getlist("in") if (pk := whole(text)) is not None]
    actions = {
        "propose": lambda: services.propose(round, request.user),
        "decide_tie": lambda: services.decide_tie(advancement, request.user, chosen, reason),
        "sign_off": lambda: services.sign_off(advancement, request.user),
        "revoke": lambda: services.revoke(advancement, request.user, reason),
        "publish": lambda: _publish(round, request.user),
        "unpublish": lambda: unpublish_round(round, request.user, reason),
    }
    do(request, actions)
    return redirect("desk-ranking", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_tie(request, round):
    """Ask a panel's chair about a tie, take a question or decision back, add the tie-break."""
    action, number = request.POST.get("action"), whole(request.POST.get("id", ""))
    try:
        if action == "ask":
            chosen = [pk for text in request.POST.getlist("team") if (pk := whole(text))]
            panel = get_object_or_404(Panel, round=round, pk=number or 0)
            teams = list(round.participations.filter(pk__in=chosen).select_related("team"))
            ties.ask(panel, teams, request.user)
            messages.success(
                request, _("%(chair)s is asked to decide.") % {"chair": panel.chair.name}
            )
        elif action == "drop":
            tie = get_object_or_404(Tie, panel__round=round, pk=number or 0)
            ties.drop(tie, request.user, request.POST.get("reason", ""))
            messages.success(request, _("Taken back."))
        elif action == "add_tie_break":
            reason = _("The chair is asked about a tie.")
            add_tie_break(round, request.user, Scheme.TieBreak.CHAIR, reason)
            messages.success(request, _("The chair's decision is now the last tie-break."))
        else:
            raise Refused(_("Unknown action."), code="unknown_action")
    except (Refused, ValidationError) as error:
        messages.error(request, " ".join(str(said) for said in error.messages))
    return redirect("desk-ranking", round.event.slug, round.slug)


def _publish(round, user) -> None:
    publish_round(round, user)
    standings.refresh(round)


@round_organizer_required
def desk_awards(request, round):
    """The prizes of a round and who won them."""
    form = AwardForm(request.POST or None, instance=Award(round=round))
    if request.method == "POST" and form.is_valid():
        award_services.save_award(round, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("desk-awards", round.event.slug, round.slug)
    return render(
        request,
        "leaderboard/desk_awards.html",
        {
            "event": round.event,
            "round": round,
            "awards": round.awards.prefetch_related("winners__participation__team"),
            "participations": round.participations.select_related("team"),
            "form": form,
        },
    )


@require_POST
@round_organizer_required
def desk_award_act(request, round):
    """Allocate by rank, give one by name, take one back, delete one."""
    action = request.POST.get("action")

    def numbered(name: str) -> int:
        number = whole(request.POST.get(name, ""))
        if number is None:
            raise Refused(_("Choose a prize and a team."), code="bad_request")
        return number

    try:
        if action == "allocate":
            award_services.allocate(round, request.user)
        elif action == "give":
            award = get_object_or_404(Award, round=round, pk=numbered("award"))
            team = get_object_or_404(round.participations, pk=numbered("participation"))
            award_services.give(award, team, request.user)
        elif action == "take_back":
            winner = get_object_or_404(AwardWinner, award__round=round, pk=numbered("winner"))
            award_services.take_back(winner, request.user)
        elif action == "delete":
            award = get_object_or_404(Award, round=round, pk=numbered("award"))
            award_services.delete_award(award, request.user)
        else:
            raise Refused(_("Unknown action."), code="unknown_action")
    except Refused as error:
        messages.error(request, " ".join(error.messages))
    return redirect("desk-awards", round.event.slug, round.slug)
