"""The judge's own conflicts of interest, which can be declared before any team is assigned."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from contest.numbers import whole
from judging.models import Recusal
from judging.roles import declarable_teams, hidden_recusals, sits_in_anonymous_panel
from judging.services.panels import recuse
from judging.views.judge import judge_required

MOST = 50  # teams shown at once; a search finds the others


@judge_required
def judge_conflicts(request, judge):
    """What the judge declared, and a search for a team to declare."""
    teams = declarable_teams(request.user)
    if request.method == "POST":
        pk = whole(request.POST.get("team", ""))
        team = get_object_or_404(teams.select_related("track__event"), pk=pk or 0)
        try:
            recuse(judge, team, request.user, request.POST.get("reason", ""))
            messages.success(request, _("The conflict of interest is recorded."))
        except ValidationError as error:
            messages.error(request, " ".join(str(said) for said in error.messages))
        return redirect("judge-conflicts")
    text = request.GET.get("q", "").strip()[:100]
    found = teams.exclude(recusals__judge=judge)
    if text:
        names = ("code", "name_zh", "name_en", "organisation_zh", "organisation_en")
        wanted = Q()
        for name in names:
            wanted |= Q(**{f"{name}__icontains": text})
        found = found.filter(wanted)
    shown = list(found.order_by("code", "pk")[: MOST + 1])
    hidden = set(hidden_recusals(request.user).values_list("pk", flat=True))
    declared = list(Recusal.objects.filter(judge=judge).select_related("team"))
    return render(
        request,
        "judging/conflicts.html",
        {
            "event": judge.event,
            "text": text,
            "teams": shown[:MOST],
            "is_cut": len(shown) > MOST,
            "declared": [(recusal, recusal.pk in hidden) for recusal in declared],
            "has_anonymous": sits_in_anonymous_panel(request.user),
        },
    )
