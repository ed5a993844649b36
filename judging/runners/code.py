"""Code: an archive with a declared command, run on the hidden inputs, that writes predictions."""

import shlex
from pathlib import Path

from judging.faults import SubmissionFault, clean
from judging.runners import archives
from judging.runners.base import TAIL, Answer, Job, raise_limit
from judging.runners.predictions import read_answers
from judging.sandbox import Box, Finished, bubblewrap, confinement, files

PREDICTIONS = ("predictions.csv", "predictions.jsonl", "predictions.parquet")


class CodeRunner:
    """``metadata.yaml`` declares ``command``; see docs/teams.md for what it finds and leaves."""

    def check(self, job: Job) -> None:
        with Box() as box:
            _command(box, job)

    def run(self, job: Job) -> Answer:
        with Box() as box:
            command = _command(box, job)
            (box.folder("/app/input_data") / "inputs.csv").write_bytes(job.hidden.inputs_csv)
            out = box.folder("/app/output")
            finished = run_declared(
                box, command, job, read_only=("/app/program", "/app/input_data"),
                writable=("/app/output",),
            )  # fmt: skip
            require_success(finished, job.limits, job.name)
            answer = predictions_left(out, Path(box.root), job, finished)
        answer.measured["size_mb"] = job.size_mb
        return answer


def _command(box: Box, job: Job) -> str:
    command = archives.unpack_sent(box, job, "/app/program")
    if command is None:
        raise SubmissionFault("no_command", file=job.name)
    split(command, job.name)
    return command


def split(command: str, name: str, replaced: dict[str, str] | None = None) -> list[str]:
    """A declared command as arguments; no shell reads it. Raises SubmissionFault."""
    for word, path in sorted((replaced or {}).items(), key=lambda pair: -len(pair[0])):
        command = command.replace(word, path)
    if clean(command) != command:
        raise SubmissionFault("bad_command", file=name, detail=clean(command)[:100])
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise SubmissionFault("bad_command", file=name, detail=str(error)) from None
    if not arguments:
        raise SubmissionFault("no_command", file=name)
    return arguments


# The words of CodaLab and Codabench for the folders.
WORDS = {
    "$program": "/app/program",
    "$input": "/app/input_data",
    "$output": "/app/output",
    "$tmp": "/app/output",
    "$shared": "/app/shared",
}


def run_declared(box: Box, command: str, job: Job, *, read_only, writable, words=WORDS) -> Finished:
    """Run a command as its metadata declare it, from its program's folder."""
    interpreter = str(Path(bubblewrap.python()).parent)
    return box.run(
        split(command, job.name, words),
        limits=job.limits,
        read_only=read_only,
        writable=writable,
        cwd="/app/program",
        env={"PATH": f"{interpreter}:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": "/app/program"},
        alive=job.alive,
    )


def require_success(finished: Finished, limits, name: str) -> None:
    """Raise what the bad end of a team's program means, with what it printed."""
    try:
        raise_limit(finished, limits, name)
    except SubmissionFault as fault:
        raise fault.with_log(finished.log) from None
    if finished.code:
        fault = SubmissionFault("program_failed", file=name, status=finished.code)
        raise fault.with_log(finished.log)


def predictions_left(out: Path, scratch: Path, job: Job, finished: Finished) -> Answer:
    """Read the one file of predictions that a program left. Raises SubmissionFault."""
    for found in PREDICTIONS:
        try:
            source = files.open_regular(out, found)
        except files.NotARegularFile:
            continue
        path = scratch / f"left-{found}"
        with source, path.open("wb") as target:
            while chunk := source.read(files.CHUNK):
                target.write(chunk)
        path.chmod(0o644)
        try:
            predicted = read_answers(job, path, found)
        except SubmissionFault as fault:
            raise fault.with_log(finished.log) from None
        return Answer(
            predictions=predicted,
            measured=finished.measured(),
            log=finished.log,
            sandbox=str(confinement()),
        )
    fault = SubmissionFault("no_predictions", file=job.name, expected=", ".join(PREDICTIONS))
    raise fault.with_log(finished.log[-TAIL:])
