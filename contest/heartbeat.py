"""How a long job tells the database that it is alive, and is told that it works in vain."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone


@contextmanager
def heartbeat(
    rows: QuerySet, seconds: float, **fields: Callable[[], object]
) -> Iterator[threading.Event]:
    """Set ``heartbeat_at`` of the job's row every few seconds, from a thread of its own, and what
    each of ``fields`` gives. Yields an event that is set once ``rows`` has no such row any more:
    somebody else has ended the job."""
    stop, over = threading.Event(), threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(seconds):
                said = {name: give() for name, give in fields.items()}
                try:
                    known = rows.update(heartbeat_at=timezone.now(), **said)
                except Exception:  # the database is away: the next beat asks for a new connection
                    connection.close()
                    continue
                if not known:
                    over.set()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield over
    finally:
        stop.set()
        thread.join()
