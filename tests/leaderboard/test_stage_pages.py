"""The pages of a roadshow: the screen for the hall, and the desks that drive it."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contest import live
from contest.models import LogEntry
from contest.services.teams import withdraw_team
from judging.models import Appearance, Scoresheet, Stage
from judging.services import stage
from judging.services.panels import recuse
from judging.services.scoresheets import return_sheet
from leaderboard.models import Reveal
from leaderboard.services import reveal, standings
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
    for name in ("stage-screen", "stage-state", "desk-reveal", "desk-roadshow"):
        assert client.get(reverse(name, args=[round.event.slug, review.slug])).status_code == 404
    for name in ("desk-roadshow-act", "desk-roadshow-settings"):
        assert client.post(reverse(name, args=[round.event.slug, review.slug])).status_code == 404
    assert not Stage.objects.filter(round=review).exists()


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
    for action in ("next", "start", "questions", "pause", "more", "less", "restart", "next", "undo",
                   "next", "finish"):  # fmt: skip
        Appearance.objects.update(began_at=timezone.now() - stage.APART)
        answer = client.post(act, {"action": action, "seen": seen(round)["stage"]}, follow=True)
        assert answer.redirect_chain == [(hall("desk-roadshow"), 302)]
        assert "message-error" not in answer.content.decode(), action
    made = Stage.objects.get(round=round)
    assert (made.current, made.phase, made.version) == (None, "idle", 11)
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
        Reveal.objects.update(stepped_at=None)
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


def test_the_desk_asks_before_scores_are_shown_without_all_sheets(round, by, client, hall):  # noqa: F811
    sheet = Scoresheet.objects.filter(assignment__participation__team__code="T-1").first()
    return_sheet(sheet, by, "slip")
    act, chosen = hall("desk-reveal-act"), round.participations.get(running_order=1)
    sent = {"action": f"team:{chosen.pk}", "seen": seen(round)["reveal"]}
    said = client.post(act, sent, **JSON)
    assert (said.status_code, said.json()) == (
        409,
        {"detail": "4 of 5 sheets are in.", "code": "sheets_missing", "confirm": {"missing": 1}},
    )
    for answer in (client.post(act, sent, headers={"HX-Request": "true"}), client.post(act, sent)):
        page = answer.content.decode()
        assert "4 of 5 sheets are in." in page
        assert "Show all the same; missing: 1" in page
        assert '<input type="hidden" name="missing" value="1">' in page
        assert f'value="team:{chosen.pk}"' in page
    assert client.post(act, {**sent, "missing": "1"}, **JSON).json()["scene"] == "sheets"


def test_the_desk_asks_before_it_goes_on_with_a_ranking_that_has_changed(round, by, client, hall):  # noqa: F811
    reveal.begin_ranking(round, by, places=2, drumroll=0)
    reveal.step(round, by)
    begun = reveal.show(round, by, "stage").standing_id
    recuse(round.panels.get().judges.order_by("name").last(),
           round.participations.get(running_order=1).team, by, "adviser")  # fmt: skip
    act, sent = hall("desk-reveal-act"), {"action": "scene:ranking", "seen": seen(round)["reveal"]}
    page = client.post(act, sent, headers={"HX-Request": "true"}).content.decode()
    assert "The ranking has changed since its reveal began." in page
    assert f'<input type="hidden" name="standing" value="{begun}">' in page
    assert 'value="anew"' in page
    went_on = client.post(act, {**sent, "standing": begun}, **JSON).json()
    assert len(went_on["rows"]) == 2
    anew = client.post(act, {"action": "anew", "seen": seen(round)["reveal"]}, **JSON).json()
    assert anew["rows"] == []


def test_the_desk_learns_of_scores_that_have_changed(round, by, client, hall, monkeypatch, request):  # noqa: F811
    run_on_commit = request.getfixturevalue("django_capture_on_commit_callbacks")
    reveal.begin_ranking(round, by, places=4)
    digest = client.get(hall("desk-reveal")).context["digest"]
    recuse(round.panels.get().judges.order_by("name").last(),
           round.participations.get(running_order=1).team, by, "adviser")  # fmt: skip
    told = []
    monkeypatch.setattr(live, "_send", lambda channel, message: told.append(channel))
    with run_on_commit(execute=True):
        standings.refresh(round)
    assert f"desk-{round.pk}" in told
    page = client.get(hall("desk-reveal"), {"seen": digest}, headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert "The ranking has changed since its reveal began" in page.content.decode()


def test_who_only_watches_is_answered_from_what_was_kept(round, by, client, hall):  # noqa: F811
    stage.save_settings(round, by, presentation_s=60, questions_s=60, is_public=True)
    assert "drive" in client.get(hall("stage-state")).json()
    client.logout()
    first = client.get(hall("stage-state"))
    assert "drive" not in first.json()
    with CaptureQueriesContext(connection) as queries:
        again = client.get(hall("stage-state"), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert len(queries) <= 4, "who may watch is asked each time, what is shown is not made anew"
    assert again["Server-Time"] > first["Server-Time"]
    # Whatever is no longer open to all is not answered from there.
    stage.save_settings(round, by, presentation_s=60, questions_s=60, is_public=False)
    assert client.get(hall("stage-state")).status_code == 404


def test_desks_say_what_time_it_is(round, client, hall):  # noqa: F811
    for name in ("desk-roadshow", "desk-reveal"):
        digest = client.get(hall(name)).context["digest"]
        answer = client.get(hall(name), {"seen": digest}, headers={"HX-Request": "true"})
        assert (answer.status_code, bool(answer["Server-Time"])) == (204, True)


def test_a_stage_whose_team_has_left_can_be_finished(round, by, client, hall):  # noqa: F811
    for _n in range(4):
        stage.call_next(round, by)
    last = round.participations.get(running_order=4).team
    withdraw_team(last, last.memberships.get().user, "ill")
    page = client.get(hall("desk-roadshow")).content.decode()
    assert "The team no longer takes part in this round." in page
    assert 'value="finish"' in page
    client.post(hall("desk-roadshow-act"), {"action": "finish", "seen": seen(round)["stage"]})
    assert Stage.objects.get(round=round).current is None


def test_undoing_is_a_form_of_its_own(round, by, client, hall):  # noqa: F811
    """What asks before a team is skipped does not ask before a mistake is taken back."""
    stage.call_next(round, by)
    stage.call_next(round, by)
    forms = client.get(hall("desk-roadshow")).content.decode().split("<form ")
    (undo,) = [form for form in forms if 'value="undo"' in form]
    assert "hx-confirm" not in undo.split("</form>")[0]
    assert "is back on stage" in undo


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
