"""Streams from one end to the other: published, heard, handed on, by files and by Redis."""

import asyncio
import json
import logging
import os
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import transaction

from config import live as streams
from contest import live
from tests.stack.servers import free_port

REDIS = os.environ.get("REDIS_URL", "")


@pytest.fixture(autouse=True)
def _own_pause(monkeypatch):
    monkeypatch.setattr(live, "_quiet_until", 0.0)


class OwnRedis:
    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--dir", str(self.folder)], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _n in range(200):
            done = subprocess.run(
                ["redis-cli", "-p", str(self.port), "ping"], capture_output=True, check=False
            )
            if done.stdout == b"PONG\n":
                return
            time.sleep(0.02)
        raise RuntimeError("Redis did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path):
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        pytest.skip("no redis-server on this machine")
    server = OwnRedis(tmp_path)
    yield server
    server.stop()


@pytest.fixture(params=["folder", pytest.param("redis", marks=pytest.mark.skipif(
    not REDIS, reason="no Redis in this pass"))])  # fmt: skip
def bus(request, settings):
    settings.REDIS_URL = REDIS if request.param == "redis" else ""


def test_a_message_reaches_those_who_listen_and_nobody_else(bus, site, listen):
    one = listen(site.url + live.url("desk-1", "stage-1"))
    two = listen(site.url + live.url("desk-2"))
    assert one.hello["channels"] == ["desk-1", "stage-1"]
    assert one.hello["server_time"].endswith("+00:00")
    with transaction.atomic():
        live.publish("desk-1", {"name": "葡萄"})
        assert one.is_silent(0.3)
    assert one.next() == ("message", {"channel": "desk-1", "data": {"name": "葡萄"}})
    live.publish("stage-1")
    assert one.next() == ("message", {"channel": "stage-1", "data": {}})
    with transaction.atomic():
        live.publish("desk-1")
        transaction.set_rollback(True)
    live.publish("desk-3")
    assert one.is_silent()
    assert two.is_silent(0.1)


def test_many_messages_end_with_the_last_state(bus, site, listen):
    listener = listen(site.url + live.url("stage-1"))
    for n in range(200):
        live.publish("stage-1", {"n": n})
        time.sleep(0.002)
    seen = []
    while not seen or seen[-1] != 199:
        name, message = listener.next(passing=("status", "ping", "resync"))
        assert name == "message"
        seen.append(message["data"]["n"])
    assert seen == sorted(set(seen))


def test_what_was_said_before_is_not_said_again(bus, site, listen):
    live.publish("desk-1")
    time.sleep(0.3)
    listener = listen(site.url + live.url("desk-1"))
    assert listener.is_silent()
    site.stop()
    site.start()
    assert listen(site.url + live.url("desk-1")).is_silent()


def test_no_ticket_no_stream(site, settings):
    good = live.url("desk-1")
    assert httpx.get(site.url + good.partition("?")[0]).status_code == 403
    for bad in (good[:-1], good.replace("ticket=", "ticket=x"), good.replace("ticket", "t")):
        answer = httpx.get(site.url + bad)
        assert (answer.status_code, answer.text) == (403, "This is not a ticket.\n")
    settings.LIVE_TICKET_S = -1
    answer = httpx.get(site.url + good)
    assert (answer.status_code, answer.text) == (403, "This ticket has expired.\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_the_answer_says_of_itself(site):
    with httpx.stream("GET", site.url + live.url("desk-1")) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        head = ""
        for text in answer.iter_text():
            head += text
            if head.endswith("\n\n"):
                break
        assert "retry: 2000\n" in head
    assert httpx.head(site.url + live.url("desk-1")).status_code == 200
    assert httpx.post(site.url + live.url("desk-1")).status_code == 405


def test_the_server_gives_signs_of_life(site, listen, monkeypatch):
    monkeypatch.setattr(streams, "PING_S", 0.2)
    name, data = listen(site.url + live.url("desk-1")).next(passing=())
    assert name == "ping"
    assert set(data) == {"server_time"}


def test_streams_take_no_thread_from_pages(site, listen, settings):
    listeners = [listen(site.url + live.url("desk-1")) for _n in range(2 * settings.WEB_THREADS)]
    assert httpx.get(f"{site.url}/healthz").status_code == 200
    live.publish("desk-1")
    assert {listener.next()[0] for listener in listeners} == {"message"}


def test_a_stopped_server_lets_go_at_once_and_comes_back(site, listen):
    listener = listen(site.url + live.url("desk-1"))
    began = time.monotonic()
    site.stop()
    assert time.monotonic() - began < 4
    assert listener.next() == ("end", None)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{site.url}/healthz")
    site.start()
    again = listen(site.url + live.url("desk-1"))
    live.publish("desk-1")
    assert again.next()[0] == "message"


def test_who_went_is_forgotten(site, listen):
    listener = listen(site.url + live.url("desk-1"))
    assert list(site.site.hub._streams) == ["desk-1"]
    listener.close()
    for _n in range(100):
        if not site.site.hub._streams:
            break
        time.sleep(0.05)
    assert site.site.hub._streams == {}


def test_a_process_holds_so_many_streams_and_sends_others_to_poll(site, listen, settings):
    settings.LIVE_MAX_STREAMS = 2
    url = site.url + live.url("desk-1", "stage-1")
    first, _second = listen(url), listen(url)
    answer = httpx.get(url)
    assert (answer.status_code, answer.text) == (503, "Nothing can be told now; ask again.\n")
    assert httpx.get(f"{site.url}/healthz").status_code == 200
    first.close()
    for _n in range(100):
        if not site.site.hub.is_full:
            break
        time.sleep(0.05)
    listen(url)
    assert httpx.get(url).status_code == 503


def test_a_rush_gets_no_more_streams_than_there_is_room_for(site, settings):
    settings.LIVE_MAX_STREAMS = 5
    url = site.url + live.url("desk-1")

    def status(_n) -> int:
        with httpx.stream("GET", url) as answer:
            answered.wait(20)  # nobody leaves before everybody knows
            return answer.status_code

    answered = threading.Barrier(12)
    with ThreadPoolExecutor(12) as threads:
        told = list(threads.map(status, range(12)))
    assert told.count(200) == 5
    assert told.count(503) == 7


def test_after_redis_came_back_everybody_asks_anew(redis, settings, site, listen):
    site.stop()
    settings.REDIS_URL = redis.url
    site.start()
    listener = listen(site.url + live.url("desk-1"))
    live.publish("desk-1")
    assert listener.next()[0] == "message"
    redis.stop()
    redis.start()
    assert listener.next() == ("resync", {})
    live.publish("desk-1")
    assert listener.next()[0] == "message"


def test_without_redis_pages_are_sent_away_to_poll(redis, settings, site, listen, monkeypatch):
    monkeypatch.setattr(streams, "DEAF_S", 0.3)
    site.stop()
    settings.REDIS_URL = redis.url
    site.start()
    listener = listen(site.url + live.url("desk-1"))
    redis.stop()
    assert listener.next() == ("end", None)
    assert httpx.get(site.url + live.url("desk-1")).status_code == 503
    redis.start()
    for _n in range(200):
        if site.site.hub.is_open:
            break
        time.sleep(0.05)
    again = listen(site.url + live.url("desk-1"))
    live.publish("desk-1")
    assert again.next()[0] == "message"


def test_a_redis_that_hangs_is_noticed(redis, settings, site, listen, monkeypatch):
    monkeypatch.setattr(streams, "SILENCE_S", 0.3)
    monkeypatch.setattr(streams, "DEAF_S", 0.3)
    site.stop()
    settings.REDIS_URL = redis.url
    site.start()
    listener = listen(site.url + live.url("desk-1"))
    assert listener.is_silent(1.5), "one that has nothing to say is not taken for dead"
    redis.process.send_signal(19)
    assert listener.next() == ("end", None)
    redis.process.send_signal(18)


def test_a_browser_that_does_not_keep_up_is_told_to_ask_anew():
    async def play():
        hub = streams.Hub()
        slow = streams.Stream(["stage-1"])
        hub.add(slow)
        for n in range(streams.WAITING + 5):
            hub.deliver(json.dumps({"channel": "stage-1", "data": {"n": n}}))
        slow_events = slow.events()
        got = [await anext(slow_events) for _n in range(6)]
        assert len(slow._waiting) == 0
        return got

    # In a thread: once a browser was driven, this one has a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        got = thread.submit(asyncio.run, play()).result()
    assert got[0] == streams.RESYNC
    assert b'"n": 36' in got[-1]


@pytest.mark.parametrize("message", [b"", b"{", b"\xff", b"[]", b"1", b'{"data": {}}'])
def test_nonsense_on_the_bus_is_passed_over(message, caplog):
    with caplog.at_level(logging.WARNING, "config.live"):
        streams.Hub().deliver(message)
    assert len(caplog.records) == 1
