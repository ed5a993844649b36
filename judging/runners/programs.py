"""Benchmarks that an organizer's programs score: Codabench's two steps, EvalAI's script.

The first step makes results: an ingestion program runs the team's code, or the code's own command
runs, or the file is the results already. The reference is not there then. In the second the scoring
program sees results and reference, and nothing of the team's runs. Between the two only plain files
pass: a link among results would, beside the reference, be the reference.
"""

import contextlib
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from contest.models import Submission
from contest.uploads import safe_name
from judging.faults import SubmissionFault, clean
from judging.models import Benchmark, BenchmarkTask
from judging.runners import archives
from judging.runners.base import Job, program, raise_limit
from judging.runners.code import WORDS, require_success, run_declared
from judging.sandbox import Box, End, Finished, confinement, files

SCORES_LIMIT = 1 << 20
SCORING_WORDS = {
    **WORDS, "$input": "/app/input", "$hidden": "/app/input/ref", "$predictions": "/app/input/res",
    "$ingestion_program": "/app/program",
}  # fmt: skip
INGESTION_WORDS = {
    **WORDS, "$ingestion_program": "/app/program", "$submission_program": "/app/ingested_program",
    "$predictions": "/app/output", "$hidden": "/app/input/ref",
}  # fmt: skip

# What EvalAI tells evaluation scripts of a submission; of files and texts that are not kept here
# they get nothing instead of an error.
EVALAI_METADATA = {
    **dict.fromkeys(
        ("id", "participant_team", "participant_team_name", "created_by", "submitted_at",
         "challenge_phase", "input_file", "stdout_file", "stderr_file", "submission_result_file",
         "execution_time", "method_name", "method_description", "project_url", "publication_url",
         "when_made_public"), None,
    ),
    "status": "running",
    "is_public": False,
}  # fmt: skip

# Gets one of a task's files on this machine: fetch(task, field, path).
Fetch = Callable[[BenchmarkTask, str, Path], None]


@dataclass
class ProgramResult:
    """``scores``: ``{name: value}`` as the programs gave them, by split for EvalAI."""

    scores: dict
    measured: dict[str, float] = field(default_factory=dict)
    log: str = ""
    scoring_log: str = ""
    sandbox: str = ""


class ScoringFailed(SubmissionFault):
    """The scoring program did not end well; its log is for the organizers."""

    scoring_log = ""


def score_task(job: Job, kind: str, task: BenchmarkTask, fetch: Fetch) -> ProgramResult:
    """Run a submission through one task. Raises SubmissionFault, SandboxUnavailable."""
    evalai = job.benchmark.protocol == Benchmark.Protocol.EVALAI
    with Box() as scoring:
        results = scoring.folder("/app/results")
        log, measured = "", {}
        if evalai or (kind == Submission.Kind.PREDICTIONS and not task.ingestion_program):
            _take_results(job, results, whole=evalai)
        else:
            log, measured = _make_results(job, task, fetch, results)
        if not evalai:
            _tell_duration(results, measured)
        finished, scores = (_evaluate if evalai else _score)(scoring, job, task, fetch)
    measured["size_mb"] = job.size_mb
    return ProgramResult(scores, measured, log, finished.log, str(confinement()))


def check(job: Job, kind: str) -> None:
    """What can be known of a file without running anything. Raises SubmissionFault."""
    if job.benchmark.protocol == Benchmark.Protocol.EVALAI:
        return
    with Box() as box:
        command = archives.unpack_sent(box, job, "/app/ingested_program")
        needs_command = any(not task.ingestion_program for task in job.benchmark.tasks.all())
        if kind == Submission.Kind.CODE and needs_command and command is None:
            raise SubmissionFault("no_command", file=job.name)


def _take_results(job: Job, results: Path, *, whole: bool) -> None:
    """The file is the results: as it is, or unpacked."""
    if whole:
        shutil.copyfile(job.path, results / safe_name(job.name))
        return
    with Box() as box:
        archives.unpack_sent(box, job, "/app/res")
        _pass_on(job, box.folder("/app/res"), results)


