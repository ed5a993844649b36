"""The life of a scoring run: queued in the database, woken by Celery, ended exactly once.

A run is a row before it is a message. A message only wakes a worker, which takes the run whose turn
it is; what is lost on the way is found again by ``sweep``. docs/decisions/0004-queue.md.
"""

import contextlib
import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.heartbeat import heartbeat
from contest.models import LogEntry, Round, Submission, User
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus, RoundStatus, SubmissionStatus
from judging.faults import SubmissionFault, clean
from judging.models import Benchmark, ResourceClass, ScoringRun
from judging.runners.container import EngineUnavailable
from judging.sandbox import SandboxUnavailable
from judging.services import queue, workers
from judging.services.benchmarks import candidate_benchmark, current_benchmark
from judging.services.scoring import score_submission
from judging.states import BenchmarkStatus, RunStatus

log = logging.getLogger(__name__)

# Attempts that the platform's faults cost; then the submission's quota is given back.
MAX_ATTEMPTS = 6
# How much later each attempt is than the one before, in units of RUN_RETRY_AFTER_S.
BACKOFF = (0, 1, 3, 12, 60, 180)
WAKE_AGAIN_AFTER_S = 30
# A worker that dies so often on one submission is killed by it.
LOST_AT_MOST = 4
# A run that no worker could take is given up after a day.
QUEUED_AT_MOST_S = 24 * 3600

ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
Priority = ScoringRun.Priority


class RunIsOver(Exception):
    """The run was ended by somebody else while it ran: cancelled, or given up for lost."""


# --- Queueing ---------------------------------------------------------------------------------


def enqueue(submission: Submission) -> ScoringRun | None:
    """Queue a submission for its round's benchmark; None if it has a result or is on its way.

    A version that is on trial and being scored gets it, too, so that it is complete when it is put
    in force.
    """
    round = submission.participation.round
    candidate = candidate_benchmark(round)
    if candidate is not None and candidate.runs.exists():
        _queue(submission, candidate)
    benchmark = current_benchmark(round)
    return None if benchmark is None else _queue(submission, benchmark)


def counted_submissions(round: Round):
    """What a version of the benchmark has to score."""
    return Submission.objects.filter(participation__round=round).exclude(
        status=SubmissionStatus.WITHDRAWN
    )


def enqueue_all(benchmark: Benchmark, submissions=None, priority: int = Priority.RESCORING) -> int:
    """Queue the round's counted submissions, or those given, that this version has neither scored
    nor queued; how many."""
    if submissions is None:
        submissions = counted_submissions(benchmark.round)
    return sum(
        _queue(submission, benchmark, priority=priority) is not None
        for submission in submissions.order_by("received_at")
    )


def pending(round: Round) -> int:
    """How many submissions of teams that take part still wait for their score."""
    benchmark = current_benchmark(round)
    if benchmark is None:
        return 0
    active = Q(runs__benchmark=benchmark, runs__status__in=ACTIVE)
    return (
        counted_submissions(round)
        .filter(
            Q(status=SubmissionStatus.RECEIVED) | active,
            participation__status=ParticipationStatus.ACTIVE,
        )
        .distinct()
        .count()
    )


def _queue(
    submission: Submission,
    benchmark: Benchmark,
    *,
    priority: int = Priority.SUBMISSION,
    delay_s: float = 0,
) -> ScoringRun | None:
    runs = ScoringRun.objects.filter(submission=submission, benchmark=benchmark)
    if runs.filter(status__in=[*ACTIVE, RunStatus.SUCCEEDED]).exists():
        return None
    attempt = (runs.aggregate(last=Max("attempt"))["last"] or 0) + 1
    if _reuse(submission, benchmark, attempt):
        return None
    try:
        with transaction.atomic():
            run = ScoringRun.objects.create(
                submission=submission,
                benchmark=benchmark,
                attempt=attempt,
                priority=priority,
                turn=queue.next_turn(submission, benchmark, priority),
                not_before=timezone.now() + timedelta(seconds=delay_s) if delay_s else None,
            )
    except IntegrityError:  # another process queued it in the same moment
        return None
    transaction.on_commit(lambda: wake(benchmark.resource_class, delay_s))
    return run


