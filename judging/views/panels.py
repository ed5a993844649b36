"""The organizer's pages for judges, panels and conflicts of interest."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contest.access import organizer_required, round_organizer_required
from contest.errors import Refused
from contest.models import SignInLink, Team
from contest.numbers import whole
from contest.services.signin import link_url, make_link, qr_svg, revoke_link
from judging.forms.panels import JudgeForm, PanelForm, RecusalForm
from judging.models import Assignment, Judge, Panel, Recusal
from judging.services import panels as services


@organizer_required
def desk_judges(request, event):
    """The event's judges, their links, and a form to add one."""
    return _judges(request, event, Judge(event=event))


@organizer_required
def desk_judge(request, event, pk):
    return _judges(request, event, get_object_or_404(Judge, event=event, pk=pk))


def _judges(request, event, judge):
    form = JudgeForm(request.POST or None, instance=judge)
    if request.method == "POST" and form.is_valid():
        if judge.pk:
            stored = Judge.objects.select_related("event").get(pk=judge.pk)
            services.edit_judge(stored, request.user, **form.cleaned_data)
        else:
            services.add_judge(event, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("desk-judges", event.slug)
    links: dict[int, SignInLink] = {}
    for link in SignInLink.objects.filter(event=event).order_by("created_at"):
        links[link.user_id] = link
    judges = list(event.judges.prefetch_related("panels__round"))
    for item in judges:
        item.link = links.get(item.user_id)
    return render(
        request,
        "judging/desk_judges.html",
        {"event": event, "judges": judges, "form": form, "judge": judge if judge.pk else None},
    )


@never_cache
@require_POST
@organizer_required
def desk_judge_link(request, event, pk):
    """Make a one-time link and show it with its QR code, this once."""
    judge = get_object_or_404(Judge.objects.select_related("user"), event=event, pk=pk)
    link, token = make_link(judge.user, event, request.user)
    url = link_url(token)
    return render(
        request,
        "judging/desk_judge_link.html",
        # The SVG is drawn by segno from our own address.
        {"event": event, "judge": judge, "link": link, "url": url, "qr": mark_safe(qr_svg(url))},
    )


@require_POST
@organizer_required
def desk_link_revoke(request, event, pk):
    revoke_link(get_object_or_404(SignInLink, event=event, pk=pk), request.user)
    messages.success(request, _("The link and every session it opened have ended."))
    return redirect("desk-judges", event.slug)


@round_organizer_required
def desk_panel(request, round):
    """The round's panels: make one, seat judges, assign teams, conflicts of interest."""
    return _panels(request, round, Panel(round=round))


@round_organizer_required
def desk_panel_edit(request, round, pk):
    return _panels(request, round, get_object_or_404(Panel, round=round, pk=pk))


def _panels(request, round, panel):
    event = round.event
    form = PanelForm(request.POST or None, instance=panel, event=event)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        stored = Panel.objects.get(pk=panel.pk) if panel.pk else None
        try:
            services.save_panel(
                round,
                request.user,
                stored,
                fields={"name_zh": data["name_zh"], "name_en": data["name_en"]},
                rubric=data["rubric"],
                judges=data["judges"],
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk-panel", event.slug, round.slug)
    participations = list(round.participations.select_related("team"))
    there = {
        (a.judge_id, a.participation_id): a
        for a in Assignment.objects.filter(participation__round=round)
    }
    panels = list(round.panels.select_related("rubric").prefetch_related("judges"))
    for item in panels:
        item.rows = [
            (p, [(judge, there.get((judge.pk, p.pk))) for judge in item.judges.all()])
            for p in participations
        ]
    teams = Team.objects.filter(participations__round=round)
    return render(
        request,
        "judging/desk_panel.html",
        {
            "event": event,
            "round": round,
            "panels": panels,
            "panel": panel if panel.pk else None,
            "form": form,
            "recusals": Recusal.objects.filter(
                judge__event=event, team__participations__round=round
            ).select_related("judge", "team", "declared_by"),
            "recusal_form": RecusalForm(event=event, teams=teams),
        },
    )


@require_POST
@round_organizer_required
def desk_assign_all(request, round, pk):
    panel = get_object_or_404(Panel.objects.select_related("round"), round=round, pk=pk)
    count, left_out = services.assign_all(panel, request.user)
    messages.success(request, _("%(count)s assignments were added.") % {"count": count})
    for judge, team in left_out:
        messages.warning(
            request,
            _("%(judge)s was left out for %(team)s: conflict of interest or same organisation.")
            % {"judge": judge.name, "team": team},
        )
    return redirect("desk-panel", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_assign(request, round, pk):
    """Give one team to one judge, or take it away."""
    panel = get_object_or_404(Panel.objects.select_related("round"), round=round, pk=pk)
    ids = [whole(request.POST.get(name, "")) for name in ("judge", "participation")]
    if None in ids:
        raise Refused(_("Name a judge and a team."), code="bad_request")
    judge = get_object_or_404(Judge, event=round.event, pk=ids[0])
    participation = get_object_or_404(round.participations, pk=ids[1])
    existing = Assignment.objects.filter(judge=judge, participation=participation).first()
    try:
        if request.POST.get("action") == "unassign":
            if existing is not None:
                services.unassign(existing, request.user)
        else:
            services.assign(panel, judge, participation, request.user)
    except Refused as error:
        messages.error(request, " ".join(error.messages))
    return redirect("desk-panel", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_recuse(request, round):
    teams = Team.objects.filter(participations__round=round)
    form = RecusalForm(request.POST, event=round.event, teams=teams)
    if form.is_valid():
        data = form.cleaned_data
        services.recuse(data["judge"], data["team"], request.user, data["reason"])
        messages.success(request, _("Recorded. The judge's sheet for this team does not count."))
    else:
        messages.error(request, _("Name the judge, the team and the reason."))
    return redirect("desk-panel", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_recusal_lift(request, round, pk):
    recusal = get_object_or_404(Recusal, judge__event=round.event, pk=pk)
    try:
        services.lift_recusal(recusal, request.user, request.POST.get("reason", ""))
    except Refused as error:
        messages.error(request, " ".join(error.messages))
    return redirect("desk-panel", round.event.slug, round.slug)
