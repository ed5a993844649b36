"""`make run`: starts, plays the demo, prints links that work, stops cleanly, keeps its data."""

import re
import subprocess
import sys
import urllib.request

import pytest

from tests.stack.conftest import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.xdist_group("stack-serve")]

FACTS = """
from contest.models import *; from judging.models import *; from leaderboard.models import *
track = Round.objects.get(kind="final").track
rounds = track.rounds.order_by("ordinal")
competing = Participation.objects.filter(status="active")
print([competing.filter(round=r).count() for r in rounds], [r.status for r in rounds])
runs = ScoringRun.objects.filter(benchmark__round__track=track)
print(runs.exclude(status="succeeded").count())
print(Judge.objects.values("organisation_en").distinct().count())
print(AwardWinner.objects.count(), Standing.objects.filter(is_current=True).count())
"""


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def test_the_demo_season_and_the_life_of_the_server(stack):
    stack.start()
    log = stack.wait_log("Each link works once", 300)
    links = dict(re.findall(r"^([a-z ]+): +(http\S+)", log, re.MULTILINE))
    assert set(links) == {"organizer", "judge", "team member", "staff"}
    assert all(link.startswith(f"{stack.url}/in/") for link in links.values())
    assert "Sign in" in get(links["judge"]) or "登录" in get(links["judge"])

    # What the demo shows was computed by the worker: ten finalists out of 20 out of 30.
    facts = stack.manage("shell", "-v0", script=FACTS)
    lines = facts.splitlines()
    assert lines[0] == "[30, 20, 10] ['published', 'published', 'published']"
    assert lines[1:3] == ["0", "7"]
    winners, standings = map(int, lines[3].split())
    assert winners >= 4
    assert standings >= 6

    # Files lie where the settings say, and only there.
    assert (stack.folder / "data" / "files").exists() == ("S3_BUCKET" not in stack.env)

    # The port is taken now, and a second server says so without touching anything.
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(stack.port)],
        cwd=ROOT, env=stack.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert f"Port {stack.port} on 127.0.0.1 cannot be used" in second.stderr
    assert "Traceback" not in second.stderr

    assert stack.stop() == 0
    assert stack.log().rstrip().endswith("==> Stopped")
    before = len(stack.log())
    stack.start()
    stack.wait_log("Each link works once", 60)
    assert "Making the event" not in stack.log()[before:], "a second start keeps the data"
    assert stack.stop() == 0
