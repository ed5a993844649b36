"""Every page, as somebody who may see it, is looked at by axe-core: nothing serious is found."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Error, Page, expect

from contest.services.rounds import close_round
from judging.services import stage
from tests.browser.tablets import WAIT_MS, Hall, Tablet
from tests.conftest import TABLETS
from tests.permissions.expected import ACCOUNTS, PAGES
from tests.permissions.world import ROLES, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

AXE = Path(__file__).parent.parent / "vendor/axe-core/axe.min.js"
CHECK = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html.slice(0, 200)} ` +
        failureSummary.split("\\n").slice(1, 3).join(" ").trim()));
}
"""
# Each page is seen by the first of these who may. The judges' tablet has a test of its own.
VIEWERS = ("anonymous", "team", "judge", "organizer")
LANGUAGES = {"en": "en-GB", "zh-hans": "zh-CN"}


def pages_of(viewer: str):
    """``(name, arguments)`` of the pages that are this viewer's to look at."""
    for name, cases in (PAGES | ACCOUNTS).items():
        for method, arguments, wanted in cases:
            may = [who for who in VIEWERS if wanted[ROLES.index(who)] == "."]
            if method == "GET" and may and may[0] == viewer:
                yield name, arguments


def found_on(page: Page) -> list[str]:
    return page.evaluate(CHECK)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("viewer", VIEWERS)
def test_pages(site, open_context, viewer, language):
    world = make_world()
    context = open_context(1280, 800, locale=LANGUAGES[language])
    cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site.url}]
    if user := world.users[viewer]:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        cookies.append({"name": name, "value": client.cookies[name].value, "url": site.url})
    context.add_cookies(cookies)
    page = context.new_page()
    page.add_init_script(path=AXE)
    found, looked = [], 0
    for name, arguments in pages_of(viewer):
        try:
            url = reverse(name, kwargs=arguments(world.objects))
        except NoReverseMatch:
            continue
        try:
            answer = page.goto(f"{site.url}{url}", wait_until="load")
        except Error as error:
            if "Download is starting" in str(error):
                continue
            raise
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        looked += 1
        found += [f"{name}: {what}" for what in found_on(page)]
    assert looked
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("orientation", TABLETS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tablet(site, open_context, language, orientation):
    hall = Hall()
    context = open_context(*TABLETS[orientation], locale=LANGUAGES[language])
    tablet = Tablet(site, context)
    page = tablet.page
    page.add_init_script(path=AXE)
    found = []

    def look(what: str) -> None:
        found.extend(f"{what}: {one}" for one in found_on(page))

    tablet.go_home()
    expect(page.locator("#link")).to_be_visible()
    look("signing in")
    tablet.sign_in(hall.judge)
    look("teams")
    first, second, third = hall.assignments()
    tablet.open(first)
    look("an empty sheet")
    tablet.fill(hall)
    tablet.open(second).fill(hall)
    tablet.saved()
    look("a sheet")
    page.locator(".bar .btn-primary").click()
    look("handing in")
    page.keyboard.press("Escape")
    page.locator(".recuse-row button").click()
    look("a conflict of interest")
    page.keyboard.press("Escape")
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "3")
        tablet.offline()
        look("without a network")
    tablet.saved().submit()
    tablet.saved()
    look("a sheet that was handed in")
    # With a clock that runs; with two tablets that differ; with what the server refuses.
    stage.call(hall.round, hall.organizer, first.participation)
    stage.start(hall.round, hall.organizer)
    expect(page.locator("#clock")).to_contain_text(":", timeout=WAIT_MS)
    look("a running clock")
    other = Tablet(site, open_context(1024, 768)).sign_in(hall.judge).open(third)
    tablet.open(third)
    with tablet.cut_off():
        tablet.tap(hall.criteria[0], "3")
        page.locator("#f-comment").fill("clear and bold")
        tablet.stored()
        other.tap(hall.criteria[0], "9")
        other.saved()
    expect(page.locator("[data-conflict]")).to_be_visible(timeout=WAIT_MS)
    look("a conflict")
    with tablet.cut_off():
        page.locator("#f-private_note").fill("ask about the data")
        tablet.stored()
        close_round(hall.round, hall.organizer)
    expect(page.locator("[data-refused]")).to_be_visible(timeout=WAIT_MS)
    look("a refusal")
    page.locator("header nav a").click()
    look("the tablet")
    page.locator("#code").click()
    expect(page.locator(".code")).to_be_visible()
    look("a code")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#sign-out").click()
    expect(page.locator("#link")).to_be_visible()
    look("signing in, with work left here")
    assert not found, "\n".join(dict.fromkeys(found))
