"""A roadshow in Chromium: driven by keys alone, dragged into order, timed by the server's clock."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contest.services.signin import make_link
from judging.models import Appearance, Reminder, Scoresheet, Stage
from judging.services import stage
from leaderboard.models import Reveal
from leaderboard.services import standings
from tests.factories import make_event, make_judge, make_team, make_track, make_user
from tests.leaderboard.test_standings import roadshow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AN_HOUR_AHEAD = """
const real = Date;
Date = class extends real {
  constructor(...given) { given.length ? super(...given) : super(real.now() + 3600000); }
  static now() { return real.now() + 3600000; }
};
"""


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def round(by):
    """Three teams, four judges; the sheets are in but for one of the first judge's."""
    track = make_track(make_event(by))
    teams = [
        make_team(track, code=f"T-{n}", name_en=name)
        for n, name in enumerate(("Aster", "Birch", "Cedar"), start=1)
    ]
    judges = [make_judge(track.event, name=f"Judge {letter}") for letter in "WXYZ"]
    marks = [["9", "8", "8.5", "1"], ["7", "7", "6", "6.5"], [None, "5", "5", "5"]]
    made = roadshow(track, teams, judges, marks, advance=3)
    standings.refresh(made)
    return made


@pytest.fixture
def visit(live_server, open_context, by, round):
    """``visit(name, …)``: that page of the round as its organizer sees it, each on a new device."""

    def go(name, width=1280, height=720, script="", signed_in=True, **options):
        page = open_context(width, height, **options).new_page()
        if signed_in:
            _link, token = make_link(by, round.event, by=None)
            page.goto(f"{live_server.url}{reverse('sign-in-link', args=[token])}")
            page.locator("main button").click()
            page.wait_for_url(f"{live_server.url}/**")
        if script:
            page.add_init_script(script)
        page.goto(f"{live_server.url}{reverse(name, args=[round.event.slug, round.slug])}")
        return page

    return go


def press(page, key, path="**/act/"):
    """Press a key and wait until the server has done what it asks for."""
    with page.expect_response(path):
        page.keyboard.press(key)
    page.wait_for_timeout(150)


def seconds(page) -> int:
    text = page.locator(".clock").inner_text()
    minutes, rest = re.fullmatch(r"(\d+):(\d\d)", text).groups()
    return 60 * int(minutes) + int(rest)


def test_by_keys_alone_from_the_first_call_to_the_first_place(visit, round):
    screen = visit("stage-screen", 1920, 1080)
    shown = screen.locator("#screen")
    expect(shown).to_contain_text("We continue shortly")
    press(screen, "n")
    expect(shown).to_contain_text("Aster")
    expect(shown).to_contain_text("4/4")
    press(screen, "t")
    expect(screen.locator("#clock-note")).not_to_have_text("held")
    press(screen, "q")
    expect(shown).to_contain_text("Questions")
    press(screen, " ")
    expect(screen.locator("#clock-note")).to_have_text("held")
    # The judges' scores of the team on stage: four sheets, what is dropped, the mean.
    press(screen, "2")
    expect(screen.locator(".score")).to_have_count(4)
    expect(screen.locator(".score.waits")).to_have_count(4)
    for waiting, key in zip((3, 2, 1, 0), (" ", "Enter", "PageDown", "ArrowRight"), strict=True):
        press(screen, key)
        expect(screen.locator(".score.waits")).to_have_count(waiting)
    press(screen, "PageUp")
    expect(screen.locator(".score.waits")).to_have_count(1)
    press(screen, "PageDown")
    press(screen, " ")
    expect(screen.locator(".score.dropped .why")).to_have_text(
        ["highest, dropped", "lowest, dropped"]
    )
    line = screen.locator(".score.dropped .what").first
    assert "line-through" in line.evaluate("box => getComputedStyle(box).textDecorationLine")
    expect(screen.locator(".mean")).to_have_text("")
    press(screen, " ")
    expect(screen.locator(".mean")).to_contain_text("82.50")
    press(screen, "3")
    expect(screen.locator(".rows li")).to_have_count(1)
    # The ranking, from the last place to the first, each announced.
    press(screen, "4")
    for coming, name in ((3, "Cedar"), (2, "Birch"), (1, "Aster")):
        press(screen, " ")
        expect(screen.locator(".coming")).to_contain_text(f"Place {coming}")
        expect(shown).not_to_contain_text(name)
        press(screen, " ")
        expect(screen.locator(".winner h2")).to_have_text(name)
    expect(screen.locator(".winner")).to_have_class(re.compile("first"))
    # Nothing, and back; the other language; the keys.
    press(screen, "b")
    expect(shown).not_to_contain_text("Aster")
    press(screen, "b")
    expect(screen.locator(".winner h2")).to_have_text("Aster")
    screen.keyboard.press("l")
    expect(screen.locator("html")).to_have_attribute("lang", "zh-Hans")
    screen.keyboard.press("l")
    screen.keyboard.press("h")
    expect(screen.locator("#help")).to_contain_text("Freeze and unfreeze the screen")
    screen.keyboard.press("h")
    expect(screen.locator("#help")).to_be_hidden()
    assert screen.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_frozen_screen_stays_while_the_desk_goes_on(visit, round, by):
    stage.save_settings(round, by, presentation_s=480, questions_s=420, is_public=True)
    hall = visit("stage-screen", 390, 844, signed_in=False)
    desk = visit("desk-reveal", 1024, 768)
    expect(hall.locator("#screen")).to_contain_text("We continue shortly")
    press(desk, "f")
    expect(desk.locator("#reveal")).to_contain_text("frozen")
    press(desk, "4")
    press(desk, "ArrowRight")
    press(desk, "ArrowRight")
    expect(desk.locator(".mini")).to_contain_text("We continue shortly")
    hall.wait_for_timeout(1500)
    expect(hall.locator("#screen")).to_contain_text("We continue shortly")
    press(desk, "f")
    expect(hall.locator(".winner h2")).to_have_text("Cedar")
    expect(desk.locator(".mini")).to_contain_text("Cedar")
    # Who only watches drives nothing.
    hall.keyboard.press(" ")
    hall.keyboard.press("n")
    hall.keyboard.press("h")
    expect(hall.locator("#help")).not_to_contain_text("Next team")
    assert Reveal.objects.get().ranking_step == 2
    assert Stage.objects.get().current is None
    assert hall.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_screen_shows_the_same_time_whatever_its_own_clock(visit, round, by):
    stage.call_next(round, by)
    stage.start(round, by)
    pages = [
        visit("stage-screen"),
        visit("stage-screen", script=AN_HOUR_AHEAD),
        visit("desk-roadshow", script=AN_HOUR_AHEAD),
    ]
    assert pages[1].evaluate("Date.now()") - pages[0].evaluate("Date.now()") > 3_000_000
    for _n in range(2):
        right = stage.stage_of(round).remaining_s
        for page in pages:
            assert abs(seconds(page) - right) < 3
        pages[0].wait_for_timeout(1200)
    # The clock is held at the desk, and stands on every screen at once.
    press(pages[2], " ")
    held = Stage.objects.get().remaining_s
    for page in pages:
        expect(page.locator(".clock")).to_have_text(
            f"{int(-(-held // 1) // 60)}:{int(-(-held // 1) % 60):02}"
        )


