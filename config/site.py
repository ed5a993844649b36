"""Who gets a request: the stream of messages, or Django in a thread of its own."""

import asyncio
import contextlib
import contextvars
import multiprocessing
import os
import signal
import threading
from wsgiref.util import FileWrapper

from a2wsgi import WSGIMiddleware
from django.conf import settings
from starlette.applications import Starlette
from starlette.routing import Route

from config import live
from contest.live import PATH

# Files are handed from their thread to the event loop in pieces of this size.
PIECE = 256 * 1024
AWAITED = 64 * 1024


class Site:
    """``Site(wsgi_application)``; ``hub`` is what its streams hang on."""

    def __init__(self, wsgi):
        self.hub = live.Hub()
        self.pages = WSGIMiddleware(_in_thread_context(wsgi), workers=settings.WEB_THREADS)
        self._streams = Starlette(
            routes=[Route(PATH, live.endpoint(self.hub))], lifespan=self._lifespan
        )

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] != PATH:
            # A name with an underscore would reach Django as the one with a hyphen: a sender could
            # say what only the proxy may say.
            headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
            if (body := await _begin(receive)) is not None:
                await self.pages({**scope, "headers": headers}, body, send)
        else:
            await self._streams(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app):
        self._loop = loop = asyncio.get_running_loop()
        if (parent := multiprocessing.parent_process()) is not None:
            # A supervisor that was killed must not leave somebody behind who holds the port.
            loop.add_reader(parent.sentinel, _leave, loop, parent.sentinel)
        feeding = asyncio.create_task(live.feed(self.hub))
        yield
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        self.hub.close()

    def end_streams(self) -> None:
        """Send all streams away and open none; from any thread."""
        self._loop.call_soon_threadsafe(self.hub.close)


def _leave(loop, sentinel) -> None:
    loop.remove_reader(sentinel)
    os.kill(os.getpid(), signal.SIGTERM)


async def _begin(receive):
    """Await the first part of a request's body; returns what gives it and the rest, or None when
    the sender has gone.

    Small requests are here as a whole before they take a thread, however slowly they come. The rest
    of a large one is read as Django asks for it; one that is cut off is then an error to its
    reader, not the end of a shorter file.
    """
    begun, more = bytearray(), True
    while more and len(begun) < AWAITED:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        begun += message.get("body", b"")
        more = message.get("more_body", False)
    first = {"type": "http.request", "body": bytes(begun), "more_body": more}

    async def body():
        nonlocal first
        if first is not None:
            message, first = first, None
            return message
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the sender has gone")
        return message

    return body


def _in_thread_context(wsgi):
    """Run the application in the context of its thread, which stays from request to request.

    Django keeps there what is dear to open, such as connections to Redis; in a context for each
    request, which a2wsgi makes, it would open them anew each time.
    """
    kept = threading.local()

    def application(environ, start_response):
        if not hasattr(kept, "context"):
            kept.context = contextvars.Context()
        environ["wsgi.file_wrapper"] = lambda file, _size=0: FileWrapper(file, PIECE)
        return _Answer(kept.context, kept.context.run(wsgi, environ, start_response))

    return application


class _Answer:
    """What the application returned, read and closed in the same context."""

    def __init__(self, context: contextvars.Context, answer):
        self._context, self._answer = context, answer
        self._pieces = iter(answer)

    def __iter__(self):
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._pieces)

    def close(self) -> None:
        if hasattr(self._answer, "close"):
            self._context.run(self._answer.close)
