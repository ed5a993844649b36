"""What all runners share: the job they are given, the answer they give, how faults come back."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from judging.faults import SubmissionFault
from judging.models import Benchmark
from judging.sandbox import Box, End, Finished, Limits, bubblewrap, files

INSIDE = Path(__file__).parents[1] / "sandbox" / "inside"
# Reports are read into the worker; a table that is larger than this is refused.
REPORT_LIMIT = 128 << 20
CHECK_S, CHECK_MB = 20, 1024
# How much of a failed program's last words is told.
TAIL = 2000


@dataclass(frozen=True)
class Hidden:
    """A benchmark's hidden data, in the order of the sorted ids.

    ``truth`` (n,): str labels or text, or floats. ``inputs`` (n, features) floats, or None where
    there are none or not all are numbers; ``inputs_csv`` are they as they were uploaded.
    ``public`` (n,) bool. ``classes`` are the labels in order, empty for other answers.
    """

    ids: list[str]
    truth: np.ndarray
    classes: list[str]
    public: np.ndarray
    inputs: np.ndarray | None
    inputs_csv: bytes = b""


@dataclass(frozen=True)
class Job:
    """One submission to be run. ``path`` is its file on this machine, ``name`` its sender's name
    for it; ``alive`` is to be called now and then while it runs."""

    path: Path
    name: str
    benchmark: Benchmark
    hidden: Hidden | None = None
    # What scoring programs may be told of a submission beside its file.
    facts: dict[str, str] = field(default_factory=dict)
    alive: Callable[[], None] = lambda: None
    # A check, which somebody waits for in the web server, has little of everything.
    is_check: bool = False

    @property
    def size_mb(self) -> float:
        return round(self.path.stat().st_size / 2**20, 4)

    @property
    def limits(self) -> Limits:
        limits = Limits(
            wall_s=self.benchmark.wall_seconds,
            memory_mb=self.benchmark.memory_mb,
            disk_mb=self.benchmark.disk_mb,
            file_mb=self.benchmark.disk_mb,
        )
        return self.bounded(limits)

    def bounded(self, limits: Limits) -> Limits:
        """The limits, or less where this is a check."""
        if not self.is_check:
            return limits
        return replace(
            limits,
            wall_s=min(limits.wall_s, CHECK_S),
            memory_mb=min(limits.memory_mb, CHECK_MB),
            disk_mb=min(limits.disk_mb, CHECK_MB),
        )


@dataclass
class Answer:
    """What a submission answered, in the order of the hidden ids, and what that took.

    ``measured``: values of judging.metrics.MEASURES. ``log`` is what the team's program printed.
    """

    predictions: np.ndarray
    measured: dict[str, float] = field(default_factory=dict)
    log: str = ""
    sandbox: str = ""


class Runner(Protocol):
    """How a submission of one kind becomes predictions. Both raise SubmissionFault for what is the
    submission's fault, SandboxUnavailable where this machine must not run it; anything else that
    they raise is a fault of the platform."""

    def check(self, job: Job) -> None:
        """Whether the file has the right form, told without scoring it."""

    def run(self, job: Job) -> Answer:
        """The submission's answers to the hidden inputs."""


def program(box: Box, name: str) -> list[str]:
    """The command that runs one of our own programs (judging/sandbox/inside) in a box."""
    box.lend(f"/app/tools/{name}", INSIDE / name)
    return [bubblewrap.python(), "-I", box.seen(f"/app/tools/{name}")]


def run_tool(
    box: Box,
    name: str,
    arguments: list[str],
    *,
    limits: Limits,
    read_only: tuple[str, ...],
    writable: tuple[str, ...],
    report: str,
    file: str,
    bare: bool = True,
    alive: Callable[[], None] = lambda: None,
) -> tuple[dict, Finished]:
    """Run a program of ours on what a team sent; its report and how it ended.

    ``report`` is where it writes JSON: a folder among ``writable`` and a name in it. Raises
    SubmissionFault for what it reports, and for a limit that the file made it pass. ``bare`` as for
    Box.run.
    """
    command = program(box, name)
    finished = box.run(
        [*command, *arguments], limits=limits, writable=writable, bare=bare, alive=alive,
        read_only=(*read_only, f"/app/tools/{name}"),
    )  # fmt: skip
    folder, _, base = report.rpartition("/")
    try:
        content = files.read_regular(box.folder(folder), base, REPORT_LIMIT)
        told = json.loads(content)
        if not isinstance(told, dict):
            raise ValueError("the report is no object")
    except files.TreeTooLarge:
        raise SubmissionFault("too_much_output", file=file, megabytes=REPORT_LIMIT >> 20) from None
    except (files.NotARegularFile, ValueError, RecursionError):
        raise_limit(finished, limits, file)
        could_not_start = finished.code in (126, 127)
        failed = finished.code and "Error" in finished.log and "MemoryError" not in finished.log
        if could_not_start or failed:
            # Not the file: our own program could not do its work here.
            raise RuntimeError(f"{name} failed ({finished.code}): {finished.log[-TAIL:]}") from None
        raise SubmissionFault("crashed", file=file) from None
    if "fault" in told:
        raise fault_of(told, file)
    return told, finished


def fault_of(told: dict, file: str) -> SubmissionFault:
    """A fault as a program in the sandbox reported it; what it says is shortened, never trusted."""
    params = told.get("params") if isinstance(told.get("params"), dict) else {}
    clean = {
        str(name)[:40]: value if isinstance(value, (int, float)) else str(value)[:1000]
        for name, value in params.items()
    }
    return SubmissionFault(str(told["fault"])[:50], **{**clean, "file": file})


def raise_limit(finished: Finished, limits: Limits, file: str) -> None:
    """Raise the fault of a limit that ended a command; return where none did."""
    out_of_memory = ("MemoryError", "bad_alloc", "Cannot allocate memory", "std::length_error")
    if finished.end in (End.WALL, End.CPU):
        raise SubmissionFault("timeout", file=file, seconds=round(limits.wall_s))
    if finished.end == End.MEMORY or (
        finished.code and any(word in finished.log[-20_000:] for word in out_of_memory)
    ):
        raise SubmissionFault("out_of_memory", file=file, megabytes=limits.memory_mb)
    if finished.end == End.DISK:
        raise SubmissionFault("disk_full", file=file, megabytes=limits.disk_mb)
    if finished.end == End.OUTPUT:
        raise SubmissionFault("too_much_output", file=file, megabytes=limits.output_mb)
