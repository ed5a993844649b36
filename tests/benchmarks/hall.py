"""How quick a hall full of tablets is: ``python -m tests.benchmarks.hall``.

From a tap to the tablet's disk, in Chromium; from a sheet handed in to the stage screens, which
also ask by themselves as browsers do; and what 2,000 screens weigh. Numbers depend on the machine
and are printed, never asserted. Run alone it is done twice, on SQLite with the folder of messages
and on PostgreSQL with Redis where they are installed; with DATABASE_URL and REDIS_URL once, on
those.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="wuzhen-hall-"))
os.environ["DATA_DIR"] = str(FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in this thread

import django  # noqa: E402

django.setup()

import asyncio  # noqa: E402
import contextlib  # noqa: E402
import platform  # noqa: E402
import random  # noqa: E402
import re  # noqa: E402
import resource  # noqa: E402
import time  # noqa: E402
from decimal import Decimal  # noqa: E402

import httpx  # noqa: E402
import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.middleware.csrf import _get_new_csrf_string  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from contest import live  # noqa: E402
from judging.models import Stage  # noqa: E402
from judging.services import stage  # noqa: E402
from judging.services.scoresheets import Sent, open_sheet, save_mark  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.benchmarks.tools import Web, head, percentiles, running_web, web_workers  # noqa: E402
from tests.conftest import CHROMIUM_ARGUMENTS  # noqa: E402

TAPS = 500
JUDGES = 50
WATCHERS = 2000
# As static/js/stage.js has it for who only watches: after the stream began within so many seconds,
# then so often, each at its own pace.
SPREAD_SECONDS = 5
POLL_SECONDS = 120
SUBMIT_SECONDS = 10
SHEETS_IN = re.compile(rb'"sheets_in": ?(\d+)')

# Taps as a person does, one after another; the time from the click until IndexedDB says that the
# operation is on disk.
TAP = """
async ({ criterion, count }) => {
  let stored;
  const add = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = function (...given) {
    const request = add.apply(this, given);
    this.transaction.addEventListener("complete", () => stored());
    return request;
  };
  const taken = [];
  for (let n = 0; n < count; n += 1) {
    const buttons = document.querySelectorAll(`[data-criterion="${criterion}"] .choice input`);
    const done = new Promise((resolve) => { stored = resolve; });
    const start = performance.now();
    buttons[n % buttons.length].click();
    await done;
    taken.push((performance.now() - start) / 1000);
    await new Promise((rest) => setTimeout(rest, 25));
  }
  IDBObjectStore.prototype.add = add;
  return taken;
}
"""


class Hall:
    """A roadshow with a full panel, one team on stage, its sheets filled and not handed in."""

    def __init__(self):
        organizer = make.make_user()
        event = make.make_event(organizer)
        track = make.make_track(event)
        self.round = make.make_round(track, format="roadshow", kind="semifinal")
        teams = [
            make.make_participation(self.round, make.make_team(track), running_order=n)
            for n in range(1, 21)
        ]
        self.judges = [make.make_judge(event) for _n in range(JUDGES)]
        self.panel = make.make_panel(self.round, self.judges)
        self.criteria = list(self.panel.rubric.criteria.all())
        stage.call(self.round, organizer, teams[0])
        Stage.objects.filter(round=self.round).update(is_public=True)
        self.assignments = []
        for judge in self.judges:
            assignment = judge.assignments.get(participation=teams[0])
            for n, criterion in enumerate(self.criteria):
                sent = Sent(f"prepared {judge.pk} {n}")
                save_mark(open_sheet(assignment), criterion, Decimal(7), sent=sent, by=judge.user)
            self.assignments.append(assignment)

    def session(self, judge) -> dict[str, str]:
        """The cookies of a tablet where the judge is signed in."""
        client = Client()
        client.force_login(judge.user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.CSRF_COOKIE_NAME: _get_new_csrf_string(),
        }


# --- A tap -----------------------------------------------------------------------------------


def benchmark_taps(web: Web, hall: Hall) -> None:
    from playwright.sync_api import sync_playwright

    head(f"From a tap to the tablet's disk, {TAPS} taps each, in Chromium")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        # A profile on disk: private windows have their store in memory.
        context = playwright.chromium.launch_persistent_context(
            str(FOLDER / "browser"), executable_path=path, args=CHROMIUM_ARGUMENTS
        )
        context.add_cookies(
            [
                {"name": name, "value": value, "url": web.url}
                for name, value in hall.session(hall.judges[-1]).items()
            ]
        )
        page = context.new_page()
        page.goto(f"{web.url}/judge/")
        page.locator(".team").nth(1).click()
        page.locator(".criterion").first.wait_for()
        what = {"criterion": hall.criteria[0].pk, "count": 20}
        page.evaluate(TAP, what)
        for name, is_offline in (("online", False), ("offline", True)):
            context.set_offline(is_offline)
            taken = page.evaluate(TAP, {**what, "count": TAPS})
            print(
                f"{name:8}  {percentiles(taken)}   longest {1000 * max(taken):.0f} ms", flush=True
            )
        context.close()


# --- A sheet handed in -----------------------------------------------------------------------


async def watch(web: Web, path: str, heard: list[tuple[float, int]], opened) -> None:
    """One screen: when it heard of how many sheets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n".encode())
        await writer.drain()
        while line := await reader.readline():
            if line.startswith(b"data: "):
                if found := SHEETS_IN.search(line):
                    heard.append((time.perf_counter(), int(found[1])))
            elif line.startswith(b"event: hello"):
                opened()
    finally:
        writer.close()


