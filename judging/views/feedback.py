"""A team's page with what the judges wrote to it."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render

from contest.access import team_required
from judging.services.feedback import comments


@team_required()
def team_feedback(request, team, round_slug):
    """The judges' comments on a team's round; before its result is published there is no page."""
    participation = get_object_or_404(
        team.participations.select_related("round__track", "round__event"), round__slug=round_slug
    )
    given = comments(participation)
    if given is None:
        raise Http404
    return render(
        request,
        "judging/team_feedback.html",
        {"event": team.event, "team": team, "round": participation.round, "comments": given},
    )
