"""The client is a package of its own; here it runs from its sources against a live server."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from django.conf import settings

sys.path.insert(0, str(Path(settings.BASE_DIR) / "client" / "src"))

from allauth.account.models import EmailAddress
from wuzhen_client.cli import cli
from wuzhen_client.session import Session

from judging.models import ScoringRun
from tests.client.network import Recorder
from tests.factories import make_event, make_participation, make_round, make_team, make_track
from tests.factories import make_user as make_account
from tests.scoring.test_scoring import _no_broker, benchmark, scoring  # noqa: F401

PASSWORD = "correct-horse-9"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test has its own login, language and working folder."""
    for name in [name for name in os.environ if name.startswith(("WUZHEN_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WUZHEN_CONFIG_DIR", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def wuzhen():
    """``wuzhen("list", "--json")`` runs the command; returns exit_code, stdout, stderr.

    Pauses take no time; each is passed to ``sleep``. ``transport`` stands in for the network.
    """

    def run(*arguments, transport=None, sleep=lambda seconds: None, input=None):
        session = Session(transport=transport or Recorder(), sleep=sleep)
        result = CliRunner().invoke(cli, list(map(str, arguments)), obj=session, input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        assert "unexpected" not in result.stderr, result.stderr
        return result

    return run


def make_member(**fields):
    """Somebody who can sign in with PASSWORD."""
    user = make_account(password=PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def contest(transactional_db):
    """An event with an open automated round, and a team of one captain in it."""
    event = make_event(slug="cup", name_en="Cup", name_zh="乌镇杯", time_zone="Asia/Shanghai")
    track = make_track(event, slug="ai", name_en="AI", name_zh="人工智能")
    round = make_round(track, slug="pre", quota_per_day=5, quota_total=20, max_upload_mb=1)
    captain = make_member(name="Ada")
    team = make_team(track, captain, code="AI-001")
    participation = make_participation(round, team)
    return SimpleNamespace(
        event=event, track=track, round=round, captain=captain, team=team,
        participation=participation, benchmark=benchmark(participation),
    )  # fmt: skip


@pytest.fixture
def signed_in(wuzhen, live_server, contest):
    """The captain's login is kept; gives the address of the server."""
    result = sign_in(wuzhen, live_server.url, contest.captain)
    assert result.exit_code == 0, result.stderr
    return live_server.url


def sign_in(wuzhen, server, user, **options):
    return wuzhen("login", server, input=f"{user.email}\n{PASSWORD}\n", **options)


def score_all() -> None:
    """What the workers do."""
    for run in ScoringRun.objects.filter(status="queued"):
        scoring.run(run.pk)
