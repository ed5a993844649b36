"""Pages are told what changed; whatever becomes of the stream, they come to show it."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contest.services.rounds import close_round, publish_round, unpublish_round
from contest.services.signin import make_link
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.services import advancement as services
from leaderboard.services import standings
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
# Less than what any page waits before it asks by itself.
AT_ONCE_MS = 4000


class Hall:
    """A roadshow with two teams and one judge, and an organizer to watch it."""

    def __init__(self):
        self.organizer = make_user()
        self.event = make_event(self.organizer)
        track = make_track(self.event)
        self.round = make_round(track, format="roadshow", kind="semifinal")
        for n in (1, 2):
            make_participation(self.round, make_team(track), running_order=n)
        self.judge = make_judge(self.event)
        panel = make_panel(self.round, [self.judge])
        self.criteria = list(panel.rubric.criteria.all())
        self._sheets = [open_sheet(assignment) for assignment in self.judge.assignments.all()]

    def submit(self) -> None:
        """The judge fills the next sheet and hands it in."""
        sheet = self._sheets.pop()
        for criterion in self.criteria:
            key = f"{sheet.pk}-{criterion.pk}"
            save_mark(sheet, criterion, Decimal(7), sent=Sent(key), by=self.judge.user)
        submit_sheet(sheet, self.judge.user)

    @property
    def grid(self) -> str:
        return reverse("desk-grid", args=[self.event.slug, self.round.slug])


@pytest.fixture
def hall():
    return Hall()


@pytest.fixture
def desk(site, hall, open_context):
    """The organizer's browser, signed in."""
    context = open_context()
    _link, token = make_link(hall.organizer, hall.event, by=None)
    page = context.new_page()
    page.goto(f"{site.url}{reverse('sign-in-link', args=[token])}")
    page.locator("main button").click()
    page.wait_for_url(lambda url: "/in/" not in url)
    return context


def state(page, name: str, seconds=15):
    expect(page.locator("body")).to_have_attribute("data-live-state", name, timeout=seconds * 1000)


def watch(site, desk, hall, name="live"):
    page = desk.new_page()
    page.goto(f"{site.url}{hall.grid}")
    expect(page.locator("#grid")).to_contain_text("0 of 2")
    state(page, name)
    return page


def test_the_grid_follows_the_judges(site, desk, hall):
    page = watch(site, desk, hall)
    for n in (1, 2):
        hall.submit()
        expect(page.locator("#grid")).to_contain_text(f"{n} of 2", timeout=AT_ONCE_MS)


def test_a_restarted_server_is_found_again(site, desk, hall):
    page = watch(site, desk, hall)
    site.stop()
    state(page, "polling")
    hall.submit()
    site.start()
    state(page, "live", 30)
    expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=AT_ONCE_MS)
    hall.submit()
    expect(page.locator("#grid")).to_contain_text("2 of 2", timeout=AT_ONCE_MS)


def test_where_no_stream_comes_through_the_page_polls(site, desk, hall):
    desk.route("**/live/**", lambda route: route.abort())
    page = watch(site, desk, hall, "polling")
    hall.submit()
    expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=12000)
    desk.unroute("**/live/**")
    state(page, "live", 45)
    hall.submit()
    expect(page.locator("#grid")).to_contain_text("2 of 2", timeout=AT_ONCE_MS)


def test_a_stream_that_says_nothing_is_given_up_and_opened_anew(site, desk, hall):
    page = desk.new_page()
    page.clock.install()
    page.goto(f"{site.url}{hall.grid}")
    state(page, "live")
    page.clock.fast_forward(45_000)
    state(page, "polling", 5)
    state(page, "live")
    hall.submit()
    expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=AT_ONCE_MS)


def test_an_old_ticket_is_exchanged_for_a_fresh_one(site, desk, hall):
    def with_old_ticket(route):
        answer = route.fetch()
        body = re.sub(r"\?ticket=[^\"]+", "?ticket=old", answer.text())
        route.fulfill(response=answer, body=body)

    desk.route(f"**{hall.grid}", with_old_ticket, times=1)
    page = watch(site, desk, hall, "polling")
    state(page, "live", 30)
    hall.submit()
    expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=AT_ONCE_MS)


def test_many_pages_of_one_browser_leave_it_room_to_work(site, desk, hall):
    pages = [watch(site, desk, hall) for _n in range(4)]
    more = [watch(site, desk, hall, "polling") for _n in range(3)]
    hall.submit()
    for page in pages:
        expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=AT_ONCE_MS)
    for page in more:
        expect(page.locator("#grid")).to_contain_text("1 of 2", timeout=12000)
    for page in pages:
        page.close()
    state(more[0], "live", 45)


def test_leaderboards_are_told_what_the_public_may_see(site, hall, open_context):
    hall.submit()
    hall.submit()
    close_round(hall.round, hall.organizer)
    page = open_context(390, 844).new_page()
    page.goto(f"{site.url}{reverse('leaderboard', args=[hall.event.slug, hall.round.slug])}")
    state(page, "live")
    board = page.locator("#board")
    expect(board).to_contain_text("There are no scores yet")
    standings.refresh(hall.round)
    services.sign_off(services.propose(hall.round, hall.organizer), hall.organizer)
    hall.round.refresh_from_db()
    publish_round(hall.round, hall.organizer)
    # Not before a cache on the way may have what is new, and not all browsers in the same moment.
    soon = 2200 + 3000 + AT_ONCE_MS
    expect(board.locator("tbody tr")).to_have_count(2, timeout=soon)
    unpublish_round(hall.round, hall.organizer, "a mistake")
    expect(board).to_contain_text("There are no scores yet", timeout=soon)
