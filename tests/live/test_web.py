"""The web server's own processes: they stop quickly, and are replaced when they die."""

import os
import signal
import subprocess
import sys
import time

import httpx
import psutil
import pytest
from django.conf import settings

from contest import live
from tests.live.listening import Listener
from tests.stack.servers import free_port, kill_tree

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("web")]


class Web:
    def __init__(self, folder, workers: int):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = folder / "web.log"
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        env |= {"DATA_DIR": str(folder), "SECRET_KEY": settings.SECRET_KEY}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.web", "--host", "127.0.0.1", "--port",
                 str(self.port), "--workers", str(workers)],
                cwd=settings.BASE_DIR, env=env, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait(self, other_than: set[int] = frozenset()) -> set[int]:
        """The numbers of the processes that serve, once the site answers and no old one is left."""
        for _n in range(400):
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).text == "ok":
                    found = self.serving()
                    if not found & set(other_than):
                        return found
            except httpx.HTTPError:
                pass
            assert self.process.poll() is None, self.log_path.read_text()
            time.sleep(0.1)
        pytest.fail(self.log_path.read_text())

    def serving(self) -> set[int]:
        children = psutil.Process(self.process.pid).children()
        return {c.pid for c in children if "spawn_main" in " ".join(c.cmdline())}

    def listen(self) -> Listener:
        for _n in range(50):  # it hears the bus a moment after it answers
            listener = Listener(self.url + live.url("desk-1"))
            name, _data = listener.next()
            if name == "hello":
                return listener
            time.sleep(0.1)
        pytest.fail(self.log_path.read_text())


@pytest.fixture
def start(tmp_path):
    started = []

    def make(workers: int) -> Web:
        started.append(Web(tmp_path, workers))
        return started[-1]

    yield make
    for web in started:
        kill_tree(web.process.pid)


def test_one_that_dies_is_replaced_and_all_stop_quickly_with_open_streams(start):
    web = start(1)
    before = web.wait()
    assert len(before) == 1
    listener = web.listen()
    os.kill(*before, signal.SIGKILL)
    assert listener.next()[0] in ("error", "end")
    after = web.wait(before)
    assert len(after) == 1
    listener = web.listen()
    began = time.monotonic()
    web.process.terminate()
    assert web.process.wait(20) == 0
    assert time.monotonic() - began < 6
    assert listener.next()[0] in ("error", "end")
    assert "Traceback" not in web.log_path.read_text()


def test_nobody_is_left_holding_the_port_when_the_supervisor_is_killed(start):
    web = start(2)
    web.wait()
    serving = [psutil.Process(pid) for pid in web.serving()]
    assert len(serving) == 2
    web.listen()
    web.process.kill()
    _gone, alive = psutil.wait_procs(serving, 10)
    assert alive == []


def test_a_site_that_cannot_start_says_so_and_ends(start, monkeypatch):
    monkeypatch.setenv("WEB_THREADS", "many")
    web = start(1)
    assert web.process.wait(60) != 0
    assert "many" in web.log_path.read_text()
