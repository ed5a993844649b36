"""Whatever dies, every submission has one result, and the right one.

With servers of its own, so it runs once: in the pass on SQLite.
"""

import contextlib
import json
import os
import random
import time

import psutil
import pytest

from tests.stack.scored import COMPARE, FILL, Scored
from tests.stack.servers import Servers, kill_tree

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.xdist_group("killed"),
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="runs in the other pass"),
]
SUBMISSIONS, KILLS, WHOLE_WORKERS = 500, 50, 6


def processes_of(worker) -> list[psutil.Process]:
    """The processes of a worker's pool that are alive."""
    found = []
    try:
        for child in psutil.Process(worker.pid).children():
            if child.status() != psutil.STATUS_ZOMBIE and "celery" in " ".join(child.cmdline()):
                found.append(child)
    except psutil.Error:
        pass
    return found


@pytest.fixture
def servers():
    servers = Servers()
    yield servers
    servers.stop()


def test_a_worker_killed_fifty_times_and_its_broker_and_database(
    servers, tmp_path, record_property
):
    """500 submissions; the worker, or one of its processes, is killed 50 times at random points,
    and in between the broker three times and the database twice."""
    chance = random.Random(20261126)
    scored = Scored(servers, tmp_path)
    try:
        scored.manage("migrate", "--verbosity", "0")
        scored.manage("shell", script=FILL.format(count=SUBMISSIONS))
        assert scored.counts() == {"queued": SUBMISSIONS}
        beat, worker = scored.beat(), scored.worker()
        started = time.monotonic()
        whole = set(chance.sample(range(KILLS), WHOLE_WORKERS))
        kill_redis, kill_database = set(chance.sample(range(KILLS), 3)), {15, 35}
        for n in range(KILLS):
            # Spread over the work: each kill waits until a share of it is done.
            due = SUBMISSIONS * n // (KILLS + 5)
            scored.wait(
                lambda c, due=due: c["succeeded"] >= due and (c["running"] or not c["queued"]), 120
            )
            time.sleep(chance.random() / 5)
            if n in kill_redis:
                servers.kill_redis()
                time.sleep(chance.random())
                servers.start_redis()
            if n in kill_database:
                servers.kill_database()
                time.sleep(chance.random())
                servers.start_database()
            pool = processes_of(worker)
            if n in whole or not pool:
                kill_tree(worker.pid)
                worker.wait()
                worker = scored.worker(f"w{n}")
            else:
                with contextlib.suppress(psutil.NoSuchProcess):
                    chance.choice(pool).kill()
        scored.wait(lambda c: c["succeeded"] + c["failed"] > 0 and not
                    c["queued"] and not c["running"], 240)  # fmt: skip
        took = time.monotonic() - started
        for process in (worker, beat):
            kill_tree(process.pid)
        results = scored.ask(
            "select submission_id, count(*) from judging_scoringrun "
            "where status = 'succeeded' group by submission_id"
        )
        doubled = sum(count > 1 for _submission, count in results)
        interrupted = scored.counts()["failed"]
        assert (len(results), doubled) == (SUBMISSIONS, 0)
        assert scored.ask("select distinct status from contest_submission") == [("scored",)]
        causes = scored.ask("select distinct cause from judging_scoringrun where status='failed'")
        assert causes == [("infrastructure",)]
        told = scored.manage("shell", script=COMPARE)
        compared = json.loads(told.split("RESULT", 1)[1])
        assert compared == {"compared": SUBMISSIONS, "different": 0}
        record_property(
            "story",
            (
                "killed",
                f"{SUBMISSIONS} submissions, {KILLS} kills, 3 of the broker, 2 of the database: "
                f"{len(results)} results, {SUBMISSIONS - len(results)} lost, {doubled} doubled, "
                f"{compared['different']} different from an undisturbed run; {interrupted} runs "
                f"were cut off and tried again; {took:.0f} s",
            ),
        )
        assert interrupted >= 10, "the kills hit"
    finally:
        scored.stop()
