"""`make benchmark`: how fast the platform does its main jobs, beside the bare work itself.

Numbers depend on the machine and are printed, never asserted. By default on SQLite in a temporary
folder; with DATABASE_URL (a database that may be filled) and REDIS_URL on those.
"""

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="wuzhen-benchmark-"))
os.environ["DATA_DIR"] = str(FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

django.setup()

import io  # noqa: E402
from decimal import Decimal  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.metrics import accuracy_score, f1_score  # noqa: E402

from contest.models import Entry, Participation, Round, Team  # noqa: E402
from contest.services.rounds import publish_round  # noqa: E402
from contest.services.submissions import receive  # noqa: E402
from judging.models import Assignment, Mark, Scoresheet, ScoringRun  # noqa: E402
from judging.services import runs as scoring  # noqa: E402
from judging.services.benchmarks import define_benchmark  # noqa: E402
from leaderboard.models import Standing  # noqa: E402
from leaderboard.services import advancement, standings  # noqa: E402
from tests import factories as make  # noqa: E402

SUBMISSIONS = 200
SIZES = (20, 500, 5503)
JUDGES = 7


def head(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def percentiles(seconds) -> str:
    ms = 1000 * np.array(seconds)
    return f"p50 {np.percentile(ms, 50):7.1f} ms   p99 {np.percentile(ms, 99):7.1f} ms"


# --- Submissions -----------------------------------------------------------------------------


def prediction_files() -> tuple[bytes, list[bytes]]:
    """The digits' labels, and SUBMISSIONS files of predictions with different errors."""
    truth = load_digits().target.astype(str)
    ids = [f"d{n:04}" for n in range(len(truth))]
    random = np.random.default_rng(2026)

    def table(values) -> bytes:
        out = io.StringIO()
        pd.DataFrame({"id": ids, "label": values}).to_csv(out, index=False)
        return out.getvalue().encode()

    files = []
    for _n in range(SUBMISSIONS):
        guess = truth.copy()
        wrong = random.random(len(guess)) < random.uniform(0.02, 0.4)
        guess[wrong] = random.integers(0, 10, wrong.sum()).astype(str)
        files.append(table(guess))
    return table(truth), files


def submitted(reference: bytes, files: list[bytes]):
    round = make.make_round(quota_per_day=9999, quota_total=9999)
    define_benchmark(
        round, make.make_user(), metric="accuracy", extra_metrics=["f1_macro"],
        reference=ContentFile(reference, "reference.csv"),
    )  # fmt: skip
    captain = make.make_user()
    participation = make.make_participation(round, make.make_team(round.track, captain))
    for n, content in enumerate(files):
        receive(
            participation=participation, file=ContentFile(content, "p.csv"), kind="predictions",
            by=captain, client_key=str(n),
        )  # fmt: skip
    return round


def benchmark_submissions() -> None:
    head(f"{SUBMISSIONS} submissions of {len(load_digits().target)} predictions, two metrics")
    reference, files = prediction_files()
    truth = pd.read_csv(io.BytesIO(reference), dtype=str)

    start = time.perf_counter()
    for content in files:
        guess = pd.read_csv(io.BytesIO(content), dtype=str)
        both = truth.merge(guess, on="id")
        accuracy_score(both.label_x, both.label_y)
        f1_score(both.label_x, both.label_y, average="macro")
    bare = SUBMISSIONS / (time.perf_counter() - start)
    print(f"bare: read with pandas, call scikit-learn        {bare:8.1f} a second")

    send, scoring.wake = scoring.wake, lambda *args: None
    round = submitted(reference, files)
    runs = list(ScoringRun.objects.filter(benchmark__round=round).values_list("pk", flat=True))
    start = time.perf_counter()
    for pk in runs:
        assert scoring.run(pk) == "succeeded"
    one = SUBMISSIONS / (time.perf_counter() - start)
    print(f"scored in this process: check, split, store      {one:8.1f} a second"
          f"   ({one / bare:.0%} of bare)")  # fmt: skip

    scoring.wake = send
    workers = os.cpu_count() or 1
    round = submitted(reference, files)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker", "--loglevel",
         "ERROR", "--concurrency", str(workers), "--without-gossip", "--without-mingle"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    waiting = ScoringRun.objects.filter(benchmark__round=round, status__in=["queued", "running"])
    while waiting.count() == SUBMISSIONS:
        time.sleep(0.02)
    left, start = waiting.count(), time.perf_counter()
    while waiting.exists():
        time.sleep(0.05)
    rate = left / (time.perf_counter() - start)
    worker.terminate()
    worker.wait()
    print(f"scored by Celery, {workers} processes, whole way         {rate:8.1f} a second")


# --- Standings -------------------------------------------------------------------------------


def season(size: int):
    """A roadshow of ``size`` teams, each with a submitted sheet of every judge."""
    track = make.make_track()
    round = make.make_round(track, format="roadshow", kind="semifinal", status="closed")
    judges = [make.make_judge(track.event) for _ in range(JUDGES)]
    panel = make.make_panel(round, judges)
    criteria = list(panel.rubric.criteria.all())
    teams = Team.objects.bulk_create(
        Team(track=track, event=track.event, code=f"T-{n:04}", name_en=f"Team {n}",
             name_zh=f"队伍{n}", organisation_en=f"University {n % 97}", country="CN",
             status="confirmed")
        for n in range(size)
    )  # fmt: skip
    Entry.objects.bulk_create(Entry(team=team, title_en=f"Project {team.code}") for team in teams)
    participations = Participation.objects.bulk_create(
        Participation(round=round, team=team) for team in teams
    )
    assignments = Assignment.objects.bulk_create(
        Assignment(panel=panel, judge=judge, participation=participation)
        for participation in participations
        for judge in judges
    )
    sheets = Scoresheet.objects.bulk_create(
        Scoresheet(assignment=assignment, status="submitted") for assignment in assignments
    )
    random = np.random.default_rng(size)
    Mark.objects.bulk_create(
        (
            Mark(scoresheet=sheet, criterion=criterion, value=Decimal(int(value)) / 2)
            for sheet, values in zip(
                sheets, random.integers(4, 21, (len(sheets), len(criteria))), strict=True
            )
            for criterion, value in zip(criteria, values, strict=True)
        ),
        batch_size=5000,
    )
    return round


def benchmark_standings():
    head(f"Standing from submitted sheets, {JUDGES} judges a team, trimmed mean")
    round = None
    for size in SIZES:
        round = season(size)
        times = []
        for _n in range(3):
            Standing.objects.filter(round=round).delete()
            start = time.perf_counter()
            standings.refresh(round)
            times.append(time.perf_counter() - start)
        again = time.perf_counter()
        standings.refresh(round)
        again = time.perf_counter() - again
        print(f"{size:6} teams: computed and stored in {min(times):7.3f} s,"
              f" found unchanged in {again:7.3f} s")  # fmt: skip
    return round


# --- The public leaderboard ------------------------------------------------------------------


def benchmark_leaderboard(round) -> None:
    head(f"Public leaderboard, {SIZES[-1]} teams, first page of 100")
    organizer = make.make_user()
    advancement.sign_off(advancement.propose(round, organizer), organizer)
    publish_round(Round.objects.get(pk=round.pk), organizer)
    path = reverse("leaderboard", args=[round.event.slug, round.slug])
    client = Client(SERVER_NAME="localhost")

    def timed(times: int, before=lambda: None, **headers) -> list[float]:
        taken = []
        for _n in range(times):
            before()
            start = time.perf_counter()
            client.get(path, headers=headers)
            taken.append(time.perf_counter() - start)
        return taken

    def queries(before=lambda: None) -> int:
        before()
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)

    timed(3)
    cold = timed(40, before=cache.clear)
    print(f"cold                    {percentiles(cold)}   {queries(cache.clear)} queries")
    timed(1)
    print(f"cached                  {percentiles(timed(200))}   {queries()} queries")
    etag = client.get(path)["ETag"]
    print(f"304, nothing changed    {percentiles(timed(200, **{'If-None-Match': etag}))}")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
         "--worker-class", "gthread", "--workers", str(os.cpu_count() or 1), "--threads", "8",
         "--log-level", "error"],
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _n in range(100):
        try:
            urllib.request.urlopen(f"{url}/healthz").read()
            break
        except OSError:
            time.sleep(0.2)
    taken: list[float] = []

    def visitor() -> None:
        for _n in range(100):
            start = time.perf_counter()
            urllib.request.urlopen(url + path).read()
            taken.append(time.perf_counter() - start)

    urllib.request.urlopen(url + path).read()
    visitors = [threading.Thread(target=visitor) for _ in range(8)]
    start = time.perf_counter()
    for thread in visitors:
        thread.start()
    for thread in visitors:
        thread.join()
    rate = len(taken) / (time.perf_counter() - start)
    server.terminate()
    server.wait()
    print(f"gunicorn, 8 visitors    {percentiles(taken)}   {rate:.0f} requests a second")


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, "
          f"{connection.vendor}, broker {settings.CELERY_BROKER_URL.split(':')[0]}")  # fmt: skip
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    try:
        benchmark_submissions()
        benchmark_leaderboard(benchmark_standings())
    finally:
        connection.close()
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
