"""A roadshow in Chromium: driven by keys alone, dragged into order, timed by the server's clock."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from contest.services.rounds import close_round
from contest.services.signin import make_link
from judging.models import Appearance, Reminder, Scoresheet, Stage
from judging.services import stage
from judging.services.scoresheets import return_sheet
from leaderboard.models import Reveal
from leaderboard.services import reveal, standings
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
    """Press a key, wait until the server has done what it asks for, and no less than people do."""
    with page.expect_response(path):
        page.keyboard.press(key)
    page.wait_for_timeout(850)


def long_ago():
    """The last call and the last step were some time ago: what follows is no second press."""
    Appearance.objects.update(began_at=timezone.now() - timedelta(minutes=1))


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
    # The ranking, from the last place to the first, each announced. One sheet is missing.
    press(screen, "4")
    expect(screen.locator("#notice")).to_contain_text("11 of 12 sheets are in.")
    expect(screen.locator(".rows li")).to_have_count(1)
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
    with desk.expect_response("**/act/"):
        desk.get_by_role("button", name="Show all the same; missing: 1").click()
    desk.wait_for_timeout(300)
    press(desk, "ArrowRight")
    press(desk, "ArrowRight")
    expect(desk.locator(".mini")).to_contain_text("We continue shortly")
    hall.wait_for_timeout(1500)
    expect(hall.locator("#screen")).to_contain_text("We continue shortly")
    desk.locator("#screen-title").click()
    press(desk, "f")
    # Without a stream the screen asks every five seconds, give or take a quarter.
    expect(hall.locator(".winner h2")).to_have_text("Cedar", timeout=10_000)
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
    desk.wait_for_timeout(850)
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


def test_a_doubled_press_is_one_press(visit, round):
    """As of a hand that trembles, or a remote that bounces: the button is another by then."""
    desk = visit("desk-roadshow", 1024, 768)
    button = desk.get_by_role("button", name="Next:")
    button.click()
    expect(desk.locator(".now-name")).to_have_text("Aster")
    long_ago()
    desk.wait_for_timeout(900)
    box = desk.get_by_role("button", name="Next:").bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.mouse.dblclick(*at, delay=40)
    desk.wait_for_timeout(250)
    desk.mouse.click(*at)
    desk.wait_for_timeout(600)
    expect(desk.locator(".now-name")).to_have_text("Birch")
    assert not Appearance.objects.filter(participation__team__name_en="Cedar").exists()
    # Keys of two pages bounce past what a page can know of itself; the server does not.
    screen = visit("stage-screen")
    Appearance.objects.filter(status="on_stage").update(began_at=timezone.now())
    press(screen, "n")
    assert Stage.objects.get().current.team.name_en == "Birch"


def test_a_doubled_step_discloses_one_thing(visit, round, by):
    reveal.begin_ranking(round, by, places=3, drumroll=0, missing=1)
    desk = visit("desk-reveal", 1024, 768)
    desk.get_by_role("button", name="Next step").dblclick(delay=40)
    desk.wait_for_timeout(700)
    assert Reveal.objects.get().ranking_step == 1
    expect(desk.locator(".mini")).to_contain_text("Cedar")
    screen = visit("stage-screen")
    screen.keyboard.press("PageDown")
    screen.wait_for_timeout(250)
    screen.keyboard.press("PageDown")
    screen.wait_for_timeout(600)
    assert Reveal.objects.get().ranking_step == 2


def test_who_scrolls_the_desk_discloses_nothing(visit, round, by):
    reveal.begin_ranking(round, by, places=3, drumroll=0, missing=1)
    desk = visit("desk-reveal", 1024, 500)
    desk.locator("h1").click()
    for key in (" ", "PageDown", "Enter", "ArrowRight"):
        desk.keyboard.press(key)
        desk.wait_for_timeout(300)
    assert Reveal.objects.get().ranking_step == 0
    assert desk.evaluate("scrollY") > 100
    # What is live does not take the focus to the card by itself.
    stage.call_next(round, by)
    desk.wait_for_timeout(1500)
    desk.keyboard.press("PageDown")
    desk.wait_for_timeout(500)
    assert Reveal.objects.get().ranking_step == 0
    desk.locator("#screen-title").click()
    press(desk, "PageDown")
    assert Reveal.objects.get().ranking_step == 1
    desk.locator("h2", has_text="Judges' names").click()
    desk.keyboard.press(" ")
    desk.wait_for_timeout(500)
    assert Reveal.objects.get().ranking_step == 1


def test_the_desk_asks_about_missing_sheets_and_about_an_old_ranking(visit, round, by):
    desk = visit("desk-reveal", 1024, 768)
    desk.get_by_role("button", name="Show the scores of Cedar").click()
    expect(desk.locator(".question")).to_contain_text("3 of 4 sheets are in.")
    desk.get_by_role("button", name="Show all the same; missing: 1").click()
    expect(desk.locator(".mini-sheets li")).to_have_count(3)
    expect(desk.locator(".question")).to_have_count(0)
    reveal.begin_ranking(round, by, places=3, drumroll=0, missing=1)
    reveal.step(round, by)
    reveal.show(round, by, "stage")
    with transaction.atomic():
        sheet = Scoresheet.objects.filter(
            status="submitted", assignment__participation__team__name_en="Birch"
        ).first()
        return_sheet(sheet, by, "slip")
    standings.refresh(round)
    changed = "The ranking has changed since its reveal began"
    expect(desk.locator("#reveal")).to_contain_text(changed, timeout=12000)
    desk.locator("#screen-title").click()
    press(desk, "4")
    expect(desk.locator(".question")).to_contain_text("The ranking has changed")
    desk.locator(".question").get_by_role("button", name="Begin anew").click()
    expect(desk.locator(".question")).to_contain_text("10 of 12 sheets are in.")
    desk.get_by_role("button", name="Show all the same; missing: 2").click()
    expect(desk.locator(".mini")).to_contain_text("Nothing is revealed yet.")
    assert Reveal.objects.get().ranking_step == 0


def test_what_is_typed_or_opened_stays_while_the_desk_goes_on(visit, round, by):
    desk = visit("desk-reveal", 1024, 768)
    places = desk.locator("#places")
    places.fill("2")
    stage.call_next(round, by)  # held back while the field has the focus
    desk.wait_for_timeout(1500)
    assert places.input_value() == "2"
    expect(desk.locator(".mini")).to_contain_text("We continue shortly")
    desk.locator("#show-judges").click()
    expect(desk.locator(".mini")).to_contain_text("Aster", timeout=12000)
    assert places.input_value() == "2"
    assert desk.locator("#show-judges").is_checked()
    with desk.expect_response("**/act/"):
        desk.locator('[name=action][value="judges"]').click()
    expect(desk.locator("#show-judges")).to_be_checked()
    assert places.input_value() == "2"
    assert Reveal.objects.get().show_judges


WATCHED = """
window.resizes = 0;
const add = window.addEventListener;
window.addEventListener = function (name, ...rest) {
  if (name === "resize") window.resizes += 1;
  return add.call(this, name, ...rest);
};
"""


def test_a_grid_that_is_replaced_leaves_what_is_looked_at(visit, round, by):
    grid = visit("desk-grid", 420, 800, script=WATCHED)
    dots = grid.locator("[data-dots]")
    expect(dots.locator("svg")).to_be_visible()
    dots.evaluate("box => { box.mark = 1; }")
    listeners = grid.evaluate("resizes")
    grid.locator("#grid-words summary").click()
    grid.locator("#grid-scroll").evaluate("box => { box.scrollLeft = 150; }")
    cell = grid.locator(".grid-table a.cell").nth(1)
    cell.focus()
    scrolled = grid.locator("#grid-scroll").evaluate("box => box.scrollLeft")
    name = cell.get_attribute("id")
    for n, sheet in enumerate(Scoresheet.objects.filter(status="submitted")[:3]):
        return_sheet(sheet, by, "slip")
        said = f"{10 - n} of 12 sheets submitted"
        expect(grid.locator("#grid")).to_contain_text(said, timeout=12000)
    assert grid.evaluate("document.activeElement.id") == name
    assert grid.locator("#grid-scroll").evaluate("box => box.scrollLeft") == scrolled
    expect(grid.locator("#grid-words")).to_have_attribute("open", "")
    assert dots.evaluate("box => box.mark") == 1, "the picture stays"
    assert dots.locator("svg").count() == 1
    assert grid.evaluate("resizes") == listeners
    expect(grid.locator("#lock")).to_contain_text("Sheets still missing: 4")
    # A message that is written goes to all who are late, and stays meanwhile.
    close_round(round, by)
    expect(grid.locator("#lock")).to_contain_text("Locked", timeout=12000)
    grid.locator("#unlock-reason").fill("a tablet was")
    return_sheet(Scoresheet.objects.filter(status="submitted").first(), by, "slip")
    grid.wait_for_timeout(1500)
    assert grid.locator("#unlock-reason").input_value() == "a tablet was"


def test_frozen_keys_act_on_what_is_on_behind(visit, round, by):
    stage.call_next(round, by)
    long_ago()
    screen = visit("stage-screen")
    press(screen, "f")
    expect(screen.locator("#round")).to_contain_text("frozen")
    press(screen, "3")
    expect(screen.locator("#round")).to_contain_text("keys act on: Teams so far")
    expect(screen.locator("#screen")).to_contain_text("Aster")
    press(screen, " ")
    assert Stage.objects.get().running_since is None, "Space is the next step of what is on"
    press(screen, "q")
    press(screen, "q")
    assert Stage.objects.get().phase == "presentation"


def test_without_a_mouse_any_team_is_called_skipped_or_shown(visit, round, by):
    screen = visit("stage-screen")
    for key in "g2":
        screen.keyboard.press(key)
    expect(screen.locator("#notice")).to_contain_text("Team 2")
    press(screen, "n")
    expect(screen.locator("#screen")).to_contain_text("Birch")
    for key in "g1":
        screen.keyboard.press(key)
    press(screen, "Enter")
    expect(screen.locator(".scores-head")).to_contain_text("Aster")
    press(screen, "1")
    screen.keyboard.press("s")
    expect(screen.locator("#notice")).to_contain_text("again to skip")
    assert Stage.objects.get().current
    screen.wait_for_timeout(900)
    press(screen, "s")
    expect(screen.locator("#screen")).to_contain_text("We continue shortly")
    press(screen, "u")
    expect(screen.locator(".now")).to_contain_text("Birch")
    limit = Stage.objects.get().limit_s
    press(screen, "+")
    assert Stage.objects.get().limit_s == limit + 60
    press(screen, "-")
    assert Stage.objects.get().limit_s == limit
    for key in ("g", "9", "Enter"):
        screen.keyboard.press(key)
    expect(screen.locator("#notice")).to_contain_text("no team of this number")
    screen.keyboard.press("w")
    screen.wait_for_function("document.fullscreenElement !== null")
    screen.keyboard.press("w")
    screen.wait_for_function("document.fullscreenElement === null")
    # After the mouse, too, Space is the clock and not the button that was clicked.
    screen.mouse.move(100, 100)
    screen.locator("#language").click()
    expect(screen.locator("html")).to_have_attribute("lang", "zh-Hans")
    press(screen, " ")
    expect(screen.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert Stage.objects.get().running_since


SLEEP = """
const [now, Real] = [performance.now.bind(performance), Date];
window.shift = { clock: 0, sleep: 0 };
performance.now = () => now() - shift.sleep;
Date = class extends Real {
  constructor(...given) { given.length ? super(...given) : super(Real.now() + shift.clock); }
  static now() { return Real.now() + shift.clock; }
};
"""


def test_a_clock_that_is_set_and_a_device_that_slept(visit, round, by):
    stage.call_next(round, by)
    stage.start(round, by)
    pages = [visit(name, script=SLEEP) for name in ("stage-screen", "desk-roadshow")]

    def is_right(page):
        return abs(seconds(page) - stage.stage_of(round).remaining_s) < 3

    for page in pages:
        page.evaluate("shift.clock = -90000")  # set back: measured on by the other clock, at once
        page.wait_for_timeout(300)
        assert is_right(page)
        page.evaluate("shift.clock = 90000")  # set ahead: the server says
        page.wait_for_timeout(6500)
        assert is_right(page)
        page.evaluate("shift.sleep = 45000")  # the other clock stood still
        page.wait_for_timeout(6500)
        assert is_right(page)


def test_two_thousand_screens_do_not_ask_at_once(visit, round, by):
    stage.save_settings(round, by, presentation_s=480, questions_s=420, is_public=True)
    asked = []
    hall = visit("stage-screen", signed_in=False, script="Math.random = () => 0.6;")
    hall.on("request", lambda request: asked.append(request.url))
    hall.reload()
    hall.wait_for_timeout(2000)
    assert not [url for url in asked if url.endswith("/state/")], "each in its own of five seconds"
    hall.wait_for_timeout(3000)
    assert len([url for url in asked if url.endswith("/state/")]) == 1
