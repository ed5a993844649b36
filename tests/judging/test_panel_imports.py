"""Judges and assignments from tables: all of it or nothing, and twice is once."""

import pytest
from django.utils import translation

from contest.errors import Refused
from contest.models import LogEntry
from contest.tables_in import BadTable, read_table
from contest.tables_out import table as written
from judging.models import Assignment, Judge
from judging.services import panel_imports
from judging.services.panel_imports import ASSIGNMENTS, COLUMNS, JUDGES
from judging.services.panels import recuse
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


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def round(by):
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in range(3):
        make_participation(round, make_team(track, code=f"MA-{n}", organisation_en=f"Uni {n}"))
    return round


def table(kind, text):
    return read_table(text.encode(), "a.csv", COLUMNS[kind])


def plan(kind, round, text):
    return panel_imports.plan(kind, round, table(kind, text))


def take_in(kind, round, text, by):
    seen = plan(kind, round, text).digest
    return panel_imports.take_in(kind, round, table(kind, text), by, seen)


def faults(kind, round, text):
    with pytest.raises(BadTable) as caught:
        plan(kind, round, text)
    return [str(fault) for fault in caught.value.faults]


def outcomes(made):
    return [change.outcome for change in made.changes]


PEOPLE = (
    "姓名,邮箱,单位,organisation,评审组\n"
    "林一,lin@example.org,基金,Fund,Panel A\n"
    "Wang Er,,,Lab,\n"
    "林一,lin@example.org,基金,Fund,评审组乙\n"
)


def test_judges_are_made_changed_seated_and_again_nothing_happens(round, by):
    make_panel(round, name_en="Panel A", name_zh="评审组甲")
    make_panel(round, name_en="Panel B", name_zh="评审组乙")
    make_judge(round.event, name="Wang Er", organisation_en="Old lab")
    made = plan(JUDGES, round, PEOPLE)
    assert outcomes(made) == ["new", "changed", "changed"]
    assert Judge.objects.count() == 1, "looking writes nothing"
    take_in(JUDGES, round, PEOPLE, by)
    lin = Judge.objects.get(email="lin@example.org")
    assert (lin.name, lin.organisation_zh, lin.user.name) == ("林一", "基金", "林一")
    assert sorted(panel.name_en for panel in lin.panels.all()) == ["Panel A", "Panel B"]
    assert Judge.objects.get(name="Wang Er").organisation_en == "Lab"
    assert LogEntry.objects.get(action="imported").after == "a.csv: +1, ~2"
    logged = LogEntry.objects.count()
    assert outcomes(take_in(JUDGES, round, PEOPLE, by)) == ["unchanged"] * 3
    assert (Judge.objects.count(), LogEntry.objects.count()) == (2, logged)


def test_a_judge_is_found_by_e_mail_and_name_or_by_name(round, by):
    first = make_judge(round.event, name="Lin", email="lin@example.org", organisation_zh="基金")
    second = make_judge(round.event, name="Wang", email="")
    text = "name,email,organisation_zh\nLIN,LIN@example.org,实验室\nWang,wang@example.org,\n"
    made = plan(JUDGES, round, text)
    assert [change.details for change in made.changes] == [
        "name: “Lin” → “LIN” · e-mail: “lin@example.org” → “LIN@example.org” · "
        "organisation (Chinese): “基金” → “实验室”",
        "e-mail: “” → “wang@example.org”",
    ]
    take_in(JUDGES, round, text, by)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, first.organisation_zh) == ("LIN", "实验室")
    assert second.email == "wang@example.org"
    assert Judge.objects.count() == 2


def test_a_table_renames_nobody(round, by):
    lin = make_judge(round.event, name="Lin", email="desk@example.org")
    (said,) = faults(JUDGES, round, "name,email,organisation_zh\nHe,desk@example.org,基金\n")
    assert said.startswith("a.csv, row 2, column “email”: This address is that of “Lin”.")
    assert "change the name under Judges first" in said
    # An assistant's address: two judges share it, and each is known by the name with it.
    make_judge(round.event, name="Zhao", email="DESK@example.org", organisation_zh="旧")
    text = "name,email,organisation_zh\nZhao,desk@example.org,新\nLin,desk@example.org,\n"
    take_in(JUDGES, round, text, by)
    lin.refresh_from_db()
    assert (lin.name, lin.user.name) == ("Lin", "Lin")
    assert Judge.objects.get(name="Zhao").organisation_zh == "新"
    (said,) = faults(JUDGES, round, "name,email,organisation_zh\nHe,desk@example.org,基金\n")
    assert "that of “Lin”, “Zhao”" in said
    assert outcomes(take_in(JUDGES, round, "name,organisation_zh\nHe,基金\n", by)) == ["new"]
    make_judge(round.event, name="Lin", email="desk@example.org")
    (said,) = faults(JUDGES, round, "name,email\nLin,desk@example.org\n")
    assert "There are 2 judges of this name and e-mail address" in said


