"""What everybody may see of an event."""

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, render

from contest.access import visible_event
from contest.models import Round
from contest.roles import is_organizer
from contest.states import ParticipationStatus, TeamStatus


def event(request, slug):
    """The event: what it is about, its tracks and rounds, how to take part."""
    event = visible_event(request, slug)
    competing = Q(teams__status__in=[TeamStatus.REGISTERED, TeamStatus.CONFIRMED])
    tracks = list(event.tracks.annotate(team_count=Count("teams", filter=competing)))
    rounds = event.rounds.visible_to(request.user).select_related("track")
    by_track: dict[int, list] = {}
    for round in rounds:
        round.event = event
        by_track.setdefault(round.track_id, []).append(round)
    depth = {}
    for track in tracks:
        depth[track.pk] = depth.get(track.parent_id, -1) + 1 if track.parent_id else 0
        track.depth = depth[track.pk]
        track.visible_rounds = by_track.get(track.pk, [])
    mine = (
        event.teams.filter(memberships__user=request.user).select_related("track")
        if request.user.is_authenticated
        else []
    )
    return render(
        request,
        "contest/event.html",
        {
            "event": event,
            "tracks": tracks,
            "mine": mine,
            "organizes": is_organizer(request.user, event),
            "facts": {
                "teams": sum(track.team_count for track in tracks),
                "countries": event.teams.filter(
                    status__in=[TeamStatus.REGISTERED, TeamStatus.CONFIRMED]
                )
                .values("country")
                .distinct()
                .count(),
            },
        },
    )


def round(request, slug, round_slug):
    """One round: its dates, its rules in short, who takes part."""
    event = visible_event(request, slug)
    rounds = Round.objects.visible_to(request.user).select_related("track", "event")
    round = get_object_or_404(rounds, event=event, slug=round_slug)
    participations = (
        round.participations.filter(status=ParticipationStatus.ACTIVE)
        .select_related("team", "team__entry", "team__track")
        .order_by("running_order", "team__code")
    )
    mine = (
        participations.filter(team__memberships__user=request.user)
        if request.user.is_authenticated
        else []
    )
    return render(
        request,
        "contest/round.html",
        {
            "event": event,
            "round": round,
            "participations": participations,
            "mine": mine,
            "organizes": is_organizer(request.user, event),
        },
    )
