from celery import shared_task

from judging.services import scoring


@shared_task(name="judging.tasks.score")
def score(run_id: str) -> None:
    scoring.run(run_id)


@shared_task(name="judging.tasks.sweep_scoring_runs")
def sweep_scoring_runs() -> None:
    scoring.sweep()
