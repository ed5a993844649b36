"""Scoring runs: queued in the database, woken by Celery, finished exactly once.

A run is a row before it is a message. The message only wakes a worker; what is lost on the way is
found again by ``sweep``. Of two workers that wake for one run, one gets it.
"""

import contextlib
import logging
import platform
import socket
import threading
import time
from datetime import datetime, timedelta
from importlib.metadata import version

import numpy as np
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from contest.models import Round, Submission
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus, RoundStatus, SubmissionStatus
from judging.faults import SubmissionFault
from judging.metrics import METRICS, compute
from judging.models import Benchmark, ScoringRun
from judging.runners.onnx import run_onnx
from judging.services.benchmarks import Hidden, current_benchmark, load_hidden, read_for
from judging.states import RunStatus

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
BACKOFF_S = (0, 10, 60)
HEARTBEAT_S = 5
LOST_AFTER_S = 60
WAKE_AGAIN_AFTER_S = 30
PACKAGES = ("numpy", "scikit-learn", "onnxruntime")


def enqueue(submission: Submission) -> ScoringRun | None:
    """Queue a submission for its round's benchmark; None if it has a result or is on its way."""
    benchmark = current_benchmark(submission.participation.round)
    if benchmark is None:
        return None
    return _queue(submission, benchmark)


def enqueue_all(benchmark: Benchmark) -> int:
    """Queue every counted submission that this version has neither scored nor queued; how many."""
    counted = Submission.objects.filter(participation__round=benchmark.round).exclude(
        status=SubmissionStatus.WITHDRAWN
    )
    return sum(
        _queue(submission, benchmark) is not None for submission in counted.order_by("received_at")
    )


def pending(round: Round) -> int:
    """How many submissions of teams that take part still wait for their score."""
    benchmark = current_benchmark(round)
    if benchmark is None:
        return 0
    active = Q(runs__benchmark=benchmark, runs__status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    return (
        Submission.objects.filter(
            Q(status=SubmissionStatus.RECEIVED) | active,
            participation__round=round,
            participation__status=ParticipationStatus.ACTIVE,
        )
        .exclude(status=SubmissionStatus.WITHDRAWN)
        .distinct()
        .count()
    )


def _queue(submission: Submission, benchmark: Benchmark, *, delay_s: int = 0) -> ScoringRun | None:
    runs = ScoringRun.objects.filter(submission=submission, benchmark=benchmark)
    if runs.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.SUCCEEDED]).exists():
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
                not_before=timezone.now() + timedelta(seconds=delay_s) if delay_s else None,
            )
    except IntegrityError:  # another process queued it in the same moment
        return None
    transaction.on_commit(lambda: wake(run, delay_s))
    return run


