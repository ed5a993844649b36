"""A browser's end of a stream, without a browser."""

import contextlib
import json
import queue
import socket
import threading

import httpx


class Listener:
    """Reads a stream until it ends; ``next()`` gives its events in turn."""

    def __init__(self, url: str):
        self._events = queue.Queue()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, args=(url,), daemon=True)
        self._thread.start()

    def _read(self, url: str) -> None:
        name = None
        try:
            with httpx.stream("GET", url, timeout=30) as answer:
                stream = answer.extensions["network_stream"]
                self._socket = stream.get_extra_info("socket")
                self._events.put(("status", answer.status_code))
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self._events.put((name, json.loads(line.removeprefix("data: "))))
        except httpx.HTTPError as error:
            self._events.put(("error", str(error)))
        self._events.put(("end", None))

    def next(self, *, passing=("status", "ping"), seconds=10) -> tuple[str, object]:
        """The next event; those named in ``passing`` are passed over."""
        while True:
            event = self._events.get(timeout=seconds)
            if event[0] not in passing:
                return event

    def is_silent(self, seconds=0.5) -> bool:
        try:
            self.next(seconds=seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
