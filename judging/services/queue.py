"""In which order runs are taken, and how long one will wait.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with one unit of work a run: a run's *turn*
is one more than that of its team's run before it, but not less than the turn that is being served.
Whoever sends fifty files has fifty turns one after the other, and the next team's one file comes
among the first of them. Submissions come before rescoring whatever their turns.
"""

import statistics
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from contest.models import Submission
from judging.models import Benchmark, ScoringRun
from judging.services import workers
from judging.states import RunStatus

# How many runs that ended last say how long one takes.
RECENT_RUNS = 50
# Where none has ended yet.
ASSUMED_S = 5.0


def next_turn(submission: Submission, benchmark: Benchmark, priority: int) -> int:
    """The turn of a run that is queued now, among those of its priority."""
    queued = ScoringRun.objects.filter(
        status=RunStatus.QUEUED, resource_class=benchmark.resource_class, priority=priority
    )
    served = queued.aggregate(first=Min("turn"))["first"] or 0
    own = queued.filter(participation=submission.participation_id).aggregate(last=Max("turn"))
    return served if own["last"] is None else max(served, own["last"] + 1)


def claim(resource_class: str, kinds: list[str], worker: str) -> ScoringRun | None:
    """Take the run whose turn it is, of those that this worker can run; None if none is."""
    now = timezone.now()
    ready = ScoringRun.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now),
        status=RunStatus.QUEUED,
        resource_class=resource_class,
    )
    if len(kinds) < len(Submission.Kind.values):
        ready = ready.filter(needs__in=kinds)
    ready = ready.order_by("priority", "turn", "queued_at")
    while True:
        with transaction.atomic():
            waiting = ready
            if connection.features.has_select_for_update_skip_locked:
                waiting = ready.select_for_update(skip_locked=True, of=("self",))
            run = waiting.only("pk").first()
            if run is None:
                return None
            if taken := take(run.pk, worker):
                return taken


def take(run_id, worker: str) -> ScoringRun | None:
    """Take one run; None if it is not there to be taken. Of two workers one gets it."""
    now = timezone.now()
    run = (
        ScoringRun.objects.filter(pk=run_id, status=RunStatus.QUEUED)
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .select_related("submission__participation__round__event", "benchmark__round")
        .first()
    )
    if run is None:
        return None
    deadline = now + timedelta(seconds=run.benchmark.longest_run_s)
    taken = ScoringRun.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(
        status=RunStatus.RUNNING,
        started_at=now,
        heartbeat_at=now,
        deadline_at=deadline,
        worker=worker[:100],
    )
    if not taken:
        return None
    run.status, run.started_at, run.deadline_at = RunStatus.RUNNING, now, deadline
    return run


@dataclass(frozen=True)
class Wait:
    """How many runs come before one, and for how long in seconds; None if nobody could take it."""

    ahead: int
    seconds: int | None


def expected_wait(run: ScoringRun) -> Wait | None:
    """What a queued run has before it; None for one that no longer waits."""
    if run.status != RunStatus.QUEUED:
        return None
    same = ScoringRun.objects.filter(status=RunStatus.QUEUED, resource_class=run.resource_class)
    ahead = same.filter(
        Q(priority__lt=run.priority)
        | Q(priority=run.priority, turn__lt=run.turn)
        | Q(priority=run.priority, turn=run.turn, queued_at__lt=run.queued_at)
    ).count()
    slots = workers.slots(run.resource_class, run.needs)
    if not slots:
        return Wait(ahead, None)
    running = ScoringRun.objects.filter(
        status=RunStatus.RUNNING, resource_class=run.resource_class
    ).count()
    each = usual_duration(run.resource_class)
    rounds = (ahead + min(running, slots)) // slots
    delay = max(0.0, (run.not_before - timezone.now()).total_seconds()) if run.not_before else 0.0
    return Wait(ahead, round(max(delay, rounds * each)))


def usual_duration(resource_class: str) -> float:
    """Median seconds of the runs of a class that ended last; a guess where none did."""
    measured = measured_duration(resource_class)
    return ASSUMED_S if measured is None else measured


def measured_duration(resource_class: str) -> float | None:
    """Median seconds of the runs of a class that ended last; None where none did."""
    ended = ScoringRun.objects.filter(
        resource_class=resource_class, duration_s__isnull=False, finished_at__isnull=False
    ).exclude(cause=ScoringRun.Cause.INFRASTRUCTURE)
    ended = ended.order_by("-finished_at")
    took = list(ended.values_list("duration_s", flat=True)[:RECENT_RUNS])
    return statistics.median(took) if took else None
