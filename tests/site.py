"""The site behind a real web server in this very process, on the tests' database."""

import contextlib
import socket
import threading
import time

import uvicorn
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from config.site import Site


def _without_connections(wsgi):
    """No connection of a server's thread outlives its request: the test database is dropped."""

    def application(environ, start_response):
        try:
            with contextlib.closing(wsgi(environ, start_response)) as answer:
                yield from answer
        finally:
            connections.close_all()

    return application


class RunningSite:
    """``url`` answers between ``start()`` and ``stop()``; a second start is at the same address."""

    def __init__(self, wsgi=None, **options):
        self._wsgi, self._options = wsgi, options
        self._port = 0
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        # Django itself is made here, by the settings as they are now.
        self.site = Site(self._wsgi or _without_connections(StaticFilesHandler(WSGIHandler())))
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.site, lifespan="on", ws="none", log_config=None, access_log=False,
                **{"proxy_headers": False, "timeout_graceful_shutdown": 5, **self._options},
            )
        )  # fmt: skip
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        for _n in range(500):
            if self._server.started and self.site.hub.is_open:
                return
            time.sleep(0.02)
        raise RuntimeError("the site did not start")

    def stop(self) -> None:
        """Streams end, requests are answered, nobody listens any more."""
        if self._server is None:
            return
        self.site.end_streams()
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.site.pages.executor.shutdown(wait=True)
        self._server = None
