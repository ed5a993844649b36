"""Teams from tables: all of it or nothing, twice is once, and by no way round any rule."""

import time
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from contest.errors import Refused
from contest.models import EventRole, Invitation, LogEntry, Membership, Participation, Team, User
from contest.services import team_imports
from contest.services.table_imports import name_and_email
from contest.services.teams import invite, register_team, withdraw_team
from contest.tables_in import BadTable, read_table
from contest.tables_out import table as written
from tests.factories import (
    make_event,
    make_judge,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)

pytestmark = pytest.mark.django_db

TEXT = (
    "赛道,队名,英文队名,单位,国家,项目名称,许可证,队长,队长邮箱,队员\n"
    "模型应用,灯塔,Beacon,浙江大学,中国,灯塔项目,Apache-2.0,林一,Lin@Example.org,"
    "王二 <wang@example.org>； zhao@example.org\n"
    "models,,Harbour,,Germany,港口,,Ada,ada@example.org,\n"
)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def by():
    return make_user(language="en")


@pytest.fixture
def track(by):
    closed = timezone.now() - timedelta(days=1)
    event = make_event(by, registration_closes=closed, max_members=3)
    return make_track(event, slug="models", name_zh="模型应用", code_prefix="MA")


@pytest.fixture
def event(track):
    return track.event


def table(text):
    content = text if isinstance(text, bytes) else text.encode()
    return read_table(content, "teams.csv", team_imports.COLUMNS)


def plan(event, text):
    return team_imports.plan(event, table(text))


def take_in(event, text, by):
    return team_imports.take_in(event, table(text), by, plan(event, text).digest)


def faults(event, text):
    with pytest.raises(BadTable) as caught:
        plan(event, text)
    return [str(fault) for fault in caught.value.faults]


def outcomes(made):
    return [change.outcome for change in made.changes]


def details(made):
    return [change.details for change in made.changes]


def row(**cells):
    """A table of one row that brings a good team, but for these cells."""
    cells = {
        "name_en": "Beacon",
        "country": "CN",
        "title_en": "Project",
        "captain_name": "Lin",
        "captain_email": "lin@example.org",
        **cells,
    }
    return f"{','.join(cells)}\n{','.join(cells.values())}\n"


# --- What comes of a table -----------------------------------------------------------------------


def test_teams_people_and_projects_are_made_and_again_nothing_happens(event, track, by):
    round = make_round(track)
    made = plan(event, TEXT)
    assert outcomes(made) == ["new", "new"]
    assert details(made)[0] == (
        "灯塔项目 · 浙江大学 · China · 林一 <lin@example.org>, 王二 <wang@example.org>, "
        "zhao <zhao@example.org>"
    )
    assert not Team.objects.exists(), "looking writes nothing"
    take_in(event, TEXT, by)
    first, second = event.teams.order_by("code")
    assert (first.code, first.name_zh, first.name_en, first.country) == (
        "MA-001", "灯塔", "Beacon", "CN",
    )  # fmt: skip
    assert (first.status, first.entry.title_zh, first.entry.licence) == (
        "registered", "灯塔项目", "Apache-2.0",
    )  # fmt: skip
    assert (second.code, second.country) == ("MA-002", "DE")
    assert [(m.role, m.user.email, m.user.name) for m in first.memberships.all()] == [
        ("captain", "lin@example.org", "林一"),
        ("member", "wang@example.org", "王二"),
        ("member", "zhao@example.org", "zhao"),
    ]
    lin = User.objects.get(email="lin@example.org")
    assert not lin.has_usable_password()
    assert lin.language == "en"
    assert round.participations.count() == 2, "as those who register themselves"
    log = LogEntry.objects.filter(event=event).values_list("action", flat=True)
    assert sorted(log) == [
        "imported", "member_joined", "member_joined", "registered", "registered",
    ]  # fmt: skip
    assert LogEntry.objects.get(action="imported").after == "teams.csv: +2, ~0"

    before = list(LogEntry.objects.all()), list(Membership.objects.all()), User.objects.count()
    assert outcomes(take_in(event, TEXT, by)) == ["unchanged"] * 2
    after = list(LogEntry.objects.all()), list(Membership.objects.all()), User.objects.count()
    assert before == after


