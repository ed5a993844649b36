"""One command under watch: what it may use, what it used, how it ended."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from judging.sandbox.files import TreeTooLarge, tree_size, unlinked_size

LOG_HEAD = LOG_TAIL = 32 * 1024
FIRST_POLL_S, LONGEST_POLL_S = 0.002, 0.1
DISK_EVERY_S = 0.25
ALIVE_EVERY_S = 1.0
MEGABYTE = 1 << 20
# Address space that interpreters and numerical libraries reserve and never touch.
UNTOUCHED_MB = 4096


class End(StrEnum):
    """Why a command is over. All but EXITED were ended by us."""

    EXITED = "exited"
    WALL = "wall"
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    OUTPUT = "output"


@dataclass(frozen=True)
class Limits:
    """What a command may use in all its processes together; sizes in MB of 2**20 bytes.

    ``file_mb`` and the address space bound each process alone; the sums are watched, ten times a
    second, so that they can be passed by what is used up in a tenth of a second.
    """

    wall_s: float = 60
    cpu_s: float | None = None  # by default the wall time: one processor, used all the time
    memory_mb: int = 2048
    processes: int = 64
    file_mb: int = 1024
    disk_mb: int = 2048
    disk_entries: int = 20_000
    output_mb: int = 64

    @property
    def cpu(self) -> float:
        return self.wall_s if self.cpu_s is None else self.cpu_s


@dataclass(frozen=True)
class Finished:
    """How a command ended. ``code`` is its exit status, 128 + n where signal n ended it."""

    end: End
    code: int
    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    log: str

    @property
    def ok(self) -> bool:
        return self.end == End.EXITED and self.code == 0

    def measured(self) -> dict[str, float]:
        """What it took, by the names of judging.metrics.MEASURES."""
        names = ("wall_s", "cpu_s", "peak_memory_mb")
        return {name: getattr(self, name) for name in names}


class _Log:
    """Reads a pipe to its end in a thread; keeps the first and the last bytes."""

    def __init__(self, pipe, limit: int):
        self.head, self.tail, self.total = bytearray(), bytearray(), 0
        self.limit, self._pipe = limit, pipe
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._pipe.fileno(), 65536):
                self.total += len(chunk)
                room = LOG_HEAD - len(self.head)
                self.head += chunk[:room]
                if room < len(chunk):
                    self.tail = (self.tail + chunk[room:])[-LOG_TAIL:]

    @property
    def is_over(self) -> bool:
        return self.total > self.limit

    def text(self) -> str:
        """What was said, its middle left out where it was long."""
        self._thread.join(5)
        left_out = self.total - len(self.head) - len(self.tail)
        parts = [bytes(self.head)]
        if left_out:
            parts.append(f"\n[… {left_out} bytes left out …]\n".encode())
        parts.append(bytes(self.tail))
        return b"".join(parts).decode(errors="replace").replace("\x00", "\ufffd")


def supervise(
    command: list[str],
    *,
    limits: Limits,
    watched: list[Path],
    alive: Callable[[], None],
    root: Callable[[], int | None] | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> Finished:
    """Run ``command`` to its end or to a limit; nothing of it goes on afterwards.

    ``root()`` gives the process whose descendants are counted, and whose end is theirs: None while
    it is not known, and by default the command's own. ``watched`` are the folders it may fill.
    ``alive`` is called about once a second.
    """
    started = time.monotonic()
    watch = _Watch(limits, watched, started)
    process = subprocess.Popen(  # noqa: S603 - the command is ours; what it runs is confined by it
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=env or {}, cwd=cwd, pass_fds=pass_fds, start_new_session=True,
    )  # fmt: skip
    root = root or (lambda: process.pid)
    log = _Log(process.stdout, limits.output_mb * MEGABYTE)
    end, usage, status = End.EXITED, None, 0
    poll, last_alive = FIRST_POLL_S, started
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if over := (End.OUTPUT if log.is_over else watch.over(root())):
                end = over
                _kill(process, root())
                _pid, status, usage = os.wait4(process.pid, 0)
                break
            if time.monotonic() - last_alive > ALIVE_EVERY_S:
                alive()
                last_alive = time.monotonic()
            time.sleep(poll)
            poll = min(poll * 1.5, LONGEST_POLL_S)
    except BaseException:
        _kill(process, root())
        process.stdout.close()
        with contextlib.suppress(ChildProcessError):
            os.wait4(process.pid, 0)
        raise
    finally:
        # Without a process namespace a child may have outlived the command.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    text = log.text()
    process.stdout.close()
    code = process.returncode
    code = 128 - code if code < 0 else code
    cpu = max(watch.cpu_s, usage.ru_utime + usage.ru_stime)
    if end == End.EXITED and code == 128 + signal.SIGXCPU:
        end = End.CPU
    if end == End.EXITED and code == 128 + signal.SIGXFSZ:
        end = End.DISK
    if end == End.EXITED and watch.disk_is_over():
        end = End.DISK
    return Finished(
        end=end,
        code=code,
        wall_s=round(wall, 4),
        cpu_s=round(cpu, 4),
        # Not ru_maxrss: it begins with what the worker itself held when it forked.
        peak_memory_mb=round(watch.peak_mb, 1),
        log=text,
    )


def _kill(process, root: int | None) -> None:
    """End the namespace's first process and with it all others there; else the process group."""
    if root is not None and root != process.pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(root, signal.SIGKILL)
            return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class _Watch:
    """Sums over all processes of a run, and the highest of them so far."""

    def __init__(self, limits: Limits, watched: list[Path], started: float):
        self.limits, self.watched, self.started = limits, watched, started
        self.peak_mb = self.cpu_s = 0.0
        self._pids: list[int] = []
        self._next_disk = started + DISK_EVERY_S
        # What lay there before is not the command's doing.
        self._disk_before = self._disk() or 0

    def _disk(self) -> int | None:
        """Bytes in all watched folders, and of files that were removed while they are open; None
        if that is too many files to count."""
        try:
            kept = sum(tree_size(path, self.limits.disk_entries) for path in self.watched)
        except TreeTooLarge:
            return None
        return kept + unlinked_size(self._pids)

    def disk_is_over(self) -> bool:
        used = self._disk()
        return used is None or used - self._disk_before > self.limits.disk_mb * MEGABYTE

    def over(self, root: int | None) -> End | None:
        """The limit that is passed now, if one is."""
        now = time.monotonic()
        if now - self.started > self.limits.wall_s:
            return End.WALL
        if root is not None:
            memory, cpu, self._pids = _usage(root, self.limits.memory_mb)
            self.peak_mb, self.cpu_s = max(self.peak_mb, memory), max(self.cpu_s, cpu)
            if memory > self.limits.memory_mb:
                return End.MEMORY
            if cpu > self.limits.cpu:
                return End.CPU
        if now >= self._next_disk:
            if self.disk_is_over():
                return End.DISK
            self._next_disk = time.monotonic() + DISK_EVERY_S
        return None