def _reuse(submission: Submission, benchmark: Benchmark, attempt: int) -> bool:
    """Give a file that the same team sent before the result that it had; whether there was one."""
    earlier = (
        ScoringRun.objects.filter(
            benchmark=benchmark,
            status=RunStatus.SUCCEEDED,
            participation=submission.participation_id,
            submission__sha256=submission.sha256,
            submission__kind=submission.kind,
        )
        .exclude(submission=submission)
        .select_related("submission")
        .order_by("submission__number")
        .first()
    )
    if earlier is None:
        return False
    now = timezone.now()
    # Of two that find the same earlier result at once, one writes it.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        ScoringRun.objects.create(
            submission=submission,
            benchmark=benchmark,
            attempt=attempt,
            status=RunStatus.SUCCEEDED,
            metrics=earlier.metrics,
            public_score=earlier.public_score,
            private_score=earlier.private_score,
            started_at=now,
            finished_at=now,
            provenance={
                **earlier.provenance,
                "reused_from": str(earlier.pk),
                "reused_number": earlier.submission.number,
            },
        )
        if benchmark.is_current and submission.may_move(SubmissionStatus.SCORED):
            submission.move_to(SubmissionStatus.SCORED)
        ranking_inputs_changed.send(sender=ScoringRun, round=benchmark.round)
    return True


def wake(resource_class: str, delay_s: float = 0, *, chain: bool = False) -> None:
    """Send a worker the message that a run waits. A broker that is down loses nothing.

    With ``chain`` the worker goes on from run to run until nothing waits.
    """
    from judging.tasks import score_next

    try:
        score_next.apply_async(
            [resource_class, chain], queue=resource_class, countdown=delay_s or None, retry=False
        )
    except Exception:
        log.warning("could not reach the broker; the sweep will wake a worker", exc_info=True)


# --- Running ----------------------------------------------------------------------------------


def run_next(resource_class: str) -> str | None:
    """Take the run whose turn it is and bring it to its end; its status, None if none waited."""
    taken = queue.claim(resource_class, workers.runnable_kinds(), workers.process_name())
    return None if taken is None else _bring_to_end(taken)


def run(run_id) -> str | None:
    """Take one run and bring it to its end; its status, None if it was not there to be taken."""
    taken = queue.take(run_id, workers.process_name())
    return None if taken is None else _bring_to_end(taken)


def _bring_to_end(taken: ScoringRun) -> str:
    """Never raises for a fault of submission or platform: both end in the run's row."""
    started = time.monotonic()
    try:
        with _heartbeat(taken) as alive:
            result = score_submission(taken.submission, taken.benchmark, alive)
    except RunIsOver:
        taken.refresh_from_db()
    except SubmissionFault as fault:
        _finish(
            taken, RunStatus.FAILED, started, cause=ScoringRun.Cause.SUBMISSION,
            error_code=fault.code, error_params=fault.params, log=fault.log,
            scoring_log=getattr(fault, "scoring_log", ""),
        )  # fmt: skip
    except (SandboxUnavailable, EngineUnavailable) as refused:
        log.error("run %s cannot be run on this machine: %s", taken.pk, refused)
        _give_back(taken)
    except Exception:
        log.exception("run %s failed by the platform's fault", taken.pk)
        fail_infrastructure(taken, started)
    else:
        _finish(taken, RunStatus.SUCCEEDED, started, **result)
    return taken.status


def _give_back(run: ScoringRun) -> None:
    """Let another worker take a run that this one must not; it costs no attempt."""
    later = timezone.now() + timedelta(seconds=settings.RUN_WAKE_AFTER_S)
    ScoringRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        status=RunStatus.QUEUED, started_at=None, heartbeat_at=None, deadline_at=None,
        not_before=later, worker="",
    )  # fmt: skip
    run.refresh_from_db()


@contextlib.contextmanager
def _heartbeat(run: ScoringRun):
    """Tell the database that this run is alive.

    Yields ``alive()``, which raises RunIsOver once the run was ended by somebody else.
    """
    running = ScoringRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    with heartbeat(running, settings.RUN_HEARTBEAT_S) as over:

        def alive() -> None:
            if over.is_set():
                raise RunIsOver

        yield alive


