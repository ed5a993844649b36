"""Telling open pages that something changed (docs/decisions/0013-push.md).

A message names a channel and says no more than what everybody in the hall may know; whoever is told
fetches what changed, and is allowed or refused then, as always. What listens is in config/live.py.
"""

import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

log = logging.getLogger(__name__)

PATH = "/live/"
NAME = re.compile(r"[a-z0-9-]{1,64}")
MAX_CHANNELS = 20
SALT = "contest.live.ticket"
TIMEOUT_S = 2
# So long nothing is sent after a failure: a broker that hangs must not slow down every mark.
PAUSE_S = 5
_quiet_until = 0.0


class BadTicket(Exception):
    """The ticket was not made here, or is too old."""


def channel(kind: str, pk: int | str) -> str:
    """The channel about one thing: ``channel("desk", 12)`` is ``desk-12``."""
    return _checked(f"{kind}-{pk}")


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a channel")
    return name


# --- Sending ---------------------------------------------------------------------------------


def publish(channel: str, data: dict | None = None) -> None:
    """Tell who listens to ``channel``, once the transaction is committed.

    Of messages that follow each other closely the last may be the only one to arrive, and none
    does while the broker is down, which does not concern the caller: pages ask by themselves, too.
    """
    message = json.dumps({"channel": _checked(channel), "data": data or {}}, cls=DjangoJSONEncoder)
    transaction.on_commit(lambda: _send(channel, message))


def _send(channel: str, message: str) -> None:
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        if settings.REDIS_URL:
            _redis(settings.REDIS_URL).publish(settings.LIVE_REDIS_CHANNEL, message)
        else:
            _write(Path(settings.LIVE_DIR), channel, message)
    except Exception as error:  # whatever it is, what was committed stays committed
        _quiet_until = time.monotonic() + PAUSE_S
        log.warning("no message could be sent to open pages (%s): %s", channel, error)


def _write(folder: Path, channel: str, message: str) -> None:
    """Replace the channel's file in one step, so that nobody reads half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(message)
        os.replace(name, folder / channel)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@cache
def _redis(url: str):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        # Once more, for a connection that was kept and has died meanwhile.
        retry=Retry(NoBackoff(), 1),
    )


# --- Tickets ---------------------------------------------------------------------------------


def ticket(channels: Iterable[str]) -> str:
    """What opens a stream of these channels: made by a page whose reader was let in."""
    names = sorted({_checked(name) for name in channels})
    if not 1 <= len(names) <= MAX_CHANNELS:
        raise ValueError(f"a ticket is for 1 to {MAX_CHANNELS} channels")
    return signing.dumps(names, salt=SALT)


def read_ticket(ticket: str, max_age: float | None = None) -> list[str]:
    """The channels that the ticket opens. Raises BadTicket."""
    try:
        return signing.loads(
            ticket, salt=SALT, max_age=settings.LIVE_TICKET_S if max_age is None else max_age
        )
    except signing.SignatureExpired:
        raise BadTicket("This ticket has expired.") from None
    except (signing.BadSignature, ValueError):
        raise BadTicket("This is not a ticket.") from None


def url(*channels: str) -> str:
    """Where a browser opens a stream of these channels."""
    return f"{PATH}?ticket={quote(ticket(channels), safe='')}"
