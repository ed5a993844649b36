"""The simulated season, small: from entries to lists, the same for the same seed."""

import csv
import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from contest.models import Event, Round, Team
from judging.models import Scoresheet
from judging.services.record_check import verify
from leaderboard.simulated import Size

pytestmark = pytest.mark.django_db
SMALL = {"teams": 21, "countries": 5, "tracks": 2, "rounds": 3, "judges_per_team": 3}


@pytest.fixture(autouse=True)
def _alone(settings, tmp_path, monkeypatch):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "files"},
        },
    }
    monkeypatch.setattr("leaderboard.receivers.refresh_standing.apply_async", lambda *a, **k: None)


def play(folder, **changes):
    err, out = io.StringIO(), io.StringIO()
    call_command("simulate_season", out=folder, stderr=err, stdout=out, **{**SMALL, **changes})
    return err.getvalue(), out.getvalue()


def names(folder):
    found = {}
    for path in sorted(folder.glob("*-finalists.csv")):
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
        found[path.name.split("-track-")[1]] = [(row["rank"], row["team_code"]) for row in rows]
    return found


@pytest.mark.parametrize("review", [False, True])
def test_from_entries_to_lists(tmp_path, review):
    with translation.override("en"):
        progress, told = play(tmp_path / "a", review=review)
        _progress, _told = play(tmp_path / "b", review=review, yes=True)
    assert "100%" in progress
    assert "\r" not in progress, "no terminal"
    assert "21 teams, 2 tracks, 3 rounds" in told
    first = Event.objects.order_by("pk").first()
    rounds = Round.objects.filter(event=first)
    assert rounds.count() == 6
    assert set(rounds.values_list("status", flat=True)) == {"published"}
    assert Team.objects.filter(event=first).values("country").distinct().count() == 5
    sizes = [round.participations.count() for round in rounds.order_by("track", "ordinal")]
    assert sizes == [11, 5, 2, 10, 5, 2]
    sheets = Scoresheet.objects.filter(assignment__participation__round__event=first).count()
    assert sheets == 3 * (7 + 7 + (21 if review else 0))
    for round in rounds:
        assert verify(round) == [], round.slug
    lists = names(tmp_path / "a")
    assert len(lists) == 2
    assert [rank for rank, _code in lists["1-3-finalists.csv"]] == ["1", "2"]
    assert names(tmp_path / "b") == lists, "the same seed, the same lists"
    assert len(list((tmp_path / "a").iterdir())) == 8


def test_a_database_that_is_in_use_is_left_alone(tmp_path):
    from tests.factories import make_event

    make_event()
    with pytest.raises(CommandError, match="--yes"):
        play(tmp_path)
    assert not Team.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"teams": 0}, {"countries": 999}, {"tracks": 20}, {"rounds": 6}, {"tracks": 0}]
)
def test_sizes_that_make_no_season_are_refused(tmp_path, wrong):
    with pytest.raises(CommandError):
        play(tmp_path, **wrong)
    assert not Event.objects.exists()


def test_sizes():
    size = Size(5503, 44, 6, 3, 7)
    assert sum(size.teams_of(n) for n in range(6)) == 5503
    assert size.through(0) == [918, 60, 10]
    assert size.work() == 5503 + 5503 + 6 * 70 * 7