def _make_results(job: Job, task: BenchmarkTask, fetch: Fetch, results: Path):
    """Run the team's code without the reference; its log and what it took."""
    ingestion = _tree(task, "ingestion_program", fetch)
    with Box() as box:
        code = "/app/ingested_program" if ingestion else "/app/program"
        command = archives.unpack_sent(box, job, code)
        out = box.folder("/app/output")
        if ingestion:
            if command is None:
                # Results instead of code: the ingestion program finds them where it would write.
                _pass_on(job, box.folder(code), out)
            _copy(ingestion, box.folder("/app/program"))
            command = ingestion.command
            if command is None:
                raise RuntimeError("the ingestion program declares no command")
        elif command is None:
            raise SubmissionFault("no_command", file=job.name)
        if inputs := _tree(task, "inputs", fetch):
            box.lend("/app/input_data", inputs.folder)
        else:
            box.folder("/app/input_data")
        box.folder("/app/shared")
        # Programs may write beside themselves, as they may on the platforms they come from.
        finished = run_declared(
            box, command, job, words=INGESTION_WORDS, read_only=("/app/input_data",),
            writable=tuple(dict.fromkeys(
                (code, "/app/program", "/app/output", "/app/shared")
            )),
        )  # fmt: skip
        require_success(finished, job.limits, job.name)
        _pass_on(job, out, results, finished.log)
    return finished.log, finished.measured()


def _pass_on(job: Job, source: Path, results: Path, log: str = "") -> None:
    try:
        left_out = files.copy_regular(
            source, results, entries=archives.ENTRIES, total=job.benchmark.disk_mb << 20
        )
    except files.TreeTooLarge:
        raise SubmissionFault("disk_full", file=job.name, megabytes=job.benchmark.disk_mb) from None
    if left_out:
        fault = SubmissionFault("links_left", file=job.name, member=left_out[0][:100])
        raise fault.with_log(log)


def _tree(task: BenchmarkTask, name: str, fetch: Fetch) -> archives.Unpacked | None:
    """One of a task's archives, unpacked; None where the task has none."""
    stored = getattr(task, name)
    if not stored:
        return None
    try:
        return archives.unpacked(
            lambda path: fetch(task, name, path), getattr(task, f"{name}_sha256"), stored.name,
            disk_mb=archives.OWN_MB,
        )  # fmt: skip
    except SubmissionFault as fault:  # it was checked when it was uploaded
        raise RuntimeError(f"{name} of {task} cannot be unpacked: {fault.code}") from fault


def _copy(program: archives.Unpacked, target: Path) -> None:
    shutil.copytree(program.folder, target, dirs_exist_ok=True)


def _tell_duration(results: Path, measured: dict[str, float]) -> None:
    """Beside the results, as Codabench does, what making them took; scoring programs rank by it."""
    took, ran = measured.get("wall_s"), "wall_s" in measured
    place = results / "metadata"
    if place.is_dir() or (not ran and place.exists()):
        return
    told = {
        "exitCode": 0 if ran else None,
        "elapsedTime": took,
        "ingestionExitCode": 0 if ran else None,
        "ingestionElapsedTime": took,
    }
    place.unlink(missing_ok=True)
    place.write_text(yaml.safe_dump(told), encoding="utf-8")


def _score(box: Box, job: Job, task: BenchmarkTask, fetch: Fetch) -> tuple[Finished, dict]:
    scoring = _tree(task, "scoring_program", fetch)
    if scoring.command is None:
        raise RuntimeError("the scoring program declares no command")
    _copy(scoring, box.folder("/app/program"))
    _lay_out(box, task, fetch)
    out = box.folder("/app/output")
    box.folder("/app/shared")
    finished = run_declared(
        box, scoring.command, job, words=SCORING_WORDS,
        read_only=("/app/input/ref",),
        writable=("/app/program", "/app/input/res", "/app/output", "/app/shared"),
    )  # fmt: skip
    if finished.code and finished.end == End.EXITED:
        # A program that gave its scores and then stumbled has given them, on Codabench as well.
        with contextlib.suppress(SubmissionFault):
            scores = _scores_of(out, job)
            if job.benchmark.metric in scores:
                return finished, scores
    _require_scored(finished, job)
    return finished, _scores_of(out, job)


