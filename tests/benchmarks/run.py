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
import psutil  # noqa: E402
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
from judging.sandbox import Box, Limits, confinement  # noqa: E402
from judging.sandbox.bubblewrap import python  # noqa: E402
from judging.services import runs as scoring  # noqa: E402
from judging.services.benchmarks import define_benchmark  # noqa: E402
from leaderboard.models import Standing  # noqa: E402
from leaderboard.services import advancement, standings  # noqa: E402
from tests import factories as make  # noqa: E402

SUBMISSIONS = 200
DRAINED = int(os.environ.get("BENCHMARK_DRAIN", "10000"))
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
    round = make.make_round(quota_per_day=30000, quota_total=30000)
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


def benchmark_sandbox() -> None:
    head("The sandbox")
    print(f"confined by {confinement()}")

    def started(command: list[str], times: int) -> list[float]:
        taken = []
        with Box() as box:
            box.folder("/app/output")
            for _n in range(times):
                start = time.perf_counter()
                box.run(command, limits=Limits(), writable=("/app/output",), bare=True)
                taken.append(time.perf_counter() - start)
        return taken

    bare = []
    for _n in range(50):
        start = time.perf_counter()
        subprocess.run(["true"], check=True)
        bare.append(time.perf_counter() - start)
    print(f"a process without it    {percentiles(bare)}")
    print(f"a process in it         {percentiles(started(['true'], 100))}")
    print(f"Python in it            {percentiles(started([python(), '-I', '-c', ''], 50))}")


class Worker:
    """A Celery worker of some processes, and what it weighs."""

    def __init__(self, processes: int):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker", "--loglevel",
             "ERROR", "--concurrency", str(processes), "--without-gossip", "--without-mingle",
             "--queues", "celery,cpu"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def megabytes(self) -> list[float]:
        """Memory of the worker and of each process of its pool, shared pages in equal parts."""
        found = []
        main = psutil.Process(self.process.pid)
        for one in [main, *main.children()]:
            try:
                found.append(one.memory_full_info().pss / 2**20)
            except psutil.Error:
                continue
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def drain(waiting, count: int, worker: Worker, say=lambda left, worker: None) -> float:
    """Runs a second from the first that is scored to the last."""
    while waiting.count() == count:
        time.sleep(0.02)
    left, start = waiting.count(), time.perf_counter()
    while (now := waiting.count()) > 0:
        say(now, worker)
        time.sleep(0.1)
    return left / (time.perf_counter() - start)


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

    send, scoring.wake = scoring.wake, lambda *args, **kwargs: None
    round = submitted(reference, files)
    runs = list(ScoringRun.objects.filter(benchmark__round=round).values_list("pk", flat=True))
    start = time.perf_counter()
    for pk in runs:
        assert scoring.run(pk) == "succeeded"
    one = SUBMISSIONS / (time.perf_counter() - start)
    print(f"scored in this process: sandbox, check, store    {one:8.1f} a second"
          f"   ({one / bare:.0%} of bare)")  # fmt: skip

    scoring.wake = send
    for processes in (1, 2):
        round = submitted(reference, files)
        worker = Worker(processes)
        waiting = ScoringRun.objects.filter(
            benchmark__round=round, status__in=["queued", "running"]
        )
        rate = drain(waiting, SUBMISSIONS, worker)
        weight = worker.megabytes()
        worker.stop()
        print(f"scored by Celery, {processes} processes, whole way         {rate:8.1f} a second"
              f"   ({rate / bare:.0%} of bare), {weight[0]:.0f} MB and "
              f"{np.mean(weight[1:]):.0f} MB a process")  # fmt: skip


def benchmark_waiting() -> None:
    head("From upload to score at idle, one submission at a time")
    reference, files = prediction_files()
    round = submitted(reference, [])
    participation = round.participations.get()
    captain = participation.team.memberships.get().user
    worker = Worker(2)
    taken = []
    for n, content in enumerate(files[:60]):
        start = time.perf_counter()
        submission, _new = receive(
            participation=participation, file=ContentFile(content, "p.csv"), kind="predictions",
            by=captain, client_key=f"idle-{n}",
        )  # fmt: skip
        while not ScoringRun.objects.filter(submission=submission, status="succeeded").exists():
            time.sleep(0.005)
        if n >= 10:  # the first ones wait for the worker to start
            taken.append(time.perf_counter() - start)
    worker.stop()
    print(f"stored, queued, scored  {percentiles(taken)}")


def benchmark_drain() -> None:
    head(f"{DRAINED} queued runs drained by 2 processes")
    rows = "".join(f"r{n},{n % 3}\n" for n in range(60))
    files = [f"id,label\n{rows}".encode() + b"\n" * n for n in range(DRAINED)]
    start = time.perf_counter()
    round = submitted(files[0], files)
    print(f"received and queued in {time.perf_counter() - start:.0f} s")
    worker = Worker(2)
    waiting = ScoringRun.objects.filter(benchmark__round=round, status__in=["queued", "running"])
    marks = [DRAINED * k // 10 for k in range(9, -1, -1)]
    weights = []

    def say(left: int, worker: Worker) -> None:
        if marks and left <= marks[0]:
            marks.pop(0)
            weights.append(sum(worker.megabytes()))

    rate = drain(waiting, DRAINED, worker, say)
    results = ScoringRun.objects.filter(benchmark__round=round, status="succeeded").count()
    worker.stop()
    print(f"{results} results at {rate:.1f} a second; memory of the worker and its processes, MB, "
          f"at each tenth: {' '.join(f'{weight:.0f}' for weight in weights)}")  # fmt: skip


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
        [sys.executable, "-m", "config.web", "--host", "127.0.0.1", "--port", str(port),
         "--workers", str(os.cpu_count() or 1)],
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
    print(f"uvicorn, 8 visitors     {percentiles(taken)}   {rate:.0f} requests a second")


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, "
          f"{connection.vendor}, broker {settings.CELERY_BROKER_URL.split(':')[0]}")  # fmt: skip
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    try:
        benchmark_sandbox()
        benchmark_submissions()
        benchmark_waiting()
        benchmark_drain()
        benchmark_leaderboard(benchmark_standings())
    finally:
        connection.close()
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
