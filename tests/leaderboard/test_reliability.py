"""The report on how far a ranking can be relied on: what it says, of whom, and in which words."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from judging.services.panels import recuse
from leaderboard.services.reliability import report
from leaderboard.services.reliability_words import findings, note_text
from leaderboard.services.schemes import save_scheme
from tests.factories import make_judge, make_round, make_team
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    automated,
    organizer,  # noqa: F401
    people,
    roadshow,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db
AGREE = [[9, 9, 8.5], [7, 7.5, 7], [5, 5, 5.5], [3, 2.5, 3]]


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def texts(found):
    return " ".join(finding.text for finding in findings(found))


def combined_by(round, organizer, aggregation, advance=2):  # noqa: F811
    component = {"kind": "judges", "source": round, "weight": 100, "aggregation": aggregation}
    save_scheme(
        round,
        organizer,
        advance_count=advance,
        tie_breaks=[],
        decimals=2,
        reason="test",
        components=[component],
    )


def test_judges_who_agree(track, organizer):  # noqa: F811
    teams, judges = people(track, 4, 3)
    round = roadshow(track, teams, judges, AGREE, advance=2)
    found = report(round)
    assert [found.teams[row.team].team for row in found.intervals.intervals] == teams
    assert [row.in_top for row in found.intervals.intervals] == [1, 1, 0, 0]
    assert found.kendall.w == 1
    assert {finding.level for finding in findings(found)} == {"good"}
    assert "does not hang on single sheets" in texts(found)
    with translation.override("zh-hans"):
        assert texts(found).isascii() is False


def test_judges_who_do_not(track, organizer):  # noqa: F811
    teams, judges = people(track, 4, 3)
    marks = [[9, 2, 4], [3, 8, 5], [6, 6, 2], [5, 1, 9]]
    found = report(roadshow(track, teams, judges, marks, advance=2))
    assert "poor" in {finding.level for finding in findings(found)}
    assert any(0.05 < row.in_top < 0.95 for row in found.intervals.intervals)
    assert "in or out" in texts(found)
    assert "The judges do not agree" in texts(found)


def test_a_strict_judge_is_named(track, organizer):  # noqa: F811
    teams, judges = people(track, 4, 3)
    found = report(
        roadshow(track, teams, judges, [[9, 9, 6], [7, 7, 4], [5, 5, 2], [4, 4, 1]], advance=2)
    )
    severity = {row.judge: row.severity for row in found.judges}
    assert severity[judges[2].pk] == pytest.approx(20)
    assert f"{judges[2].name} is the strictest (20.0 points" in texts(found)


def test_what_the_method_has_to_note(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 3)
    round = roadshow(track, teams, judges, [[5, 9, None], [5, 8, None], [5, 7, 6]])
    combined_by(round, organizer, "zscore")
    found = report(round)
    said = [note_text(note, found) for note in found.notes]
    assert any(text.endswith(f"{judges[2].name}.") for text in said), "one sheet alone"
    assert any(text.endswith(f"{judges[0].name}.") for text in said), "the same to everybody"


def test_a_sheet_that_does_not_count_is_not_in_it(track, organizer):  # noqa: F811
    teams, judges = people(track, 4, 3)
    round = roadshow(track, teams, judges, AGREE, advance=2)
    assert report(round).sheets == 12
    recuse(judges[0], teams[0], organizer, "adviser")
    assert report(round).sheets == 11, "nothing old is kept"


def test_it_is_the_same_again(track, organizer):  # noqa: F811
    teams, judges = people(track, 4, 3)
    round = roadshow(track, teams, judges, AGREE[::-1], advance=2)
    first = report(round)
    cache.clear()
    assert report(round).intervals == first.intervals


def test_rounds_without_judges_or_sheets_have_none(track, organizer, client):  # noqa: F811
    assert report(automated(track, [40, 30])) is None
    empty = make_round(track, format="roadshow", kind="final", ordinal=3)
    assert report(empty) is None
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("desk-reliability", args=[track.event.slug, empty.slug]))
    assert page.status_code == 200
    assert "report" in page.context
    assert page.context["report"] is None


def test_the_page_says_what_changes(track, organizer, client):  # noqa: F811
    judges = [make_judge(track.event) for _n in range(5)]
    teams = [make_team(track) for _n in range(3)]
    # By the mean the first is ahead thanks to one judge; without extremes it is not.
    round = roadshow(track, teams, judges, [[10, 5, 5, 5, 5], [6, 6, 6, 6, 5], [1, 1, 1, 1, 1]])
    combined_by(round, organizer, "mean", advance=1)
    client.cookies["django_language"] = "en"
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("desk-reliability", args=[track.event.slug, round.slug]))
    others = {other["label"]: other for other in page.context["others"]}
    trimmed = others["mean without the highest and the lowest"]
    assert ([t.code for t in trimmed["entering"]], [t.code for t in trimmed["leaving"]]) == (
        [teams[1].code],
        [teams[0].code],
    )
    without = {judge["name"]: judge["without"]["entering"] for judge in page.context["judges"]}
    assert without[judges[0].name] == [teams[1]]
    assert without[judges[1].name] == []


def test_it_asks_no_more_of_many_teams(track, organizer, client):  # noqa: F811
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    for ordinal, count in ((1, 3), (2, 12)):
        teams, judges = people(track, count, 4)
        marks = [[(n * 3 + m) % 11 for m in range(4)] for n in range(count)]
        round = roadshow(track, teams, judges, marks, ordinal=ordinal)
        page = reverse("desk-reliability", args=[track.event.slug, round.slug])
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page).status_code == 200
        if ordinal == 1:
            few = len(asked)
    assert len(asked) <= few