def test_what_differs_is_changed_and_told_field_by_field(event, by):
    take_in(event, TEXT, by)
    text = (
        "code,name_en,country,title_en,abstract_en,members\n"
        "ma-001,Lighthouse,JP,Light,For *all*.,Zhao@example.org\n"
        "MA-002,,,,,new@example.org\n"
    )
    made = plan(event, text)
    assert outcomes(made) == ["changed", "changed"]
    assert details(made) == [
        "name (English): “Beacon” → “Lighthouse” · country or region: “China” → “Japan” · "
        "title (English): “” → “Light” · abstract (English): “” → “For *all*.”",
        "joins: new <new@example.org>",
    ]
    take_in(event, text, by)
    first, second = event.teams.order_by("code")
    assert (first.name_en, first.name_zh, first.country) == ("Lighthouse", "灯塔", "JP")
    assert (first.entry.title_en, first.entry.title_zh) == ("Light", "灯塔项目")
    assert second.memberships.count() == 2
    for action, said in (
        ("edited", "name_en, country"),
        ("entry_edited", "title_en, abstract_en"),
        ("member_joined", "new"),
    ):
        assert LogEntry.objects.filter(action=action).latest("pk").after == said
    assert LogEntry.objects.filter(action="imported").count() == 2
    assert outcomes(plan(event, text)) == ["unchanged"] * 2


def test_a_change_is_seen_when_the_project_was_changed(event, by):
    take_in(event, TEXT, by)
    entry = event.teams.first().entry
    take_in(event, "code,title_en\nMA-001,Light\n", by)
    assert event.teams.first().entry.updated_at > entry.updated_at


def test_without_a_code_a_team_is_known_by_captain_and_track(event, track, by):
    other = make_track(event, slug="challenge", code_prefix="CH")
    take_in(event, TEXT, by)
    text = row(track="models", captain_name="林一", title_en="Changed")
    assert outcomes(plan(event, text)) == ["changed"]
    text = row(track="challenge", captain_name="林一")
    assert outcomes(take_in(event, text, by)) == ["new"]
    assert other.teams.get().code == "CH-001"


def test_tracks_with_one_prefix_share_the_numbers(event, track, by):
    make_team(track, code="MA-007")
    make_track(event, slug="second", code_prefix="MA")
    text = (
        "track,name_en,country,title_en,captain_name,captain_email\n"
        "models,A,CN,A,A,a@example.org\nsecond,B,CN,B,A,a@example.org\nmodels,C,CN,C,C,c@example.org\n"
    )
    take_in(event, text, by)
    assert list(event.teams.values_list("code", "name_en", "track__slug"))[1:] == [
        ("MA-008", "A", "models"), ("MA-009", "B", "second"), ("MA-010", "C", "models"),
    ]  # fmt: skip


def test_only_a_first_round_that_is_open_is_joined(event, track, by):
    first = make_round(track, status="closed")
    make_round(track)
    take_in(event, TEXT, by)
    assert not Participation.objects.exists()
    set_status(first, "open")
    take_in(event, row(captain_email="late@example.org"), by)
    assert first.participations.count() == 1, "those who came before are taken in by reopening it"


def test_people_are_those_who_have_the_address(event, by):
    ada = make_user(email="ada@example.org", name="Ada Lovelace")
    grace = make_user(email="grace@example.org", name="Grace")
    EmailAddress.objects.create(user=grace, email="hopper@example.org", verified=True)
    thief = make_user(email="thief@example.org")
    EmailAddress.objects.create(user=thief, email="new@example.org", verified=False)
    text = row(
        captain_name="Ada",
        captain_email="ADA@example.org",
        members="Hopper <hopper@example.org>; grace@example.org; new@example.org; ada@example.org",
    )
    event.max_members = 3
    event.save()
    made = take_in(event, text, by)
    assert [m.user for m in event.teams.get().memberships.all()][:2] == [ada, grace]
    assert {m.user.email for m in event.teams.get().memberships.all()} == {
        "ada@example.org", "grace@example.org", "new@example.org",
    }  # fmt: skip
    said = details(made)[0]
    assert "ada@example.org has an account under another name, which stays" in said
    assert "Lovelace" not in said, "a look tells nobody what an account is called"
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace", "a table renames nobody"
    assert outcomes(plan(event, text)) == ["unchanged"]


def test_whoever_signed_up_with_the_address_of_another_is_let_in_no_longer(event, by):
    """The address was never confirmed; its owner may do so now without letting the other one in."""
    squatted = make_user(email="victim@example.org", password="squatter's own")
    EmailAddress.objects.create(user=squatted, email="victim@example.org", verified=False)
    known = make_user(email="known@example.org", password="known's own")
    EmailAddress.objects.create(user=known, email="known@example.org", verified=True)
    take_in(event, row(captain_email="victim@example.org", members="known@example.org"), by)
    squatted.refresh_from_db()
    known.refresh_from_db()
    assert not squatted.has_usable_password()
    assert known.check_password("known's own")


