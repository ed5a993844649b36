"""Archives of programs and results: unpacked in the sandbox, whoever sent them."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from judging.models.benchmark import TOOL_S
from judging.runners.base import Job, run_tool
from judging.sandbox import Box, Limits, files

ENTRIES = 10_000
# Of an organizer's archives, unpacked.
OWN_MB = 2048
UNPACKING = Limits(wall_s=TOOL_S, memory_mb=1024, processes=16)
KEPT_S = 14 * 24 * 3600


def unpack(
    box: Box,
    archive: Path,
    inside: str,
    name: str,
    *,
    disk_mb: int,
    wall_s: float = UNPACKING.wall_s,
    alive: Callable[[], None] = lambda: None,
) -> str | None:
    """Unpack a zip or tar into a box's folder; the command that its metadata declares, if any.

    Raises SubmissionFault for a file that is no archive, holds links or devices, names that lead
    out of it, or more than ``disk_mb`` or ENTRIES files.
    """
    box.lend("/app/archive", archive)
    box.folder("/app/report")
    box.folder(inside)
    limits = Limits(
        wall_s=wall_s, memory_mb=UNPACKING.memory_mb, processes=UNPACKING.processes,
        disk_mb=disk_mb + 64, file_mb=disk_mb + 1, disk_entries=2 * ENTRIES,
    )  # fmt: skip
    told, _finished = run_tool(
        box,
        "unpack.py",
        [box.seen("/app/archive"), box.seen(inside), box.seen("/app/report/unpack.json"),
         str(ENTRIES), str(disk_mb << 20)],
        limits=limits,
        read_only=("/app/archive",),
        writable=(inside, "/app/report"),
        report="/app/report/unpack.json",
        file=name,
        alive=alive,
    )  # fmt: skip
    command = told.get("command")
    return str(command) if command else None


def unpack_sent(box: Box, job: Job, inside: str) -> str | None:
    """``unpack`` for what a team sent."""
    return unpack(
        box, job.path, inside, job.name, disk_mb=job.limits.disk_mb,
        wall_s=job.bounded(UNPACKING).wall_s, alive=job.alive,
    )  # fmt: skip


class Unpacked:
    """An organizer's archive, unpacked once on this machine and then only read."""

    def __init__(self, folder: Path, command: str | None):
        self.folder, self.command = folder, command


def unpacked(fetch: Callable[[Path], None], sha256: str, name: str, *, disk_mb: int) -> Unpacked:
    """The tree of an archive by its digest; ``fetch(path)`` gets the archive where it is new here.

    Raises SubmissionFault as ``unpack`` does.
    """
    kept = settings.DATA_DIR / "unpacked"
    kept.mkdir(mode=0o700, exist_ok=True)
    place = kept / sha256
    if not place.exists():
        _remove_old(kept)
        with Box() as box, tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "archive"
            fetch(archive)
            archive.chmod(0o644)
            command = unpack(box, archive, "/app/tree", name, disk_mb=disk_mb)
            fresh = Path(tempfile.mkdtemp(dir=kept, prefix="new-"))
            files.copy_regular(
                box.folder("/app/tree"), fresh / "tree", entries=2 * ENTRIES, total=disk_mb << 20
            )
            (fresh / "command").write_text(command or "", encoding="utf-8")
            files.publish(fresh)
            try:
                os.rename(fresh, place)
            except OSError:  # another process was faster; the content is the same
                files.remove_tree(fresh)
    with suppress(OSError):
        os.utime(place)
    command = (place / "command").read_text(encoding="utf-8")
    return Unpacked(place / "tree", command or None)


def _remove_old(kept: Path) -> None:
    for place in kept.iterdir():
        with suppress(OSError):
            if time.time() - place.stat().st_mtime > KEPT_S:
                files.remove_tree(place)
