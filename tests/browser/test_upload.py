"""Checking and sending a file from the team's page, as a person does it."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contest.services.signin import make_link
from tests.scoring.test_scoring import (  # noqa: F401
    GOOD,
    _no_broker,
    benchmark,
    captain,
    participation,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_file_is_checked_stays_chosen_and_is_sent(
    live_server,
    open_context,
    participation,  # noqa: F811
    captain,  # noqa: F811
):
    benchmark(participation)
    page = open_context(390, 844).new_page()
    _link, token = make_link(captain, participation.round.event, by=None)
    page.goto(f"{live_server.url}{reverse('sign-in-link', args=[token])}")
    page.locator("main button").click()
    page.wait_for_url(f"{live_server.url}/")
    round = participation.round
    path = reverse(
        "participation-submissions", args=[round.event.slug, round.slug, participation.team.code]
    )
    page.goto(f"{live_server.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    file = page.locator("#id_file")
    bad = {"name": "bad.csv", "mimeType": "text/csv", "buffer": GOOD.replace(b"r3,0", b"r3,x")}
    file.set_input_files(bad)
    page.get_by_role("button", name="Check only").click()
    result = page.locator("[data-check-result]")
    expect(result).to_contain_text("bad.csv, row 5")
    file.set_input_files({"name": "good.csv", "mimeType": "text/csv", "buffer": GOOD})
    page.get_by_role("button", name="Check only").click()
    expect(result).to_contain_text("right form")
    assert not participation.submissions.exists()
    assert file.evaluate("input => input.files.length") == 1
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions/*-*/")
    assert participation.submissions.get().original_name == "good.csv"
