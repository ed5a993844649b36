"""Which automated score counts for each team of a round."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contest.models import Round
from contest.states import SubmissionStatus
from judging.models import Benchmark, ScoringRun
from judging.services.benchmarks import current_benchmark
from judging.states import RunStatus


@dataclass(frozen=True)
class MetricResult:
    """The counted submission of a team: raw metric values of both parts."""

    submission_id: UUID
    received_at: datetime
    public: float
    private: float
    value: float  # of the part that was asked for


def counted_results(
    round: Round,
    part: str,
    *,
    metric: str = "",
    before: datetime | None = None,
    benchmark: Benchmark | None = None,
) -> dict[int, MetricResult]:
    """``{participation id: MetricResult}`` of the benchmark in force, or of the one given.

    A team's counted submission is the one it chose, if that has a score; else the one with the best
    *public* score, the earliest if equal, whichever ``part`` ("public" or "private") is asked for:
    nobody may choose by hidden data. ``metric`` asks for another of its metrics or measures; teams
    without it are left out. ``before`` leaves out what was received at that moment or later.
    """
    if part not in ("public", "private"):
        raise ValueError(part)
    benchmark = benchmark or current_benchmark(round)
    if benchmark is None:
        return {}
    runs = (
        ScoringRun.objects.filter(benchmark=benchmark, status=RunStatus.SUCCEEDED)
        .exclude(submission__status=SubmissionStatus.WITHDRAWN)
        .order_by("submission__received_at", "submission__number")
        .values_list(
            "submission__participation_id",
            "submission_id",
            "submission__received_at",
            "submission__participation__final_submission_id",
            "submission__participation__final_chosen_at",
            "public_score",
            "private_score",
            "metrics",
        )
    )
    if before is not None:
        runs = runs.filter(submission__received_at__lt=before)
    sign = 1 if benchmark.main.greater_is_better else -1
    best: dict[int, tuple] = {}
    for participation, submission, received_at, final, chosen_at, public, private, metrics in runs:
        chosen = submission == final and (before is None or chosen_at < before)
        # False before True: a chosen one beats all others, then the better public score does.
        rank = (chosen, sign * public)
        if participation not in best or rank > best[participation][0]:
            best[participation] = (rank, submission, received_at, public, private, metrics)
    results = {}
    for participation, (_rank, submission, received_at, public, private, metrics) in best.items():
        value = public if part == "public" else private
        if metric and metric != benchmark.metric:
            value = metrics.get(part, {}).get(metric, metrics.get("measured", {}).get(metric))
        if value is not None:
            results[participation] = MetricResult(submission, received_at, public, private, value)
    return results
