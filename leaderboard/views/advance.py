"""The organizer's pages about who advances: the rule, wildcards, reserves, publication, notices."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from contest.errors import Refused
from contest.models import Round, Track
from contest.numbers import whole
from contest.states import RoundStatus
from contest.views.saying import do
from leaderboard.forms import QUOTA_FIELDS, AdvancementRuleForm, QuotaFormSet
from leaderboard.models import Advancement, Notice
from leaderboard.services import advancement as services
from leaderboard.services import advancement_rules as rules
from leaderboard.services import notices, promotion, publication
from leaderboard.services.outcomes import Words
from leaderboard.states import ADVANCING, AdvancementStatus, Outcome


@round_organizer_required
def desk_advancement(request, round):
    """Quotas, kept places, wildcards, reserves, and what becomes of ties."""
    rule = rules.rule_of(round)
    tracks = Track.objects.filter(parent=round.track_id)
    form = AdvancementRuleForm(request.POST or None, instance=rule)
    formset = QuotaFormSet(
        request.POST or None, instance=rule, prefix="quotas", form_kwargs={"tracks": tracks}
    )
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        quotas = [
            {name: row.cleaned_data[name] for name in QUOTA_FIELDS}
            for row in formset.forms
            if row.cleaned_data and not row.cleaned_data.get("DELETE")
        ]
        try:
            rules.save_rule(round, request.user, quotas=quotas, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk-advancement", round.event.slug, round.slug)
    return render(
        request,
        "leaderboard/desk_advancement.html",
        {
            "event": round.event,
            "round": round,
            "form": form,
            "formset": formset,
            "words": Words(round).rule(rules.snapshot(round)),
        },
    )


def who_advances(round: Round, advancement: Advancement | None) -> dict:
    """What the ranking's page says of a proposal or signed list; the same queries for any size."""
    words = Words(round)
    context = {
        "items": {},
        "outdated": False,
        "rule_words": words.rule(rules.snapshot(round)),
        "seats": 0,
    }
    if advancement is None:
        return context
    items = list(advancement.rows.select_related("row__participation__team"))
    for item in items:
        item.words = words.why(item.why)
        item.left = Outcome(left).label if (
            item.outcome in ADVANCING and (left := services.has_left(item))
        ) else ""  # fmt: skip
    tie = services.open_tie(advancement)
    signatures = list(advancement.signatures.select_related("by"))
    kept = services.kept_rule(advancement)
    given = [item for item in items if item.reason]
    return {
        **context,
        "items": {item.row.participation_id: item for item in items},
        "outdated": advancement.status in services.UNSIGNED and services.is_outdated(advancement),
        "tie": tie,
        "tie_rooms": [
            (words.group(room.kind, room.group), room.seats)
            for room in (tie.rooms if tie else ())
            if room.kind and len(room.keys) > room.seats
        ],
        "seats": tie.seats if tie else 0,
        "run_off": kept["ties"] == "run_off",
        "signatures": signatures,
        "signers": [item.by_id for item in signatures],
        "wildcards": given,
        "wildcards_left": max(0, kept["wildcards"] - len(given)),
        "may_be_wildcards": [
            item
            for item in items
            if item.outcome in (Outcome.OUT, Outcome.RESERVE)
            and item.row.participation.status == "active"
        ],
        "reserves": sorted(
            (item for item in items if item.outcome == Outcome.RESERVE),
            key=lambda item: item.number,
        ),
        "promoted": [item for item in items if item.outcome == Outcome.IN and item.number],
        "vacancies": promotion.vacancies(advancement),
    }


class PublishAtForm(forms.Form):
    """A time in the event's zone."""

    at = forms.DateTimeField()


@require_POST
@round_organizer_required
def desk_advance_act(request, round):
    """Wildcards, decisions on ties taken back, promotion, the time of publication."""
    reason = request.POST.get("reason", "")
    advancement = services.in_force(round)
    if advancement is None:
        raise Refused(_("Propose who advances first."), code="no_proposal")

    def number(name):
        return whole(request.POST.get(name, "")) or 0

    def participation():
        return get_object_or_404(round.participations.select_related("team"), pk=number("team"))

    def schedule():
        form = PublishAtForm(request.POST)
        if not form.is_valid():
            raise Refused(_("Give a date and a time."), code="bad_time")
        publication.schedule(advancement, request.user, form.cleaned_data["at"])

    actions = {
        "undo_ties": lambda: services.undo_ties(advancement, request.user, reason),
        "give_wildcard": lambda: services.give_wildcard(
            advancement, participation(), request.user, reason
        ),
        "take_wildcard": lambda: services.take_wildcard(advancement, participation(), request.user),
        "promote": lambda: promotion.promote(
            advancement, number("left"), number("promoted"), request.user, reason
        ),
        "schedule": schedule,
        "cancel": lambda: publication.schedule(advancement, request.user, None),
    }
    do(request, actions)
    return redirect("desk-ranking", round.event.slug, round.slug)


@round_organizer_required
def desk_notices(request, round):
    """What the teams will be told, or were, with one mail of each kind as an example."""
    advancement = services.in_force(round)
    signed = advancement is not None and advancement.status == AdvancementStatus.SIGNED
    told = Notice.objects.filter(participation__round=round)
    return render(
        request,
        "leaderboard/desk_notices.html",
        {
            "event": round.event,
            "round": round,
            "signed": signed,
            "published": round.status == RoundStatus.PUBLISHED,
            "previews": notices.previews(round) if signed else [],
            "sent": told.exclude(sent_at=None).count(),
            "waiting": told.filter(sent_at=None).count(),
        },
    )
