"""Getting stored files onto this machine, each checked against its digest."""

import hashlib
from pathlib import Path

CHUNK = 1 << 20


def fetch(stored, sha256: str, target: Path) -> None:
    """Copy a stored file to ``target``. Raises RuntimeError if it is not what was stored."""
    digest = hashlib.sha256()
    with stored.open("rb") as source, target.open("wb") as copy:
        for chunk in iter(lambda: source.read(CHUNK), b""):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != sha256:
        target.unlink()
        raise RuntimeError(f"{stored.name} is not the file that was stored")
    # The sandbox's user reads it; the folder it lies in keeps everybody else out.
    target.chmod(0o644)


def read(stored, sha256: str) -> bytes:
    """A stored file's content. Raises RuntimeError if it is not what was stored."""
    with stored.open("rb") as source:
        content = source.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RuntimeError(f"{stored.name} is not the file that was stored")
    return content
