"""Who may act as a judge. See contest/roles.py for the other roles."""

from django.db.models import Q

from contest.models import Participation, Team
from contest.roles import organized_events
from contest.services.rounds import COMPETING
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Assignment, Judge, Panel, Recusal


def judge_of(user) -> Judge | None:
    """The judge whose account this is; an account judges in one event alone."""
    if not user.is_authenticated or not user.is_active:
        return None
    return Judge.objects.filter(user=user).select_related("event").first()


def assignments_of(user):
    """What the account's judge has to score: teams that compete, in rounds that have begun."""
    return Assignment.objects.filter(
        judge__user=user.pk, participation__status=ParticipationStatus.ACTIVE
    ).exclude(participation__round__status=RoundStatus.DRAFT)


def hidden_from(user, panel: str) -> Q:
    """Rows whose ``panel`` (a path) keeps from this reader who the team is.

    Nothing may narrow or order such rows by the team: it would tell what they do not say.
    """
    return Q(**{f"{panel}__is_anonymous": True}) & ~Q(
        **{f"{panel}__round__event__in": organized_events(user)}
    )


def anonymous_teams(user):
    """Ids of the teams of rounds in which the judge sits in, or scores for, an anonymous panel."""
    hiding = Panel.objects.filter(
        Q(judges__user=user.pk) | Q(assignments__judge__user=user.pk), is_anonymous=True
    )
    return Participation.objects.filter(round__panels__in=hiding).values("team")


def hidden_recusals(user):
    """The judge's own conflicts of interest whose teams are not to be named to them."""
    return Recusal.objects.filter(judge__user=user.pk, team__in=anonymous_teams(user)).exclude(
        judge__event__in=organized_events(user)
    )


def openly_assigned_teams(user):
    """Ids of the teams that the judge scores and knows, for a subquery."""
    return (
        Assignment.objects.filter(judge__user=user.pk)
        .exclude(participation__team__in=anonymous_teams(user))
        .values("participation__team")
    )


def declarable_teams(user):
    """The teams with which the judge may declare a conflict of interest by naming them.

    All that compete in the tracks of the panels that the judge sits in, assigned or not, so that it
    can be done before anybody is assigned; and those assigned already. Where a panel of a track is
    anonymous none of its track can be named: which answer comes would tell who is in that round.
    """
    if not user.is_authenticated:
        return Team.objects.none()  # asked when the API is loaded, maybe before there is a database
    mine = Panel.objects.filter(
        Q(judges__user=user.pk) | Q(assignments__judge__user=user.pk)
    ).select_related("round__track")
    tracks: dict[bool, set[int]] = {True: set(), False: set()}
    for panel in mine.distinct():
        tracks[panel.is_anonymous] |= {track.pk for track in panel.round.track.with_descendants()}
    named = Q(track__in=tracks[False] - tracks[True], status__in=COMPETING)
    return Team.objects.filter(named | Q(pk__in=openly_assigned_teams(user)))


def sits_in_anonymous_panel(user) -> bool:
    return Panel.objects.filter(judges__user=user.pk, is_anonymous=True).exists()


def may_score(user, assignment: Assignment) -> bool:
    """Only the judge it was given to."""
    return user.is_authenticated and assignment.judge.user_id == user.pk
