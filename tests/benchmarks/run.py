"""`make benchmark`: how fast the platform does its main jobs, beside the bare work itself.

Numbers depend on the machine and are printed, never asserted. By default on SQLite in a temporary
folder; with DATABASE_URL (a database that may be filled) and REDIS_URL on those.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="wuzhen-benchmark-"))
os.environ["DATA_DIR"] = str(FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

django.setup()

import io  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import psutil  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.metrics import accuracy_score, f1_score  # noqa: E402

from contest.services.submissions import receive  # noqa: E402
from judging.models import ScoringRun  # noqa: E402
from judging.sandbox import Box, Limits, confinement  # noqa: E402
from judging.sandbox.bubblewrap import python  # noqa: E402
from judging.services import runs as scoring  # noqa: E402
from judging.services.benchmarks import define_benchmark  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.benchmarks.tools import head, percentiles  # noqa: E402

SUBMISSIONS = 200
DRAINED = int(os.environ.get("BENCHMARK_DRAIN", "10000"))


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
    finally:
        connection.close()
        shutil.rmtree(FOLDER, ignore_errors=True)
    # Each in a process of its own, so that what it holds at most is its own, too.
    subprocess.run([sys.executable, "-m", "tests.benchmarks.boards"], check=True)
    head("A hall full of tablets")
    subprocess.run([sys.executable, "-m", "tests.benchmarks.hall"], check=True)


if __name__ == "__main__":
    main()
