"""Many submissions and their workers, for tests that let things die."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
from django.conf import settings

from tests.stack.servers import Servers, kill_tree

ROOT = Path(settings.BASE_DIR)
QUICK = {
    "RUN_HEARTBEAT_S": "0.5",
    "RUN_LOST_AFTER_S": "4",
    "RUN_WAKE_AFTER_S": "2",
    "RUN_RETRY_AFTER_S": "0.5",
    "SWEEP_EVERY_S": "1",
    "DB_IDLE_IN_TRANSACTION_S": "5",
}
FILL = """
import random
from django.core.files.base import ContentFile
from contest.services.submissions import receive
from judging.services.benchmarks import define_benchmark
from tests import factories as make
rows = 200
def table(labels):
    text = "".join(f"r{{n}},{{label}}\\n" for n, label in enumerate(labels))
    return ContentFile(f"id,label\\n{{text}}".encode(), "p.csv")
chance = random.Random(7)
truth = [n % 4 for n in range(rows)]
round = make.make_round(quota_per_day=9999, quota_total=9999)
define_benchmark(round, make.make_user(), metric="accuracy", extra_metrics=["f1_macro"],
                 reference=table(truth))
teams = []
for n in range(10):
    captain = make.make_user()
    teams.append((make.make_participation(round, make.make_team(round.track, captain)), captain))
for n in range({count}):
    participation, captain = teams[n % 10]
    share = chance.random()
    labels = [t if chance.random() < share else chance.randrange(4) for t in truth]
    receive(participation=participation, file=table(labels), kind="predictions", by=captain,
            client_key=str(n))
"""
# What an undisturbed run of each submission gives, computed now and stored nowhere.
COMPARE = """
import json
from judging.models import ScoringRun
from judging.services.scoring import score_submission
runs = ScoringRun.objects.filter(status="succeeded").select_related("submission", "benchmark")
different = 0
for run in runs:
    again = score_submission(run.submission, run.benchmark)
    parts = ("public", "private")
    different += any(again["metrics"][part] != run.metrics[part] for part in parts)
print("RESULT", json.dumps({"compared": len(runs), "different": different}))
"""


class Scored:
    """A database full of submissions, and workers that are started and killed."""

    def __init__(self, servers: Servers, folder: Path, **extra: str):
        self.servers = servers
        self.env = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
            "DATA_DIR": str(folder / "data"),
            "PYTHONUNBUFFERED": "1",
            **servers.env,
            **QUICK,
            **extra,
        }
        self.log = (folder / "log").open("ab")
        self.processes: list[subprocess.Popen] = []

    def manage(self, *arguments: str, script: str | None = None) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, input=script,
            text=True, capture_output=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def celery(self, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "celery", "--quiet", "-A", "config", *arguments],
            cwd=ROOT, env=self.env, stdout=self.log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, name: str = "w", prefix: tuple[str, ...] = ()) -> subprocess.Popen:
        return self.celery(
            "worker", "--loglevel", "WARNING", "--concurrency", "2", "--without-gossip",
            "--without-mingle", "--queues", "celery,cpu", "--hostname", f"{name}@%h",
            prefix=prefix,
        )  # fmt: skip

    def beat(self) -> subprocess.Popen:
        return self.celery("beat", "--loglevel", "WARNING")

    def ask(self, question: str) -> list[tuple]:
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            return connection.execute(question).fetchall()

    def counts(self) -> Counter:
        """Runs by status; an empty count while the database is away."""
        try:
            return Counter(
                dict(self.ask("select status, count(*) from judging_scoringrun group by status"))
            )
        except psycopg.OperationalError:
            return Counter()

    def wait(self, done, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if done(self.counts()):
                return
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {self.counts()}")

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                kill_tree(process.pid)
                process.wait()
        self.log.close()


def terminate(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        kill_tree(process.pid)