def test_who_judges_in_the_event_does_not_compete_in_it(event, track, by):
    make_judge(event, email="Lin@example.org")
    (fault,) = faults(event, row())
    assert "Who judges in the event cannot compete in it." in fault
    event.registration_closes = timezone.now() + timedelta(days=1)
    event.save()
    said = {"team": {"name_en": "B", "country": "CN"}, "entry": {"title_en": "P"}}
    lin = make_user(email="lin@example.org")
    with pytest.raises(Refused) as caught:
        register_team(by=lin, track=track, **said)
    assert caught.value.code == "kept_out"


@pytest.mark.parametrize("cell", ["x <" + " " * 1900 + "y", "<" * 1900, " " * 1900, "a <" * 600])
def test_a_cell_made_to_be_slow_is_read_as_fast_as_any_other(event, cell):
    began = time.monotonic()
    faults(event, row(members=cell.replace(",", "")) if cell.strip() else row(country=""))
    assert name_and_email(cell) is None
    assert time.monotonic() - began < 5


def test_letters_of_an_address_are_not_folded(event):
    make_user(email="strasse@example.org")
    (fault,) = faults(event, row(captain_email="Straße@example.org"))
    assert "Expected an e-mail address, found “Straße@example.org”" in fault


def test_who_was_invited_and_comes_in_by_a_table_is_invited_no_longer(event, by):
    take_in(event, TEXT, by)
    team = event.teams.get(code="MA-002")
    invite(team, "new@example.org", by)
    other = invite(team, "other@example.org", by)
    take_in(event, "code,members\nMA-002,new@example.org\n", by)
    assert Invitation.objects.get(accepted_at=None) == other


def test_countries_by_code_and_by_name_in_either_language(event):
    names = ["cn", "CHN", "China", "中国", "中国香港", "South Korea", "UK", "德国", "France"]
    codes = ["CN", "CN", "CN", "CN", "HK", "KR", "GB", "DE", "FR"]
    heading = "name_en,title_en,captain_name,captain_email,country\n"
    lines = [f"T,P,N,n{n}@example.org,{name}\n" for n, name in enumerate(names)]
    made = plan(event, heading + "".join(lines))
    assert [step.fields["country"] for step in made.steps] == codes


# --- What is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        ({"track": "nowhere"}, "track", "Expected one of the tracks that teams enter (models), fo"),
        ({"code": "XX-1"}, "code", "Expected the code of a team of this event, found “XX-1”"),
        ({"name_en": ""}, "name_zh", "Give this in Chinese, in English, or in both."),
        ({"name_en": "x" * 201}, "name_en", "at most 200 characters"),
        ({"title_en": ""}, "title_zh", "Give this in Chinese, in English, or in both."),
        ({"country": ""}, "country", "Expected the country or region of a new team."),
        ({"country": "Utopia"}, "country", "or its code of two letters, found “Utopia”"),
        ({"repository": "no address"}, "repository", "Enter a valid URL."),
        ({"licence": "x" * 61}, "licence", "at most 60 characters"),
        ({"captain_email": ""}, "captain_email", "Expected the captain's e-mail address, or the"),
        ({"captain_email": "lin"}, "captain_email", "Expected an e-mail address, found “lin”."),
        ({"captain_name": ""}, "captain_name", "Expected the captain's name: nobody has an acc"),
        ({"captain_name": "x" * 151}, "captain_name", "A name has more than 150 characters."),
        ({"members": "a@example.org; Bo"}, "members", "with semicolons between them; found “Bo”."),
        ({"members": "a@b.co;c@b.co;d@b.co"}, "members", "A team has at most 3 members."),
        ({"captain_email": "boss@example.org"}, "captain_email", "boss@example.org: Who organizes"),
        ({"members": "boss@example.org"}, "members", "boss@example.org: Who organizes the event"),
        ({"members": "judge@example.org"}, "members", "A judge's account cannot join a team."),
        ({"members": "gone@example.org"}, "members", "gone@example.org: This account is closed."),
    ],
)
def test_a_row_that_is_wrong(event, cells, column, said):
    EventRole.objects.create(event=event, user=make_user(email="boss@example.org"))
    judge = make_judge(make_event()).user
    judge.email = "judge@example.org"
    judge.save()
    make_user(email="gone@example.org", is_active=False)
    (fault,) = faults(event, row(**cells))
    assert fault.startswith(f"teams.csv, row 2, column “{column}”: "), fault
    assert said in fault
    assert not Team.objects.exists()