async def ask(client: httpx.AsyncClient, path: str, taken: list[float]) -> None:
    """What the same screen asks for by itself, from a random moment of its two minutes on."""
    await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))
    etag, wait = "", random.uniform(0, POLL_SECONDS)
    while True:
        begun = time.perf_counter()
        answer = await client.get(path, headers={"If-None-Match": etag} if etag else {})
        assert answer.status_code in (200, 304), answer
        taken.append(time.perf_counter() - begun)
        etag = answer.headers["ETag"]
        await asyncio.sleep(wait)
        wait = POLL_SECONDS * random.uniform(0.75, 1.25)


def tablet(web: Web, cookies: dict) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{web.url}/api/v1/tablet/", cookies=cookies, timeout=60, verify=False,
        headers={"X-CSRFToken": cookies[settings.CSRF_COOKIE_NAME]},
    )  # fmt: skip


async def hand_in(hall: Hall, n: int, client: httpx.AsyncClient) -> tuple[float, float, int]:
    """A judge's tablet sends its sheet: when, when it was answered, and the entry's number."""
    operation = {
        "kind": "submit", "key": f"submit {n}", "assignment": hall.assignments[n].pk,
        "marks": {str(criterion.pk): "7" for criterion in hall.criteria},
    }  # fmt: skip
    await asyncio.sleep(SUBMIT_SECONDS * n / JUDGES)
    begun = time.perf_counter()
    answer = await client.post("outbox/", json={"device": f"tablet {n}", "operations": [operation]})
    answered = time.perf_counter()
    [outcome] = answer.raise_for_status().json()["outcomes"]
    assert outcome["outcome"] == "saved", outcome
    return begun, answered, outcome["number"]


