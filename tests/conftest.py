import os

# Playwright's loop runs in the test's own thread, where Django would refuse to use its database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

import shutil
import uuid

import pytest
from django.core.cache import cache
from hypothesis import settings as laws

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TABLETS = {"landscape": (1024, 768), "portrait": (768, 1024)}


def pytest_configure(config):
    from config.celery import app

    # How long an example takes on a busy machine says nothing of the law.
    laws.register_profile("patient", deadline=None)
    laws.load_profile("patient")

    app.conf.broker_url = "memory://"  # no message of a test leaves for a real worker


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _boards_at_once(monkeypatch):
    """What a leaderboard shows is asked for each time, not once a second."""
    monkeypatch.setattr("leaderboard.services.boards.KEPT_S", 0)


@pytest.fixture(autouse=True)
def _isolated(request, settings, tmp_path):
    """Each test has its own file store, mailbox, cache and bus of messages."""
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "files"},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.LIVE_DIR = tmp_path / "live"
    settings.LIVE_REDIS_CHANNEL = f"wuzhen-live-test-{uuid.uuid4()}"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()  # what one test was throttled for must not stop the next


@pytest.fixture
def site(transactional_db, settings):
    """The site with its streams, on a real web server that a test may stop and start again."""
    from tests.site import RunningSite

    site = RunningSite()
    site.start()
    settings.SITE_URL = site.url
    yield site
    site.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail("no Chromium on this machine; run .ci/system-packages")


@pytest.fixture(scope="session")
def chromium(chromium_path):
    """One Chromium of the system for all browser tests of a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_context(chromium):
    """``open_context(width, height, **options)``: a browser of one person, closed at the end.

    A page error of our own scripts fails the test.
    """
    contexts, errors = [], []

    def make(width=1280, height=800, **options):
        options.setdefault("locale", "en-GB")
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(15000)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert errors == []


def pytest_terminal_summary(terminalreporter):
    """What hostile submissions tried and how each ended, as a table; and what tests tell in the
    property "story", a title and a text."""
    rows, stories = [], []
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when != "call":
            continue
        outcome = "survived" if report.outcome == "passed" else "NOT SURVIVED"
        told = dict(reversed(report.user_properties))  # the first of each name
        if "attack" in told:
            name = report.nodeid.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ")
            rows.append((name, *told["attack"][1:], outcome))
        if "story" in told:
            stories.append(told["story"])
    if rows:
        terminalreporter.section("attacks")
    widths = [max(len(str(row[n])) for row in rows) for n in range(4)] if rows else []
    for row in sorted(rows):
        cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
    for title, story in stories:
        terminalreporter.section(title)
        terminalreporter.write_line(story)
