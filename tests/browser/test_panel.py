"""An organizer seats a panel on a tablet: by hand, by design, from a table, and a substitute."""

from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from judging.models import Assignment, Judge
from judging.services.panels import recuse
from judging.services.scoresheets import Sent, open_sheet, save_mark
from tests.browser.test_versions import sign_in
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def panel(organizer):
    track = make_track(make_event(organizer))
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in range(4):
        make_participation(
            round, make_team(track, code=f"T-{n}", organisation_en=f"Uni {n}"), running_order=n + 1
        )
    judges = [make_judge(track.event, name=f"Judge {name}") for name in "ABC"]
    judges.append(make_judge(track.event, name="Judge D", organisation_en="Uni 0"))
    panel = make_panel(round, judges, assign=False)
    recuse(judges[0], round.participations.first().team, organizer, "adviser")
    return panel


@pytest.fixture
def page(live_server, open_context, organizer, panel):
    page = open_context(1024, 768, has_touch=True).new_page()
    sign_in(page, live_server, organizer, panel.round.event)
    return page


def go(page, live_server, panel, name="desk-panel-edit", *more):
    place = [panel.round.event.slug, panel.round.slug, *more]
    page.goto(f"{live_server.url}{reverse(name, args=place)}")


def cell(page, judge, team):
    return page.locator(f"[aria-label^='Judge {judge}, {team}:']")


def test_assigning_by_hand_without_leaving_the_place(page, live_server, panel):
    go(page, live_server, panel, "desk-panel-edit", panel.pk)
    expect(cell(page, "A", "T-0")).to_have_attribute("title", "conflict of interest: adviser")
    page.evaluate("window.stayed = true")
    cell(page, "B", "T-1").tap()
    expect(cell(page, "B", "T-1")).to_have_attribute("aria-pressed", "true")
    column = page.locator("th", has_text="Judge B")
    expect(column).to_contain_text("teams: 1")
    expect(page.locator("#measures")).to_contain_text("Teams without a judge: 3")
    assert Assignment.objects.count() == 1
    cell(page, "B", "T-1").tap()
    expect(cell(page, "B", "T-1")).to_have_attribute("aria-pressed", "false")
    expect(column).to_contain_text("teams: 0")
    assert Assignment.objects.count() == 0
    # The same organisation takes a reason.
    cell(page, "D", "T-0").tap()
    expect(page.locator("#note")).to_contain_text("belong to the same organisation")
    expect(page.get_by_label("Reason").first).to_be_focused()
    page.get_by_role("link", name="Cancel").tap()
    expect(page.locator("#note form")).to_have_count(0)
    cell(page, "D", "T-0").tap()
    page.locator("#ask-reason").fill("no other expert")
    page.get_by_role("button", name="Assign all the same").tap()
    expect(cell(page, "D", "T-0")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#note form")).to_have_count(0)
    assert page.evaluate("window.stayed"), "the page was not loaded again"


def test_by_keyboard_the_focus_stays(page, live_server, panel):
    go(page, live_server, panel, "desk-panel-edit", panel.pk)
    cell(page, "C", "T-2").focus()
    page.keyboard.press("Enter")
    expect(cell(page, "C", "T-2")).to_have_attribute("aria-pressed", "true")
    expect(cell(page, "C", "T-2")).to_be_focused()


def test_marks_that_come_meanwhile_are_not_taken_away(page, live_server, panel):
    judge = Judge.objects.get(name="Judge B")
    assignment = Assignment.objects.create(
        panel=panel, judge=judge, participation=panel.round.participations.get(team__code="T-1")
    )
    go(page, live_server, panel, "desk-panel-edit", panel.pk)
    save_mark(
        open_sheet(assignment), panel.rubric.criteria.first(), Decimal(5), sent=Sent("k"),
        by=judge.user,
    )  # fmt: skip
    cell(page, "B", "T-1").tap()
    expect(page.locator("#note [role=alert]")).to_contain_text("has given marks")
    expect(page.locator("[aria-label='Judge B, T-1: marks given']")).to_be_visible()


def test_a_design_is_looked_at_and_applied(page, live_server, panel):
    go(page, live_server, panel, "desk-panel-edit", panel.pk)
    page.get_by_label("Judges a team").fill("2")
    page.get_by_role("button", name="Propose a design").tap()
    expect(page.locator("main")).to_contain_text("nothing is written yet")
    expect(page.locator("[data-heat] svg")).to_be_visible()
    assert Assignment.objects.count() == 0
    page.get_by_role("button", name="Apply this design").tap()
    expect(page.locator("#messages")).to_contain_text("8 assignments were added")
    page.get_by_label("Judges a team").fill("3")
    page.get_by_role("button", name="Propose a design").tap()
    expect(page.locator("main")).to_contain_text("Teams with fewer judges")
    expect(page.get_by_role("button", name="Apply this design")).to_have_count(0)
    page.get_by_label("Give a team fewer judges").check()
    page.get_by_role("button", name="Propose a design").tap()
    page.get_by_role("button", name="Apply this design").tap()
    expect(page.locator("#messages")).to_contain_text("3 assignments were added")


def test_a_table_is_checked_corrected_and_written(page, live_server, panel):
    go(page, live_server, panel, "desk-panel-import")
    form = page.locator("section", has=page.get_by_role("heading", name="Judges", exact=True))

    def check(text):
        form.locator("input[type=file]").set_input_files(
            {"name": "评委.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")}
        )
        form.get_by_role("button", name="Check the table").tap()

    check("姓名,邮箱,单位,评审组\n林一,nonsense,基金,Panel\n")
    expect(page.get_by_role("alert")).to_contain_text("评委.csv, row 2, column “邮箱”")
    check("姓名,邮箱,单位,评审组\n林一,lin@example.org,基金,Panel\n")
    expect(page.locator("main")).to_contain_text("CSV in GB18030, separated by comma")
    assert not Judge.objects.filter(name="林一").exists()
    page.get_by_role("button", name="Write all of it").tap()
    expect(page.locator("#messages")).to_contain_text("1 new, 0 changed, 0 unchanged")
    assert panel.judges.filter(name="林一").exists()


