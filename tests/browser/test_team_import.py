"""An organizer brings teams in from a table that knows nothing of our headings."""

import io

import openpyxl
import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contest.models import Team
from tests.browser.test_accessibility import AXE, found_on
from tests.browser.test_versions import sign_in
from tests.factories import make_event, make_round, make_track, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROWS = (
    ("Crew\nname", "Nation", "Work", "Chief", "Chief's mail", "Others", "Remarks"),
    ("Beacon", "Germany", "Light", "Ada", "ada@example.org", "Bo <bo@example.org>", "vegan"),
    ("Harbour", "Utopia", "Haven", "Lin", "lin@example.org", None, None),
)


def workbook(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def event():
    track = make_track(make_event(make_user(email="boss@example.org")))
    make_round(track)
    return track.event


def choose(page, content: bytes) -> None:
    page.get_by_label("Table (CSV or XLSX)").set_input_files(
        {"name": "crews.xlsx", "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="Check the table").tap()


def read_as(page, heading: str, column: str) -> None:
    page.get_by_label(f"What “{heading}” is read as").select_option(column)


def test_foreign_headings_are_mapped_and_teams_come_in(live_server, open_context, event):
    organizer = event.roles.get().user
    page = open_context(820, 1180, has_touch=True).new_page()
    sign_in(page, live_server, organizer, event)
    page.goto(f"{live_server.url}{reverse('desk-teams', args=[event.slug])}")
    page.get_by_role("link", name="Import a table").tap()
    choose(page, workbook(*ROWS))
    expect(page.get_by_role("alert")).to_contain_text("at least one of these columns: code")
    for heading, column in (
        ("Crew name", "name_en"),
        ("Nation", "country"),
        ("Work", "title_en"),
        ("Chief", "captain_name"),
        ("Chief's mail", "captain_email"),
        ("Others", "members"),
    ):
        read_as(page, heading, column)
    page.get_by_role("button", name="Read again").tap()
    expect(page.get_by_role("alert")).to_contain_text(
        "crews.xlsx, row 3, column “Nation”: Expected a country or region by its name"
    )
    expect(page.get_by_label("What “Chief's mail” is read as")).to_have_value("captain_email")

    # The faulty column is left out, which leaves new teams without a country; then another file.
    read_as(page, "Nation", "")
    page.get_by_role("button", name="Read again").tap()
    expect(page.get_by_role("alert")).to_contain_text("Expected the country or region of a new")
    choose(page, workbook(*ROWS[:2], (ROWS[2][0], "法国", *ROWS[2][2:])))
    for heading, column in (
        ("Crew name", "name_en"),
        ("Nation", "country"),
        ("Work", "title_en"),
        ("Chief", "captain_name"),
        ("Chief's mail", "captain_email"),
        ("Others", "members"),
    ):
        read_as(page, heading, column)
    page.get_by_role("button", name="Read again").tap()
    expect(page.locator("main")).to_contain_text("new: 2")
    expect(page.locator("main")).to_contain_text("Ada <ada@example.org>, Bo <bo@example.org>")
    assert not Team.objects.exists()
    page.get_by_role("button", name="Write all of it").tap()
    expect(page.locator("#messages")).to_contain_text("2 new, 0 changed, 0 unchanged")
    for name in ("Beacon", "Harbour", "Light", "Germany", "France", "Bo"):
        expect(page.locator("main table")).to_contain_text(name)
    assert event.rounds.get().participations.count() == 2


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_the_page_fits_its_screen(live_server, open_context, event, width, height):
    page = open_context(width, height, has_touch=True).new_page()
    page.add_init_script(path=AXE)
    sign_in(page, live_server, event.roles.get().user, event)
    page.goto(f"{live_server.url}{reverse('desk-team-import', args=[event.slug])}")

    def look():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            """[...document.querySelectorAll("main .btn, main button, main select, main summary")]
            .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 47.5)
            .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert small == []
        assert found_on(page) == []

    look()
    choose(page, workbook(*ROWS))
    expect(page.get_by_role("alert")).to_be_visible()
    look()
    good = ("name", "country", "title", "captain", "captain e-mail", "members", "x" * 60)
    choose(page, workbook(good, ROWS[1], ("Harbour" * 12, "CN", *ROWS[2][2:])))
    expect(page.get_by_role("button", name="Write all of it")).to_be_visible()
    look()
