"""A box: folders for one run, commands run among them, everything gone at the end."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from judging.sandbox import bubblewrap, files, seccomp
from judging.sandbox.process import MEGABYTE, UNTOUCHED_MB, Finished, Limits, Status, supervise

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - inside the sandbox
    "TMPDIR": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    # One processor a run: more threads than that only get in each other's way.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}


class SandboxUnavailable(RuntimeError):
    """This worker cannot confine programs; it must not run them."""


class Box:
    """Folders of one run, by the path under which commands see them.

    ``with Box() as box: box.folder("/app/output"); box.run([...], writable=["/app/output"], …)``.
    Without bubblewrap only ``bare=True`` commands run, and see the folders where they really are;
    ``box.seen(path)`` is right in both cases.
    """

    def __init__(self):
        self._confined = bubblewrap.confinement().bwrap
        self._folders: dict[str, Path] = {}

    def __enter__(self) -> "Box":
        # Nobody but this process's user passes through it.
        self.root = Path(tempfile.mkdtemp(prefix="box-", dir=settings.SANDBOX_DIR or None))
        return self

    def __exit__(self, *_error) -> None:
        files.remove_tree(self.root)

    @property
    def is_confined(self) -> bool:
        return self._confined is not None

    def folder(self, inside: str) -> Path:
        """The folder behind a path inside; made when it is first asked for."""
        if inside not in self._folders:
            self._folders[inside] = self.root / inside.strip("/").replace("/", "-")
            self._folders[inside].mkdir()
        return self._folders[inside]

    def lend(self, inside: str, outside: Path) -> None:
        """Show a folder or file that belongs to somebody else, to be read only."""
        self._folders[inside] = outside

    def seen(self, inside: str) -> str:
        """The path that a command must be given for ``inside``, which may lie below a folder."""
        if self.is_confined:
            return inside
        for known, outside in self._folders.items():
            if inside == known or inside.startswith(known + "/"):
                return str(outside) + inside[len(known) :]
        raise KeyError(inside)

    def run(
        self,
        command: list[str],
        *,
        limits: Limits,
        read_only: tuple[str, ...] = (),
        writable: tuple[str, ...] = (),
        cwd: str = "/tmp",  # noqa: S108 - inside the sandbox
        env: dict[str, str] | None = None,
        bare: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> Finished:
        """Run a command that sees the named folders and the system's programs, nothing else.

        ``bare`` says that the command is a program of ours that only reads data, so that it may
        run with the limits alone where bubblewrap does not work. Raises SandboxUnavailable
        otherwise, RuntimeError where the sandbox could not be set up.
        """
        mine = {inside: self._folders[inside] for inside in writable}
        environment = {**ENVIRONMENT, **(env or {})}
        each = {
            "address_space": (limits.memory_mb + UNTOUCHED_MB) * MEGABYTE,
            "cpu": max(1, round(limits.cpu + 1)),
            "file": limits.file_mb * MEGABYTE,
        }
        if not self.is_confined:
            if not bare or settings.SANDBOX == "required":
                raise SandboxUnavailable(bubblewrap.confinement().problem)
            # The number of processes is counted for the whole user here; it can't be bounded.
            return supervise(
                [*bubblewrap.limited(**each), *command], limits=limits,
                watched=list(mine.values()), alive=alive, env=environment, cwd=self.root,
            )  # fmt: skip
        shown = {inside: self._folders[inside] for inside in read_only}
        for outside in shown.values():
            if outside.is_relative_to(self.root):
                files.publish(outside)
        if os.geteuid() == 0:
            for outside in mine.values():
                files.hand_over(outside, bubblewrap.sandbox_uid())
        given = [self._confined, *bubblewrap.options(shown, mine)]
        for name, value in environment.items():
            given += ["--setenv", name, value]
        with contextlib.closing(Status()) as status, seccomp.as_file() as filter_fd:
            given += ["--seccomp", str(filter_fd), "--json-status-fd", str(status.write),
                      "--chdir", cwd, "--"]  # fmt: skip
            finished = supervise(
                [*given, *bubblewrap.unprivileged(),
                 *bubblewrap.limited(**each, processes=limits.processes), *command],
                root=status.first_process, limits=limits, watched=list(mine.values()),
                alive=alive, pass_fds=(status.write, filter_fd),
            )  # fmt: skip
            if finished.end == "exited" and not status.has_exit:
                raise RuntimeError(f"the sandbox could not be set up: {finished.log[-2000:]}")
            return finished
