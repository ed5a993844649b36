from celery import shared_task

from contest.models import Round
from leaderboard.services import downloads, notices, publication, retention, standings


@shared_task(name="leaderboard.tasks.refresh_standing")
def refresh_standing(round_id: int) -> None:
    round = Round.objects.filter(pk=round_id).first()
    if round is not None:
        standings.refresh(round)


@shared_task(name="leaderboard.tasks.refresh_stale_standings")
def refresh_stale_standings() -> None:
    standings.refresh_stale()


@shared_task(name="leaderboard.tasks.publish_due_results")
def publish_due_results() -> None:
    """Publish what is due, and send the notices that a lost message left behind."""
    publication.publish_due()
    notices.send_waiting()


@shared_task(name="leaderboard.tasks.send_notices")
def send_notices() -> None:
    notices.send_waiting()


@shared_task(name="leaderboard.tasks.thin_standings")
def thin_standings() -> None:
    retention.thin_out()


@shared_task(
    name="leaderboard.tasks.prepare_download", time_limit=downloads.LONGEST.total_seconds()
)
def prepare_download() -> None:
    downloads.prepare_next()


@shared_task(name="leaderboard.tasks.tidy_downloads")
def tidy_downloads() -> None:
    downloads.tidy()
