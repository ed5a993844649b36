"""The organizer's pages for judges and their links."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contest.access import organizer_required
from contest.models import SignInLink
from contest.services.signin import link_url, make_link, qr_svg, revoke_link
from judging.forms.panels import JudgeForm
from judging.models import Judge
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
            _warn_of_akin(request, stored)
        else:
            services.add_judge(event, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("desk-judges", event.slug)
    links: dict[int, SignInLink] = {}
    for link in SignInLink.objects.filter(event=event, handed_from=None).order_by("created_at"):
        links[link.user_id] = link
    judges = list(event.judges.prefetch_related("panels__round"))
    for item in judges:
        item.link = links.get(item.user_id)
    return render(
        request,
        "judging/desk_judges.html",
        {"event": event, "judges": judges, "form": form, "judge": judge if judge.pk else None},
    )


def _warn_of_akin(request, judge: Judge) -> None:
    """Name the teams that the judge, as edited, has from the own organisation."""
    found = [item for item in services.akin_assignments(judge=judge) if not item.reason]
    if found:
        teams = ", ".join(str(item.assignment.participation) for item in found)
        messages.warning(
            request,
            _("%(judge)s has teams of the same organisation: %(teams)s. See the panels.")
            % {"judge": judge.name, "teams": teams},
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


@never_cache
@require_POST
@organizer_required
def desk_judge_links(request, event):
    """A new link for every judge, as cards to print and hand out; shown this once."""
    cards = []
    for judge in event.judges.select_related("user"):
        link, token = make_link(judge.user, event, request.user)
        url = link_url(token)
        # The SVG is drawn by segno from our own address.
        cards.append({"judge": judge, "link": link, "url": url, "qr": mark_safe(qr_svg(url))})
    return render(request, "judging/desk_judge_links.html", {"event": event, "cards": cards})


@require_POST
@organizer_required
def desk_link_revoke(request, event, pk):
    revoke_link(get_object_or_404(SignInLink, event=event, pk=pk), request.user)
    messages.success(request, _("The link and every session it opened have ended."))
    return redirect("desk-judges", event.slug)
