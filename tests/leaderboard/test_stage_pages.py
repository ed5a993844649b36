"""The pages of a roadshow: the screen for the hall, and the desks that drive it."""

import json

import pytest
from django.urls import reverse

from contest.models import LogEntry
from judging.models import Stage
from judging.services import stage
from leaderboard.services import reveal
from tests.factories import make_round, make_user, set_status
from tests.leaderboard.test_reveal import by, round  # noqa: F401

pytestmark = pytest.mark.django_db
JSON = {"headers": {"Accept": "application/json"}}


@pytest.fixture
def hall(round, by, client):  # noqa: F811
    """Addresses by name, and a client that is signed in as the organizer."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    return lambda name: reverse(name, args=[round.event.slug, round.slug])


def seen(round):  # noqa: F811
    state = reveal.state(round)
    return {"reveal": state["version"], "stage": state["stage_version"]}


# --- Who may watch ---------------------------------------------------------------------------


def test_everybody_watches_only_if_the_organizers_say_so(round, by, client, hall):  # noqa: F811
    pages = [hall("stage-screen"), hall("stage-state")]
    assert [client.get(page).status_code for page in pages] == [200, 200]
    client.logout()
    assert [client.get(page).status_code for page in pages] == [404, 404]
    stage.save_settings(round, by, presentation_s=60, questions_s=60, is_public=True)
    assert [client.get(page).status_code for page in pages] == [200, 200]
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert [client.get(page).status_code for page in pages] == [200, 200]
    set_status(round, "draft")
    assert [client.get(page).status_code for page in pages] == [404, 404]
    set_status(round, "published")
    set_status(round.event, "draft")
    assert [client.get(page).status_code for page in pages] == [404, 404]


def test_who_only_watches_is_given_nothing_to_drive_with(round, by, client, hall):  # noqa: F811
    assert b"data-reveal-act" in client.get(hall("stage-screen")).content
    stage.save_settings(round, by, presentation_s=60, questions_s=60, is_public=True)
    client.logout()
    page = client.get(hall("stage-screen")).content
    assert b"data-reveal-act" not in page
    assert b"data-csrf" not in page
    assert not client.cookies


def test_other_rounds_have_no_stage(round, client, hall):  # noqa: F811
    review = make_round(round.track, format="review", kind="final")
    for name in ("stage-screen", "stage-state", "desk-reveal"):
        assert client.get(reverse(name, args=[round.event.slug, review.slug])).status_code == 404


def test_the_screen_has_both_languages(round, client, hall):  # noqa: F811
    page = client.get(hall("stage-screen")).content.decode()
    words = json.loads(page.split('id="words" type="application/json">')[1].split("</script>")[0])
    assert words["en"]["round"] == round.name_en
    assert words["zh"]["round"] == round.name_zh
    assert words["en"].keys() == words["zh"].keys()


def test_what_is_there_already_is_not_sent_again(round, by, client, hall):  # noqa: F811
    first = client.get(hall("stage-state"))
    again = client.get(hall("stage-state"), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again["Server-Time"] > first.json()["server_time"], "the clock is set all the same"
    stage.call_next(round, by)
    changed = client.get(hall("stage-state"), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["stage"]["current"]["code"] == "T-1"


# --- The desks -------------------------------------------------------------------------------


def test_a_roadshow_without_scripts(round, client, hall):  # noqa: F811
    """Every act is a plain form that leads back to the desk."""
    act = hall("desk-roadshow-act")
    for action in ("next", "start", "questions", "pause", "next", "finish"):
        answer = client.post(act, {"action": action, "seen": seen(round)["stage"]}, follow=True)
        assert answer.redirect_chain == [(hall("desk-roadshow"), 302)]
        assert "message-error" not in answer.content.decode(), action
    made = Stage.objects.get(round=round)
    assert (made.current, made.phase, made.version) == (None, "idle", 6)
    page = client.get(hall("desk-roadshow")).content.decode()
    assert page.count("turn-done") == 2


def test_two_taps_call_one_team(round, client, hall):  # noqa: F811
    tap = {"action": "next", "seen": seen(round)["stage"]}
    answers = [client.post(hall("desk-roadshow-act"), tap, **JSON).json() for _n in range(2)]
    assert [answer["current"]["code"] for answer in answers] == ["T-1", "T-1"]
    assert [answer["version"] for answer in answers] == [1, 1]


def test_what_the_stage_refuses_is_said(round, client, hall):  # noqa: F811
    act, start = hall("desk-roadshow-act"), {"action": "start", "seen": seen(round)["stage"]}
    answer = client.post(act, start, **JSON)
    assert (answer.status_code, answer.json()) == (409, {"detail": "Nobody is on stage."})
    part = client.post(act, start, headers={"HX-Request": "true"}).content.decode()
    assert "Nobody is on stage." in part
    assert 'id="roadshow"' in part, "with the desk as it is"
    answer = client.post(act, {"action": "next"}, follow=True)
    assert "Say which state of the stage you saw." in answer.content.decode()


def test_the_draw_is_shown_with_how_to_draw_again(round, client, hall):  # noqa: F811
    act = hall("desk-roadshow-act")
    draw = {"action": "draw", "seed": "<b>26</b>", "seen": seen(round)["stage"]}
    page = client.post(act, draw, follow=True).content.decode()
    assert "&lt;b&gt;26&lt;/b&gt;" in page
    assert "sha256sum" in page
    assert "The order is as it was drawn." in page
    order = [p.pk for p in stage.taking_part(round)]
    turned = {"action": "reorder", "order": order[::-1], "seen": seen(round)["stage"]}
    page = client.post(act, turned, follow=True).content.decode()
    assert "The order was changed by hand." in page
    assert [p.pk for p in stage.taking_part(round)] == order[::-1]
    client.post(act, {"action": "next", "seen": seen(round)["stage"]})
    assert 'value="draw"' not in client.get(hall("desk-roadshow")).content.decode()


def test_lengths_are_given_as_minutes(round, client, hall):  # noqa: F811
    settings = hall("desk-roadshow-settings")
    client.post(settings, {"presentation_s": "8:30", "questions_s": "7", "is_public": "on"})
    made = Stage.objects.get(round=round)
    assert (made.presentation_s, made.questions_s, made.is_public) == (510, 420, True)
    assert 'value="8:30"' in client.get(hall("desk-roadshow")).content.decode()
    for wrong in ("8:75", "-1", "x", ""):
        page = client.post(settings, {"presentation_s": wrong, "questions_s": "7"})
        assert page.status_code == 200
        assert "field-bad" in page.content.decode()
    page = client.post(settings, {"presentation_s": "300", "questions_s": "7"}, follow=True)
    assert "message-error" in page.content.decode(), "longer than four hours"


def test_the_reveal_desk_drives_the_screen(round, client, hall):  # noqa: F811
    act = hall("desk-reveal-act")

    def do(action, **fields):
        return client.post(act, {"action": action, "seen": seen(round)["reveal"], **fields}, **JSON)

    assert do("ranking", places="4", drumroll="0").json()["scene"] == "ranking"
    assert [row["rank"] for row in do("step").json()["rows"]] == [4]
    desk = client.get(hall("desk-reveal")).content.decode()
    assert "Next to be named:" in desk
    assert "Birch" in desk
    assert do("freeze").json()["is_frozen"]
    assert len(do("step").json()["rows"]) == 1, "the hall sees what it saw"
    assert len(do("unfreeze").json()["rows"]) == 3
    assert do("blank").json()["scene"] == "blank"
    assert do("scene:nonsense").status_code == 409
    assert do("ranking", places="x").status_code == 409
    assert do("team:0").status_code == 404
    stale = client.post(act, {"action": "scene:board", "seen": "0"}, **JSON)
    assert stale.json()["scene"] == "blank"
    assert LogEntry.objects.filter(action="rank_revealed").count() == 2


def test_desks_that_have_the_newest_are_sent_nothing(round, by, client, hall):  # noqa: F811
    for name in ("desk-roadshow", "desk-reveal"):
        digest = client.get(hall(name)).context["digest"]
        asked = {"headers": {"HX-Request": "true"}}
        assert client.get(hall(name), {"seen": digest}, **asked).status_code == 204
        stage.call_next(round, by)
        assert client.get(hall(name), {"seen": digest}, **asked).status_code == 200


def test_the_round_desk_leads_to_the_running_order(round, client, hall):  # noqa: F811
    page = client.get(hall("desk-round")).content.decode()
    assert hall("desk-roadshow") in page
    assert "Save the running order" not in page
