"""Who may act as a judge. See contest/roles.py for the other roles."""

from contest.states import ParticipationStatus, RoundStatus
from judging.models import Assignment, Judge


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


def may_score(user, assignment: Assignment) -> bool:
    """Only the judge it was given to."""
    return user.is_authenticated and assignment.judge.user_id == user.pk