def test_all_faults_of_all_rows_are_told_at_once(event):
    text = (
        "country,name_en,title_en,captain_email,captain_name\n"
        "Utopia,A,A,nobody,A\nCN,,A,b@example.org,B\nCN,C,C,c@example.org,C\n"
    )
    said = faults(event, text)
    assert [fault.split(": ")[0].removeprefix("teams.csv, ") for fault in said] == [
        "row 2, column “captain_email”",
        "row 2, column “country”",
        "row 3, column “name_zh”",
    ]


def test_the_same_team_twice(event, by):
    text = (
        "name_en,country,title_en,captain_name,captain_email\n"
        "A,CN,A,A,a@example.org\nB,CN,B,A,A@example.org\n"
    )
    (said,) = faults(event, text)
    assert said == "teams.csv, row 3, column “captain_email”: Row 2 is the same team."
    take_in(event, TEXT, by)
    (said,) = faults(event, "code,captain_email\nMA-001,\n,lin@example.org\n")
    assert "row 3, column “captain_email”: Row 2 is the same team." in said


def test_a_table_without_anything_to_know_teams_by(event):
    (said,) = faults(event, "name_en,country\nA,CN\n")
    assert said == (
        "teams.csv: Expected at least one of these columns: code (队伍编号), "
        "captain_email (队长邮箱)."
    )
    with pytest.raises(BadTable) as caught:
        plan(event, "name_en,country\nA,CN\n")
    assert [heading.column for heading in caught.value.found] == ["name_en", "country"]


def test_a_track_must_be_said_where_there_are_several(event, track):
    parent = make_track(event, slug="all", name_en="All")
    track.parent = parent
    track.save()
    assert outcomes(plan(event, row())) == ["new"], "teams enter only one of the two"
    (said,) = faults(event, row(track="All"))
    assert "column “track”: Choose one of the sub-tracks of “All”." in said
    make_track(event, slug="other", name_en="Challenge")
    make_track(event, slug="another", name_en="Challenge", parent=parent)
    (said,) = faults(event, row())
    assert "column “track”: Expected a track (models, other, another)." in said
    (said,) = faults(event, row(track="Challenge"))
    assert "found “Challenge”" in said
    assert outcomes(plan(event, row(track="another"))) == ["new"]


def test_a_table_moves_no_team_and_changes_no_captain(event, by):
    make_track(event, slug="other")
    take_in(event, TEXT, by)
    said = faults(event, "code,track,captain_email\nMA-001,other,ada@example.org\n")
    assert "column “track”: MA-001 competes in “" in said[0]
    assert "column “captain_email”: The captain of MA-001 is lin@example.org" in said[1]
    assert outcomes(plan(event, "code,captain_email\nMA-001,lin@example.org\n")) == ["unchanged"]


@pytest.mark.parametrize("status", ["withdrawn", "disqualified"])
def test_who_left_is_not_brought_back(event, track, by, status):
    make_round(track)
    event.max_members = 9
    event.save()
    take_in(event, TEXT, by)
    team = event.teams.get(code="MA-001")
    set_status(team, status)
    assert outcomes(take_in(event, TEXT, by)) == ["unchanged"] * 2
    for key in ("code", "captain_email"):
        value = {"code": "MA-001", "captain_email": "lin@example.org"}[key]
        for column in ("title_en", "members"):
            (said,) = faults(event, f"track,{key},{column}\nmodels,{value},x@example.org\n")
            assert f"column “{key}”: MA-001 is “{status}”; a table changes only teams" in said
    team.refresh_from_db()
    assert team.status == status
    # Who withdrew and registered again is known by the team that competes.
    captain = User.objects.get(email="lin@example.org")
    again = make_team(track, captain, code="MA-009")
    made = plan(event, row(captain_name="林一"))
    assert made.changes[0].what.startswith(again.code)


def test_a_captain_of_several_teams_is_asked_for_the_code(event, track):
    captain = make_user(email="lin@example.org")
    make_team(track, captain, code="MA-001")
    make_team(track, captain, code="MA-002")
    (said,) = faults(event, row())
    assert "captains several teams of the track (MA-001, MA-002); expected the code." in said


def test_a_baseline_is_no_team(event, track):
    make_team(track, code="BASE-1", status="baseline")
    (said,) = faults(event, "code,name_en\nBASE-1,Renamed\n")
    assert "found “BASE-1”" in said