# --- Ending -----------------------------------------------------------------------------------


TEXTS = ("log", "scoring_log")


def _finish(run: ScoringRun, status: str, started: float | None, **fields) -> bool:
    """End a running run, and its submission with it; False if it was no longer running.

    A result that comes after the run was given up for lost is dropped: the attempt that followed
    it counts.
    """
    now = timezone.now()
    with transaction.atomic():
        submission = Submission.objects.select_for_update(of=("self",)).get(pk=run.submission_id)
        ended = ScoringRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
            status=status,
            finished_at=now,
            duration_s=None if started is None else round(time.monotonic() - started, 3),
            **{name: clean(v) if name in TEXTS else v for name, v in fields.items()},
        )
        run.refresh_from_db()
        if not ended:
            return False
        in_force = Benchmark.objects.get(pk=run.benchmark_id).is_current
        if fields.get("cause") != ScoringRun.Cause.INFRASTRUCTURE and in_force:
            settle(submission, run)
        round_ = run.benchmark.round
        if in_force:
            transaction.on_commit(
                lambda: ranking_inputs_changed.send(sender=ScoringRun, round=round_)
            )
    return True


def settle(submission: Submission, run: ScoringRun) -> None:
    """Let a submission be what a run of the benchmark in force made of it."""
    outcome = (
        SubmissionStatus.SCORED if run.status == RunStatus.SUCCEEDED else SubmissionStatus.INVALID
    )
    if submission.status != outcome and submission.may_move(outcome):
        submission.move_to(outcome)


def fail_infrastructure(run: ScoringRun, started: float | None = None) -> None:
    """End a run by the platform's fault and queue the next attempt, later each time.

    ``started`` is None for a run whose worker was lost. After the last attempt the submission is
    marked as failed, which gives its quota back; one whose worker was lost LOST_AT_MOST times is at
    fault itself: nothing else dies so reliably.
    """
    lost = started is None
    with transaction.atomic():
        before = _failures_in_a_row(run)
        if lost and sum(code == "lost" for code in before) + 1 >= LOST_AT_MOST:
            _finish(
                run, RunStatus.FAILED, None, cause=ScoringRun.Cause.SUBMISSION,
                error_code="worker_lost", error_params={"file": run.submission.original_name},
            )  # fmt: skip
            return
        ended = _finish(
            run, RunStatus.FAILED, started, cause=ScoringRun.Cause.INFRASTRUCTURE,
            error_code="lost" if lost else "infrastructure",
        )  # fmt: skip
        if not ended:
            return
        failures = len(before) + 1
        if failures < MAX_ATTEMPTS:
            _queue(
                run.submission, run.benchmark, priority=run.priority,
                delay_s=BACKOFF[failures] * settings.RUN_RETRY_AFTER_S,
            )  # fmt: skip
            return
        _give_up(run)


def _failures_in_a_row(run: ScoringRun) -> list[str]:
    """Codes of the attempts before this one that failed by the platform, back to the last that
    ended otherwise."""
    earlier = ScoringRun.objects.filter(
        submission=run.submission_id, benchmark=run.benchmark_id, attempt__lt=run.attempt
    ).order_by("-attempt")
    codes = []
    for cause, code in earlier.values_list("cause", "error_code"):
        if cause != ScoringRun.Cause.INFRASTRUCTURE:
            break
        codes.append(code)
    return codes


def _give_up(run: ScoringRun) -> None:
    submission = Submission.objects.get(pk=run.submission_id)
    in_force = Benchmark.objects.get(pk=run.benchmark_id).is_current
    if in_force and submission.status == SubmissionStatus.RECEIVED:
        submission.move_to(SubmissionStatus.FAILED, reason=f"run {run.pk}")