def test_over_time_is_said(visit, round, by):
    stage.save_settings(round, by, presentation_s=10, questions_s=10, is_public=False)
    stage.call_next(round, by)
    Stage.objects.update(elapsed_ms=75_000)
    screen, desk = visit("stage-screen"), visit("desk-roadshow")
    expect(screen.locator(".clock")).to_have_text("+1:05")
    expect(screen.locator("#clock-note")).to_have_text("over time")
    expect(desk.locator(".clock.over")).to_have_text("+1:05")


def order(page):
    return page.locator("[data-sortable] strong").all_inner_texts()


def test_the_running_order_is_dragged(visit, round):
    desk = visit("desk-roadshow", 1280, 1100)
    assert order(desk) == ["Aster", "Birch", "Cedar"]
    desk.locator(".turn").nth(2).locator(".handle").hover()
    desk.mouse.down()
    top = desk.locator(".turn").first.bounding_box()
    for y in (60, 30, 10, 4):  # the others make room on the way
        desk.mouse.move(top["x"] + 30, top["y"] + y, steps=4)
        desk.wait_for_timeout(150)
    with desk.expect_response("**/act/"):
        desk.mouse.up()
    expect(desk.locator("[data-sortable] strong").first).to_have_text("Cedar")
    assert order(desk) == ["Cedar", "Aster", "Birch"]
    assert [p.team.name_en for p in stage.taking_part(round)] == ["Cedar", "Aster", "Birch"]
    # The same by keyboard, and the focus stays on the team that moves.
    button = desk.get_by_role("button", name="Move Birch up")
    button.focus()
    press(desk, "Enter")
    press(desk, "Enter")
    assert order(desk) == ["Birch", "Cedar", "Aster"]


def test_the_desk_is_driven_by_keys_but_not_while_typing(visit, round):
    desk = visit("desk-roadshow", 1024, 768)
    desk.locator("#seed").fill("n q s ")
    assert not Appearance.objects.exists()
    desk.locator("h1").click()
    press(desk, "n")
    expect(desk.locator(".now-name")).to_have_text("Aster")
    press(desk, " ")
    expect(desk.locator(".phase")).to_have_text("Presentation · clock runs")
    press(desk, "q")
    expect(desk.locator(".phase")).to_have_text("Questions · clock runs")
    press(desk, "p")
    desk.once("dialog", lambda dialog: dialog.accept())
    press(desk, "s")
    expect(desk.locator(".turn-skipped")).to_contain_text("Aster")
    desk.get_by_role("button", name="Recall Aster").click()
    expect(desk.locator(".now-name")).to_have_text("Aster")
    # On a button the space bar presses that button and nothing else.
    with desk.expect_response("**/act/"):
        desk.get_by_role("button", name="Finish").focus()
        desk.keyboard.press(" ")
    expect(desk.locator(".now-team")).to_contain_text("Nobody is on stage")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_grid_is_live_and_a_sheet_is_returned_in_place(visit, round, by):
    grid = visit("desk-grid", 1024, 768)
    expect(grid.locator("#grid")).to_contain_text("11 of 12 sheets submitted")
    expect(grid.locator(".is-far")).to_contain_text("far below")
    expect(grid.locator("[data-dots] svg")).to_be_visible()
    grid.get_by_role("button", name="Remind Judge W").click()
    expect(grid.locator("#grid")).to_contain_text("Reminded: Judge W.")
    assert Reminder.objects.get().judge.name == "Judge W"
    # The page asks by itself, and takes nothing away while a reason is written.
    grid.locator(".is-far a").click()
    expect(grid.locator("dialog")).to_be_visible()
    reason = grid.get_by_label("Reason to return it")
    reason.fill("a slip of the")
    stage.call_next(round, by)
    grid.wait_for_timeout(5500)
    assert reason.input_value() == "a slip of the"
    reason.fill("a slip of the finger")
    grid.get_by_role("button", name="Return the sheet").click()
    expect(grid.locator("#grid")).to_contain_text("10 of 12 sheets submitted")
    assert Scoresheet.objects.filter(status="returned").count() == 1
    stage.finish(round, by)
    expect(grid.locator("#grid")).to_contain_text("was on stage", timeout=12000)
