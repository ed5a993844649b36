"""What a tablet is given and what becomes of what it sends."""

import json
from decimal import Decimal
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contest import live
from contest.models import EntryFile
from contest.services.rounds import close_round
from judging.models import Mark, Panel, RecordEntry, Scoresheet
from judging.services import stage, ties
from judging.services.panels import lift_recusal, recuse
from judging.services.rubric_versions import apply
from judging.services.rubrics import new_version
from judging.services.scoresheets import Sent, return_sheet, save_mark, save_text
from judging.services.tablet import FORMAT, pseudonym
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)

pytestmark = pytest.mark.django_db


class Hall:
    def __init__(self, client):
        self.organizer = make_user()
        self.track = make_track(make_event(self.organizer))
        self.round = make_round(self.track, format="roadshow", kind="semifinal")
        for n in range(3):
            make_participation(self.round, make_team(self.track, code=f"T-{n}"), running_order=n)
        self.judge = make_judge(self.track.event)
        self.panel = make_panel(self.round, [self.judge])
        self.criteria = list(self.panel.rubric.criteria.all())
        self.assignments = list(self.panel.assignments.order_by("participation__running_order"))
        self.client = client
        client.force_login(self.judge.user)

    def package(self, **headers):
        return self.client.get("/api/v1/tablet/", headers=headers)

    def teams(self):
        return self.package().json()["rounds"][0]["teams"]

    def send(self, *operations, device="left"):
        answer = self.client.post(
            "/api/v1/tablet/outbox/",
            json.dumps({"device": device, "operations": operations}),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        return answer.json()["outcomes"]

    def tap(self, key, value="7.5", team=0, criterion=0, **more):
        return {
            "kind": "mark", "key": key, "assignment": self.assignments[team].pk,
            "criterion": self.criteria[criterion].pk, "value": value, **more,
        }  # fmt: skip

    def complete(self, team=0):
        return [self.tap(f"t{team}-{n}", "8", team, n) for n in range(3)]

    def submit(self, key, team=0, value="8"):
        return {
            "kind": "submit", "key": key, "assignment": self.assignments[team].pk,
            "marks": {str(c.pk): value for c in self.criteria},
        }  # fmt: skip


@pytest.fixture
def hall(client):
    return Hall(client)


def test_the_package_holds_everything_a_sheet_needs(hall):
    hall.send(*hall.complete(), {"kind": "comment", "key": "c", "text": "clear",
                                 "assignment": hall.assignments[0].pk})  # fmt: skip
    package = hall.package().json()
    (round,) = package["rounds"]
    first = round["teams"][0]
    assert [team["code"] for team in round["teams"]] == ["T-0", "T-1", "T-2"]
    assert first["sheet"]["marks"][str(hall.criteria[0].pk)] == {"value": "8.00", "number": 2}
    assert first["sheet"]["comment"] == {"text": "clear", "number": 5}
    assert first["sheet"]["turn"] == 0
    assert round["teams"][1]["sheet"] is None
    (rubric,) = round["rubrics"].values()
    assert rubric["criteria"][0]["maximum"] == "10.00"
    assert round["stage"]["count"] == 3


def test_the_package_is_sent_only_when_it_changed(hall):
    first = hall.package()
    again = hall.package(if_none_match=first.headers["ETag"])
    assert again.status_code == 304
    assert again.headers["Server-Time"] > first.json()["server_time"], "clocks are set all the same"
    stage.call_next(hall.round, hall.organizer)
    changed = hall.package(if_none_match=first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.json()["rounds"][0]["stage"]["current"]["code"] == "T-0"


def test_the_package_asks_no_more_when_teams_are_added(hall):
    hall.send(*hall.complete())
    hall.package()
    with CaptureQueriesContext(connection) as few:
        hall.package()
    for n in range(10, 20):
        make_participation(hall.round, make_team(hall.track, code=f"T-{n}"), running_order=n)
        hall.panel.assignments.create(
            judge=hall.judge, participation=hall.round.participations.last()
        )
    with CaptureQueriesContext(connection) as many:
        assert len(hall.teams()) == 13
    assert len(many) <= len(few)


def test_an_outbox_sent_twice_is_done_once(hall):
    outbox = [*hall.complete(), hall.submit("s")]
    first = hall.send(*outbox)
    assert [outcome["outcome"] for outcome in first] == ["saved"] * 4
    assert hall.send(*outbox) == first
    assert Mark.objects.count() == 3
    assert Scoresheet.objects.get().status == "submitted"


def test_a_bad_operation_does_not_hold_up_the_others(hall):
    outcomes = hall.send(
        hall.tap("a", "7.3"),
        {"kind": "dance", "key": "b"},
        hall.tap("c", "7", assignment=10**6),
        hall.tap("d", "7\x00"),
        {"kind": "comment", "key": "e", "text": "\x00", "assignment": hall.assignments[0].pk},
        hall.tap("f", "7"),
    )
    assert [(o["key"], o["outcome"]) for o in outcomes] == [
        ("a", "refused"), ("b", "refused"), ("c", "refused"), ("d", "refused"), ("e", "refused"),
        ("f", "saved"),
    ]  # fmt: skip
    assert all(o["detail"] for o in outcomes[:5])


def test_two_tablets_meet_in_a_conflict_that_the_judge_resolves(hall):
    (first,) = hall.send(hall.tap("a", "6"))
    (refused,) = hall.send(hall.tap("b", "9"), device="right")
    assert refused["outcome"] == "conflict"
    assert (refused["current"]["value"], refused["current"]["device"]) == ("6.00", "left")
    resolved = hall.tap("c", "9", base=first["number"])
    assert hall.send(resolved, device="right")[0]["outcome"] == "saved"
    assert hall.send(hall.tap("d", "5"))[0]["outcome"] == "conflict", "and the other way round"
    assert Mark.objects.get().value == 9


def test_what_comes_after_the_lock_is_refused_and_taken_once_the_sheet_is_returned(hall):
    hall.send(*hall.complete(), hall.submit("s"))
    close_round(hall.round, hall.organizer)
    late = hall.tap("late", "6")
    assert hall.send(late)[0]["code"] == "sheet_submitted"
    assert hall.send(hall.tap("x", "6", team=1))[0]["code"] == "round_not_open"
    return_sheet(Scoresheet.objects.get(assignment=hall.assignments[0]), hall.organizer, "late tap")
    team = hall.teams()[0]
    assert (team["sheet"]["status"], team["sheet"]["returned"]) == ("returned", "late tap")
    assert hall.send(late)[0]["outcome"] == "saved", "the same tap, sent again"


def test_a_sheet_that_another_tablet_handed_in_with_other_marks_is_told_as_that(hall):
    hall.send(*hall.complete(), hall.tap("n", "9", device_at=None), device="left")
    number = hall.teams()[0]["sheet"]["marks"][str(hall.criteria[0].pk)]["number"]
    submitted = hall.submit("s")
    submitted["marks"][str(hall.criteria[0].pk)] = "9"
    assert hall.send(submitted, device="left")[0]["outcome"] == "saved"
    (told,) = hall.send(hall.submit("t"), device="right")
    assert (told["outcome"], told["current"]["kind"]) == ("conflict", "submitted")
    assert told["current"]["device"] == "left"
    same = {**submitted, "key": "u"}
    assert hall.send(same, device="right")[0]["outcome"] == "saved", "the very same marks are in"
    assert RecordEntry.objects.filter(kind="submitted").count() == 1
    assert number == 5


def test_a_sheet_handed_in_before_its_return_does_not_undo_the_return(hall):
    hall.send(*hall.complete(), hall.submit("s"))
    waiting = hall.submit("w")  # on another tablet, confirmed before it heard of the first
    assert hall.send(waiting, device="right")[0]["outcome"] == "saved"  # and the answer got lost
    sheet = Scoresheet.objects.get()
    return_sheet(sheet, hall.organizer, "look again")
    (told,) = hall.send(waiting, device="right")
    assert (told["outcome"], told["current"]["kind"]) == ("conflict", "returned")
    sheet.refresh_from_db()
    assert sheet.status == "returned"
    assert hall.send(hall.submit("s"))[0]["outcome"] == "saved", "a repeat is answered as before"
    sheet.refresh_from_db()
    assert sheet.status == "returned"
    turn = hall.teams()[0]["sheet"]["turn"]
    assert hall.send({**hall.submit("x"), "base": turn})[0]["outcome"] == "saved"
    sheet.refresh_from_db()
    assert sheet.status == "submitted"
    assert hall.teams()[0]["sheet"]["turn"] > turn


def test_a_file_that_is_older_than_what_its_tablet_sent_since_asks(hall):
    at = "2026-11-26T10:00:0{}Z".format
    file = [
        hall.tap(f"f{n}", value, device_at=at(n), imported=True) for n, value in enumerate("567")
    ]
    # A file of another tablet's taps: they follow each other, and nothing is asked.
    assert [o["outcome"] for o in hall.send(*file, device="left")] == ["saved"] * 3
    hall.send(hall.tap("live", "9", device_at=at(5)), device="left")
    late = hall.tap("f4", "8", device_at=at(4), imported=True)
    (told,) = hall.send(late, device="left")
    assert (told["outcome"], told["current"]["value"]) == ("conflict", "9.00")
    clock_was_set_back = hall.tap("back", "8", device_at=at(3))
    assert hall.send(clock_was_set_back, device="left")[0]["outcome"] == "saved"


def test_a_package_never_holds_an_old_value_under_a_new_number(hall):
    """Wherever between its queries another tablet writes."""
    hall.send(*hall.complete(), {"kind": "comment", "key": "c", "text": "0",
                                 "assignment": hall.assignments[0].pk})  # fmt: skip
    criterion = str(hall.criteria[0].pk)
    with CaptureQueriesContext(connection) as queries:
        hall.teams()
    for place in range(len(queries)):
        value = str(place % 9)
        asked = 0

        def write(execute, *args, place=place, value=value):
            nonlocal asked
            asked += 1
            if asked == place:
                sheet = Scoresheet.objects.get(assignment=hall.assignments[0])
                by, sent = hall.judge.user, f"{place}"
                save_mark(sheet, hall.criteria[0], Decimal(value), sent=Sent(sent), by=by)
                save_text(sheet, "comment", value, sent=Sent(f"c{sent}"), by=by)
                asked = 1000
            return execute(*args)

        with connection.execute_wrapper(write):
            sheet = hall.teams()[0]["sheet"]
        entries = {e.number: e for e in RecordEntry.objects.filter(scoresheet=sheet["id"])}
        mark, comment = sheet["marks"][criterion], sheet["comment"]
        newest = max(n for n, e in entries.items() if e.criterion_id == hall.criteria[0].pk)
        if mark["number"] == newest:
            assert Decimal(mark["value"]) == entries[newest].value
        if comment["number"] == max(n for n, e in entries.items() if e.kind == "comment"):
            assert comment["text"] == entries[comment["number"]].text


def test_what_was_marked_by_the_version_before_is_known_by_its_number(hall):
    """A mark that was dropped with the old version: the judge gives it anew, on any tablet."""
    hall.send(*hall.complete())
    old = hall.panel.rubric
    new = new_version(old, hall.organizer)
    changed = new.criteria.first()
    changed.maximum = 100
    changed.save()
    apply(hall.panel, new, hall.organizer, "a mistake")
    shown = hall.teams()[0]["sheet"]["marks"]
    assert set(shown) == {str(c.pk) for c in new.criteria.all()}
    dropped = shown[str(changed.pk)]
    assert dropped["value"] is None
    tap = {**hall.tap("again", "80"), "criterion": changed.pk, "base": dropped["number"]}
    assert hall.send(tap, device="right")[0]["outcome"] == "saved"
    carried = new.criteria.last()
    old_tablet = hall.tap("away", "3", criterion=2)
    (told,) = hall.send(old_tablet, device="right")
    assert told["outcome"] == "conflict", "it did not know of what the first tablet gave"
    current = told["current"]
    assert (current["value"], current["criterion"]) == ("8.00", carried.pk)
    assert current["number"] == shown[str(carried.pk)]["number"]
    mine = {**old_tablet, "key": "mine", "base": current["number"]}
    assert hall.send(mine, device="right")[0]["outcome"] == "saved"


def test_a_conflict_of_interest_that_was_lifted_is_not_declared_by_an_old_request(hall):
    def declared(key):
        return {"kind": "recuse", "key": key, "text": "adviser",
                "assignment": hall.assignments[0].pk,
                "base": hall.teams()[0]["recusal_number"]}  # fmt: skip

    first = declared("r")
    hall.send(first)
    assert hall.send(first)[0]["outcome"] == "saved"
    lift_recusal(hall.judge.recusals.get(), hall.organizer, "a mistake")
    (told,) = hall.send(first)
    assert (told["outcome"], told["code"]) == ("refused", "recusal_lifted")
    assert hall.teams()[0]["recused"] is None
    assert hall.send(declared("again"))[0]["outcome"] == "saved"
    assert hall.teams()[0]["recused"] == "adviser"


def test_refusals_are_in_the_language_of_the_app(hall):
    hall.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    close_round(hall.round, hall.organizer)
    said = []
    for language in ("zh", "en"):
        answer = hall.client.post(
            "/api/v1/tablet/outbox/",
            json.dumps({"device": "left", "operations": [hall.tap("a")]}),
            content_type="application/json",
            headers={"Accept-Language": language},
        )
        said.append(answer.json()["outcomes"][0]["detail"])
    assert [hall.round.name_zh in said[0], hall.round.name_en in said[1]] == [True, True]


# --- What it listens to ----------------------------------------------------------------------


def channels_of(hall):
    url = hall.client.get("/api/v1/tablet/live/").json()["url"]
    return set(live.read_ticket(unquote(url.partition("=")[2])))


def test_a_tablet_hears_of_a_draft_that_it_opens_and_no_more(hall):
    draft = make_round(hall.track, ordinal=2, format="roadshow", kind="final", status="draft")
    make_participation(draft, make_team(hall.track, code="T-9"))
    make_panel(draft, [hall.judge])
    assert channels_of(hall) == {
        f"judge-{hall.judge.pk}", f"round-{hall.round.pk}", f"stage-{hall.round.pk}",
        f"round-{draft.pk}",
    }  # fmt: skip
    assert len(hall.package().json()["rounds"]) == 1
    set_status(draft, "open")
    assert f"stage-{draft.pk}" in channels_of(hall)


def test_of_very_many_rounds_it_hears_the_newest(hall):
    team = hall.assignments[0].participation.team
    rounds = [make_round(hall.track, ordinal=n, format="roadshow") for n in range(2, 13)]
    for round in rounds:
        make_participation(round, team)
        make_panel(round, [hall.judge])
    heard = channels_of(hall)
    assert len(heard) <= live.MAX_CHANNELS
    assert {f"stage-{round.pk}" for round in rounds[2:]} <= heard
    assert f"stage-{hall.round.pk}" not in heard


def test_the_app_draws_the_packages_that_the_server_makes():
    script = (settings.BASE_DIR / "static/js/judge/tablet.js").read_text()
    assert f"const FORMAT = {FORMAT};" in script


def test_a_conflict_of_interest_is_declared_on_the_tablet(hall):
    outcome = hall.send({"kind": "recuse", "key": "r", "text": "adviser",
                         "assignment": hall.assignments[0].pk})[0]  # fmt: skip
    assert outcome["outcome"] == "saved"
    assert hall.teams()[0]["recused"] == "adviser"
    assert hall.send(hall.tap("a"))[0]["code"] == "recused"


def test_the_chair_decides_a_tie_on_the_tablet(hall):
    Panel.objects.update(chair=hall.judge)
    pair = list(hall.round.participations.order_by("running_order")[:2])
    tie = ties.ask(hall.panel, pair, hall.organizer)
    (shown,) = hall.package().json()["ties"]
    assert [team["code"] for team in shown["teams"]] == ["T-0", "T-1"]
    order = [pair[1].pk, pair[0].pk]
    decision = {"kind": "tie", "key": "t", "tie": tie.pk, "order": order, "text": "pitch"}
    assert hall.send(decision)[0]["outcome"] == "saved"
    assert hall.send(decision)[0]["outcome"] == "saved"
    assert hall.package().json()["ties"] == []
    tie.refresh_from_db()
    assert (tie.status, tie.decided_by, tie.reason) == ("decided", hall.judge, "pitch")


def test_a_judge_sees_and_sends_nothing_of_another(hall, client):
    hall.send(*hall.complete())
    other = make_judge(hall.track.event)
    client.force_login(other.user)
    assert hall.package().json()["rounds"] == []
    assert hall.send(hall.tap("a"))[0]["code"] == "not_assigned"
    assert RecordEntry.objects.count() == 4


def test_an_anonymous_review_says_nothing_of_who_the_team_is(hall, settings, tmp_path):
    team = hall.assignments[0].participation.team
    team.entry.repository = "https://example.org/who-we-are"
    team.entry.save()
    kept = EntryFile(entry=team.entry, original_name="who-we-are.pdf", size=5, sha256="2" * 64)
    kept.file.save("a.pdf", ContentFile(b"%PDF-"), save=True)
    Panel.objects.update(is_anonymous=True)
    (round,) = hall.package().json()["rounds"]
    round["stage"] = None
    text = json.dumps(round, ensure_ascii=False)
    for part in (team.name_en, team.organisation_en, team.code, "who-we-are", 'participation": 1'):
        assert part not in text
    shown = next(t for t in round["teams"] if t["assignment"] == hall.assignments[0].pk)
    assert shown["code"] == pseudonym(hall.assignments[0].participation)
    assert shown["files"][0]["name"] == "1.pdf"
    answer = hall.client.get(shown["files"][0]["url"])
    assert answer.headers["Content-Disposition"] == 'inline; filename="1.pdf"'
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b"".join(answer.streaming_content) == b"%PDF-"


def test_a_recused_judge_gets_no_files(hall):
    team = hall.assignments[0].participation.team
    kept = EntryFile(entry=team.entry, original_name="a.pdf", size=5, sha256="2" * 64)
    kept.file.save("a.pdf", ContentFile(b"%PDF-"), save=True)
    address = hall.teams()[0]["files"][0]["url"]
    recuse(hall.judge, team, hall.judge.user, "adviser")
    assert hall.teams()[0]["files"] == []
    assert hall.client.get(address).status_code == 403
