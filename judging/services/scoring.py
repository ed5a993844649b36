"""What a submission is worth by a benchmark: computed here, stored by judging.services.runs."""

import json
import math
import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from contest.models import Submission
from judging.faults import SubmissionFault
from judging.metrics import METRICS, PROBABILITIES, compute
from judging.models import Benchmark, BenchmarkTask
from judging.models.benchmark import TOOL_S
from judging.runners import RUNNERS, programs
from judging.runners.base import Hidden, Job, run_tool
from judging.sandbox import Box, Limits
from judging.services.benchmarks import load_hidden
from judging.services.files import fetch

PACKAGES = ("numpy", "pandas", "scikit-learn", "onnx", "onnxruntime", "pyarrow")
# Counted up when the same file could get another score without anything else having changed.
RUNNER_VERSION = 2
METRIC_LIMITS = Limits(wall_s=TOOL_S, memory_mb=4096, processes=16)


def score_submission(
    submission: Submission, benchmark: Benchmark, alive: Callable[[], None] = lambda: None
) -> dict:
    """Compute what a successful run stores, and store nothing.

    Raises SubmissionFault; SandboxUnavailable or EngineUnavailable on a machine that must not run
    it; anything else is a fault of the platform.
    """
    name = submission.original_name
    if submission.kind not in benchmark.accepted_kinds():
        kinds = ", ".join(benchmark.accepted_kinds())
        raise SubmissionFault("kind_not_accepted", file=name, expected=kinds)
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        path = Path(folder) / "file"
        fetch(submission.file, submission.sha256, path)
        score = _score_table if benchmark.is_table else _score_by_programs
        result = score(submission, benchmark, path, alive)
    metrics = result["metrics"]
    result["public_score"] = metrics["public"][benchmark.metric]
    result["private_score"] = metrics["private"][benchmark.metric]
    result["peak_memory_mb"] = metrics["measured"].get("peak_memory_mb")
    result["provenance"] = {**_provenance(submission, benchmark), **result["provenance"]}
    return result


def _provenance(submission: Submission, benchmark: Benchmark) -> dict:
    """Everything that a score depends on, by digest or version."""
    used = {
        "submission": submission.sha256,
        "reference": benchmark.reference_sha256,
        "inputs": benchmark.inputs_sha256,
        "metric_program": benchmark.metric_program_sha256,
    }
    for n, task in enumerate(benchmark.tasks.all()):
        used |= {f"task{n}.{name}": getattr(task, f"{name}_sha256") for name in task.FILES}
    return {
        **{name: digest for name, digest in used.items() if digest},
        "runner": submission.kind,
        "runner_version": RUNNER_VERSION,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def _score_table(submission, benchmark: Benchmark, path: Path, alive) -> dict:
    hidden = load_hidden(benchmark)
    job = Job(path, submission.original_name, benchmark, hidden, alive=alive)
    answer = RUNNERS[submission.kind].run(job)
    try:
        metrics = evaluate(benchmark, hidden, answer.predictions, job.name, alive)
    except SubmissionFault as fault:
        raise fault.with_log(answer.log) from None
    return {
        "metrics": {**metrics, "measured": answer.measured},
        "log": answer.log,
        "provenance": {"sandbox": answer.sandbox},
    }


def evaluate(
    benchmark: Benchmark,
    hidden: Hidden,
    predicted: np.ndarray,
    name: str,
    alive: Callable[[], None] = lambda: None,
) -> dict:
    """Every metric on both parts: ``{"public": {metric: float}, "private": {…}}``.

    Where the whole is public the private part is the whole, too. Raises SubmissionFault where a
    metric is not defined for the predictions.
    """
    everything = hidden.public.all()
    parts = {"public": hidden.public, "private": hidden.public if everything else ~hidden.public}
    scores: dict[str, dict[str, float]] = {part: {} for part in parts}
    if benchmark.metric_program:
        scores = own_metrics(benchmark, hidden, predicted, parts, name, alive=alive)
    wanted = [benchmark.metric, *benchmark.extra_metrics]
    for part, rows in parts.items():
        for metric in wanted:
            if metric in METRICS:
                scores[part][metric] = _compute(
                    metric, benchmark, hidden.truth[rows], predicted[rows], hidden.classes, name
                )
            elif metric not in scores[part]:
                raise SubmissionFault("no_scores", file=name, metric=metric)
        hidden_columns = benchmark.hidden_columns() if part == "public" else set()
        scores[part] = {key: scores[part][key] for key in wanted if key not in hidden_columns}
    return scores


def _compute(metric: str, benchmark: Benchmark, truth, predicted, classes, name: str) -> float:
    try:
        value = compute(metric, benchmark.needs, truth, predicted, classes)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise SubmissionFault(
            "not_scorable", file=name, metric=str(METRICS[metric].label), detail=str(error)[:200]
        ) from None
    if not np.isfinite(value):
        raise SubmissionFault(
            "not_scorable", file=name, metric=str(METRICS[metric].label), detail=str(value)
        )
    return value


def own_metrics(
    benchmark: Benchmark,
    hidden: Hidden,
    predicted: np.ndarray,
    parts: dict[str, np.ndarray],
    name: str,
    program: bytes | None = None,
    alive: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, float]]:
    """What the organizers' own metric says of each part; it runs in the sandbox, too.

    ``program`` is one that is not kept yet. Raises SubmissionFault, SandboxUnavailable.
    """
    data = {}
    for part, rows in parts.items():
        answers = predicted[rows]
        data[part] = {
            "ids": [key for key, chosen in zip(hidden.ids, rows, strict=True) if chosen],
            "truth": hidden.truth[rows].tolist(),
            "predicted": dict(zip(hidden.classes, answers.T.tolist(), strict=True))
            if benchmark.needs == PROBABILITIES
            else answers.tolist(),
        }
    with Box() as box:
        given = box.folder("/app/input")
        (given / "data.json").write_text(json.dumps(data), encoding="utf-8")
        if program is not None:
            (given / "metric.py").write_bytes(program)
        else:
            fetch(benchmark.metric_program, benchmark.metric_program_sha256, given / "metric.py")
        box.folder("/app/report")
        told, _finished = run_tool(
            box,
            "run_metric.py",
            ["/app/input/metric.py", "/app/input/data.json", "/app/report/metrics.json"],
            limits=METRIC_LIMITS,
            read_only=("/app/input",),
            writable=("/app/report",),
            report="/app/report/metrics.json",
            file=name,
            bare=False,
            alive=alive,
        )
    if "refused" in told:
        raise SubmissionFault("metric_refused", file=name, detail=str(told["refused"])[:300])
    if "error" in told:
        failed = programs.ScoringFailed("scoring_failed", file=name, status=1)
        failed.scoring_log = str(told["error"])[:2000]
        raise failed
    return {part: programs.numbers(told.get(part, {}).items()) for part in parts}