async def submits(web: Web, hall: Hall, sessions: list[dict]):
    """Open the screens, let the judges submit, and close them: what was sent, and heard, the
    memory before, with the screens open, and after the submits, and how long screens waited for
    what they asked."""
    heard: list[list[tuple[float, int]]] = [[] for _n in range(WATCHERS)]
    asked: list[float] = []
    count, all_open = 0, asyncio.Event()

    def opened() -> None:
        nonlocal count
        count += 1
        if count == WATCHERS:
            all_open.set()

    path = live.url(live.channel("watch", hall.round.pk))
    state = reverse("stage-state", args=[hall.round.event.slug, hall.round.slug])
    async with contextlib.AsyncExitStack() as stack:
        tablets = [await stack.enter_async_context(tablet(web, cookies)) for cookies in sessions]
        for _n in range(3):  # tablets are open by then, and the server is warm
            await asyncio.gather(*(client.get("") for client in tablets))
        weight = [web.megabytes()]
        screens = []
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        watcher = await stack.enter_async_context(
            httpx.AsyncClient(base_url=web.url, timeout=60, verify=False, limits=limits)
        )
        stack.callback(lambda: [screen.cancel() for screen in screens])
        for n, list_ in enumerate(heard):
            screens.append(asyncio.create_task(watch(web, path, list_, opened)))
            screens.append(asyncio.create_task(ask(watcher, state, asked)))
            if n % 50 == 49:
                await asyncio.sleep(0.05)  # the hall does not open all at once
        await asyncio.wait_for(all_open.wait(), 120)
        await asyncio.sleep(1)
        weight.append(web.megabytes())
        sent = await asyncio.gather(*(hand_in(hall, n, client) for n, client in enumerate(tablets)))
        until = time.perf_counter() + 20
        while any(not list_ or list_[-1][1] < JUDGES for list_ in heard):
            if time.perf_counter() > until:
                break
            await asyncio.sleep(0.1)
        weight.append(web.megabytes())
    return sent, heard, weight, asked


def benchmark_submits(web: Web, hall: Hall) -> None:
    head(
        f"From a sheet handed in to the stage screen: {JUDGES} judges in {SUBMIT_SECONDS} s, "
        f"{WATCHERS} screens on the channel watch-<round>"
    )
    sessions = [hall.session(judge) for judge in hall.judges]
    connection.close()
    sent, heard, weight, asked = asyncio.run(submits(web, hall, sessions))
    # The n-th sheet in the record is on a screen once it says n or more.
    begun = np.array([start for start, _answered, _number in sorted(sent, key=lambda s: s[2])])
    taken, missed = [], 0
    for list_ in heard:
        place = 0
        for at, sheets in list_:
            while place < min(sheets, JUDGES):
                taken.append(at - begun[place])
                place += 1
        missed += JUDGES - place
    messages = np.mean([len(list_) for list_ in heard])
    print(f"answered to the tablet    {percentiles([end - start for start, end, _number in sent])}")
    print(f"seen on the screens       {percentiles(taken)}   longest {1000 * max(taken):.0f} ms")
    print(f"{len(taken)} of {JUDGES * WATCHERS} (sheet, screen) seen, {missed} missed; "
          f"{messages:.0f} messages to each screen")  # fmt: skip
    print(f"asked by the screens      {percentiles(asked)}   {len(asked)} requests")
    per = 1024 * (weight[1] - weight[0]) / WATCHERS
    print(f"memory of the web: {weight[0]:.0f} MB, with {WATCHERS} screens {weight[1]:.0f} MB "
          f"({per:.1f} KB a screen), after the submits {weight[2]:.0f} MB")  # fmt: skip


def main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    workers = web_workers()
    bus = "Redis" if settings.REDIS_URL else "folder"
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, "
        f"load {os.getloadavg()[0]:.1f}, {connection.vendor}, messages by {bus}, "
        f"{workers} web process(es)",
        flush=True,
    )
    try:
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        hall = Hall()
        with running_web(workers) as web:
            benchmark_taps(web, hall)
            benchmark_submits(web, hall)
    finally:
        connection.close()
        shutil.rmtree(FOLDER, ignore_errors=True)


def again_with_services() -> None:
    """The same on PostgreSQL and Redis, where they are installed."""
    has_postgres = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not os.environ.get("DATABASE_URL") and has_postgres and shutil.which("redis-server"):
        print(flush=True)
        command = [".ci/with-services", sys.executable, "-m", "tests.benchmarks.hall"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
    again_with_services()