def test_a_namesake_without_an_address_is_not_taken_over(round):
    make_judge(round.event, name="王伟", organisation_zh="甲", organisation_en="")
    (said,) = faults(JUDGES, round, "姓名,邮箱,单位\n王伟,b@example.org,乙\n")
    assert "A judge of this name (甲) has no e-mail address" in said
    (change,) = plan(JUDGES, round, "姓名,邮箱,单位\n王伟,b@example.org,甲\n").changes
    assert change.details == "e-mail: “” → “b@example.org”"


def test_assignments_are_not_given_to_whoever_shares_an_address(round, by):
    lin = make_judge(round.event, name="Lin", email="desk@example.org")
    zhao = make_judge(round.event, name="Zhao", email="desk@example.org")
    other = make_judge(round.event, name="Zhao", email="zhao@example.org")
    panel = make_panel(round, [lin, zhao, other], assign=False)
    (said,) = faults(ASSIGNMENTS, round, "team,judge\nMA-0,desk@example.org\n")
    assert "This address is that of “Lin”, “Zhao”; expected the name." in said
    (said,) = faults(ASSIGNMENTS, round, "team,judge\nMA-0,Zhao\n")
    assert "There are 2 judges of this name" in said
    text = "team,judge\nMA-0,lin\nMA-1,Zhao <desk@example.org>\nMA-2,zhao@example.org\n"
    take_in(ASSIGNMENTS, round, text, by)
    given = panel.assignments.values_list("participation__team__code", "judge")
    assert dict(given) == {"MA-0": lin.pk, "MA-1": zhao.pk, "MA-2": other.pk}
    _headings, rows = panel_imports.template_rows(ASSIGNMENTS, round)
    assert sorted(row[1] for row in rows) == [
        "Lin", "Zhao <desk@example.org>", "zhao@example.org",
    ]  # fmt: skip


def test_faults_of_judges(round):
    make_judge(round.event, name="Li", email="li@example.org", organisation_en="Fund")
    make_judge(round.event, name="Same", email="a@example.org", organisation_en="A")
    make_judge(round.event, name="Same", email="b@example.org", organisation_en="B")
    text = (
        "name,email,organisation_en,panel\n"
        "New,not an address,Fund,\n"
        "Nobody,,,\n"
        "Li,other@example.org,Fund,\n"
        "Same,,,\n"
        "Ada,ada@example.org,Fund,Panel X\n"
        "Ada,ada@example.org,Lab,\n"
    )
    said = faults(JUDGES, round, text)
    assert said[0].startswith("a.csv, row 2, column “email”: Enter a valid email")
    assert "row 3, column “organisation_zh”: Give this in Chinese" in said[1]
    assert "row 4, column “email”: A judge of this name and organisation" in said[2]
    assert "row 5, column “email”: Expected an e-mail address: there are 2" in said[3]
    assert (
        "row 6, column “panel”: Expected one of the round's panels (–), found “Panel X”" in said[4]
    )
    assert "row 7, column “organisation_en”: Row 6 says “Fund” of the same judge" in said[5]
    assert len(said) == 6


def test_a_namesake_of_another_organisation_is_another_judge(round, by):
    make_judge(round.event, name="王伟", email="a@example.org", organisation_zh="甲")
    text = "姓名,邮箱,单位\n王伟,b@example.org,乙\n"
    assert outcomes(take_in(JUDGES, round, text, by)) == ["new"]
    assert Judge.objects.filter(name="王伟").count() == 2


