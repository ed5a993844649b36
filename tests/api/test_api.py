"""The API as programs use it: tokens, pages, filters, idempotent writes, nothing hidden told."""

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from knox.models import get_token_model

from judging.models import RecordEntry, ScoringRun
from judging.services import runs as scoring
from leaderboard.services import standings
from tests.factories import (
    make_event,
    make_judge,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)
from tests.leaderboard.test_standings import TRUE, _no_broker, automated, csv, roadshow  # noqa: F401

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-9"


def token_of(user) -> str:
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    answer = Client().post(
        reverse("api-auth-token"),
        {"email": user.email, "password": PASSWORD},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    return answer.json()["token"]


class Api:
    """A program that talks to the API as one person."""

    def __init__(self, user=None):
        self.client = Client()
        self.headers = {"Accept-Language": "en"}
        if user is not None:
            self.headers["Authorization"] = f"Token {token_of(user)}"

    def get(self, path, **query):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def send(self, method, path, data=None):
        return getattr(self.client, method)(
            f"/api/v1/{path}", json.dumps(data or {}), content_type="application/json",
            headers=self.headers,
        )  # fmt: skip

    def post(self, path, data=None):
        return self.send("post", path, data)

    def patch(self, path, data):
        return self.send("patch", path, data)


def session_api(user) -> Api:
    """As a tablet does: by the session that a link opened."""
    api = Api()
    api.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return api


# --- Tokens ----------------------------------------------------------------------------------


def ask_token(email, password=PASSWORD):
    return Client().post(
        reverse("api-auth-token"),
        {"email": email, "password": password},
        content_type="application/json",
    )


def test_a_token_is_good_for_90_days_and_can_be_ended():
    user = make_user()
    api = Api(user)
    assert api.get("me/").json()["email"] == user.email
    token = get_token_model().objects.get()
    assert timedelta(days=89) < token.expiry - timezone.now() <= timedelta(days=90)
    assert api.post("auth/logout/").status_code == 204
    assert api.get("me/").status_code == 401


def test_an_expired_token_and_nonsense_are_refused():
    api = Api(make_user())
    get_token_model().objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert api.get("me/").status_code == 401
    api.headers["Authorization"] = "Token nonsense"
    assert api.get("me/").status_code == 401


def test_a_wrong_password_an_unverified_address_and_a_judge_get_none():
    user = make_user()
    assert ask_token(user.email, "wrong").status_code == 400
    assert ask_token("nobody@example.org").status_code == 400
    assert ask_token(user.email).json()["code"] == "email_not_verified"
    judge = make_judge(make_event())
    judge.user.email = "judge@example.org"
    judge.user.set_password(PASSWORD)
    judge.user.save()
    assert ask_token("judge@example.org").status_code == 400


def test_asking_for_tokens_is_throttled():
    assert 429 in [ask_token("a@example.org", "x").status_code for _ in range(15)]


# --- A team's way ----------------------------------------------------------------------------


def test_a_team_registers_submits_and_reads_its_score(monkeypatch):
    event = make_event()
    track = make_track(event, code_prefix="AB")
    round = automated(track, [])
    api = Api(make_user())
    new = {
        "track": track.pk, "name_en": "Crew", "name_zh": "船队", "country": "KE",
        "entry": {"title_en": "Boat"},
    }  # fmt: skip
    registered = api.post("teams/", new)
    assert registered.status_code == 201, registered.content
    team = registered.json()
    assert (team["code"], team["status"]) == ("AB-001", "registered")
    assert api.post("teams/", new).json()["id"] == team["id"], "again gives the same team"
    (participation,) = api.get("participations/", team=team["id"]).json()["results"]

    def upload(key):
        return api.client.post(
            "/api/v1/submissions/",
            {
                "participation": participation["id"], "kind": "predictions", "client_key": key,
                "file": SimpleUploadedFile("p.csv", csv(TRUE)),
            },
            headers=api.headers,
        )  # fmt: skip

    first, again = upload("one"), upload("one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["run"]["status"] == "queued"
    scoring.run(ScoringRun.objects.get().pk)
    seen = api.get(f"submissions/{first.json()['id']}/").json()
    assert seen["status"] == "scored"
    assert seen["run"]["public_score"] == 1.0
    assert seen["run"]["private_score"] is None
    assert "private" not in seen["run"]["metrics"]
    sample = api.get(f"benchmarks/{round.benchmarks.get().pk}/sample/")
    assert b"".join(sample.streaming_content).startswith(b"id,label")
    round.quota_total = 1
    round.save()
    full = upload("two")
    assert full.status_code == 409
    assert full.json()["code"] == "quota_total"
    assert "All 1 submissions" in full.json()["detail"]


def test_bad_input_names_its_fields():
    track = make_track(make_event())
    api = Api(make_user())
    answer = api.post("teams/", {"track": 999999, "country": "XX", "entry": {}})
    assert answer.status_code == 400
    assert {"track", "country"} <= set(answer.json())
    nameless = {"track": track.pk, "country": "CN", "entry": {"title_en": "x"}}
    answer = api.post("teams/", nameless)
    assert answer.status_code == 400
    assert "name_zh" in answer.json()
    broken = api.client.post(
        "/api/v1/teams/", b"{not json", content_type="application/json", headers=api.headers
    )
    assert broken.status_code == 400


# --- Reading ---------------------------------------------------------------------------------


def test_lists_have_pages_filters_search_and_order():
    track = make_track(make_event())
    for n in range(5):
        make_team(track, code=f"X-{n}", country="KE" if n % 2 else "CN", name_en=f"Boat{n}x")
    api = Api()
    everything = api.get("teams/", event=track.event.slug, page_size=2).json()
    assert everything["count"] == 5
    assert len(everything["results"]) == 2
    assert everything["next"]
    assert api.get("teams/", event=track.event.slug, country="KE").json()["count"] == 2
    assert api.get("teams/", search="Boat3x").json()["count"] == 1
    codes = [t["code"] for t in api.get("teams/", ordering="-code").json()["results"]]
    assert codes == sorted(codes, reverse=True)
    assert api.get("teams/", page=99).status_code == 404
    assert api.get("teams/", country="nonsense").json()["count"] == 0
    assert api.get("rounds/", status="nonsense").status_code == 400


def test_what_only_insiders_know_is_null_to_others():
    team = make_team(make_track(make_event()), make_user())
    seen = Api().get(f"teams/{team.pk}/").json()
    assert seen["status"] is None
    assert seen["members"] is None


def test_the_seed_of_the_split_is_for_organizers():
    organizer = make_user()
    round = automated(make_track(make_event(organizer)), [])
    pk = round.benchmarks.get().pk
    public = Api().get(f"benchmarks/{pk}/").json()
    assert public["split_seed"] is None
    assert "reference" not in json.dumps(public)
    assert Api(organizer).get(f"benchmarks/{pk}/").json()["split_seed"] == 2026


LISTS = [
    "events/", "tracks/", "rounds/", "teams/", "entries/", "participations/", "invitations/",
    "benchmarks/", "submissions/", "runs/", "rubrics/", "judges/", "panels/", "assignments/",
    "scoresheets/", "recusals/", "standings/", "standing-rows/", "schemes/", "advancements/",
    "awards/",
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_lists_ask_no_more_queries_when_they_grow(path):
    from tests.permissions.world import make_world

    world = make_world()
    api = session_api(world.users["staff"])
    api.get(path)
    with CaptureQueriesContext(connection) as few:
        before = api.get(path).json()["count"]
    make_world()
    make_world()
    with CaptureQueriesContext(connection) as many:
        after = api.get(path).json()["count"]
    assert after > before
    assert len(many) <= len(few)


# --- Judging ---------------------------------------------------------------------------------


@pytest.fixture
def stage():
    organizer = make_user()
    track = make_track(make_event(organizer))
    teams = [make_team(track), make_team(track)]
    judges = [make_judge(track.event), make_judge(track.event)]
    return organizer, roadshow(track, teams, judges, [[None, 8], [None, 7]]), judges


def test_a_tablet_saves_marks_and_submits(stage):
    _organizer, round, (judge, _other) = stage
    api = session_api(judge.user)
    mine = api.get("assignments/", round=round.pk).json()["results"]
    assert len(mine) == 2
    sheet = api.post("scoresheets/", {"assignment": mine[0]["id"]}).json()
    assert api.post("scoresheets/", {"assignment": mine[0]["id"]}).json()["id"] == sheet["id"]
    (rubric,) = api.get("rubrics/").json()["results"]
    tap = {"key": "t1", "criterion": rubric["criteria"][0]["id"], "value": "7.5",
           "device_at": "2026-11-25T10:00:00+08:00"}  # fmt: skip
    path = f"scoresheets/{sheet['id']}/"
    saved = api.post(f"{path}marks/", tap)
    assert saved.json()["total"] == "75.00"
    assert api.post(f"{path}marks/", tap).json()["number"] == saved.json()["number"]
    assert RecordEntry.objects.filter(scoresheet=sheet["id"]).count() == 1
    off = api.post(f"{path}marks/", tap | {"key": "t2", "value": "7.3"})
    assert off.status_code == 400
    assert "steps of 0.5" in json.dumps(off.json())
    assert api.post(f"{path}marks/", tap | {"value": "8"}).json()["code"] == "key_reused"
    texts = api.patch(path, {"comment": "good", "private_note": "mine"}).json()
    assert (texts["comment"], texts["private_note"]) == ("good", "mine")
    assert api.post(f"{path}submit/").json()["status"] == "submitted"
    assert api.post(f"{path}submit/").json()["status"] == "submitted"
    late = api.post(f"{path}marks/", tap | {"key": "t3", "value": "1"})
    assert late.json()["code"] == "sheet_submitted"


def test_organizers_read_sheets_but_never_write_them(stage):
    organizer, round, (judge, other) = stage
    api = Api(organizer)
    sheets = api.get("scoresheets/", round=round.pk, judge=other.pk).json()["results"]
    assert {sheet["status"] for sheet in sheets} == {"submitted"}
    assert sheets[0]["private_note"] is None
    path = f"scoresheets/{sheets[0]['id']}/"
    criterion = sheets[0]["marks"][0]["criterion"]
    forged = api.post(f"{path}marks/", {"key": "x", "criterion": criterion, "value": "10"})
    assert forged.status_code == 400, "the criterion is not theirs to mark by"
    assert api.post(f"{path}submit/").json()["code"] == "not_your_sheet"
    assert api.patch(path, {"comment": "x"}).json()["code"] == "not_your_sheet"
    assert api.post(f"{path}return/", {"reason": ""}).json()["code"] == "reason_required"
    assert api.post(f"{path}return/", {"reason": "typo"}).json()["status"] == "returned"
    foreign = session_api(judge.user)
    assert foreign.get(path).status_code == 404


def test_a_judge_declares_a_conflict_only_for_herself(stage):
    organizer, round, (judge, other) = stage
    api = session_api(judge.user)
    team = round.participations.first().team.pk
    other_way = api.post("recusals/", {"judge": other.pk, "team": team, "reason": "x"})
    assert other_way.status_code == 400
    mine = api.post("recusals/", {"judge": judge.pk, "team": team, "reason": "adviser"})
    assert mine.status_code == 201
    assert api.post(f"recusals/{mine.json()['id']}/lift/", {"reason": "x"}).status_code == 403
    lifted = Api(organizer).post(f"recusals/{mine.json()['id']}/lift/", {"reason": "mistake"})
    assert lifted.status_code == 204


# --- The organizer's way ---------------------------------------------------------------------


def test_an_organizer_sets_up_and_decides_a_round_by_api():
    organizer = make_user(is_staff=True)
    api = Api(organizer)

    def made(path, data):
        answer = api.post(path, data)
        assert answer.status_code == 201, answer.content
        return answer.json()

    made("events/", {"slug": "cup", "name_en": "Cup", "time_zone": "Asia/Shanghai"})
    track = made("tracks/", {"event": "cup", "slug": "t", "name_en": "T", "code_prefix": "T"})
    round = made(
        "rounds/",
        {"track": track["id"], "slug": "r", "name_en": "R", "ordinal": 1, "kind": "semifinal",
         "format": "roadshow"},
    )  # fmt: skip
    event_id = api.get("events/cup/").json()["id"]
    rubric = made(
        "rubrics/",
        {"event": event_id, "name_en": "Rubric", "criteria": [
            {"name_en": "A", "weight": "100", "minimum": "0", "maximum": "10", "step": "0.5"}]},
    )  # fmt: skip
    judge = made("judges/", {"event": event_id, "name": "Ada", "organisation_en": "Fund"})
    panel = made(
        "panels/",
        {"round": round["id"], "name_en": "P", "rubric": rubric["id"], "judges": [judge["id"]]},
    )  # fmt: skip
    from contest.models import Track

    teams = [make_team(Track.objects.get(pk=track["id"])) for _ in range(2)]
    assert api.post(f"rounds/{round['id']}/open/").json()["status"] == "open"
    assert api.post(f"panels/{panel['id']}/assign_all/").json() == {"added": 2, "left_out": []}
    assert api.post(f"judges/{judge['id']}/link/").json()["url"].startswith("http")
    scheme = api.patch(f"schemes/{round['id']}/", {"advance_count": 1}).json()
    assert (scheme["advance_count"], scheme["components"][0]["kind"]) == (1, "judges")
    from judging.models import Judge

    tablet = session_api(Judge.objects.get(pk=judge["id"]).user)
    for item, value in zip(tablet.get("assignments/").json()["results"], ("9", "5"), strict=True):
        sheet = tablet.post("scoresheets/", {"assignment": item["id"]}).json()["id"]
        tablet.post(
            f"scoresheets/{sheet}/marks/",
            {"key": sheet, "criterion": rubric["criteria"][0]["id"], "value": value},
        )
        assert tablet.post(f"scoresheets/{sheet}/submit/").status_code == 200
    too_early = api.post("advancements/", {"round": round["id"]})
    assert too_early.json()["code"] == "round_not_closed"
    api.post(f"rounds/{round['id']}/close/")
    proposal = made("advancements/", {"round": round["id"]})
    assert [row["outcome"] for row in proposal["rows"]] == ["in", "out"]
    signed = api.post(f"advancements/{proposal['id']}/sign_off/").json()
    assert signed["status"] == "signed"
    document = json.loads(api.get(f"advancements/{proposal['id']}/finalists.json/").getvalue())
    assert [row["team_code"] for row in document["finalists"]] == [teams[0].code]
    award = made(
        "awards/", {"round": round["id"], "name_en": "First", "first_rank": 1, "last_rank": 1}
    )
    (given,) = api.post("awards/allocate/", {"round": round["id"]}).json()
    assert (given["id"], given["winners"][0]["code"]) == (award["id"], teams[0].code)

    public = Api()
    assert public.get("standings/", round=round["id"]).json()["count"] == 0
    api.patch("events/cup/", {"name_zh": "杯"})
    from contest.models import Event, Round
    from contest.services.events import publish_event

    publish_event(Event.objects.get(slug="cup"), organizer)
    assert public.get("standings/", round=round["id"]).json()["count"] == 0
    assert public.get("awards/", round=round["id"]).json()["count"] == 0
    api.post(f"rounds/{round['id']}/publish/")
    standings.refresh(Round.objects.get(pk=round["id"]))
    (standing,) = public.get("standings/", round=round["id"]).json()["results"]
    rows = public.get("standing-rows/", standing=standing["id"]).json()["results"]
    assert [(row["rank"], row["code"]) for row in rows] == [(1, teams[0].code), (2, teams[1].code)]
    assert public.get("awards/", round=round["id"]).json()["count"] == 1
    assert "Ada" not in json.dumps(rows)


def test_a_frozen_boards_api_shows_the_freeze():
    from datetime import timedelta as delta

    now = timezone.now()
    round = automated(make_track(make_event()), [], freeze_at=now - delta(hours=1))
    from tests.leaderboard.test_standings import submit

    participation = make_participation(round, make_team(round.track, make_user()))
    submit(participation, 20, now=now - delta(hours=2))
    standings.refresh(round)
    before = Api().get("standing-rows/").json()["results"]
    submit(participation, 40, now=now)
    standings.refresh(round)
    after = Api().get("standing-rows/").json()["results"]
    assert [row["total"] for row in after] == [row["total"] for row in before]


def test_a_round_of_another_event_cannot_be_moved():
    round = make_round()
    stranger = make_user()
    make_event(stranger)
    assert Api(stranger).post(f"rounds/{round.pk}/close/").status_code == 403
    assert Api(stranger).post("advancements/", {"round": round.pk}).status_code == 400
