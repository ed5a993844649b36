"""Running a finished run again, to see whether it would end the same way today."""

import math
from dataclasses import dataclass, field

from contest.models import Submission
from contest.uploads import sha256_of
from judging.faults import SubmissionFault
from judging.models import Benchmark, ScoringRun
from judging.services.benchmarks import TABLE_FILES
from judging.services.scoring import score_submission

# Sums of floats in another order; anything beyond is another result.
TOLERANCE = 1e-9
NOT_PACKAGES = {"submission", *TABLE_FILES, "reused_from", "reused_number"}


@dataclass
class Verification:
    """What the run stored beside what it gives now.

    ``inputs``: (what, recorded digest, digest now). ``packages``: (name, recorded, now) of versions
    that differ. ``scores``: (part, metric, recorded, now). ``ends``: how it ended, then and now.
    """

    inputs: list[tuple[str, str, str]] = field(default_factory=list)
    packages: list[tuple[str, str, str]] = field(default_factory=list)
    scores: list[tuple[str, str, float | None, float | None]] = field(default_factory=list)
    ends: tuple[str, str] = ("", "")

    @property
    def inputs_are_the_same(self) -> bool:
        return all(recorded == now for _what, recorded, now in self.inputs)

    @property
    def result_is_the_same(self) -> bool:
        return self.ends[0] == self.ends[1] and all(
            recorded is not None
            and now is not None
            and math.isclose(recorded, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            for _part, _metric, recorded, now in self.scores
        )


def verify(run: ScoringRun) -> Verification:
    """Run a finished run's submission again by the run's own benchmark version; stores nothing.

    Raises ValueError for a run that has not ended, or ended by the platform's fault.
    """
    if run.is_active or run.cause == ScoringRun.Cause.INFRASTRUCTURE:
        raise ValueError("only a run that ended by itself can be verified")
    submission, benchmark = run.submission, run.benchmark
    found = Verification(inputs=_inputs(run, submission, benchmark))
    recorded: dict = run.metrics
    if not found.inputs_are_the_same:
        found.ends = (run.error_code or run.status, "another file")
        return found
    try:
        result = score_submission(submission, benchmark)
        metrics, end = result["metrics"], "succeeded"
        found.packages = [
            (name, str(then), str(result["provenance"].get(name, "")))
            for name, then in run.provenance.items()
            if name not in NOT_PACKAGES
            and not name.startswith("task")
            and then != result["provenance"].get(name)
        ]
    except SubmissionFault as fault:
        metrics, end = {}, fault.code
    found.ends = (run.error_code or run.status, end)
    pairs = {
        (part, name)
        for scores in (recorded, metrics)
        for part, values in scores.items()
        if part != "measured"  # time and memory are never the same twice
        for name in values
    }
    found.scores = [
        (part, name, recorded.get(part, {}).get(name), metrics.get(part, {}).get(name))
        for part, name in sorted(pairs)
    ]
    return found


def _inputs(run: ScoringRun, submission: Submission, benchmark: Benchmark):
    """The files as they lie in the store now, against the digests of then."""
    files = [("submission", submission.file, submission.sha256)]
    for name in TABLE_FILES:
        files.append((name, getattr(benchmark, name), getattr(benchmark, f"{name}_sha256")))
    for n, task in enumerate(benchmark.tasks.all()):
        for name in task.FILES:
            files.append((f"task{n}.{name}", getattr(task, name), getattr(task, f"{name}_sha256")))
    digests = []
    for what, stored, known in files:
        if not stored:
            continue
        with stored.open("rb") as file:
            now = sha256_of(file)
        digests.append((what, run.provenance.get(what) or known, now))
    return digests
