"""Reading, measuring and removing what a hostile program left behind.

Nothing here follows a symbolic link, opens a device or a pipe, or trusts a name.
"""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20
MAX_DEPTH = 32


class TreeTooLarge(Exception):
    """More entries, or a deeper tree, than was allowed."""


class NotARegularFile(Exception):
    """Missing, or a link, a folder, a pipe, a device: whatever is no plain file."""


def _walk(folder: Path, limit: int) -> Iterator[tuple[str, os.stat_result]]:
    """(path below ``folder``, its own status) of every entry, links not followed."""
    count = 0
    waiting = [("", 0)]
    while waiting:
        below, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise TreeTooLarge(f"deeper than {MAX_DEPTH} folders")
        try:
            entries = os.scandir(folder / below)
        except FileNotFoundError:
            continue
        except OSError as error:  # shut to us by its own maker, among others
            raise TreeTooLarge(str(error)) from None
        with entries:
            for entry in entries:
                count += 1
                if count > limit:
                    raise TreeTooLarge(f"more than {limit} files")
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                path = os.path.join(below, entry.name)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append((path, depth + 1))
                yield path, status


def tree_size(folder: Path, limit: int) -> int:
    """Bytes that a tree takes on disk. Raises TreeTooLarge beyond ``limit`` entries."""
    return sum(status.st_blocks * 512 for _path, status in _walk(folder, limit))


def unlinked_size(pids: list[int]) -> int:
    """Bytes of files that processes hold open after they were removed: they take room all the same.

    Of those that are only mapped the mapping's length is taken, which is the most that is known.
    """
    sizes: dict[tuple, int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    status = os.stat(entry.path)
                    if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                        device = (os.major(status.st_dev), os.minor(status.st_dev))
                        sizes[*device, status.st_ino] = status.st_blocks * 512
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
                if not line.endswith("(deleted)"):
                    continue
                span, _rights, _offset, device, inode, *_path = line.split()
                start, end = (int(number, 16) for number in span.split("-"))
                major, minor = (int(number, 16) for number in device.split(":"))
                sizes.setdefault((major, minor, int(inode)), end - start)
    return sum(sizes.values())


def open_regular(folder: Path, relative: str):
    """Open a plain file below ``folder`` for reading, whatever lies on the way to it.

    Raises NotARegularFile, also where a part of the path is a link.
    """
    parts = Path(relative).parts
    if not parts or any(part in ("..", "/") for part in parts):
        raise NotARegularFile(relative)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for n, part in enumerate(parts):
            last = n == len(parts) - 1
            # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
            kind = os.O_NONBLOCK if last else os.O_DIRECTORY
            try:
                found = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=at)
            except OSError:
                raise NotARegularFile(relative) from None
            os.close(at)
            at = found
        if not stat.S_ISREG(os.fstat(at).st_mode):
            raise NotARegularFile(relative)
        return os.fdopen(os.dup(at), "rb")
    finally:
        os.close(at)


def read_regular(folder: Path, relative: str, limit: int) -> bytes:
    """A plain file's content. Raises NotARegularFile, TreeTooLarge beyond ``limit`` bytes."""
    with open_regular(folder, relative) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TreeTooLarge(f"{relative} is larger than {limit} bytes")
    return content


def copy_regular(source: Path, target: Path, *, entries: int, total: int) -> list[str]:
    """Copy the plain files of a tree and nothing else; returns what was left out.

    A link among predictions would, where they are scored, point at whatever lies there. Raises
    TreeTooLarge beyond ``entries`` or ``total`` bytes.
    """
    left_out, copied = [], 0
    target.mkdir(parents=True, exist_ok=True)
    for path, status in list(_walk(source, entries)):
        if stat.S_ISDIR(status.st_mode):
            continue
        try:
            file = open_regular(source, path)
        except NotARegularFile:
            left_out.append(path)
            continue
        goal = target / path
        goal.parent.mkdir(parents=True, exist_ok=True)
        with file, goal.open("xb") as out:
            while chunk := file.read(CHUNK):
                copied += len(chunk)
                if copied > total:
                    raise TreeTooLarge(f"more than {total} bytes")
                out.write(chunk)
        goal.chmod(0o700 if status.st_mode & 0o100 else 0o600)
    return sorted(left_out)


def publish(folder: Path) -> None:
    """Let the sandbox's user read a tree of ours; the folder above keeps everybody else out."""
    folder.chmod(0o755)
    for path, status in _walk(folder, 1_000_000):
        if not stat.S_ISLNK(status.st_mode):
            program = stat.S_ISDIR(status.st_mode) or status.st_mode & 0o100
            os.chmod(folder / path, 0o755 if program else 0o644)


def hand_over(folder: Path, uid: int) -> None:
    """Make a tree the sandbox user's own, so that it can write there."""
    os.chown(folder, uid, uid)
    for path, _status in _walk(folder, 1_000_000):
        os.chown(folder / path, uid, uid, follow_symlinks=False)


def remove_tree(folder: Path) -> None:
    """Remove a tree whatever was made of it: folders without rights, thousands of levels deep."""
    for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603
                [*command, "--", str(folder)], capture_output=True, timeout=120, check=False
            )
