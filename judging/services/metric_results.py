"""Which automated score counts for each team of a round."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contest.models import Round
from contest.states import SubmissionStatus
from judging.metrics import METRICS
from judging.models import ScoringRun
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


def best_scores(
    round: Round, part: str, *, before: datetime | None = None
) -> dict[int, MetricResult]:
    """``{participation id: MetricResult}`` of the benchmark in force.

    A team's counted submission is the one with the best *public* score, the earliest if equal,
    whichever ``part`` ("public" or "private") is asked for: nobody may choose by hidden data.
    ``before`` leaves out what was received at that moment or later. One query.
    """
    if part not in ("public", "private"):
        raise ValueError(part)
    benchmark = current_benchmark(round)
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
            "public_score",
            "private_score",
        )
    )
    if before is not None:
        runs = runs.filter(submission__received_at__lt=before)
    sign = 1 if METRICS[benchmark.metric].greater_is_better else -1
    best: dict[int, MetricResult] = {}
    for participation, submission, received_at, public, private in runs:
        known = best.get(participation)
        if known is None or sign * public > sign * known.public:
            value = public if part == "public" else private
            best[participation] = MetricResult(submission, received_at, public, private, value)
    return best
