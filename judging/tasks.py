from celery import shared_task

from judging import worker  # noqa: F401 - connects it
from judging.services import runs


# Longer than any benchmark may allow; a process that hangs beyond is killed and the run retried.
@shared_task(name="judging.tasks.score_next", time_limit=48 * 3600)
def score_next(resource_class: str, chain: bool = False) -> None:
    """Bring one waiting run to its end; in a chain, send the word on while there are more."""
    if runs.run_next(resource_class) is not None and chain:
        runs.wake(resource_class, chain=True)


@shared_task(name="judging.tasks.sweep_scoring_runs")
def sweep_scoring_runs() -> None:
    runs.sweep()
