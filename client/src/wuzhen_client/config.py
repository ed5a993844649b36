"""What ``login`` keeps: the server in use, and a token for each server.

Tokens are kept by server, so that the token of one is never sent to another.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import platformdirs


def folder() -> Path:
    if chosen := os.environ.get("WUZHEN_CONFIG_DIR"):
        return Path(chosen)
    return platformdirs.user_config_path("wuzhen", appauthor=False)


def path() -> Path:
    return folder() / "login.json"


def _load() -> dict:
    """The file's content; a missing or broken file is as if nobody had signed in."""
    try:
        kept = json.loads(path().read_text("utf-8"))
        if isinstance(kept["server"], str) and isinstance(kept["tokens"], dict):
            return kept
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    return {"server": "", "tokens": {}}


def _store(kept: dict) -> None:
    """Replace the file in one step. It is made readable for its owner alone, never widened."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp creates exclusively and with mode 0600, whatever the umask.
    handle, temporary = tempfile.mkstemp(dir=folder(), prefix=".login-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
        os.replace(temporary, path())
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def server() -> str:
    """The server that was signed in to last, or nothing."""
    return _load()["server"]


def login_at(address: str) -> dict | None:
    """``{"token", "expiry"}`` for a server; None without one."""
    found = _load()["tokens"].get(address)
    return found if isinstance(found, dict) and found.get("token") else None


def remember(address: str, token: str, expiry: str | None) -> None:
    kept = _load()
    kept["server"] = address
    kept["tokens"][address] = {"token": token, "expiry": expiry}
    _store(kept)


def forget(address: str) -> None:
    """Drop the token; the server stays the one in use."""
    kept = _load()
    kept["tokens"].pop(address, None)
    _store(kept)