def test_a_substitute(page, live_server, panel):
    go(page, live_server, panel, "desk-panel-edit", panel.pk)
    page.get_by_role("button", name="Assign all teams to all judges").tap()
    expect(page.locator("#messages")).to_contain_text("14 assignments were added")
    expect(page.locator("#messages")).to_contain_text("Judge A – T-0, Judge D – T-0")
    make_judge(panel.round.event, name="Judge E", organisation_en="Uni 3")
    page.reload()
    page.get_by_label("Who leaves").select_option(label="Judge B · Fund " + fund("Judge B"))
    page.get_by_label("Who takes over").select_option(label="Judge E · Uni 3")
    page.locator("form", has_text="Who leaves").get_by_label("Reason").fill("ill")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Substitute").tap()
    expect(page.locator("#messages")).to_contain_text("Judge E takes over 3 teams from Judge B")
    expect(page.locator("#messages")).to_contain_text("T-3 (same organisation)")


def fund(name):
    return Judge.objects.get(name=name).organisation_en.removeprefix("Fund ")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024), (1440, 900)])
def test_every_page_fits_its_screen(live_server, open_context, organizer, panel, width, height):
    page = open_context(width, height).new_page()
    sign_in(page, live_server, organizer, panel.round.event)
    for name, *more in (
        ["desk-panel"],
        ["desk-panel-edit", panel.pk],
        ["desk-design", panel.pk],
        ["desk-panel-import"],
        ["desk-ranking"],
    ):
        go(page, live_server, panel, name, *more)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        small = page.evaluate(
            """[...document.querySelectorAll("main .btn, main button, main select")]
            .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 47.5)
            .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert small == [], name