def _lay_out(box: Box, task: BenchmarkTask, fetch: Fetch) -> None:
    """Reference and results where scoring programs look for them."""
    if reference := _tree(task, "reference", fetch):
        box.lend("/app/input/ref", reference.folder)
    else:
        box.folder("/app/input/ref")
    box.lend("/app/input/res", box.folder("/app/results"))


def _require_scored(finished: Finished, job: Job) -> None:
    """Raise what a scoring program's bad end means; its log is kept for the organizers alone."""
    try:
        raise_limit(finished, job.limits, job.name)
    except SubmissionFault as fault:
        failed = ScoringFailed(fault.code, **fault.params)
        failed.scoring_log = finished.log
        raise failed from None
    if finished.code:
        failed = ScoringFailed("scoring_failed", file=job.name, status=finished.code)
        failed.scoring_log = finished.log
        raise failed


def _scores_of(out: Path, job: Job) -> dict[str, float]:
    """``scores.json``, or lines of ``name: value`` in ``scores.txt``."""
    try:
        told = json.loads(files.read_regular(out, "scores.json", SCORES_LIMIT))
        found = told.items() if isinstance(told, dict) else []
    except files.NotARegularFile:
        try:
            text = files.read_regular(out, "scores.txt", SCORES_LIMIT).decode(errors="replace")
        except (files.NotARegularFile, files.TreeTooLarge):
            raise SubmissionFault("no_scores", file=job.name, metric=job.benchmark.metric) from None
        pairs = [line.partition(":") for line in text.splitlines()]
        found = [(name.strip(), value.strip()) for name, colon, value in pairs if colon]
    except (ValueError, RecursionError, files.TreeTooLarge):
        raise SubmissionFault("no_scores", file=job.name, metric=job.benchmark.metric) from None
    return numbers(found)


def numbers(pairs) -> dict[str, float]:
    """The finite numbers among scores; whatever else a program writes there is no score."""
    scores = {}
    for name, value in pairs:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(number):
            scores[clean(str(name))[:100]] = number
    return scores


def _evaluate(box: Box, job: Job, task: BenchmarkTask, fetch: Fetch) -> tuple[Finished, dict]:
    script = _tree(task, "scoring_program", fetch)
    name = job.benchmark.options.get("package", "evaluation_script")
    box.lend(f"/app/script/{name}", script.folder)
    annotations = box.folder("/app/annotations")
    file_name = safe_name(job.benchmark.options.get("annotations", "annotations"))
    fetch(task, "reference", annotations / file_name)
    out = box.folder("/app/output")
    command = program(box, "run_evalai.py")
    codename = job.benchmark.options.get("codename", "")
    metadata = {**EVALAI_METADATA, **job.facts, "phase_codename": codename}
    finished = box.run(
        [*command, f"/app/script/{name}", f"/app/annotations/{file_name}",
         f"/app/results/{safe_name(job.name)}", codename,
         "/app/output/scores.json", json.dumps(metadata)],
        limits=job.limits,
        read_only=(f"/app/script/{name}", "/app/annotations", "/app/results",
                   "/app/tools/run_evalai.py"),
        writable=("/app/output",),
        cwd=f"/app/script/{name}",
        alive=job.alive,
    )  # fmt: skip
    _require_scored(finished, job)
    try:
        told = json.loads(files.read_regular(out, "scores.json", SCORES_LIMIT))
    except (ValueError, RecursionError, files.NotARegularFile, files.TreeTooLarge):
        raise SubmissionFault("no_scores", file=job.name, metric=job.benchmark.metric) from None
    return finished, {
        str(split): numbers(values.items())
        for split, values in told.items()
        if isinstance(values, dict)
    }
