"""An organizer corrects the reference, tries it, sees who moves, and puts it in force; the team
chooses what counts. Both in Chromium, on a tablet."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contest.models import EventRole
from contest.services.signin import make_link
from judging.services import runs
from tests.factories import make_participation, make_team, make_user
from tests.scoring.test_scoring import (  # noqa: F401
    GOOD,
    REFERENCE,
    RIGHT,
    _no_broker,
    benchmark,
    captain,
    csv,
    participation,
    score,
    submit,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHIFTED = csv({key: str((int(value) + 1) % 3) for key, value in RIGHT.items()})


def sign_in(page, live_server, user, event) -> None:
    _link, token = make_link(user, event, by=None)
    page.goto(f"{live_server.url}{reverse('sign-in-link', args=[token])}")
    page.locator("main button").click()
    page.wait_for_url(f"{live_server.url}/**")


def test_a_corrected_reference_is_tried_and_put_in_force(
    live_server,
    open_context,
    participation,  # noqa: F811
):
    round = participation.round
    organizer = make_user()
    EventRole.objects.create(event=round.event, user=organizer)
    benchmark(participation)
    other = make_participation(round, make_team(round.track, make_user()))
    score(submit(participation, GOOD))
    score(submit(other, SHIFTED))
    page = open_context(1024, 768).new_page()
    sign_in(page, live_server, organizer, round.event)
    page.goto(f"{live_server.url}{reverse('desk-benchmark', args=[round.event.slug, round.slug])}")
    # Only the fields of the chosen way of scoring show.
    expect(page.locator("#id_scoring_program")).to_be_hidden()
    page.get_by_label("Scored by").select_option("codabench")
    expect(page.locator("#id_scoring_program")).to_be_visible()
    expect(page.locator("#id_metric_program")).to_be_hidden()
    page.get_by_label("Scored by").select_option("table")
    page.locator("#id_reference").set_input_files(
        {"name": "corrected.csv", "mimeType": "text/csv", "buffer": SHIFTED}
    )
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/versions/")
    expect(page.locator("#rescoring")).to_contain_text("It takes 2 runs, of 2 teams")
    page.get_by_role("button", name="Score all submissions by it").click()
    expect(page.locator("#rescoring")).to_contain_text("0 of 2 (0 %)")
    runs.run_next("cpu")
    expect(page.locator("#rescoring")).to_contain_text("1 of 2 (50 %)")
    runs.run_next("cpu")
    # The page asks by itself, and draws who moves once all are scored.
    expect(page.get_by_role("heading", name="Who moves")).to_be_visible()
    expect(page.locator("[data-moves] svg")).to_be_visible()
    expect(page.locator("#rescoring tbody").last).to_contain_text("▲ 1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Reason").fill("the labels were shifted")
    page.get_by_role("button", name="Put it in force").click()
    expect(page.locator(".message-success")).to_contain_text("Version 2 is in force")
    expect(page.locator("tbody").last).to_contain_text("no longer in force")


def test_a_team_chooses_what_counts(
    live_server,
    open_context,
    participation,  # noqa: F811
    captain,  # noqa: F811
):
    benchmark(participation)
    good, shifted = submit(participation, GOOD), submit(participation, SHIFTED)
    for submission in (good, shifted):
        score(submission)
    page = open_context(390, 844).new_page()
    sign_in(page, live_server, captain, participation.round.event)
    page.goto(f"{live_server.url}{reverse('submission', args=[shifted.pk])}")
    page.get_by_role("button", name="Let this submission count").click()
    expect(page.locator("#submission-status")).to_contain_text("Your team chose this submission")
    participation.refresh_from_db()
    assert participation.final_submission == shifted
    page.get_by_role("button", name="Let the best public score count again").click()
    expect(page.get_by_role("button", name="Let this submission count")).to_be_visible()
    participation.refresh_from_db()
    assert participation.final_submission is None