def test_assignments_are_added_and_again_nothing_happens(round, by):
    judge = make_judge(round.event, name="Lin", email="lin@example.org")
    make_judge(round.event, name="Idle")
    panel = make_panel(round, [judge], assign=False)
    text = "队伍编号;评委\nma-0;LIN@example.org\nMA-1;Lin\n"
    take_in(ASSIGNMENTS, round, text, by)
    assert sorted(panel.assignments.values_list("participation__team__code", flat=True)) == [
        "MA-0", "MA-1",
    ]  # fmt: skip
    assert outcomes(take_in(ASSIGNMENTS, round, text, by)) == ["unchanged"] * 2
    assert LogEntry.objects.filter(action="imported").count() == 1


def test_faults_of_assignments_and_nothing_is_written(round, by):
    lin = make_judge(round.event, name="Lin")
    own = make_judge(round.event, name="Own", organisation_en="Uni 1")
    make_judge(round.event, name="Idle")
    make_panel(round, [lin, own], name_en="A", assign=False)
    make_panel(round, [own], name_en="B", name_zh="乙", assign=False)
    teams = {p.team.code: p for p in round.participations.select_related("team")}
    recuse(lin, teams["MA-1"].team, by, "adviser")
    set_status(teams["MA-2"], "withdrawn")
    text = (
        "team,judge,panel\n"
        "MA-9,Lin,\n"
        "MA-0,Nobody,\n"
        "MA-1,Lin,\n"
        "MA-2,Lin,\n"
        "MA-0,Idle,\n"
        "MA-0,Own,\n"
        "MA-1,Own,A\n"
        "MA-0,Lin,C\n"
        "MA-0,Lin,\n"
        "MA-0,Lin,\n"
        "MA-0,Lin,B\n"
    )
    said = faults(ASSIGNMENTS, round, text)
    expected = [
        (2, "team", "found “MA-9”"),
        (3, "judge", "found “Nobody”"),
        (4, "judge", "conflict of interest"),
        (5, "team", "no longer takes part"),
        (6, "judge", "sits in no panel"),
        (7, "panel", "sits in several panels"),
        (8, "reason", "same organisation"),
        (9, "panel", "found “C”"),
        (11, "judge", "Row 10 says the same"),
        (12, "judge", "Row 10 says the same"),
    ]
    assert len(said) == len(expected), said
    for line, (row, column, words) in zip(said, expected, strict=True):
        assert line.startswith(f"a.csv, row {row}, column “{column}”: "), line
        assert words in line
    assert not Assignment.objects.exists()


def test_the_same_organisation_takes_a_reason_which_is_logged(round, by):
    own = make_judge(round.event, name="Own", organisation_en="Uni 1")
    make_panel(round, [own], assign=False)
    text = "team,judge,reason\nMA-1,Own,no other expert\nMA-0,Own,\n"
    take_in(ASSIGNMENTS, round, text, by)
    assert Assignment.objects.count() == 2
    assert LogEntry.objects.get(action="assigned").reason == "no other expert"


def test_what_a_row_writes_into_which_field_is_part_of_what_was_looked_at(round, by):
    english = plan(JUDGES, round, "name,organisation_en\nWu San,Firm\n")
    chinese = plan(JUDGES, round, "name,organisation_zh\nWu San,Firm\n")
    assert english.digest != chinese.digest


def test_a_plan_that_became_another_one_is_not_written(round, by):
    text = "name,organisation_en\nLin,Fund\n"
    seen = plan(JUDGES, round, text).digest
    make_judge(round.event, name="Lin", organisation_en="Lab")
    with pytest.raises(Refused) as caught:
        panel_imports.take_in(JUDGES, round, table(JUDGES, text), by, seen)
    assert caught.value.code == "plan_changed"


@pytest.mark.parametrize("kind", [JUDGES, ASSIGNMENTS])
@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_the_template_holds_what_is_there_and_changes_nothing(round, by, kind, fmt):
    judges = [
        make_judge(round.event, name="=Lin", email="b@example.org"),
        make_judge(round.event, email="b@example.org"),
    ]
    make_panel(round, judges)
    headings, rows = panel_imports.template_rows(kind, round)
    _type, content = written(fmt, headings, rows)
    made = panel_imports.plan(kind, round, read_table(content, f"a.{fmt}", COLUMNS[kind]))
    assert set(outcomes(made)) == {"unchanged"}
    assert len(made.changes) == (2 if kind == JUDGES else 6)
