"""Asking again until a submission has ended."""

from collections.abc import Callable

from rich.text import Text

from wuzhen_client import show
from wuzhen_client.errors import NetworkProblem
from wuzhen_client.texts import label, text

FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 1.0, 10.0, 1.4
FAILURES_BORNE = 5


def has_ended(submission: dict) -> bool:
    """Its state is final, and no further attempt (a rescoring, say) is on its way."""
    if submission["status"] == "withdrawn":
        return True
    run = submission["run"] or {}
    return submission["status"] != "received" and run.get("status") not in ("queued", "running")


def follow(read: Callable[[], dict], sleep: Callable[[float], None]) -> dict:
    """Read until it has ended, more seldom with time; at once often again when it moves on.

    A server that is away for a while (an update) is borne.
    """
    console = show.console(stderr=True)
    pause, before, failures = FIRST_PAUSE_S, None, 0
    with console.status("") as spinner:
        while True:
            try:
                submission, failures = read(), 0
            except NetworkProblem as problem:
                failures += 1
                if failures == FAILURES_BORNE:
                    raise
                spinner.update(Text(show.clean(problem)))
                sleep(LONGEST_PAUSE_S)
                continue
            if has_ended(submission):
                return submission
            now = _state(submission)
            if now != before and not console.is_terminal:
                show.tell(progress(submission))
            spinner.update(Text(show.clean(progress(submission))))
            pause = FIRST_PAUSE_S if now != before else min(pause * GROWTH, LONGEST_PAUSE_S)
            before = now
            sleep(pause)


def _state(submission: dict) -> str:
    return (submission["run"] or {}).get("status", "")


def progress(submission: dict) -> str:
    """``queued · 3 ahead · about 40 s``; servers may know less than that."""
    run = submission["run"] or {}
    active = run.get("status") in ("queued", "running")
    parts = [
        label("run_status", run["status"]) if active else label("submission_status", "received")
    ]
    if active and run.get("ahead"):
        parts.append(text("ahead", count=run["ahead"]))
    if active and run.get("wait_seconds"):
        parts.append(text("about", time=show.duration(run["wait_seconds"])))
    return " · ".join(parts)