def test_nothing_is_asked_of_a_field_that_the_row_leaves_alone(event, track, by):
    team = make_team(track, code="MA-001")
    team.entry.title_en = team.entry.title_zh = ""
    team.entry.save()
    assert outcomes(take_in(event, "code,name_en\nMA-001,Renamed\n", by)) == ["changed"]


# --- Looked at, then written ---------------------------------------------------------------------


def refused(event, text, by, seen):
    with pytest.raises(Refused) as caught:
        team_imports.take_in(event, table(text), by, seen)
    assert caught.value.code == "plan_changed"
    assert not LogEntry.objects.filter(action="imported").exists()


def test_a_plan_that_became_another_one_is_not_written(event, track, by):
    seen = plan(event, TEXT).digest
    make_team(track, make_user(email="ada@example.org"), code="MA-005")
    refused(event, TEXT, by, seen)
    assert not User.objects.filter(email="lin@example.org").exists()


def test_what_is_cut_short_in_the_preview_counts_whole(event, track, by):
    make_team(track, code="MA-001")
    text = "code,abstract_en\nMA-001," + "x" * 100
    seen = plan(event, text + "y\n").digest
    refused(event, text + "z\n", by, seen)


def test_an_account_that_comes_about_in_this_very_moment(event, by, monkeypatch):
    seen = plan(event, TEXT).digest

    def late(*args):
        make_user(email="lin@example.org")
        return real(*args)

    real = team_imports.make_people
    monkeypatch.setattr(team_imports, "make_people", late)
    refused(event, TEXT, by, seen)
    assert not event.teams.exists()


def test_an_organizer_that_came_to_be_is_a_fault(event, by):
    ada = make_user(email="ada@example.org")
    seen = plan(event, TEXT).digest
    EventRole.objects.create(event=event, user=ada)
    with pytest.raises(BadTable):
        team_imports.take_in(event, table(TEXT), by, seen)
    assert not event.teams.exists()


# --- Round trip, size ----------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_the_template_holds_what_is_there_and_changes_nothing(event, track, by, fmt):
    take_in(event, TEXT, by)
    team = event.teams.get(code="MA-001")
    team.name_en = "=Beacon"
    team.organisation_zh = "-1"
    team.save()
    team.entry.abstract_en = "- one\r\n- two\r\n\r\n" + "long " * 900
    team.entry.abstract_zh = "甲\n\n乙"
    team.entry.save()
    odd = make_user(name="Lin, Yi <x>", email="odd@example.org")
    Membership.objects.filter(team=team, role="member").first().delete()
    Membership.objects.create(team=team, user=odd)
    gone = make_team(track, make_user(), code="MA-099")
    withdraw_team(gone, by)
    make_team(track, code="BASE-1", status="baseline")
    headings, rows = team_imports.template_rows(event)
    assert len(rows) == 2
    _type, content = written(fmt, headings, rows)
    made = team_imports.plan(event, read_table(content, f"a.{fmt}", team_imports.COLUMNS))
    assert outcomes(made) == ["unchanged"] * 2
    assert set(details(made)) == {""}


def test_another_event_takes_what_one_has_given(event, by):
    """Without codes and tracks, which are the other event's own."""
    take_in(event, TEXT, by)
    headings, rows = team_imports.template_rows(event)
    _type, content = written("xlsx", headings, rows)
    other = make_track(make_event()).event
    found = read_table(content, "a.xlsx", team_imports.COLUMNS, mapping={"code": "", "track": ""})
    seen = team_imports.plan(other, found).digest
    again = read_table(content, "a.xlsx", team_imports.COLUMNS, mapping={"code": "", "track": ""})
    team_imports.take_in(other, again, by, seen)
    assert list(other.teams.values_list("name_zh", "entry__title_zh")) == list(
        event.teams.values_list("name_zh", "entry__title_zh")
    )


def test_more_rows_ask_the_database_no_more(event, track, by):
    make_round(track)

    def asked(first, last, change=""):
        lines = "".join(
            f"T{n},CN,P{n}{change},C{n},c{n}@example.org,m{n}{change}@example.org\n"
            for n in range(first, last)
        )
        text = "name_en,country,title_en,captain_name,captain_email,members\n" + lines
        with CaptureQueriesContext(connection) as queries:
            take_in(event, text, by)
        return len(queries)

    assert asked(0, 3) == asked(3, 30)
    assert asked(0, 3, "x") == asked(3, 30, "x")
