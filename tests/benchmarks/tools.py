"""What the benchmarks share."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil


def head(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def percentiles(seconds) -> str:
    ms = 1000 * np.array(seconds)
    return f"p50 {np.percentile(ms, 50):7.1f} ms   p99 {np.percentile(ms, 99):7.1f} ms"


@dataclass
class Web:
    """A web server of its own processes."""

    url: str
    port: int
    pid: int

    def megabytes(self) -> float:
        """Memory of the processes that answer, without the one that watches over them."""
        found = 0
        for process in psutil.Process(self.pid).children(recursive=True):
            if "resource_tracker" not in " ".join(process.cmdline()):
                found += process.memory_info().rss
        return found / 2**20


@contextmanager
def running_web(workers: int) -> Iterator[Web]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "config.web", "--host", "127.0.0.1", "--port", str(port),
         "--workers", str(workers)],
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{url}/healthz").read()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield Web(url, port, server.pid)
    finally:
        server.terminate()
        server.wait()


def web_workers() -> int:
    """As many as `make run` starts on this machine."""
    return 2 * (os.cpu_count() or 1) if os.environ.get("REDIS_URL") else 1
