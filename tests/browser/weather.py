"""Bad weather between tablets and the server: what a tablet sends, or is answered, gets lost."""

import asyncio
import random
import threading
from collections import Counter

OUTBOX = "/api/v1/tablet/outbox/"
# How often each becomes of a request; the rest is answered as it should be.
ODDS = {
    "answer lost": 0.10,
    "request lost": 0.06,
    "answer cut": 0.04,
    "slow": 0.15,
    "500": 0.03,
    "502": 0.03,
    "429": 0.03,
}


class Weather:
    """Wraps the site (tests/site.py): ``RunningSite(around=weather.around)``."""

    def __init__(self, seed: int):
        self._random, self._lock = random.Random(seed), threading.Lock()
        self.is_bad = False
        self.met: Counter[str] = Counter()

    def around(self, app):
        async def weathered(scope, receive, send):
            kind = None
            if scope["type"] == "http" and scope["path"] == OUTBOX:
                kind = self._draw()
            await self._let(kind, app, scope, receive, send)

        return weathered

    def _draw(self) -> str | None:
        if not self.is_bad:
            return None
        with self._lock:
            [kind] = self._random.choices([*ODDS, None], [*ODDS.values(), 1 - sum(ODDS.values())])
            if kind:
                self.met[kind] += 1
        return kind

    async def _let(self, kind, app, scope, receive, send) -> None:
        if kind == "slow":
            await asyncio.sleep(self._random.uniform(0.1, 0.8))
        if kind == "request lost":
            await _hang_up(send)
        elif kind in ("500", "502", "429"):
            await send({"type": "http.response.start", "status": int(kind), "headers": []})
            await send({"type": "http.response.body", "body": b"<html>not what was asked for"})
        elif kind == "answer lost":
            await app(scope, receive, _nowhere)  # the server has it, and nobody hears of it
            await _hang_up(send)
        elif kind == "answer cut":
            await app(scope, receive, _half(send))
            await _hang_up(send)
        else:
            await app(scope, receive, send)


async def _nowhere(_message) -> None:
    pass


def _half(send):
    """Send the beginning of an answer."""

    async def begin(message):
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return begin


async def _hang_up(send) -> None:
    """End the connection as a cut wire does, with no word."""
    send.__self__.transport.abort()
    await asyncio.sleep(0.01)  # uvicorn notices
