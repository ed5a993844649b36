"""The judge's sheet in a real browser: what was tapped arrives once, whatever the network does."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from contest.services.signin import make_link
from judging.models import Mark, RecordEntry, Scoresheet
from tests.conftest import TABLETS
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    set_status,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def stage():
    """A roadshow with two teams and one judge."""
    event = make_event()
    track = make_track(event)
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in (1, 2):
        make_participation(round, make_team(track), running_order=n)
    judge = make_judge(event)
    make_panel(round, [judge])
    return round, judge


def sign_in(context, live_server, judge):
    _link, token = make_link(judge.user, judge.event, by=None)
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse('sign-in-link', args=[token])}")
    page.locator("main button").click()
    page.wait_for_url("**/judge/")
    return page


def open_first_sheet(page, live_server, round, judge):
    assignment = judge.assignments.order_by("participation__running_order").first()
    page.goto(f"{live_server.url}{reverse('judge-sheet', args=[assignment.pk])}")
    return assignment


def tap(page, criterion: int, mark: str):
    page.locator(".criterion").nth(criterion).locator(f'[data-choice="{mark}"]').click()


def wait_saved(page):
    saved = page.locator("#sheet").get_attribute("data-saved")
    expect(page.locator("#sync")).to_have_text(saved, timeout=30000)


def wait_problem(page):
    expect(page.locator("#sync")).to_have_class(re.compile("waiting"), timeout=30000)


def marks_of(assignment):
    return [mark.value for mark in Mark.objects.filter(scoresheet__assignment=assignment)]


@pytest.mark.parametrize("orientation", TABLETS)
def test_a_judge_scores_and_submits(stage, live_server, open_context, orientation):
    round, judge = stage
    page = sign_in(open_context(*TABLETS[orientation], has_touch=True), live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('.choice, .stepper button, #open-submit')]"
        ".filter(b => b.getBoundingClientRect().height < 44).length"
    )
    assert small == 0, "targets for fingers"
    tap(page, 0, "8.00")
    tap(page, 1, "7.50")
    assert page.locator("#total").inner_text() == "–"
    tap(page, 2, "9.00")
    # 100 · (40·0.8 + 35·0.75 + 25·0.9) / 100
    assert page.locator("#total").inner_text() == "80.75"
    page.locator(".criterion").nth(2).locator("[data-up]").click()
    assert page.locator("#total").inner_text() == "82.00"
    page.locator("#comment").fill("清楚 and convincing")
    wait_saved(page)
    page.locator("#open-submit").click()
    assert page.locator("#submit-total").inner_text() == "82.00"
    page.locator("#confirm-submit").click()
    page.wait_for_url(f"**{reverse('judge-round', args=[round.slug])}")
    sheet = Scoresheet.objects.get(assignment=assignment)
    assert sheet.status == "submitted"
    assert sheet.comment == "清楚 and convincing"
    assert marks_of(assignment) == [Decimal("8.00"), Decimal("7.50"), Decimal("9.50")]
    assert "82.00" in page.locator("main").inner_text()


def test_marks_outlive_a_lost_network_and_a_reload(stage, live_server, open_context):
    round, judge = stage
    context = open_context(1024, 768)
    page = sign_in(context, live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    tap(page, 0, "6.00")
    wait_saved(page)
    context.set_offline(True)
    tap(page, 0, "6.50")
    tap(page, 1, "4.00")
    page.locator("#private_note").fill("ask about the data")
    wait_problem(page)
    assert marks_of(assignment) == [Decimal("6.00")]
    # With marks still on the tablet the sheet cannot be handed in.
    tap(page, 2, "5.00")
    page.locator("#open-submit").click()
    expect(page.locator("#confirm-submit")).to_be_disabled()
    page.locator("#cancel-submit").click()
    context.set_offline(False)
    page.reload()  # the page forgets, the tablet does not
    assert page.locator(".criterion").nth(1).locator(".mark").inner_text() == "4"
    wait_saved(page)
    assert marks_of(assignment) == [Decimal("6.50"), Decimal("4.00"), Decimal("5.00")]
    assert Scoresheet.objects.get(assignment=assignment).private_note == "ask about the data"
    # Every tap is on record once.
    assert RecordEntry.objects.filter(scoresheet__assignment=assignment).count() == 4


def test_an_answer_that_gets_lost_makes_no_second_mark(stage, live_server, open_context):
    round, judge = stage
    page = sign_in(open_context(1024, 768), live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    lost = []

    def lose_first(route):
        if lost:
            route.continue_()
            return
        route.fetch()  # the server has it, the tablet never hears of it
        lost.append(route.request.url)
        route.abort("connectionreset")

    page.route("**/marks/", lose_first)
    tap(page, 0, "3.50")
    wait_saved(page)
    assert lost
    revisions = RecordEntry.objects.filter(scoresheet__assignment=assignment)
    assert [revision.value for revision in revisions] == [Decimal("3.50")]


def test_a_busy_or_broken_server_is_asked_again(stage, live_server, open_context):
    round, judge = stage
    page = sign_in(open_context(1024, 768), live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    answers = [429, 503]

    def refuse(route):
        if answers:
            route.fulfill(status=answers.pop(0), body="{}")
        else:
            route.continue_()

    page.route("**/marks/", refuse)
    tap(page, 1, "7.00")
    wait_saved(page)
    assert answers == []
    assert marks_of(assignment) == [Decimal("7.00")]


def test_a_revoked_link_keeps_the_marks_on_the_tablet(stage, live_server, open_context):
    round, judge = stage
    page = sign_in(open_context(1024, 768), live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    judge.user.sign_in_links.update(revoked_at="2026-01-01T00:00:00Z")
    tap(page, 0, "9.00")
    wait_problem(page)
    assert "signed out" in page.locator("#sync").inner_text()
    assert marks_of(assignment) == []
    # A new link on the same tablet: what was tapped arrives.
    page = sign_in(page.context, live_server, judge)
    open_first_sheet(page, live_server, round, judge)
    wait_saved(page)
    assert marks_of(assignment) == [Decimal("9.00")]


def test_what_the_server_refuses_is_said(stage, live_server, open_context):
    round, judge = stage
    page = sign_in(open_context(1024, 768), live_server, judge)
    assignment = open_first_sheet(page, live_server, round, judge)
    tap(page, 0, "2.00")
    wait_saved(page)
    set_status(round, "closed")
    tap(page, 0, "10.00")
    page.locator("#refusal").wait_for(state="visible")
    assert "not open for scoring" in page.locator("#refusal").inner_text()
    assert page.locator(".criterion").first.locator(".mark").inner_text() == "2"
    assert marks_of(assignment) == [Decimal("2.00")]


def test_a_sheet_in_chinese(stage, live_server, open_context):
    round, judge = stage
    page = sign_in(open_context(768, 1024, locale="zh-CN"), live_server, judge)
    open_first_sheet(page, live_server, round, judge)
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.locator("header").get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_sheet_of_another_judge_is_not_there(stage, client):
    _round, judge = stage
    other = make_judge(judge.event)
    client = Client()
    client.force_login(other.user, backend="django.contrib.auth.backends.ModelBackend")
    assignment = judge.assignments.first()
    assert client.get(reverse("judge-sheet", args=[assignment.pk])).status_code == 404
