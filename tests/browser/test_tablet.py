"""The judge's tablet in a real browser: what one judge does, and what becomes of it."""

import contextlib
import json
import re
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Error, expect

from contest import live
from contest.services.rounds import close_round, open_round
from contest.services.signin import link_url, make_link
from judging.models import Mark, RecordEntry, Recusal, Scoresheet
from judging.services import reminders, stage, ties
from judging.services.scoresheets import return_sheet, submit_sheet
from judging.tablet_texts import TEXTS
from tests.browser.tablets import WAIT_MS, Hall, Tablet
from tests.conftest import TABLETS
from tests.factories import make_panel, make_participation, make_round, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CLEAR = """
() => new Promise((done, fail) => {
  const deleting = indexedDB.deleteDatabase("wuzhen-judge");
  deleting.onsuccess = done;
  deleting.onerror = fail;
})
"""


KEPT = """
() => new Promise((give) => {
  indexedDB.open("wuzhen-judge").onsuccess = ({ target: { result: db } }) => {
    db.transaction("kept").objectStore("kept").getAllKeys().onsuccess = ({ target }) => {
      db.close();
      give(target.result);
    };
  };
})
"""


def until(page, holds, seconds=10) -> None:
    """Wait for what no page shows."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        page.wait_for_timeout(50)


@pytest.fixture
def hall(site):
    return Hall()


@pytest.fixture
def tablet(site, hall, open_context):
    """The judge's tablet, signed in."""
    return Tablet(site, open_context(1024, 768, has_touch=True)).sign_in(hall.judge)


def marks_of(assignment) -> list[Decimal]:
    marks = Mark.objects.filter(scoresheet__assignment=assignment).order_by("criterion__ordinal")
    return [mark.value for mark in marks]


@pytest.mark.parametrize("orientation", TABLETS)
def test_a_judge_scores_and_submits(site, hall, open_context, orientation):
    context = open_context(*TABLETS[orientation], has_touch=True)
    tablet = Tablet(site, context).sign_in(hall.judge)
    first, second, _third = hall.assignments()
    idea, impact, original, bonus, penalty = hall.criteria
    page = tablet.page
    page.locator(f'[data-assignment="{first.pk}"]').click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('.choice span, .btn, .slide input, .sync')]"
        ".filter(b => b.offsetParent && b.getBoundingClientRect().height < 48).length"
    )
    assert small == 0, "targets for fingers"
    tablet.tap(idea, "8")
    tablet.type(impact, "75")
    assert tablet.total == "–"
    expect(page.locator(".bar .total")).to_contain_text("Missing: 1")
    tablet.tap(original, "1")
    assert tablet.total == "78.00"  # 60 · 8/10 + 40 · 75/100
    tablet.tap(bonus, "3")
    tablet.tap(penalty, "1")
    assert tablet.total == "80.00"
    tablet.criterion(idea).get_by_role("button", name="Higher: Idea").click()
    assert (tablet.mark(idea), tablet.total) == ("8.5", "83.00")
    tablet.criterion(idea).get_by_role("button", name="Lower: Idea").click()
    tablet.criterion(impact).locator("input[type=range]").fill("70")
    assert (tablet.mark(impact), tablet.total) == ("70", "78.00")
    page.get_by_role("button", name="Undo").click()
    assert (tablet.mark(impact), tablet.total) == ("75", "80.00")
    page.get_by_label("Comment to the team").fill("清楚 and convincing")
    page.get_by_label("Private note").fill("ask about the data")
    tablet.saved()
    expect(tablet.criterion(idea)).to_contain_text("on the server")
    page.get_by_role("button", name="Submit…").click()
    expect(page.locator("dialog .sum-line")).to_contain_text("80.00")
    page.locator("#confirm-submit").click()
    tablet.saved()
    expect(page.locator("main")).to_contain_text("This sheet was submitted")
    expect(tablet.criterion(idea).locator("input").first).to_be_disabled()
    sheet = Scoresheet.objects.get(assignment=first)
    assert sheet.status == "submitted"
    assert (sheet.comment, sheet.private_note) == ("清楚 and convincing", "ask about the data")
    assert marks_of(first) == [Decimal(n) for n in ("8", "75", "1", "3", "1")]
    assert tablet.state(first) == "submitted"
    # The next team, compared with the first.
    tablet.open(second).fill(hall, idea="9")
    expect(page.locator(".bar .total")).to_contain_text("Rank 1 of your 2 sheets")
    expect(page.locator(".own li")).to_have_count(2)
    tablet.saved()


def values(assignment) -> list[Decimal | None]:
    """The taps on a team's sheet, as the record has them."""
    entries = RecordEntry.objects.filter(scoresheet__assignment=assignment, kind="mark")
    return [entry.value for entry in entries.order_by("number")]


def sheet_of(assignment) -> Scoresheet:
    return Scoresheet.objects.get(assignment=assignment)


def second_device(site, hall, open_context) -> Tablet:
    return Tablet(site, open_context(768, 1024)).sign_in(hall.judge)


# --- Marking ---------------------------------------------------------------------------------


def test_a_sheet_is_marked_with_a_keyboard_alone(tablet, hall):
    page = tablet.page

    def tab_to(selector: str) -> None:
        for _n in range(90):
            page.keyboard.press("Tab")
            if page.evaluate("found => document.activeElement.matches(found)", selector):
                return
        raise AssertionError(f"no Tab leads to {selector}")

    first = hall.assignments()[0]
    idea, impact, original, *_more = (f'[data-criterion="{c.pk}"]' for c in hall.criteria)
    tab_to(f'[data-assignment="{first.pk}"]')
    page.keyboard.press("Enter")
    tab_to(f"{idea} input")
    page.keyboard.press("Space")
    for _n in range(4):
        page.keyboard.press("ArrowRight")
    assert tablet.mark(hall.criteria[0]) == "2"
    tab_to(f"{impact} input[type=range]")
    page.keyboard.press("ArrowRight")
    tab_to(f"{impact} input[type=text]")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("40,4")
    tab_to(f"{original} input")
    page.keyboard.press("Space")
    tab_to(".bar .btn-primary")
    page.keyboard.press("Enter")
    tab_to("#confirm-submit")
    page.keyboard.press("Enter")
    tablet.saved()
    assert sheet_of(first).status == "submitted"
    assert marks_of(first) == [Decimal(2), Decimal(40), Decimal(1)]


