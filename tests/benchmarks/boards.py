"""How long a standing takes at 20 to 50,000 teams, and how fast leaderboards are given out.

Part of ``make benchmark``; ``BENCHMARK_SIZES=20,500 python -m tests.benchmarks.boards`` for less.
"""

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

# A child that computes one standing works on the data of its parent.
FOLDER = Path(os.environ.get("BENCHMARK_FOLDER") or tempfile.mkdtemp(prefix="wuzhen-boards-"))
os.environ["DATA_DIR"] = str(FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from contest.models import Entry, Participation, Round, Submission, Team  # noqa: E402
from judging.models import Assignment, Mark, Scoresheet, ScoringRun  # noqa: E402
from judging.services.benchmarks import define_benchmark  # noqa: E402
from leaderboard.models import Standing  # noqa: E402
from leaderboard.services import boards, retention, standings  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.benchmarks.tools import head, percentiles, running_web, web_workers  # noqa: E402

SIZES = [int(n) for n in os.environ.get("BENCHMARK_SIZES", "20,500,5503,50000").split(",")]
JUDGES = 7
CONNECTIONS = 50
REQUESTS = 4000
BATCH = 5000


# --- Rounds --------------------------------------------------------------------------------------


def entered(track, size: int, **fields) -> tuple[Round, list[Participation]]:
    round = make.make_round(track, **fields)
    countries = ["CN", "KE", "DE", "BR", "IN", "JP", "US", "ZA"]
    teams = Team.objects.bulk_create(
        (Team(track=track, event=track.event, code=f"T-{n:05}", name_en=f"Team {n}",
              name_zh=f"队伍{n}", organisation_en=f"University {n % 97}",
              organisation_zh=f"大学{n % 97}", country=countries[n % 8], status="confirmed")
         for n in range(size)),
        batch_size=BATCH,
    )  # fmt: skip
    Entry.objects.bulk_create(
        (Entry(team=team, title_en=f"Project {team.code}", title_zh="项目") for team in teams),
        batch_size=BATCH,
    )
    return round, Participation.objects.bulk_create(
        (Participation(round=round, team=team) for team in teams), batch_size=BATCH
    )


def judged(size: int) -> Round:
    """A roadshow of ``size`` teams, each with a submitted sheet of every judge."""
    track = make.make_track()
    round, participations = entered(
        track, size, format="roadshow", kind="semifinal", status="closed"
    )
    judges = [make.make_judge(track.event) for _ in range(JUDGES)]
    panel = make.make_panel(round, judges, assign=False)
    criteria = list(panel.rubric.criteria.all())
    assignments = Assignment.objects.bulk_create(
        (Assignment(panel=panel, judge=judge, participation=participation)
         for participation in participations for judge in judges),
        batch_size=BATCH,
    )  # fmt: skip
    sheets = Scoresheet.objects.bulk_create(
        (Scoresheet(assignment=assignment, status="submitted") for assignment in assignments),
        batch_size=BATCH,
    )
    random = np.random.default_rng(size)
    values = random.integers(4, 21, (len(sheets), len(criteria)))
    Mark.objects.bulk_create(
        (Mark(scoresheet=sheet, criterion=criterion, value=Decimal(int(value)) / 2)
         for sheet, row in zip(sheets, values, strict=True)
         for criterion, value in zip(criteria, row, strict=True)),
        batch_size=BATCH,
    )  # fmt: skip
    return round


def scored(size: int) -> Round:
    """An open preliminary of ``size`` teams, each with a scored submission."""
    track = make.make_track()
    round, participations = entered(track, size)
    table = b"id,label\n" + b"".join(b"%d,%d\n" % (n, n % 2) for n in range(20))
    benchmark = define_benchmark(
        round, make.make_user(), metric="accuracy", reference=ContentFile(table, "reference.csv")
    )
    sender, now = make.make_user(), timezone.now()
    random = np.random.default_rng(size).integers(0, 10**6, (size, 2)) / 10**6
    submissions = Submission.objects.bulk_create(
        (Submission(participation=participation, number=1, kind="predictions", file="x",
                    original_name="p.csv", size=1, sha256="0" * 64, client_key="k",
                    submitted_by=sender, received_at=now - timedelta(seconds=n), status="scored")
         for n, participation in enumerate(participations)),
        batch_size=BATCH,
    )  # fmt: skip
    ScoringRun.objects.bulk_create(
        (ScoringRun(submission=submission, participation_id=submission.participation_id,
                    benchmark=benchmark, status="succeeded", public_score=float(public),
                    private_score=float(private), finished_at=now)
         for submission, (public, private) in zip(submissions, random, strict=True)),
        batch_size=BATCH,
    )  # fmt: skip
    return round


# --- Standings -----------------------------------------------------------------------------------


def _at_most() -> float:
    """MiB that this process held at most; rusage begins with what its parent held."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(act: Callable) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def benchmark_standings(kind: str, make_round: Callable) -> Round:
    head(f"Standings from {kind}; organizers' and public one, computed and stored")
    for size in SIZES:
        start = time.perf_counter()
        round = make_round(size)
        print(f"{size:6} teams  {_standing(round, 3 if size < 5000 else 1)}"
              f"   (all {time.perf_counter() - start:.0f} s)", flush=True)  # fmt: skip
    return round


def _standing(round: Round, times: int) -> str:
    """In a process of its own each time, so that memory is that of the work alone."""
    first, again, peak, idle = min(_in_child(round) for _n in range(times))
    return (
        f"{first:8.3f} s   found unchanged in {again:7.3f} s   at most {peak:5.0f} MiB"
        f" ({idle:.0f} at rest)"
    )


def _in_child(round: Round) -> list[float]:
    Standing.objects.filter(round=round).delete()
    connection.close()
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.boards", str(round.pk)],
        env={**os.environ, "BENCHMARK_FOLDER": str(FOLDER)}, check=True, capture_output=True,
    )  # fmt: skip
    return json.loads(answer.stdout)


def child(pk: int) -> None:
    round, idle = Round.objects.get(pk=pk), _at_most()
    first = timed(lambda: standings.refresh(round))
    peak = _at_most()
    print(json.dumps([first, timed(lambda: standings.refresh(round)), peak, idle]))


# --- Leaderboards --------------------------------------------------------------------------------


def benchmark_pages(round: Round) -> None:
    size = SIZES[-1]
    head(f"Leaderboard of {size} teams, in this process")
    client = Client(SERVER_NAME="localhost")
    here = [round.event.slug, round.slug]
    table, page = reverse("leaderboard-table", args=here), reverse("leaderboard", args=here)
    last = boards.page_of(size)

    def show(name: str, path: str, times: int, before=lambda: None, **more) -> None:
        client.get(path, **more)
        taken = []
        for _n in range(times):
            before()
            taken.append(timed(lambda: client.get(path, **more)))
        before()
        with CaptureQueriesContext(connection) as captured:
            client.get(path, **more)
        print(f"{name:34} {percentiles(taken)}   {len(captured)} queries", flush=True)

    show("first page, cold", table, 20, cache.clear)
    show("last page, cold", f"{table}?page={last}", 20, cache.clear)
    show("one country, cold", f"{table}?country=KE", 10, cache.clear)
    show("last page of one country, cold", f"{table}?country=KE&page=999", 10, cache.clear)
    show("search, cold", f"{table}?q=T-004", 10, cache.clear)
    show("first page", table, 300)
    etag = client.get(table)["ETag"]
    show("first page, 304", table, 300, headers={"If-None-Match": etag})
    show("a reader's whole page, cold", page, 10, cache.clear)
    show("a reader's whole page", page, 100)


async def _visitor(host: str, port: int, request: bytes, left: list[int], taken: list) -> int:
    """Asks over one connection until nothing is left; how many bytes a body had."""
    reader, writer = await asyncio.open_connection(host, port)
    length = 0
    while left[0] > 0:
        left[0] -= 1
        start = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        status, *headers = answer.decode("latin-1").lower().split("\r\n")
        if " 200" not in status and " 304" not in status:
            raise RuntimeError(status)
        length = next((int(h.split(":")[1]) for h in headers if h.startswith("content-length")), 0)
        if length and " 304" not in status:
            await reader.readexactly(length)
        taken.append(time.perf_counter() - start)
    writer.close()
    return length


async def _visitors(url: str, headers: dict, requests: int) -> tuple[list[float], float, int]:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *map(": ".join, headers.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    left, taken = [requests], []
    start = time.perf_counter()
    lengths = await asyncio.gather(
        *(_visitor(parts.hostname, parts.port, request, left, taken) for _n in range(CONNECTIONS))
    )
    return taken, len(taken) / (time.perf_counter() - start), lengths[0]


def benchmark_served(round: Round) -> None:
    workers = web_workers()
    head(f"The same from the web server ({workers} processes), {CONNECTIONS} connections kept open")
    here = [round.event.slug, round.slug]
    table = reverse("leaderboard-table", args=here)
    answer = Client(SERVER_NAME="localhost").get(table)
    static = settings.STATIC_ROOT / "benchmark" / "board.html"
    static.parent.mkdir()
    static.write_bytes(answer.content)
    gzip = {"Accept-Encoding": "gzip"}
    with running_web(workers) as web:
        for name, path, headers, requests in (
            ("the same bytes as a static file", "/static/benchmark/board.html", {}, REQUESTS),
            ("table", table, {}, REQUESTS),
            ("table, zipped", table, gzip, REQUESTS),
            ("table, 304", table, {"If-None-Match": answer["ETag"]}, REQUESTS),
            ("embedded", reverse("leaderboard-embed", args=here), {}, REQUESTS),
            ("JSON", reverse("api-board-detail", args=[round.pk]), {}, REQUESTS),
            ("a reader's whole page", reverse("leaderboard", args=here), {}, REQUESTS // 8),
        ):
            asyncio.run(_visitors(web.url + path, headers, 4 * CONNECTIONS))
            taken, rate, length = asyncio.run(_visitors(web.url + path, headers, requests))
            print(f"{name:34} {percentiles(taken)}   {rate:6.0f} requests a second   "
                  f"{length:6} bytes", flush=True)  # fmt: skip


def benchmark_history(round: Round) -> None:
    head(f"Ranks over time and what is kept, {SIZES[-1]} teams")
    runs = ScoringRun.objects.filter(submission__participation__round=round)
    kept = 4
    for n in range(kept - 1):
        runs.filter(pk__in=runs.order_by("pk").values("pk")[n * 100 : n * 100 + 100]).update(
            public_score=0.5 + n / 100, private_score=0.5 + n / 100
        )
        standings.refresh(round)
    standing = standings.public_standing(round)
    taken = [timed(lambda: boards.history(round, standing)) for _n in range(5)]
    print(f"{kept} standings: first {boards.HISTORY_TEAMS} teams  {percentiles(taken)}")
    Standing.objects.filter(round=round).update(computed_at=timezone.now() - timedelta(days=30))
    gone = []
    took = timed(lambda: gone.append(retention.thin_out()))
    print(f"{gone[0]} old standings removed in {took:.1f} s")


def main() -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    try:
        round = benchmark_standings("automated scores", scored)
        benchmark_pages(round)
        benchmark_served(round)
        benchmark_history(round)
        benchmark_standings(f"sheets of {JUDGES} judges a team, trimmed mean", judged)
    finally:
        connection.close()
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    child(int(sys.argv[1])) if sys.argv[1:] else main()
