from celery import shared_task

from judging.services import scoring


# Longer than any benchmark may allow; a process that hangs beyond is killed and the run retried.
@shared_task(name="judging.tasks.score", time_limit=3600 + 600)
def score(run_id: str) -> None:
    scoring.run(run_id)


@shared_task(name="judging.tasks.sweep_scoring_runs")
def sweep_scoring_runs() -> None:
    scoring.sweep()