def test_what_was_marked_for_one_team_is_not_shown_for_another(tablet, hall):
    # lit-html would use a team's radio buttons again; see draw() in app.js.
    first, second, _third = hall.assignments()
    original = hall.criteria[2]
    tablet.open(first).tap(original, "0")
    tablet.open(second).tap(original, "1")
    for _n in range(2):
        for assignment, mark in ((first, "0"), (second, "1")):
            tablet.open(assignment)
            expect(tablet.criterion(original).locator("input:checked")).to_have_value(mark)
    tablet.saved()
    assert (marks_of(first), marks_of(second)) == ([Decimal(0)], [Decimal(1)])


def test_undo_goes_back_tap_by_tap(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    undo = tablet.page.get_by_role("button", name="Undo")
    tablet.open(first)
    expect(undo).to_be_disabled()
    tablet.tap(idea, "3")
    tablet.tap(idea, "4.5")
    undo.click()
    assert tablet.mark(idea) == "3"
    undo.click()
    assert tablet.mark(idea) == "–"
    expect(undo).to_be_disabled()
    tablet.saved()
    assert marks_of(first) == []
    assert values(first) == [Decimal(3), Decimal("4.5"), Decimal(3), None]


def test_the_dialog_names_what_is_missing_and_who_has_the_same_total(tablet, hall):
    first, second, _third = hall.assignments()
    page = tablet.page
    tablet.open(first).fill(hall)
    tablet.open(second).tap(hall.criteria[0], "8")
    page.get_by_role("button", name="Submit…").click()
    expect(page.locator("dialog")).to_contain_text("Marks are missing for: Impact, Original work")
    expect(page.locator("#confirm-submit")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    tablet.fill(hall)
    page.get_by_role("button", name="Submit…").click()
    same = f"You gave the same total to: {first.participation.team.name_en}"
    expect(page.locator("dialog")).to_contain_text(same)
    page.get_by_role("button", name="Back to the marks").click()
    tablet.saved()
    assert sheet_of(second).status == "draft"


def test_a_returned_sheet_says_why_and_is_handed_in_again(tablet, hall):
    first = hall.assignments()[0]
    tablet.open(first).fill(hall)
    tablet.submit()
    tablet.saved()
    return_sheet(sheet_of(first), hall.organizer, "Idea seems too low")
    expect(tablet.page.locator("main")).to_contain_text("Idea seems too low")
    tablet.tap(hall.criteria[0], "9")
    tablet.submit()
    tablet.saved()
    assert sheet_of(first).status == "submitted"
    assert values(first)[-1] == Decimal(9)
    kinds = RecordEntry.objects.filter(scoresheet__assignment=first).order_by("number")
    assert [entry.kind for entry in kinds][-4:] == ["submitted", "returned", "mark", "submitted"]


def test_a_conflict_of_interest_is_declared(tablet, hall):
    first = hall.assignments()[0]
    page = tablet.page
    tablet.open(first).tap(hall.criteria[0], "8")
    page.get_by_role("button", name="Conflict of interest…").click()
    page.get_by_label("Reason").fill("my student")
    page.get_by_role("button", name="Declare a conflict of interest").click()
    tablet.saved()
    expect(tablet.criterion(hall.criteria[0]).locator("input").first).to_be_disabled()
    assert Recusal.objects.get().reason == "my student"
    assert tablet.state(first) == "recused"
    expect(page.locator(".round-head")).to_contain_text("0 of 2 sheets submitted")


def test_the_list_says_where_each_sheet_stands(tablet, hall):
    first, second, _third = hall.assignments()
    idea = hall.criteria[0]
    assert tablet.state(first) == "none"
    with tablet.cut_off():
        tablet.open(first).tap(idea, "8")
        assert tablet.state(first) == "on_tablet"
    tablet.saved()
    assert tablet.state(first) == "saved"
    with tablet.cut_off():
        tablet.open(first).fill(hall)
        tablet.offline().submit()
        expect(tablet.page.locator("main")).to_contain_text("waits on this tablet")
        assert tablet.state(first) == "submitting"
        tablet.open(first).page.get_by_role("button", name="Take back").click()
        assert tablet.state(first) == "on_tablet"
        tablet.open(first).submit()
    tablet.saved()
    assert tablet.state(first) == "submitted"
    return_sheet(sheet_of(first), hall.organizer, "look again")
    expect(tablet.page.locator(".state-returned")).to_be_visible()
    # What the server does not accept.
    with tablet.cut_off():
        tablet.open(second).tap(idea, "8")
        close_round(hall.round, hall.organizer)
    expect(tablet.page.locator("[data-refused]")).to_be_visible(timeout=WAIT_MS)
    assert tablet.state(second) == "refused"


def test_the_chair_decides_a_tie(site, open_context):
    hall = Hall()
    hall.panel.chair = hall.judge
    hall.panel.save()
    tie = ties.ask(hall.panel, list(hall.round.participations.all()[:2]), hall.organizer)
    tablet = Tablet(site, open_context(1024, 768)).sign_in(hall.judge)
    form = tablet.page.locator(".tie")
    shown = [team.removesuffix(" ") for team in form.locator("strong").all_inner_texts()]
    form.get_by_role("button", name=f"Down: {shown[0]}").click()
    assert form.locator("strong").all_inner_texts() == shown[::-1]
    form.get_by_label("Reason").fill("the bolder one")
    form.get_by_role("button", name="Decide").click()
    expect(form).to_have_count(0)
    tablet.saved()
    tie.refresh_from_db()
    assert tie.status == "decided"
    ranked = tie.teams.order_by("place").select_related("participation__team")
    assert [row.participation.team.name_en for row in ranked] == shown[::-1]


def test_a_running_clock_stops_nothing_from_being_drawn(tablet, hall):
    first, second, _third = hall.assignments()
    stage.call(hall.round, hall.organizer, first.participation)
    stage.start(hall.round, hall.organizer)
    page = tablet.page
    tablet.open(first)
    clock = page.locator("#clock")
    expect(clock).to_have_text(re.compile(r"^\d+:\d\d$"), timeout=WAIT_MS)
    page.wait_for_timeout(2000)
    tablet.fill(hall)
    assert tablet.total == "78.00"
    page.get_by_role("button", name="Next team").click()
    expect(page.locator("h1")).to_have_text(second.participation.team.name_en)
    tablet.fill(hall, idea="9")
    tablet.submit()
    tablet.saved()
    expect(page.locator("main")).to_contain_text("This sheet was submitted")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    assert sheet_of(second).status == "submitted"


def test_of_a_closed_round_no_stage_is_shown(tablet, hall):
    first = hall.assignments()[0]
    stage.call(hall.round, hall.organizer, first.participation)
    line = tablet.page.locator(".stage-line")
    expect(line).to_contain_text("Now on stage", timeout=WAIT_MS)
    close_round(hall.round, hall.organizer)
    expect(line).to_have_count(0, timeout=WAIT_MS)


def test_a_new_running_order_arrives_with_the_draw(tablet, hall):
    rows = tablet.page.locator(".team strong")
    expect(rows).to_have_count(3)
    expect(tablet.sync).to_have_attribute("data-push", "live", timeout=WAIT_MS)
    order = [a.participation for a in hall.assignments()][::-1]
    stage.reorder(hall.round, hall.organizer, [p.pk for p in order])
    expect(rows).to_have_text([p.team.name_en for p in order], timeout=5000)


def test_a_round_that_opens_is_listened_to(site, open_context):
    hall = Hall()
    final = make_round(hall.track, format="roadshow", kind="final", status="draft")
    make_participation(final, make_team(hall.track))
    make_panel(final, [hall.judge], hall.panel.rubric)
    tablet = Tablet(site, open_context(1024, 768)).sign_in(hall.judge)
    page = tablet.page
    expect(tablet.sync).to_have_attribute("data-push", "live", timeout=WAIT_MS)
    expect(page.locator(".round")).to_have_count(1)
    streams = []
    page.on("request", lambda asked: "/live/?" in asked.url and streams.append(asked.url))
    open_round(final, hall.organizer)
    expect(page.locator(".round")).to_have_count(2, timeout=5000)
    # The stage of that round is heard, too, long before the tablet asks by itself.
    until(page, lambda: streams)
    expect(tablet.sync).to_have_attribute("data-push", "live", timeout=WAIT_MS)
    stage.call_next(final, hall.organizer)
    expect(page.locator(".stage-line")).to_contain_text("Now on stage", timeout=5000)


def test_a_reminder_is_shown_until_it_is_closed(tablet, hall):
    reminders.remind(hall.round, hall.judge, hall.organizer, "five minutes left")
    notice = tablet.page.locator(".notice", has_text="five minutes left")
    expect(notice).to_be_visible(timeout=WAIT_MS)
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_have_count(0)
    tablet.page.reload()
    expect(tablet.page.locator(".team")).to_have_count(3)
    expect(notice).to_have_count(0)


# --- The network, the server -----------------------------------------------------------------


def test_without_a_network_the_app_opens_and_goes_on(tablet, hall):
    first = hall.assignments()[0]
    idea, impact, *_more = hall.criteria
    page = tablet.ready_offline().page
    tablet.open(first).tap(idea, "6")
    tablet.saved()
    with tablet.cut_off():
        tablet.tap(idea, "6.5")
        tablet.type(impact, "44")
        page.get_by_label("Private note").fill("ask about the data")
        tablet.offline().stored()
        expect(tablet.sync).to_contain_text("3 kept on this tablet")
        page.reload()
        assert (tablet.mark(idea), tablet.mark(impact)) == ("6.5", "44")
        expect(page.get_by_label("Private note")).to_have_value("ask about the data")
        expect(tablet.criterion(idea)).to_contain_text("on this tablet")
        # The language, too, needs no network.
        page.get_by_role("button", name="中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        expect(page.locator("h1")).to_have_text(first.participation.team.name_zh)
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        page.get_by_role("button", name="English").click()
        assert values(first) == [Decimal(6)]
    tablet.saved()
    assert values(first) == [Decimal(6), Decimal("6.5"), Decimal(44)]
    assert sheet_of(first).private_note == "ask about the data"


def test_an_answer_that_gets_lost_makes_no_second_mark(tablet, hall):
    first = hall.assignments()[0]
    lost = []

    def lose_first(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)  # the server has it, the tablet never hears of it
        route.abort("connectionreset")

    tablet.page.route("**/outbox/", lose_first)
    tablet.open(first).tap(hall.criteria[0], "3.5")
    tablet.saved()
    assert lost == [200]
    assert values(first) == [Decimal("3.5")]


def test_a_busy_or_broken_server_is_asked_again(tablet, hall):
    first = hall.assignments()[0]
    answers = [429, 503]

    def refuse(route):
        if answers:
            route.fulfill(status=answers.pop(0), body="{}")
        else:
            route.continue_()

    tablet.page.route("**/outbox/", refuse)
    tablet.open(first).tap(hall.criteria[0], "7")
    tablet.saved()
    assert answers == []
    assert values(first) == [Decimal(7)]


def test_a_lost_cookie_of_the_form_protection_is_fetched_anew(tablet, hall):
    first = hall.assignments()[0]
    tablet.context.clear_cookies(name="csrftoken")
    tablet.open(first).tap(hall.criteria[0], "7")
    tablet.saved()
    assert values(first) == [Decimal(7)]


def test_a_clock_that_is_hours_off_changes_nothing(site, hall, open_context):
    context = open_context(1024, 768)
    context.add_init_script(
        """const Real = Date;
        const ahead = 5 * 3600 * 1000;
        Date = class extends Real {
          constructor(...given) {
            if (given.length) super(...given);
            else super(Real.now() + ahead);
          }
          static now() { return Real.now() + ahead; }
        };"""
    )
    tablet = Tablet(site, context).sign_in(hall.judge)
    first = hall.assignments()[0]
    stage.call(hall.round, hall.organizer, first.participation)
    started = stage.start(hall.round, hall.organizer)
    clock = tablet.page.locator("#clock")
    expect(clock).to_be_visible(timeout=WAIT_MS)
    minutes, seconds = clock.inner_text().split(":")
    left = 60 * int(minutes) + int(seconds)
    assert started.limit_s - 40 <= left <= started.limit_s
    tablet.open(first).tap(hall.criteria[0], "7")
    tablet.saved()
    entry = RecordEntry.objects.get(scoresheet__assignment=first)
    ahead = entry.device_at - entry.at
    assert timedelta(hours=4, minutes=58) < ahead <= timedelta(hours=5)


def test_a_message_on_its_way_does_not_move_the_clock_and_every_answer_does(
    site, hall, open_context
):
    context = open_context(1024, 768)
    context.add_init_script(
        """const Real = Date;
        window.ahead = 0;
        Date = class extends Real {
          constructor(...given) {
            if (given.length) super(...given);
            else super(Real.now() + window.ahead);
          }
          static now() { return Real.now() + window.ahead; }
        };"""
    )
    tablet = Tablet(site, context).sign_in(hall.judge)
    page = tablet.page
    expect(tablet.sync).to_have_attribute("data-push", "live", timeout=WAIT_MS)
    first = hall.assignments()[0]
    stage.call(hall.round, hall.organizer, first.participation)
    limit = stage.start(hall.round, hall.organizer).limit_s

    def left() -> int:
        minutes, seconds = page.locator("#clock").inner_text().split(":")
        return 60 * int(minutes) + int(seconds)

    page.wait_for_function("() => document.getElementById('clock')?.textContent.includes(':')")
    late = stage.describe(hall.round)
    ago = (timezone.now() - timedelta(minutes=1)).isoformat()
    late |= {"version": late["version"] + 1, "server_time": ago, "phase": "questions"}
    live.publish(live.channel("stage", hall.round.pk), {"stage": late})
    expect(page.locator(".stage-line")).to_contain_text("questions")
    page.wait_for_timeout(300)
    assert limit - 30 <= left() <= limit
    # The device's clock jumps; the next answer says that nothing changed, and what time it is.
    page.evaluate("window.ahead = 3600e3")
    return_to_server_state(page)
    page.wait_for_timeout(300)
    assert limit - 40 <= left() <= limit


def test_a_server_that_refuses_is_asked_ever_less_often(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    page = tablet.page
    tablet.open(first).saved()
    page.route("**/live/**", lambda route: route.abort())
    page.route("**/outbox/", lambda route: route.fulfill(status=503, body="{}"))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")  # the stream ends
    sent = posts(tablet)
    for n in range(24):
        tablet.tap(idea, "5" if n % 2 else "6")
        page.wait_for_timeout(250)
    # At once, after about 1 s and after about 3 s; the next is not due before 6 s.
    assert 2 <= len(sent) <= 4
    page.unroute("**/outbox/")
    page.evaluate("dispatchEvent(new Event('online'))")
    tablet.saved()
    assert len(values(first)) == 24


def test_a_question_of_the_browser_holds_nothing_up(site, hall, open_context):
    context = open_context(1024, 768)
    context.add_init_script(
        "if (window.StorageManager) {"
        "  StorageManager.prototype.persisted = async () => false;"
        "  StorageManager.prototype.persist = () => new Promise(() => {});"
        "}"
    )
    tablet = Tablet(site, context).sign_in(hall.judge).ready_offline()
    stage.call(hall.round, hall.organizer, hall.assignments()[0].participation)
    expect(tablet.page.locator("#clock")).to_contain_text(":", timeout=5000)
    expect(tablet.sync).to_have_attribute("data-push", "live")


def test_an_address_that_is_not_secure_is_told(site, hall, open_context):
    context = open_context(1024, 768)
    tablet = Tablet(site, context).sign_in(hall.judge)
    told = tablet.page.get_by_text("This address is not secure")
    expect(told).to_have_count(0)
    context.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    tablet.page.reload()
    expect(told).to_be_visible()


# --- The tablet's store ----------------------------------------------------------------------


def test_a_tap_while_the_store_is_read_stays_in_sight(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    tablet.open(first)
    # The next time the app reads its store after a tap, a finger is quicker than the answer.
    tablet.page.evaluate(
        """([selector, mark]) => {
          window.shown = [];
          new MutationObserver(() => {
            window.shown.push(document.querySelector(mark).textContent);
          }).observe(document.querySelector(mark), { characterData: true, subtree: true,
            childList: true });
          document.addEventListener("change", () => {
            const read = IDBObjectStore.prototype.getAll;
            IDBObjectStore.prototype.getAll = function (...given) {
              const asked = read.apply(this, given);
              IDBObjectStore.prototype.getAll = read;
              setTimeout(() => document.querySelector(selector).click());
              return asked;
            };
          }, { once: true, capture: true });
        }""",
        [f'[data-criterion="{idea.pk}"] {what}' for what in ('input[value="9"]', ".mark")],
    )
    tablet.tap(idea, "4")
    expect(tablet.criterion(idea).locator(".mark")).to_have_text("9")
    expect(tablet.criterion(idea)).to_contain_text("on the server")
    tablet.saved()
    assert tablet.page.evaluate("window.shown") == ["4", "9"], "it never fell back"
    assert values(first) == [Decimal(4), Decimal(9)]


def test_what_the_disk_does_not_take_is_said_and_keeps_its_order(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.page.evaluate(
            """() => {
              const add = IDBObjectStore.prototype.add;
              IDBObjectStore.prototype.add = function () {
                IDBObjectStore.prototype.add = add;
                throw new DOMException("full", "QuotaExceededError");
              };
            }"""
        )
        tablet.tap(idea, "5")
        warning = tablet.page.get_by_text("This tablet's store takes nothing")
        expect(warning).to_be_visible()
        expect(tablet.criterion(idea)).not_to_contain_text("on this tablet")
        tablet.tap(idea, "6")
        expect(warning).to_have_count(0)
        expect(tablet.criterion(idea)).to_contain_text("on this tablet")
        assert [operation["value"] for operation in tablet.outbox()] == ["5", "6"]
    tablet.saved()
    assert values(first) == [Decimal(5), Decimal(6)]


def posts(tablet) -> list:
    """The requests that carry operations, as they are sent."""
    sent = []
    tablet.page.on("request", lambda asked: "/outbox/" in asked.url and sent.append(asked))
    return sent


def test_a_disk_that_lets_things_go_but_takes_no_package_jams_nothing(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    page = tablet.page
    sent = posts(tablet)
    tablet.open(first)
    tablet.full("put")
    tablet.tap(idea, "5")
    tablet.saved()
    expect(tablet.criterion(idea)).to_contain_text("on the server")
    assert (len(sent), tablet.outbox()) == (1, [])
    expect(page.get_by_text("This tablet's store takes nothing")).to_have_count(0)
    return_to_server_state(page)
    assert tablet.mark(idea) == "5"
    assert values(first) == [Decimal(5)]


def return_to_server_state(page) -> None:
    """The app asks for the package anew, as when the network is back."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/v1/tablet/")):
        page.evaluate("dispatchEvent(new Event('online'))")


def test_a_disk_that_changes_nothing_at_all_jams_nothing(tablet, hall):
    first = hall.assignments()[0]
    idea, impact, *_more = hall.criteria
    page = tablet.page
    sent = posts(tablet)
    tablet.open(first)
    tablet.full("put", "delete")
    tablet.tap(idea, "5")
    tablet.saved()
    warning = page.get_by_text("This tablet's store takes nothing")
    expect(warning).to_be_visible()
    expect(tablet.criterion(idea)).to_contain_text("on the server")
    return_to_server_state(page)
    page.wait_for_timeout(1500)
    assert len(sent) == 1, "it is not sent for ever"
    assert len(tablet.outbox()) == 1
    tablet.full()
    tablet.type(impact, "44")
    tablet.saved()
    expect(warning).to_have_count(0)
    assert tablet.outbox() == []
    assert values(first) == [Decimal(5), Decimal(44)]


def test_after_a_store_that_failed_once_the_next_tap_is_kept(tablet, hall):
    first = hall.assignments()[0]
    page = tablet.page
    tablet.open(first)
    comment = page.get_by_label("Comment to the team")
    with tablet.cut_off():
        comment.fill("one")
        tablet.stored()
        page.evaluate(
            """() => {
              const read = IDBObjectStore.prototype.getAll;
              IDBObjectStore.prototype.getAll = function () {
                IDBObjectStore.prototype.getAll = read;
                throw new DOMException("lost", "UnknownError");
              };
            }"""
        )
        comment.fill("one and two")
        tablet.stored()
        tablet.tap(hall.criteria[0], "7")
        tablet.stored()
    tablet.saved()
    assert values(first) == [Decimal(7)]
    assert sheet_of(first).comment == "one and two"


def test_what_lives_in_the_page_alone_is_not_left_by_accident(tablet, hall, tmp_path):
    first = hall.assignments()[0]
    page = tablet.page
    tablet.open(first)
    tablet.full("add")
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "5")
        tablet.stored()
        asked = []
        page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.close(run_before_unload=True)
        page.wait_for_timeout(300)
        assert asked == ["beforeunload"]
        page.get_by_role("link", name="This tablet", exact=True).click()
        page.get_by_role("button", name="Sign out").click()
        told = page.get_by_role("dialog")
        expect(told).to_contain_text("1 changes live in this page alone")
        with page.expect_download() as download:
            told.get_by_role("button", name="Save as a file").click()
        download.value.save_as(tmp_path / "kept.json")
        told.get_by_role("button", name="Close").click()
        hall.judge.user.sign_in_links.update(revoked_at=timezone.now())
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert [operation["value"] for operation in kept["operations"]] == ["5"]
    # Who has to sign in anew can do so where they are.
    expect(tablet.sync).to_have_attribute("data-link", "signed_out", timeout=WAIT_MS)
    _link, token = make_link(hall.judge.user, hall.event, by=None)
    page.get_by_label("Link or code").fill(link_url(token))
    page.get_by_role("button", name="Sign in", exact=True).click()
    tablet.saved()
    assert values(first) == [Decimal(5)]


def test_a_sheet_that_no_disk_took_is_taken_back(tablet, hall):
    first = hall.assignments()[0]
    page = tablet.page
    tablet.open(first).fill(hall)
    tablet.saved()
    tablet.full("add")
    with tablet.cut_off():
        tablet.offline().submit()
        page.get_by_role("button", name="Take back").click()
        expect(page.get_by_role("button", name="Submit…")).to_be_visible()
    tablet.saved()
    assert sheet_of(first).status == "draft"


def test_a_store_that_does_not_open_is_not_taken_for_cleared(tablet, hall):
    first = hall.assignments()[0]
    tablet.open(first)
    context = tablet.context
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "5")
        tablet.stored()
        tablet.page.close()
    closed = context.new_page()
    closed.add_init_script(
        "indexedDB.open = () => { throw new DOMException('no', 'UnknownError'); }"
    )
    closed.goto(tablet.url)
    expect(closed.locator("#sync")).to_have_attribute("data-link", "online", timeout=WAIT_MS)
    expect(closed.get_by_text("This tablet's store takes nothing")).to_be_visible()
    expect(closed.get_by_text("cleared this tablet's store")).to_have_count(0)
    closed.close()
    tablet.again()
    tablet.saved()
    assert values(first) == [Decimal(5)]


def test_a_package_of_an_older_app_is_not_drawn(tablet, hall):
    tablet.ready_offline().saved()
    page = tablet.page
    page.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("wuzhen-judge").onsuccess = ({ target: { result: db } }) => {
            const kept = db.transaction("kept", "readwrite").objectStore("kept");
            kept.openCursor().onsuccess = ({ target: { result: cursor } }) => {
              if (!cursor) { db.close(); done(); return; }
              if (String(cursor.key).startsWith("package-")) {
                cursor.update({ package: { format: 1, rounds: [{}] }, etag: "old" });
              }
              cursor.continue();
            };
          };
        })"""
    )
    with tablet.cut_off():
        page.reload()
        expect(page.locator("main")).to_contain_text("needs a connection once")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".team")).to_have_count(3)


def test_a_store_that_is_cleared_under_the_open_page_loses_nothing(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.tap(idea, "5")
        tablet.stored()
        tablet.page.evaluate(CLEAR)
        expect(tablet.page.get_by_text("This tablet's store takes nothing")).to_be_visible()
        tablet.tap(idea, "6")
    tablet.saved()
    assert values(first) == [Decimal(5), Decimal(6)]
    tablet.page.reload()
    expect(tablet.criterion(idea).locator(".mark")).to_have_text("6")


def test_a_store_that_is_cleared_meanwhile_is_noticed(site, tablet, hall):
    first = hall.assignments()[0]
    tablet.context.route("**/outbox/", lambda route: route.abort())
    tablet.open(first).tap(hall.criteria[0], "5")
    tablet.stored()
    tablet.page.goto(f"{site.url}/healthz")
    tablet.page.evaluate(CLEAR)
    tablet.context.unroute("**/outbox/")
    tablet.go_home()
    expect(tablet.page.get_by_role("alert")).to_contain_text("1 changes had not reached the server")
    tablet.saved()
    assert tablet.state(first) == "none"


def test_two_tabs_of_one_browser_are_one_tablet(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    other = Tablet(tablet.site, tablet.context).go_home()
    tablet.open(first)
    other.open(first)
    tablet.tap(idea, "5")
    expect(other.criterion(idea).locator(".mark")).to_have_text("5")
    other.tap(idea, "6")
    expect(tablet.criterion(idea).locator(".mark")).to_have_text("6")
    with tablet.cut_off():
        tablet.tap(idea, "7")
        expect(other.criterion(idea).locator(".mark")).to_have_text("7")
        other.tap(idea, "8")
        other.stored()
    tablet.saved()
    other.saved()
    assert values(first) == [Decimal(n) for n in (5, 6, 7, 8)]
    assert RecordEntry.objects.filter(kind="mark").values("device").distinct().count() == 1


def test_a_tab_that_fell_asleep_while_sending_does_not_hold_up_the_others(tablet, hall):
    first = hall.assignments()[0]
    other = Tablet(tablet.site, tablet.context).go_home()
    tablet.saved()
    other.page.evaluate(
        """() => new Promise((held) => {
          navigator.locks.request("wuzhen-outbox", () => {
            held();
            return new Promise(() => {});
          }).catch(() => {});
        })"""
    )
    tablet.page.clock.install()
    tablet.open(first).tap(hall.criteria[0], "5")
    tablet.stored()
    assert values(first) == []
    for _n in range(40):
        tablet.page.clock.run_for(1000)
    tablet.page.clock.resume()
    tablet.saved()
    assert values(first) == [Decimal(5)]


def test_a_new_version_is_harmless_offline_and_offered_online(tablet, hall, monkeypatch):
    first = hall.assignments()[0]
    page = tablet.ready_offline().page
    home = page.locator("header .home")
    monkeypatch.setitem(TEXTS, "home", "All the teams")
    with tablet.cut_off():
        tablet.open(first).tap(hall.criteria[0], "8")
        tablet.stored()
        page.reload()
        expect(home).to_contain_text("Teams")
        assert tablet.mark(hall.criteria[0]) == "8"
    page.reload()
    expect(home).to_contain_text("Teams")
    offer = page.get_by_role("button", name="Use it")
    expect(offer).to_be_visible(timeout=WAIT_MS)
    offer.click()
    expect(home).to_contain_text("All the teams")
    tablet.saved()
    assert values(first) == [Decimal(8)]


def test_a_new_version_is_offered_in_the_very_first_session(tablet, hall, monkeypatch):
    page = tablet.ready_offline().page
    page.wait_for_function("() => navigator.serviceWorker.controller")
    monkeypatch.setitem(TEXTS, "home", "All the teams")
    page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
    page.get_by_role("button", name="Use it").click(timeout=WAIT_MS)
    expect(page.locator("header .home")).to_contain_text("All the teams")


# --- Two tablets, two judges -----------------------------------------------------------------


@pytest.mark.parametrize("choice", ["Keep the one from here", "Take the other"])
def test_two_tablets_differ_and_the_judge_decides(site, tablet, hall, open_context, choice):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    other = second_device(site, hall, open_context)
    other.open(first)
    tablet.open(first)
    with other.cut_off():
        other.tap(idea, "2")
        other.tap(idea, "3")
        other.page.get_by_label("Comment to the team").fill("from the second")
        other.offline()
        tablet.tap(idea, "9")
        tablet.page.get_by_label("Comment to the team").fill("from the first")
        tablet.saved()
    conflicts = other.page.locator(".conflict")
    expect(conflicts).to_have_count(2, timeout=WAIT_MS)
    expect(conflicts.first).to_contain_text("Here: 3")
    expect(conflicts.first).to_contain_text("On the other tablet: 9")
    expect(other.criterion(idea).locator(".mark")).to_have_text("9")
    assert other.state(first) == "conflict"
    other.open(first)
    for left in (1, 0):
        conflicts.first.get_by_role("button", name=choice).click()
        expect(conflicts).to_have_count(left)
    other.saved()
    mine = choice.startswith("Keep")
    wanted = "3" if mine else "9"
    for each in (other, tablet):
        expect(each.criterion(idea).locator(".mark")).to_have_text(wanted)
    assert values(first) == [Decimal(9), Decimal(3)][: 1 + mine]
    assert sheet_of(first).comment == ("from the second" if mine else "from the first")
    assert other.outbox() == []


def test_a_sheet_that_changed_on_the_other_tablet_is_not_handed_in(
    site, tablet, hall, open_context
):
    first = hall.assignments()[0]
    tablet.open(first).fill(hall)
    tablet.saved()
    other = second_device(site, hall, open_context).open(first)
    with other.cut_off():
        other.offline().submit()
        tablet.tap(hall.criteria[0], "3")
        tablet.saved()
    notice = other.page.get_by_role("alert")
    expect(notice).to_contain_text("Marks of this sheet were changed", timeout=WAIT_MS)
    assert sheet_of(first).status == "draft"
    notice.get_by_role("button", name="Understood").click()
    expect(other.criterion(hall.criteria[0]).locator(".mark")).to_have_text("3")
    other.submit()
    other.saved()
    assert sheet_of(first).status == "submitted"


def test_a_sheet_handed_in_elsewhere_with_other_marks_is_told(site, tablet, hall, open_context):
    first = hall.assignments()[0]
    tablet.open(first).fill(hall)
    tablet.saved()
    other = second_device(site, hall, open_context).open(first)
    with other.cut_off():
        other.offline().submit()
        tablet.tap(hall.criteria[0], "3")
        tablet.submit()
        tablet.saved()
    notice = other.page.get_by_role("alert")
    expect(notice).to_contain_text("handed in on another tablet, with other marks", timeout=WAIT_MS)
    notice.get_by_role("button", name="Understood").click()
    expect(other.criterion(hall.criteria[0]).locator(".mark")).to_have_text("3")
    assert other.state(first) == "submitted"


def test_a_sheet_handed_in_before_its_return_stays_with_the_judge(site, tablet, hall, open_context):
    first = hall.assignments()[0]
    tablet.open(first).fill(hall)
    tablet.saved()
    other = second_device(site, hall, open_context).open(first)
    with other.cut_off():
        other.offline().submit()
        tablet.submit()
        tablet.saved()
        return_sheet(sheet_of(first), hall.organizer, "look again")
    notice = other.page.get_by_role("alert")
    expect(notice).to_contain_text("The organizers returned this sheet after", timeout=WAIT_MS)
    assert sheet_of(first).status == "returned"
    notice.get_by_role("button", name="Understood").click()
    other.submit()
    other.saved()
    assert sheet_of(first).status == "submitted"


def test_what_was_sent_cannot_be_taken_back(tablet, hall):
    first = hall.assignments()[0]
    page = tablet.ready_offline().page
    tablet.open(first).fill(hall)
    tablet.saved()

    def lose(route):
        with contextlib.suppress(Error):  # the app may have given up by then
            route.fetch()
            route.abort("connectionreset")

    tablet.context.route("**/outbox/", lose)
    tablet.submit()
    back = page.get_by_role("button", name="Take back")
    until(page, lambda: sheet_of(first).status == "submitted")
    expect(back).to_have_count(0)
    with tablet.cut_off():
        page.reload()
        expect(page.locator(".bar .state-submitting")).to_be_visible()
        expect(back).to_have_count(0)
        tablet.context.unroute("**/outbox/")
    tablet.saved()
    assert RecordEntry.objects.filter(kind="submitted").count() == 1


def test_a_refusal_names_its_team_and_shows_what_was_written(tablet, hall):
    first = hall.assignments()[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.page.get_by_label("Comment to the team").fill("clear and bold")
        tablet.tap(hall.criteria[0], "2")
        tablet.stored()
        first.delete()
    tablet.page.locator("header .home").click()
    refused = tablet.page.locator("[data-refused]")
    expect(refused).to_have_count(2, timeout=WAIT_MS)
    name = first.participation.team.name_en
    expect(refused.nth(0)).to_contain_text(f"{name} · Comment to the team")
    expect(refused.nth(0)).to_contain_text("clear and bold")
    expect(refused.nth(1)).to_contain_text(f"{name} · Idea")


def test_what_the_server_refuses_is_kept_and_sent_again(site, tablet, hall, open_context):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    tablet.open(first).fill(hall)
    tablet.saved()
    with tablet.cut_off():
        tablet.tap(idea, "2")
        tablet.offline()
        submit_sheet(sheet_of(first), hall.judge.user)  # as another tablet would
    refused = tablet.page.locator("[data-refused]")
    expect(refused).to_contain_text("This sheet was submitted", timeout=WAIT_MS)
    expect(tablet.criterion(idea).locator(".mark")).to_have_text("8")
    refused.get_by_role("button", name="Send again").click()
    expect(refused).to_contain_text("This sheet was submitted")
    tablet.page.reload()
    expect(refused).to_be_visible()
    return_sheet(sheet_of(first), hall.organizer, "as you asked")
    expect(tablet.page.locator("main")).to_contain_text("as you asked")
    refused.get_by_role("button", name="Send again").click()
    expect(refused).to_have_count(0)
    tablet.saved()
    expect(tablet.criterion(idea).locator(".mark")).to_have_text("2")
    assert values(first)[-1] == Decimal(2)
    assert tablet.outbox() == []


def test_what_the_server_refuses_can_be_discarded(tablet, hall):
    first = hall.assignments()[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "2")
        close_round(hall.round, hall.organizer)
    refused = tablet.page.locator("[data-refused]")
    expect(refused).to_be_visible(timeout=WAIT_MS)
    tablet.page.once("dialog", lambda dialog: dialog.accept())
    refused.get_by_role("button", name="Discard").click()
    expect(refused).to_have_count(0)
    assert tablet.outbox() == []


def test_after_a_revoked_link_a_new_one_sends_what_was_kept(tablet, hall):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.tap(idea, "9")
        hall.judge.user.sign_in_links.update(revoked_at=timezone.now())
    expect(tablet.sync).to_have_attribute("data-link", "signed_out", timeout=WAIT_MS)
    expect(tablet.sync).to_contain_text("Signed out: 1 kept on this tablet")
    tablet.tap(idea, "9.5")  # the judge can go on
    tablet.stored()
    assert not RecordEntry.objects.exists()
    _link, token = make_link(hall.judge.user, hall.event, by=None)
    tablet.page.get_by_label("Link or code").fill(link_url(token))
    tablet.page.get_by_role("button", name="Sign in", exact=True).click()
    tablet.saved()
    assert values(first) == [Decimal(9), Decimal("9.5")]


def test_what_one_judge_left_is_not_sent_as_anothers(site, open_context):
    hall = Hall(judges=2)
    one, two = hall.judges
    tablet = Tablet(site, open_context(1024, 768)).sign_in(one)
    first = hall.assignments(one)[0]
    tablet.open(first)
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "1")
        one.user.sign_in_links.update(revoked_at=timezone.now())
    expect(tablet.sync).to_have_attribute("data-link", "signed_out", timeout=WAIT_MS)
    tablet.sign_in(two)
    expect(tablet.sync).to_have_attribute("data-waiting", "0")
    theirs = hall.assignments(two)[0]
    tablet.open(theirs)
    assert tablet.mark(hall.criteria[0]) == "–"
    tablet.tap(hall.criteria[0], "10")
    tablet.saved()
    tablet.page.get_by_role("link", name="This tablet", exact=True).click()
    expect(tablet.page.locator("main")).to_contain_text("1 changes of another judge wait")
    assert (values(first), values(theirs)) == ([], [Decimal(10)])
    expect(tablet.page.locator("header .judge")).to_contain_text(two.name)
    kept = tablet.page.evaluate(KEPT)
    assert [key for key in kept if key.startswith("package-")] == [f"package-{two.pk}"]
    with tablet.page.expect_download() as download:
        tablet.page.get_by_role("button", name="Save as a file").click()
    assert json.loads(download.value.path().read_text())["operations"] == []
    # Two hands the tablet back.
    tablet.page.get_by_role("button", name="Sign out").click()
    expect(tablet.page.get_by_label("Link or code")).to_be_visible()
    assert not tablet.page.get_by_text(theirs.participation.team.name_en).count()
    # With nobody signed in, what was left can still be saved.
    with tablet.page.expect_download() as download:
        tablet.page.get_by_role("button", name="Save as a file").click()
    left = json.loads(download.value.path().read_text())
    assert [(o["judge"], o["value"]) for o in left["operations"]] == [(one.pk, "1")]
    tablet.sign_in(one).saved()
    assert (values(first), values(theirs)) == ([Decimal(1)], [Decimal(10)])
    assert tablet.outbox() == []


def test_an_outbox_travels_as_a_file(site, tablet, hall, open_context, tmp_path):
    first = hall.assignments()[0]
    idea, impact, *_more = hall.criteria
    other = second_device(site, hall, open_context)
    with tablet.cut_off():
        tablet.open(first).tap(idea, "7")
        tablet.type(impact, "70")
        tablet.stored().page.get_by_role("link", name="This tablet", exact=True).click()
        with tablet.page.expect_download() as download:
            tablet.page.get_by_role("button", name="Save as a file").click()
        file = tmp_path / "outbox.json"
        download.value.save_as(file)
        other.page.get_by_role("link", name="This tablet", exact=True).click()
        pick = other.page.locator("input[type=file]")
        pick.set_input_files(file)
        expect(other.page.locator("main")).to_contain_text("2 changes were read in.")
        other.saved()
        assert values(first) == [Decimal(7), Decimal(70)]
        nonsense = tmp_path / "other.json"
        nonsense.write_text("{}")
        pick.set_input_files(nonsense)
        expect(other.page.locator("main")).to_contain_text("not a file that a tablet saved")
    # The first tablet sends them, too; they are the same taps.
    tablet.saved()
    assert values(first) == [Decimal(7), Decimal(70)]


def test_a_file_of_older_marks_does_not_overwrite_newer_ones(
    site, tablet, hall, open_context, tmp_path
):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    other = second_device(site, hall, open_context).open(first)
    with tablet.cut_off():
        tablet.open(first).tap(idea, "7")
        tablet.stored().page.get_by_role("link", name="This tablet", exact=True).click()
        with tablet.page.expect_download() as download:
            tablet.page.get_by_role("button", name="Save as a file").click()
        file = tmp_path / "outbox.json"
        download.value.save_as(file)
        other.tap(idea, "9")
        other.saved().page.get_by_role("link", name="This tablet", exact=True).click()
        other.page.locator("input[type=file]").set_input_files(file)
        expect(other.page.locator("main")).to_contain_text("1 changes were read in.")
    expect(other.sync).to_contain_text("1 need your decision", timeout=WAIT_MS)
    assert values(first) == [Decimal(9)]


def test_a_file_that_is_older_than_what_the_same_tablet_sent_asks(
    site, tablet, hall, open_context, tmp_path
):
    first = hall.assignments()[0]
    idea = hall.criteria[0]
    page = tablet.ready_offline().page
    with tablet.cut_off():
        tablet.open(first).tap(idea, "7")
        tablet.stored().page.get_by_role("link", name="This tablet", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as a file").click()
        file = tmp_path / "outbox.json"
        download.value.save_as(file)
        # The tap never arrives from here: the judge goes on after the browser lost it.
        page.evaluate(CLEAR)
        page.reload()
    tablet.saved().open(first).tap(idea, "9")
    tablet.saved()
    other = second_device(site, hall, open_context)
    other.page.get_by_role("link", name="This tablet", exact=True).click()
    content = json.loads(file.read_text())
    content["device"] = RecordEntry.objects.get(kind="mark").device  # as if it had kept its name
    file.write_text(json.dumps(content))
    other.page.locator("input[type=file]").set_input_files(file)
    expect(other.sync).to_contain_text("1 need your decision", timeout=WAIT_MS)
    assert values(first) == [Decimal(9)]


def test_the_app_installed_beside_the_browser_signs_in_by_a_code(site, tablet, hall, open_context):
    tablet.page.get_by_role("link", name="This tablet", exact=True).click()
    tablet.page.get_by_role("button", name="Show a code").click()
    code = tablet.page.locator(".code").inner_text()
    app = Tablet(site, open_context(768, 1024)).go_home()  # shares nothing with the browser
    app.page.get_by_label("Link or code").fill("WRNG-CDEX")
    sign_in = app.page.get_by_role("button", name="Sign in", exact=True)
    sign_in.click()
    expect(app.page.get_by_role("alert")).to_contain_text("is not right")
    app.page.get_by_label("Link or code").fill(code.lower())
    sign_in.click()
    expect(app.page.locator(".team")).to_have_count(3)
    expect(app.page.locator("header .judge")).to_contain_text(hall.judge.name)
    third = Tablet(site, open_context(768, 1024)).go_home()
    third.page.get_by_label("Link or code").fill(code)
    third.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(third.page.get_by_role("alert")).to_contain_text("was used")
    app.open(hall.assignments()[0]).tap(hall.criteria[0], "7")
    app.saved()


# --- By keyboard and by ear ------------------------------------------------------------------


FOCUS = "() => document.activeElement.textContent.trim()"


def test_the_focus_goes_where_the_judge_goes(tablet, hall):
    first, second, _third = hall.assignments()
    page = tablet.page
    page.locator(f'[data-assignment="{first.pk}"]').press("Enter")
    expect(page.locator("h1")).to_be_focused()
    assert page.evaluate(FOCUS) == first.participation.team.name_en
    page.get_by_role("button", name="Next team").press("Enter")
    expect(page.locator("h1")).to_be_focused()
    assert page.evaluate(FOCUS) == second.participation.team.name_en
    page.get_by_role("link", name="This tablet", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="This tablet")).to_be_focused()


def test_a_dialog_gives_the_focus_back(tablet, hall):
    page = tablet.page
    tablet.open(hall.assignments()[0]).fill(hall)
    tablet.saved()
    submit = page.get_by_role("button", name="Submit…")
    recuse = page.get_by_role("button", name="Conflict of interest…")
    for opener, close in (
        (submit, lambda: page.keyboard.press("Escape")),
        (submit, lambda: page.get_by_role("button", name="Back to the marks").press("Enter")),
        (recuse, lambda: page.get_by_role("button", name="Cancel").press("Enter")),
    ):
        opener.press("Enter")
        expect(page.locator("dialog")).to_be_visible()
        close()
        expect(page.locator("dialog")).to_have_count(0)
        expect(opener).to_be_focused()
    submit.press("Enter")
    page.locator("#confirm-submit").press("Enter")
    tablet.saved()
    expect(page.locator("h1")).to_be_focused()  # the button is no more


def test_a_dialog_opened_at_once_after_another_stays_open(tablet, hall):
    """The browser tells that the first was closed when the second is open already."""
    page = tablet.page
    tablet.open(hall.assignments()[0]).fill(hall)
    tablet.saved()
    page.get_by_role("button", name="Submit…").click()
    is_open = page.evaluate("""async () => {
      const named = (text) =>
        [...document.querySelectorAll("button")].find((b) => b.textContent.includes(text));
      const closed = new Promise((done) =>
        document.querySelector("dialog").addEventListener("close", () => setTimeout(done)));
      named("Back to the marks").click();
      named("Submit…").click();
      await closed;
      return document.querySelector("dialog")?.open ?? false;
    }""")
    assert is_open
