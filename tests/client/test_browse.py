"""Looking around: list, rules, leaderboard, sample."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.utils import timezone
from wuzhen_client import api as client_api
from wuzhen_client.api import file_name
from wuzhen_client.errors import Problem

from judging.services.benchmarks import define_benchmark
from leaderboard.services import standings
from tests.client.conftest import score_all
from tests.client.network import Recorder, Scripted
from tests.factories import make_event, make_participation, make_round, make_team, make_track
from tests.factories import make_user as make_account
from tests.scoring.test_scoring import GOOD, submit


def test_list_shows_events_tracks_rounds_and_your_team(wuzhen, signed_in, contest):
    contest.round.opens_at = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
    contest.round.closes_at = datetime(2099, 11, 25, 10, 0, tzinfo=UTC)
    contest.round.save()
    make_track(contest.event, slug="empty", name_en="Robots")
    make_round(make_track(make_event(slug="secret", status="draft")), name_en="Hidden")
    result = wuzhen("list")
    assert result.exit_code == 0, result.stderr
    assert "Cup (cup) · published · times in Asia/Shanghai" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if " pre " in line]
    for cell in ("AI", "Preliminary", "automated", "2099-11-25 18:00", "AI-001"):
        assert cell in line
    assert "Robots" in result.stdout
    assert "secret" not in result.stdout


def test_list_as_json_and_without_a_login(wuzhen, live_server, contest):
    result = wuzhen("--server", live_server.url, "--json", "list")
    assert result.exit_code == 0, result.stderr
    (event,) = json.loads(result.stdout)
    (round,) = event["tracks"][0]["rounds"]
    assert (event["slug"], round["slug"], round["teams"]) == ("cup", "pre", [])
    assert wuzhen("list", "--json", "--server", live_server.url).stdout == result.stdout


def test_a_round_before_its_time_is_not_called_open(wuzhen, signed_in, contest):
    contest.round.opens_at = timezone.now() + timedelta(days=1)
    contest.round.save()
    assert "not taking submissions" in wuzhen("list").stdout


def test_every_page_of_a_list_is_read(wuzhen, signed_in, contest, monkeypatch):
    monkeypatch.setattr(client_api, "PAGE_SIZE", 2)
    for n in range(5):
        make_round(contest.track, slug=f"more-{n}", ordinal=n + 2)
    network = Recorder()
    shown = wuzhen("list", transport=network).stdout
    assert all(f"more-{n}" in shown for n in range(5))
    assert len([r for r in network.seen if r.url.path.endswith("/rounds/")]) == 3


def test_rules_tell_limits_metric_and_quota(wuzhen, signed_in, contest):
    submit(contest.participation, GOOD)
    result = wuzhen("rules", "cup", "pre")
    assert result.exit_code == 0, result.stderr
    shown = " ".join(result.stdout.split())
    for told in (
        "Takes predictions Metric", "accuracy, greater is better", "Largest file 1 MB",
        "5 a day, 20 in all", "today 1 of 5, in all 1 of 20; 4 left now", "00:00 (Asia/Shanghai)",
    ):  # fmt: skip
        assert told in shown
    rules = json.loads(wuzhen("rules", "cup", "pre", "--json").stdout)
    assert rules["kinds"] == ["predictions"]
    (team,) = rules["teams"]
    assert team["code"] == "AI-001"
    assert {name: team["quota"][name] for name in ("used_today", "used_total", "left")} == {
        "used_today": 1, "used_total": 1, "left": 4,
    }  # fmt: skip
    resets = datetime.fromisoformat(team["quota"]["resets_at"])
    assert (resets.hour, resets.utcoffset()) == (0, timedelta(hours=8))
    assert timezone.now() < resets <= timezone.now() + timedelta(days=1)


def test_the_quota_counts_what_the_platform_counts(wuzhen, signed_in, contest):
    """Yesterday's and failed ones do not count for today, and failed ones not at all."""
    submissions = [submit(contest.participation, GOOD, f"{n}.csv") for n in range(3)]
    yesterday, failed = submissions[:2]
    type(failed).objects.filter(pk=failed.pk).update(status="failed")
    type(failed).objects.filter(pk=yesterday.pk).update(
        received_at=timezone.now() - timedelta(days=1)
    )
    (team,) = json.loads(wuzhen("--json", "rules", "cup", "pre").stdout)["teams"]
    assert (team["quota"]["used_today"], team["quota"]["used_total"]) == (1, 2)