def _usage(root: int, limit_mb: int) -> tuple[float, float, list[int]]:
    """(memory in MB, CPU in s, pids) of a process and all below it, those that ended and were
    waited for included."""
    try:
        first = psutil.Process(root)
        processes = [first, *first.children(recursive=True)]
    except psutil.Error:
        return 0.0, 0.0, []
    resident = cpu = 0.0
    for process in processes:
        try:
            with process.oneshot():
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                resident += process.memory_info().rss
        except psutil.Error:
            continue
    if resident > limit_mb * MEGABYTE:
        resident = sum(map(_proportional, processes))
    return resident / MEGABYTE, cpu, [process.pid for process in processes]


def _proportional(process: psutil.Process) -> int:
    """Bytes of a process, pages that forks share counted in equal parts."""
    try:
        return process.memory_full_info().pss
    except psutil.AccessDenied:
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss
    except psutil.Error:
        pass
    return 0


class Status:
    """What bwrap tells through its status pipe: the first process inside, and its exit."""

    def __init__(self):
        self._read, self.write = os.pipe()
        os.set_blocking(self._read, False)
        self._text = b""

    def _told(self) -> list[dict]:
        with contextlib.suppress(BlockingIOError, OSError):
            while chunk := os.read(self._read, 4096):
                self._text += chunk
        found = []
        for line in self._text.split(b"\n"):
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def first_process(self) -> int | None:
        return next((told["child-pid"] for told in self._told() if "child-pid" in told), None)

    @property
    def has_exit(self) -> bool:
        return any("exit-code" in told for told in self._told())

    def close(self) -> None:
        os.close(self._read)
        with contextlib.suppress(OSError):
            os.close(self.write)