def _score_by_programs(submission, benchmark: Benchmark, path: Path, alive) -> dict:
    team = submission.participation.team
    facts = {
        "id": str(submission.pk),
        "participant_team": team.code,
        "participant_team_name": team.name_en or team.name_zh,
        "submitted_at": submission.received_at.isoformat(),
        "challenge_phase": benchmark.round.slug,
    }
    job = Job(path, submission.original_name, benchmark, facts=facts, alive=alive)
    tasks = list(benchmark.tasks.all())
    results = [programs.score_task(job, submission.kind, task, fetch_task_file) for task in tasks]
    names = [task.name or f"task {n + 1}" for n, task in enumerate(tasks)]
    public, private = _both_parts(benchmark, combine(names, [r.scores for r in results]), job.name)
    many = len(tasks) > 1

    def joined(texts: list[str]) -> str:
        if not many:
            return texts[0]
        return "\n".join(f"== {n} ==\n{text}" for n, text in zip(names, texts, strict=True))

    measured = {
        key: max(r.measured[key] for r in results)
        if key == "peak_memory_mb"
        else math.fsum(r.measured[key] for r in results)
        for key in results[0].measured
    }
    measured["size_mb"] = results[0].measured["size_mb"]
    return {
        "metrics": {"public": public, "private": private, "measured": measured},
        "log": joined([r.log for r in results]),
        "scoring_log": joined([r.scoring_log for r in results]),
        "provenance": {"sandbox": results[0].sandbox},
    }


def fetch_task_file(task: BenchmarkTask, name: str, path: Path) -> None:
    fetch(getattr(task, name), getattr(task, f"{name}_sha256"), path)


def combine(names: list[str], scores: list[dict]) -> dict:
    """Scores of several tasks as one: the mean of each, and each task's own as ``key @ task``.

    Scores by split (EvalAI) are never of several tasks.
    """
    if len(scores) == 1:
        return scores[0]
    combined = {}
    for key in scores[0]:
        values = [found.get(key) for found in scores]
        if None not in values:
            combined[key] = math.fsum(values) / len(values)
    for name, found in zip(names, scores, strict=True):
        combined |= {f"{key} @ {name}": value for key, value in found.items()}
    return combined


def _both_parts(benchmark: Benchmark, scores: dict, name: str) -> tuple[dict, dict]:
    """(public, private) of what the programs said. Raises SubmissionFault without the metric."""
    if benchmark.protocol == Benchmark.Protocol.EVALAI:
        public = scores.get(benchmark.options.get("public_split", ""), {})
        private = scores.get(benchmark.options.get("private_split", ""), {}) or public
        if not benchmark.options.get("public_split"):
            public = private
    else:
        public = private = scores
    hidden = benchmark.hidden_columns()
    public = {key: value for key, value in public.items() if key.split(" @ ")[0] not in hidden}
    for part in (public, private):
        if benchmark.metric not in part:
            raise SubmissionFault("no_scores", file=name, metric=benchmark.metric)
    return public, private