def test_rules_of_other_rounds(wuzhen, signed_in, contest):
    make_round(contest.track, slug="show", format="roadshow")
    make_round(contest.track, slug="bare")
    assert "scored by judges" in wuzhen("rules", "cup", "show").stdout
    assert "not defined yet" in wuzhen("rules", "cup", "bare").stdout
    define_benchmark(contest.round, make_account(), metric="log_loss")
    assert "loss, smaller is better" in wuzhen("rules", "cup", "pre").stdout


def test_rules_tell_what_newer_servers_know(wuzhen, signed_in, contest):
    """The size of all submissions, and a benchmark scored by programs, which has no id column."""
    submit(contest.participation, GOOD)

    class Newer(Recorder):
        def answer(self, request):
            response = super().answer(request)
            added = {
                "/rounds/": {"quota_total_mb": 50},
                "/benchmarks/": {"protocol": "codabench", "disk_mb": 1024, "accepts_code": True},
            }
            for part, fields in added.items():
                if part in request.url.path:
                    response.read()
                    data = response.json()
                    data["results"][0] |= fields
                    return httpx.Response(200, json=data)
            return response

    shown = " ".join(wuzhen("rules", "cup", "pre", transport=Newer()).stdout.split())
    assert "Disk limit 1024 MB" in shown
    assert "Size of all files 50 MB" in shown
    assert "all files together have 0.2 KB of 50.0 MB" in shown
    assert "predictions, code (zip, tar.gz)" in shown
    assert "Id column" not in shown


def test_unknown_names_are_told(wuzhen, signed_in):
    result = wuzhen("rules", "cap", "pre")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no event “cap”" in result.stderr
    result = wuzhen("leaderboard", "cup", "final")
    assert result.exit_code == 1
    assert "has no round “final”; it has: pre." in result.stderr
    assert wuzhen("rules", "../me", "pre").exit_code == 1


# --- Leaderboard -----------------------------------------------------------------------------


@pytest.fixture
def board(contest):
    """25 teams and the captain's, which is the last but one."""
    for n in range(25):
        team = make_team(contest.track, make_account(), code=f"X-{n:03}", name_en=f"Crew {n}")
        right = GOOD if n < 24 else GOOD.replace(b",0\n", b",1\n")
        submit(make_participation(contest.round, team), right, f"{n}.csv")
    submit(contest.participation, GOOD.replace(b"r0,0", b"r0,2").replace(b"r3,0", b"r3,2"))
    score_all()
    standings.refresh(contest.round)
    return contest


def test_the_leaderboard_shows_the_best_and_your_own(wuzhen, signed_in, board):
    result = wuzhen("leaderboard", "cup", "pre")
    assert result.exit_code == 0, result.stderr
    rows = [line for line in result.stdout.splitlines() if "X-0" in line or "AI-001" in line]
    assert len(rows) == 21
    assert "100.00" in rows[0]
    assert "AI-001 *" in rows[-1]
    assert "21 of 26 teams" in result.stdout
    assert "(Asia/Shanghai)" in result.stdout
    everybody = wuzhen("leaderboard", "cup", "pre", "--all").stdout
    assert all(f"X-{n:03}" in everybody for n in range(25))
    data = json.loads(wuzhen("--json", "leaderboard", "cup", "pre").stdout)
    assert (data["count"], len(data["rows"])) == (26, 21)
    assert data["rows"][0]["rank"] == 1


def test_a_leaderboard_that_is_hidden_or_frozen(wuzhen, live_server, board):
    board.round.freeze_at = timezone.now() - timedelta(minutes=1)
    board.round.save()
    shown = wuzhen("leaderboard", "cup", "pre", "--server", live_server.url)
    assert shown.exit_code == 0, shown.stderr
    assert "Frozen since" in shown.stdout
    board.round.board = "after"
    board.round.save()
    hidden = wuzhen("leaderboard", "cup", "pre", "--server", live_server.url)
    assert hidden.exit_code == 1
    assert "no public leaderboard" in hidden.stderr


def test_names_of_others_cannot_steer_the_terminal(wuzhen, live_server, board):
    team = board.team
    team.name_en = "Evil\x1b]0;owned\x07 [bold]x[/bold]"
    team.save()
    shown = wuzhen("leaderboard", "cup", "pre", "--all", "--server", live_server.url).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]x[/bold]" in shown


# --- Sample ----------------------------------------------------------------------------------