def _reuse(submission: Submission, benchmark: Benchmark, attempt: int) -> bool:
    """Give a file that the same team sent before the result that it had; whether there was one."""
    earlier = (
        ScoringRun.objects.filter(
            benchmark=benchmark,
            status=RunStatus.SUCCEEDED,
            submission__participation=submission.participation_id,
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
    with transaction.atomic():
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
        if submission.may_move(SubmissionStatus.SCORED):
            submission.move_to(SubmissionStatus.SCORED)
        ranking_inputs_changed.send(sender=ScoringRun, round=benchmark.round)
    return True


def wake(run: ScoringRun, delay_s: int = 0) -> None:
    """Send a worker the message that the run waits. A broker that is down loses nothing."""
    from judging.tasks import score

    try:
        score.apply_async([str(run.pk)], countdown=delay_s or None, retry=False)
    except Exception:
        log.warning("could not reach the broker; run %s waits for the sweep", run.pk, exc_info=True)


def run(run_id) -> str | None:
    """Take a queued run and bring it to its end; returns its status, None if it was not ours.

    Never raises for a fault of submission or platform: both end in the run's row.
    """
    taken = _claim(run_id)
    if taken is None:
        return None
    started = time.monotonic()
    try:
        with _heartbeat(taken):
            result = score_submission(taken.submission, taken.benchmark)
    except SubmissionFault as fault:
        _finish(taken, RunStatus.FAILED, started, cause=ScoringRun.Cause.SUBMISSION,
                error_code=fault.code, error_params=fault.params)  # fmt: skip
    except Exception:
        log.exception("run %s failed by the platform's fault", run_id)
        fail_infrastructure(taken, started)
    else:
        _finish(taken, RunStatus.SUCCEEDED, started, **result)
    return taken.status


def _claim(run_id) -> ScoringRun | None:
    now = timezone.now()
    claimed = (
        ScoringRun.objects.filter(pk=run_id, status=RunStatus.QUEUED)
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .update(
            status=RunStatus.RUNNING,
            started_at=now,
            heartbeat_at=now,
            worker=socket.gethostname()[:100],
        )
    )
    if not claimed:
        return None
    return ScoringRun.objects.select_related(
        "submission__participation__round__event", "benchmark"
    ).get(pk=run_id)


@contextlib.contextmanager
def _heartbeat(run: ScoringRun):
    """Tell the database every few seconds that this run is alive, from a thread of its own."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_S):
                with contextlib.suppress(Exception):
                    ScoringRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
                        heartbeat_at=timezone.now()
                    )
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def score_submission(submission: Submission, benchmark: Benchmark) -> dict:
    """Compute what a successful run stores, and store nothing. Raises SubmissionFault."""
    hidden = load_hidden(benchmark)
    with submission.file.open("rb") as file:
        content = file.read()
    facts = {"sandbox": "", "peak_memory_mb": None}
    name = submission.original_name
    if submission.kind not in benchmark.accepted_kinds():
        kinds = ", ".join(benchmark.accepted_kinds())
        raise SubmissionFault("kind_not_accepted", file=name, expected=kinds)
    if submission.kind == Submission.Kind.ONNX:
        answer = run_onnx(
            content,
            name,
            inputs=hidden.inputs,
            metric=benchmark.metric,
            classes=hidden.classes,
            wall_seconds=benchmark.wall_seconds,
            memory_mb=benchmark.memory_mb,
        )
        predicted = answer.predictions
        facts = {"sandbox": answer.sandbox, "peak_memory_mb": answer.peak_memory_mb}
    else:
        predicted = read_for(benchmark, hidden, content, name)
    metrics = evaluate(benchmark, hidden, predicted, name)
    return {
        "metrics": metrics,
        "public_score": metrics["public"][benchmark.metric],
        "private_score": metrics["private"][benchmark.metric],
        "peak_memory_mb": facts["peak_memory_mb"],
        "provenance": {
            "submission": submission.sha256,
            "reference": benchmark.reference_sha256,
            "inputs": benchmark.inputs_sha256,
            "runner": submission.kind,
            "sandbox": facts["sandbox"],
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def evaluate(benchmark: Benchmark, hidden: Hidden, predicted: np.ndarray, name: str) -> dict:
    """Every metric on both parts: ``{"public": {metric: float}, "private": {…}}``.

    Where the whole is public the private part is the whole, too. Raises SubmissionFault where a
    metric is not defined for the predictions.
    """
    everything = hidden.public.all()
    parts = {"public": hidden.public, "private": hidden.public if everything else ~hidden.public}
    scores: dict[str, dict[str, float]] = {}
    for part, rows in parts.items():
        scores[part] = {}
        for metric in [benchmark.metric, *benchmark.extra_metrics]:
            try:
                value = compute(
                    metric, benchmark.metric, hidden.truth[rows], predicted[rows], hidden.classes
                )
            except ValueError as error:
                raise SubmissionFault(
                    "not_scorable", file=name, metric=str(METRICS[metric].label),
                    detail=str(error)[:200],
                ) from None  # fmt: skip
            if not np.isfinite(value):
                raise SubmissionFault(
                    "not_scorable", file=name, metric=str(METRICS[metric].label),
                    detail=str(value),
                )  # fmt: skip
            scores[part][metric] = value
    return scores


def _finish(run: ScoringRun, status: str, started: float, **fields) -> bool:
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
            duration_s=round(time.monotonic() - started, 3),
            **fields,
        )
        run.refresh_from_db()
        if not ended:
            return False
        if fields.get("cause") != ScoringRun.Cause.INFRASTRUCTURE and run.benchmark.is_current:
            outcome = (
                SubmissionStatus.SCORED
                if status == RunStatus.SUCCEEDED
                else SubmissionStatus.INVALID
            )
            if submission.status != outcome and submission.may_move(outcome):
                submission.move_to(outcome)
        round_ = run.benchmark.round
        transaction.on_commit(lambda: ranking_inputs_changed.send(sender=ScoringRun, round=round_))
    return True


def fail_infrastructure(run: ScoringRun, started: float | None = None) -> None:
    """End a run by the platform's fault and queue the next attempt, later each time.

    After the last attempt the submission is marked as failed, which gives its quota back.
    """
    with transaction.atomic():
        _fail_infrastructure(run, started)


def _fail_infrastructure(run: ScoringRun, started: float | None) -> None:
    ended = _finish(
        run,
        RunStatus.FAILED,
        time.monotonic() if started is None else started,
        cause=ScoringRun.Cause.INFRASTRUCTURE,
        error_code="infrastructure",
    )
    if not ended:
        return
    if run.attempt < MAX_ATTEMPTS:
        _queue(run.submission, run.benchmark, delay_s=BACKOFF_S[run.attempt])
        return
    submission = Submission.objects.get(pk=run.submission_id)
    if submission.status == SubmissionStatus.RECEIVED:
        submission.move_to(SubmissionStatus.FAILED, reason=f"run {run.pk}")


def sweep() -> dict[str, int]:
    """Bring back what got lost: runs nobody woke for, and runs whose worker died.

    A run is at most LOST_AFTER_S without a sign of life before it is given up and tried again.
    """
    now = timezone.now()
    lost = ScoringRun.objects.filter(
        status=RunStatus.RUNNING, heartbeat_at__lt=now - timedelta(seconds=LOST_AFTER_S)
    ).select_related("submission", "benchmark")
    count_lost = 0
    for run in lost:
        fail_infrastructure(run)
        count_lost += 1
    long_ago = now - timedelta(seconds=WAKE_AGAIN_AFTER_S)
    unclaimed = ScoringRun.objects.filter(status=RunStatus.QUEUED, queued_at__lt=long_ago).filter(
        Q(not_before=None) | Q(not_before__lt=long_ago)
    )
    woken = 0
    for run in unclaimed.order_by("queued_at")[:200]:
        wake(run)
        woken += 1
    return {"lost": count_lost, "woken": woken, "forgotten": _queue_forgotten(long_ago)}


def _queue_forgotten(before: datetime) -> int:
    """Queue submissions that the benchmark in force has no run of: their transaction and that
    which defined it did not see each other."""
    forgotten = 0
    benchmarks = Benchmark.objects.filter(
        is_current=True, round__status__in=[RoundStatus.OPEN, RoundStatus.CLOSED]
    )
    for benchmark in benchmarks:
        without = (
            Submission.objects.filter(
                participation__round=benchmark.round_id, received_at__lt=before
            )
            .exclude(status__in=[SubmissionStatus.WITHDRAWN, SubmissionStatus.FAILED])
            .exclude(runs__benchmark=benchmark)
        )
        for submission in without[:200]:
            forgotten += _queue(submission, benchmark) is not None
    return forgotten