@transaction.atomic
def cancel(run: ScoringRun, by: User | None, reason: str) -> None:
    """End a run that waits or runs; what runs is stopped within seconds.

    The submission counts as failed by the platform and gets its quota back, unless it had a score
    already. Asking twice does nothing. Raises Refused without a reason, WrongMove.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    # Locked in the order in which the end of a run locks them.
    Submission.objects.select_for_update(of=("self",)).get(pk=run.submission_id)
    run.refresh_from_db()
    was_active = run.is_active
    run.move_to(RunStatus.CANCELLED, by=by, reason=reason, finished_at=timezone.now())
    if was_active:
        _give_up(run)


def cancel_all(runs) -> None:
    """End runs that nobody needs any more: of a withdrawn submission, of a dropped version."""
    runs.filter(status__in=ACTIVE).update(status=RunStatus.CANCELLED, finished_at=timezone.now())


@transaction.atomic
def rescore(round: Round, by: User) -> int:
    """Queue every counted submission that the benchmark in force has not scored; how many.

    Raises Refused while there is no benchmark, and once the ranking is signed off.
    """
    round.require_undecided()
    benchmark = current_benchmark(round)
    if benchmark is None:
        raise Refused(_("Define the benchmark first."), code="no_benchmark")
    queued = enqueue_all(benchmark)
    LogEntry.write(benchmark, "rescore", by=by, after=str(queued))
    return queued


# --- Finding what was lost --------------------------------------------------------------------


def sweep() -> dict[str, int]:
    """Bring back what got lost: runs nobody woke for, and runs whose worker died.

    A run is at most RUN_LOST_AFTER_S without a sign of life, and at most as long as its benchmark
    allows, before it is given up and tried again.
    """
    now = timezone.now()
    lost = ScoringRun.objects.filter(status=RunStatus.RUNNING).filter(
        Q(heartbeat_at__lt=now - timedelta(seconds=settings.RUN_LOST_AFTER_S))
        | Q(deadline_at__lt=now)
    )
    count_lost = 0
    for run in lost.select_related("submission", "benchmark__round"):
        try:
            fail_infrastructure(run)
            count_lost += 1
        except Exception:  # the others must not wait for this one
            log.exception("run %s could not be ended", run.pk)
    return {
        "lost": count_lost,
        "hopeless": _give_up_hopeless(now),
        "forgotten": _queue_forgotten(now - timedelta(seconds=WAKE_AGAIN_AFTER_S)),
        "woken": _wake_idle(now),
    }


def _wake_idle(now: datetime) -> int:
    """Wake workers that are idle while runs have waited for a while: the messages got lost."""
    a_while_ago = now - timedelta(seconds=settings.RUN_WAKE_AFTER_S)
    woken = 0
    for resource_class in ResourceClass.values:
        runs = ScoringRun.objects.filter(resource_class=resource_class)
        waiting = (
            runs.filter(status=RunStatus.QUEUED, queued_at__lt=a_while_ago)
            .filter(Q(not_before=None) | Q(not_before__lt=now))
            .count()
        )
        idle = (workers.slots(resource_class) or 1) - runs.filter(status=RunStatus.RUNNING).count()
        for _n in range(min(waiting, idle)):
            wake(resource_class, chain=True)
            woken += 1
    return woken


def _give_up_hopeless(now: datetime) -> int:
    """End runs that have waited a day and that no worker which is alive could take."""
    old = ScoringRun.objects.filter(
        status=RunStatus.QUEUED, queued_at__lt=now - timedelta(seconds=QUEUED_AT_MOST_S)
    )
    ended = 0
    for resource_class, needs in old.order_by().values_list("resource_class", "needs").distinct():
        if workers.slots(resource_class, needs):
            continue
        for run in old.filter(resource_class=resource_class, needs=needs)[:200]:
            cancel(run, None, "no worker for a day")
            ended += 1
    return ended


def _queue_forgotten(before: datetime) -> int:
    """Queue submissions that the benchmark in force has no run of: their transaction and that
    which defined it did not see each other."""
    forgotten = 0
    benchmarks = Benchmark.objects.filter(
        status=BenchmarkStatus.CURRENT,
        round__status__in=[RoundStatus.OPEN, RoundStatus.CLOSED],
    )
    for benchmark in benchmarks.select_related("round"):
        without = (
            counted_submissions(benchmark.round)
            .filter(received_at__lt=before)
            .exclude(status=SubmissionStatus.FAILED)
            .exclude(runs__benchmark=benchmark)
        )
        for submission in without[:200]:
            forgotten += _queue(submission, benchmark) is not None
    return forgotten
