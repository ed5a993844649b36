"""An organizer has a large file prepared, watches it being written, and gets it; in Chromium."""

import csv
import threading
from dataclasses import replace

import pytest
from django.db import connections
from django.urls import reverse
from playwright.sync_api import expect

from contest import tables_out
from leaderboard.exports.documents import DOCUMENTS
from leaderboard.services import downloads, standings
from tests.browser.test_accessibility import AXE, found_on
from tests.browser.test_versions import sign_in
from tests.factories import make_event, make_judge, make_team, make_track, make_user
from tests.leaderboard.test_standings import roadshow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def round(organizer, monkeypatch):
    monkeypatch.setattr(tables_out, "AT_ONCE", 3)
    monkeypatch.setattr(downloads, "BEAT_S", 0.05)
    track = make_track(make_event(organizer))
    teams, judges = [make_team(track) for _n in range(4)], [make_judge(track.event) for _n in "ab"]
    round = roadshow(track, teams, judges, [[9, 9], [7, 8], [5, 6], [3, 2]], advance=2)
    standings.refresh(round)
    return round


@pytest.fixture
def slow_worker(monkeypatch):
    """Writes half of the teams, then the rest when it is told to."""
    go_on = threading.Event()
    scores = DOCUMENTS["scores"]
    content_type, write = scores.formats["csv"]

    def in_halves(standing, out, progress):
        def told(count):
            progress(count)
            if count == 2:
                go_on.wait(20)
            progress(count)

        write(standing, out, told)

    slow = replace(scores, formats={**scores.formats, "csv": (content_type, in_halves)})
    monkeypatch.setitem(DOCUMENTS, "scores", slow)

    def work():
        try:
            downloads.prepare_next()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    yield thread, go_on
    go_on.set()
    thread.join(20)


def test_start_progress_and_download(live_server, open_context, organizer, round, slow_worker):
    worker, go_on = slow_worker
    page = open_context(390, 844, has_touch=True, accept_downloads=True).new_page()
    page.add_init_script(path=AXE)
    sign_in(page, live_server, organizer, round.event)
    page.goto(f"{live_server.url}{reverse('desk-exports', args=[round.event.slug, round.slug])}")
    line = page.locator("#scores .download", has_text="CSV")
    page.get_by_role("button", name="Full score sheets, CSV: Prepare").tap()
    expect(line).to_contain_text("Waits its turn since")
    expect(page.get_by_role("button", name="Full score sheets, CSV: Prepare")).to_have_count(0)
    worker.start()
    expect(line).to_contain_text("2 of 4 (50 %)")
    expect(line.get_by_role("progressbar")).to_have_attribute("value", "2")
    assert found_on(page) == []
    go_on.set()
    link = page.get_by_role("link", name="Full score sheets, CSV")
    expect(link).to_be_visible()
    expect(line).to_contain_text("as of")
    expect(line.get_by_role("progressbar")).to_have_count(0)
    assert found_on(page) == []
    with page.expect_download() as got:
        link.tap()
    download = got.value
    assert download.suggested_filename == f"{round.event.slug}-{round.slug}-scores.csv"
    with open(download.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["team_code"] for row in rows}) == 4