def test_the_sample_is_downloaded_and_overwrites_nothing(wuzhen, signed_in, contest, folder):
    result = wuzhen("sample", "cup", "pre")
    assert result.exit_code == 0, result.stderr
    content = (folder / "sample.csv").read_bytes()
    assert content.splitlines()[:2] == [b"id,label", b"r0,0"]
    assert len(content.splitlines()) == 31
    (folder / "sample.csv").write_text("mine")
    link = folder / "link.csv"
    link.symlink_to("nowhere.csv")
    assert wuzhen("sample", "cup", "pre", "-o", link).exit_code == 1
    again = wuzhen("sample", "cup", "pre")
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert (folder / "sample.csv").read_text() == "mine"
    assert wuzhen("sample", "cup", "pre", "-o", "sample.csv").exit_code == 1
    assert wuzhen("sample", "cup", "pre", "--force").exit_code == 0
    assert (folder / "sample.csv").read_bytes() == content
    assert wuzhen("sample", "cup", "pre", "-o", "other.csv").exit_code == 0
    assert (folder / "other.csv").read_bytes() == content
    nowhere = wuzhen("sample", "cup", "pre", "-o", "no/such/folder.csv")
    assert nowhere.exit_code == 1
    assert "no/such/folder.csv" in nowhere.stderr


def test_a_round_without_a_sample(wuzhen, signed_in, contest, folder):
    make_round(contest.track, slug="bare")
    type(contest.benchmark).objects.update(accepts_predictions=False, accepts_onnx=True)
    for slug in ("bare", "pre"):
        result = wuzhen("sample", "cup", slug)
        assert result.exit_code == 1
        assert "has no sample submission" in result.stderr
    assert list(folder.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing(wuzhen, signed_in, contest, folder):
    class Breaks(Recorder):
        def answer(self, request):
            def some():
                yield b"id,label\n"
                raise httpx.ReadError("reset")

            if request.url.path.endswith("/sample/"):
                return httpx.Response(200, content=some())
            return super().answer(request)

    result = wuzhen("sample", "cup", "pre", transport=Breaks())
    assert result.exit_code == 3
    assert list(folder.iterdir()) == []


def test_the_sample_is_refused_to_others(wuzhen, signed_in, contest, folder):
    contest.team.memberships.all().delete()
    result = wuzhen("sample", "cup", "pre")
    assert result.exit_code == 1
    assert "You do not have permission" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="sample.csv"', "sample.csv"),
        ('attachment; filename="../../.ssh/authorized_keys"', "authorized_keys"),
        ('attachment; filename="C:\\\\Windows\\\\x.csv"', "x.csv"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ('attachment; filename=".."', "fallback.csv"),
        ('attachment; filename=".netrc"', "netrc"),
        ('attachment; filename="NUL.csv"', "fallback.csv"),
        ('attachment; filename="a:b.csv"', "a_b.csv"),
        ("attachment; filename*=UTF-8''%E6%A0%B7%E4%BE%8B.csv", "样例.csv"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx.csv", "x.csv"),
        ("attachment", "fallback.csv"),
        ("", "fallback.csv"),
    ],
)
def test_a_downloads_name_is_safe(header, name):
    response = httpx.Response(200, headers={"Content-Disposition": header})
    assert file_name(response, "fallback.csv") == name


# --- Servers that are not what they should be ------------------------------------------------


def test_an_unreachable_server(wuzhen):
    pauses = []
    result = wuzhen("--server", "http://127.0.0.1:9", "list", sleep=pauses.append)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("Error: The server http://127.0.0.1:9 cannot be reached")
    assert len(result.stderr.splitlines()) == 1
    assert pauses == [1.0, 2.0]


def test_a_proxy_that_cannot_be_used(wuzhen, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    with pytest.raises(Problem, match="proxy"):
        client_api.Api("http://127.0.0.1:9")


def test_a_server_that_is_no_platform(wuzhen):
    class Website(Recorder):
        def answer(self, request):
            return httpx.Response(200, text="<h1>Welcome</h1>")

    result = wuzhen("--server", "http://127.0.0.1:9", "list", transport=Website())
    assert result.exit_code == 1
    assert "check the address" in result.stderr


def test_a_failing_and_a_busy_server(wuzhen):
    failing = Scripted({"/": (500, {})})
    result = wuzhen("--server", "http://127.0.0.1:9", "list", transport=failing)
    assert result.exit_code == 3
    assert "HTTP 500" in result.stderr
    assert len(failing.seen) == 3

    class Busy(Recorder):
        def answer(self, request):
            if len(self.seen) == 1:
                return httpx.Response(429, headers={"Retry-After": "7"}, json={"detail": "Slow."})
            return httpx.Response(200, json={"results": [], "next": None})

    pauses = []
    assert wuzhen("--server", "http://127.0.0.1:9", "list", transport=Busy(),
                  sleep=pauses.append).exit_code == 0  # fmt: skip
    assert pauses == [7.0]
    forever = Scripted({"/": (429, {"detail": "Come back tomorrow."})})
    result = wuzhen("--server", "http://127.0.0.1:9", "list", transport=forever)
    assert "Come back tomorrow." in result.stderr
