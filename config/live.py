"""Streams of server-sent events, thousands in one process (docs/decisions/0013-push.md).

One task of the process hears what contest.live publishes and hands it to all streams. A stream is
opened by a ticket alone: it costs no thread, no session and no database.
"""

import asyncio
import contextlib
import json
import logging
import os
import random
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from contest.live import BadTicket, read_ticket

log = logging.getLogger(__name__)

PING_S = 15
# What a stream holds for a browser that does not keep up; beyond, it is told to ask anew.
WAITING = 32
# A browser that takes nothing for so long is gone.
STALLED_S = 60
# The hub may be deaf for so long before it sends the browsers away, to poll.
DEAF_S = 10
LOOK_S = 0.08
SILENCE_S = 10


def _event(name: str, data: dict, **more) -> bytes:
    return ServerSentEvent(event=name, data=json.dumps(data), sep="\n", **more).encode()


RESYNC = _event("resync", {})


def _now() -> dict:
    return {"server_time": datetime.now(UTC).isoformat()}


class Stream:
    """What waits to be sent to one browser."""

    __slots__ = ("_ended", "_waiting", "_wake", "channels")

    def __init__(self, channels: list[str]):
        self.channels = channels
        self._waiting: deque[bytes] = deque()
        self._wake: asyncio.Future | None = None
        self._ended = False

    def put(self, event: bytes) -> None:
        if len(self._waiting) >= WAITING:
            self._waiting.clear()
            self._waiting.append(RESYNC)
        self._waiting.append(event)
        self._stir()

    def end(self) -> None:
        self._ended = True
        self._stir()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def events(self) -> AsyncIterator[bytes]:
        """Everything put in, until the end."""
        while not self._ended:
            if self._waiting:
                yield self._waiting.popleft()
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake


class Hub:
    """Who listens to what in this process."""

    def __init__(self):
        self._streams: dict[str, set[Stream]] = {}
        self._count = 0
        self._hangup: asyncio.TimerHandle | None = None
        self.is_open = False

    @property
    def is_full(self) -> bool:
        return self._count >= settings.LIVE_MAX_STREAMS

    def add(self, stream: Stream) -> None:
        self._count += 1
        for channel in stream.channels:
            self._streams.setdefault(channel, set()).add(stream)

    def drop(self, stream: Stream) -> None:
        self._count -= 1
        for channel in stream.channels:
            listeners = self._streams.get(channel, set())
            listeners.discard(stream)
            if not listeners:
                self._streams.pop(channel, None)

    def _all(self) -> set[Stream]:
        return set().union(*self._streams.values())

    def deliver(self, message: bytes | str) -> None:
        """Hand one published message to the streams of its channel."""
        try:
            message = json.loads(message)
            channel = message["channel"]
        except (ValueError, KeyError, TypeError):
            log.warning("a message to open pages could not be read: %.100r", message)
            return
        if listeners := self._streams.get(channel):
            event = _event("message", message)
            for stream in listeners:
                stream.put(event)

    def hears(self) -> None:
        """From now on messages arrive; what was missed before is asked for."""
        if self._hangup is not None:
            self._hangup.cancel()
            self._hangup = None
        self.is_open = True
        for stream in self._all():
            stream.put(RESYNC)

    def deaf(self) -> None:
        """Nothing arrives any more; browsers that wait in vain for long are sent away."""
        if self._hangup is None and self.is_open:
            self._hangup = asyncio.get_running_loop().call_later(DEAF_S, self.close)

    def close(self) -> None:
        """End all streams and open none: browsers poll, and try again by and by."""
        self.is_open = False
        for stream in self._all():
            stream.end()


# --- What feeds the hub ----------------------------------------------------------------------


async def feed(hub: Hub) -> None:
    """Keep the hub fed, whatever happens to what feeds it."""
    wait = 0.5
    while True:
        source = _from_redis if settings.REDIS_URL else _from_folder
        began = asyncio.get_running_loop().time()
        try:
            await source(hub)
        except Exception as error:
            log.warning("messages to open pages do not arrive: %s", error)
        hub.deaf()
        if asyncio.get_running_loop().time() - began > 30:
            wait = 0.5
        await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - not a secret
        wait = min(2 * wait, 5)


async def _from_redis(hub: Hub) -> None:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=5,
        socket_timeout=None,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )
    async with client, client.pubsub() as pubsub:
        await pubsub.subscribe(settings.LIVE_REDIS_CHANNEL)
        asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                # A wire that was cut says nothing, either.
                if asked:
                    raise ConnectionError("Redis does not answer")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "subscribe":
                hub.hears()
            elif message["type"] == "message":
                hub.deliver(message["data"])


async def _from_folder(hub: Hub) -> None:
    folder = Path(settings.LIVE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    seen = _look(folder)
    hub.hears()
    while True:
        await asyncio.sleep(LOOK_S)
        found = _look(folder)
        for path, version in found.items():
            if seen.get(path) != version:
                with contextlib.suppress(FileNotFoundError):
                    hub.deliver(Path(path).read_bytes())
        seen = found


def _look(folder: Path) -> dict[str, tuple[int, int]]:
    """The version of each channel's file. A file that replaces another has another number."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat()
                    found[entry.path] = (status.st_ino, status.st_mtime_ns)
    return found


# --- The endpoint ----------------------------------------------------------------------------


def endpoint(hub: Hub):
    async def live(request: Request) -> Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        try:
            channels = read_ticket(request.query_params.get("ticket", ""))
        except BadTicket as error:
            return PlainTextResponse(f"{error}\n", 403, headers)
        # Pages that are sent away poll, and try again by and by.
        if not hub.is_open or hub.is_full:
            return PlainTextResponse("Nothing can be told now; ask again.\n", 503, headers)
        return EventStream(hub, Stream(channels), headers)

    return live


async def _events(stream: Stream) -> AsyncIterator[bytes]:
    yield _event("hello", {**_now(), "channels": stream.channels}, retry=2000)
    async for event in stream.events():
        yield event


class EventStream(EventSourceResponse):
    """Counts from the moment it is granted, so that a rush does not get more than there is room
    for; and is heard before it says so, so that nothing falls between that and what the page then
    asks for."""

    def __init__(self, hub: Hub, stream: Stream, headers: dict):
        super().__init__(
            _events(stream),
            headers=headers,
            sep="\n",
            ping=PING_S,
            ping_message_factory=lambda: _event("ping", _now()),
            send_timeout=STALLED_S,
        )
        self._hub, self._stream = hub, stream
        hub.add(stream)

    async def __call__(self, scope, receive, send) -> None:
        try:
            with contextlib.suppress(SendTimeoutError):
                await super().__call__(scope, receive, send)
        finally:
            self._hub.drop(self._stream)
