"""Who may read what programs printed."""

from contest.roles import is_member, is_organizer
from judging.models import Benchmark, ScoringRun
from judging.states import RunStatus


def team_log(run: ScoringRun, user) -> str | None:
    """What a team's own program printed; None for readers who may not see it.

    It ran on hidden inputs and could have printed them, so the benchmark says who reads it.
    """
    participation = run.submission.participation
    if is_organizer(user, participation.round.event):
        return run.log
    if not is_member(user, participation.team):
        return None
    shown = run.benchmark.logs_for
    failed = run.status == RunStatus.FAILED and run.cause == ScoringRun.Cause.SUBMISSION
    if shown == Benchmark.Logs.TEAM or (shown == Benchmark.Logs.ERRORS and failed):
        return run.log
    return None


def scoring_log(run: ScoringRun, user) -> str:
    """What the scoring program printed: it has seen the reference, so for organizers alone."""
    organizer = is_organizer(user, run.submission.participation.round.event)
    return run.scoring_log if organizer else ""
