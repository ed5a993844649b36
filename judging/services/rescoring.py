"""A new version of a benchmark on trial: what it costs, how far it is, and whether it is taken."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, Submission, User
from contest.signals import ranking_inputs_changed
from judging.models import Benchmark, ScoringRun
from judging.services import queue, workers
from judging.services.benchmarks import (
    candidate_benchmark,
    current_benchmark,
)
from judging.services.runs import (
    ACTIVE,
    Priority,
    cancel_all,
    counted_submissions,
    enqueue_all,
    settle,
)
from judging.states import BenchmarkStatus, RunStatus


@dataclass(frozen=True)
class Cost:
    """What scoring everything by a version takes: how many runs, of how many teams, and for about
    how long in seconds on the workers that are alive; None where none is."""

    runs: int
    teams: int
    work_seconds: int
    seconds: int | None


@dataclass(frozen=True)
class Progress:
    """How far the scoring by a version is. ``faults`` of submissions are results, too."""

    total: int
    scored: int
    faults: int
    failed: int  # by the platform, for good
    waiting: int

    @property
    def done(self) -> int:
        return self.total - self.waiting

    @property
    def percent(self) -> int:
        return 100 if not self.total else 100 * self.done // self.total

    @property
    def is_complete(self) -> bool:
        return self.waiting == 0


def cost(benchmark: Benchmark) -> Cost:
    """What scoring everything by a version would take, judged by how long the last runs took."""
    left = left_to_score(benchmark)
    pairs = list(left.values_list("pk", "participation"))
    took = dict(
        ScoringRun.objects.filter(submission__in=left.values("pk"), duration_s__isnull=False)
        .exclude(cause=ScoringRun.Cause.INFRASTRUCTURE)
        .order_by("finished_at")
        .values_list("submission", "duration_s")
    )
    usual = queue.usual_duration(benchmark.resource_class)
    work = sum(took.get(pk, usual) for pk, _team in pairs)
    slots = workers.slots(benchmark.resource_class)
    return Cost(
        runs=len(pairs),
        teams=len({team for _pk, team in pairs}),
        work_seconds=round(work),
        seconds=round(work / slots) if slots else None,
    )


def left_to_score(benchmark: Benchmark):
    """The round's counted submissions that a version has neither a result of nor on its way; a
    fault of the submission is a result."""
    own = ScoringRun.Cause.SUBMISSION
    done = ScoringRun.objects.filter(benchmark=benchmark).filter(
        Q(status__in=[*ACTIVE, RunStatus.SUCCEEDED]) | Q(status=RunStatus.FAILED, cause=own)
    )
    return counted_submissions(benchmark.round).exclude(pk__in=done.values("submission"))


def progress(benchmark: Benchmark) -> Progress:
    """How many of the round's counted submissions a version has dealt with."""
    counted = counted_submissions(benchmark.round)
    total = counted.count()
    newest: dict = {}
    for submission, status, cause in (
        ScoringRun.objects.filter(benchmark=benchmark, submission__in=counted)
        .order_by("attempt")
        .values_list("submission", "status", "cause")
    ):
        newest[submission] = (status, cause)
    own = ScoringRun.Cause.SUBMISSION
    scored = sum(status == RunStatus.SUCCEEDED for status, _cause in newest.values())
    faults = sum(status == RunStatus.FAILED and cause == own for status, cause in newest.values())
    active = sum(status in ACTIVE for status, _cause in newest.values())
    failed = len(newest) - scored - faults - active
    return Progress(total, scored, faults, failed, waiting=total - scored - faults - failed)


def start(benchmark: Benchmark, by: User) -> int:
    """Score every counted submission by a version on trial, in the background; how many.

    Submissions that come meanwhile go first and are scored by both versions. Pressed twice it does
    nothing more. Raises Refused.
    """
    with transaction.atomic():
        _locked(benchmark)
        _require_candidate(benchmark)
        queued = enqueue_all(benchmark, left_to_score(benchmark))
        LogEntry.write(benchmark, "rescore", by=by, after=str(queued))
    return queued


def adopt(benchmark: Benchmark, by: User, reason: str) -> Benchmark:
    """Put a version on trial in force: its results count from now on, the old ones stay on record.

    Raises Refused without a reason, once the ranking is signed off, or while submissions wait.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    with transaction.atomic():
        round = _locked(benchmark)
        benchmark.refresh_from_db()
        if benchmark.is_current:
            return benchmark
        _require_candidate(benchmark)
        state = progress(benchmark)
        if not state.is_complete:
            raise Refused(
                _("%(count)s submissions are not scored by it yet."),
                code="scoring_pending",
                params={"count": state.waiting},
            )
        if (old := current_benchmark(round)) is not None:
            old.move_to(BenchmarkStatus.RETIRED, by=by, reason=reason)
        benchmark.move_to(BenchmarkStatus.CURRENT, by=by, reason=reason)
        _settle_all(benchmark)
        benchmark.runs.filter(status=RunStatus.QUEUED).update(priority=Priority.SUBMISSION)
        transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Benchmark, round=round))
    return benchmark


def drop(benchmark: Benchmark, by: User, reason: str = "") -> Benchmark:
    """Give a version on trial up; what it has scored stays on record. Raises Refused, WrongMove."""
    with transaction.atomic():
        _locked(benchmark)
        benchmark.move_to(BenchmarkStatus.DROPPED, by=by, reason=reason)
        cancel_all(benchmark.runs)
    return benchmark


def try_again(benchmark: Benchmark, by: User) -> Benchmark:
    """Put an older version on trial once more. Raises Refused, WrongMove."""
    with transaction.atomic():
        round = _locked(benchmark)
        if candidate_benchmark(round) is not None:
            raise Refused(
                _("Another version is on trial; put it in force or drop it first."),
                code="candidate_exists",
            )
        benchmark.move_to(BenchmarkStatus.CANDIDATE, by=by)
    return benchmark


def _locked(benchmark: Benchmark) -> Round:
    round = Round.objects.select_for_update(of=("self",)).get(pk=benchmark.round_id)
    round.require_undecided()
    return round


def _require_candidate(benchmark: Benchmark) -> None:
    if benchmark.status != BenchmarkStatus.CANDIDATE:
        raise Refused(
            _("Version %(version)s is not on trial."),
            code="not_a_candidate",
            params={"version": benchmark.version},
        )


def _settle_all(benchmark: Benchmark) -> None:
    """Let every submission be what the version made of it."""
    runs = ScoringRun.objects.filter(
        benchmark=benchmark, status__in=[RunStatus.SUCCEEDED, RunStatus.FAILED]
    ).exclude(cause=ScoringRun.Cause.INFRASTRUCTURE)
    newest = {run.submission_id: run for run in runs.order_by("attempt")}
    for submission in Submission.objects.filter(pk__in=newest).select_for_update(of=("self",)):
        settle(submission, newest[submission.pk])
