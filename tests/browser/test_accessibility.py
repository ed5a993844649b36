"""Every page, as somebody who may see it, is looked at by axe-core: nothing serious is found."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Error, Page, expect

from contest.services.rounds import close_round
from contest.services.signin import make_link
from judging.models import Scoresheet
from judging.services import stage, ties
from leaderboard.services import reveal, standings
from leaderboard.services.schemes import ensure_scheme
from tests.browser.tablets import WAIT_MS, Hall, Tablet
from tests.conftest import TABLETS
from tests.factories import make_event, make_judge, make_team, make_track, make_user
from tests.leaderboard.test_standings import roadshow
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


# Parts that a page fetches into itself, where they are looked at.
PARTS = {"leaderboard-table"}


def pages_of(viewer: str):
    """``(name, arguments)`` of the pages that are this viewer's to look at."""
    for name, cases in (PAGES | ACCOUNTS).items():
        if name in PARTS:
            continue
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
        if not page.evaluate("Boolean(document.doctype)"):
            continue  # a part of a page, which is looked at there
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_roadshow_that_is_under_way(live_server, open_context, language):
    """What the pages show only in the middle of an evening."""
    by = make_user()
    track = make_track(make_event(by))
    names = ("Aster", "Birch", "Cedar")
    teams = [make_team(track, code=f"T-{n}", name_en=name) for n, name in enumerate(names)]
    judges = [make_judge(track.event) for _n in range(4)]
    marks = [["9", "8", "8.5", "1"], ["7", "7", "6", "6"], [None, "7", "6", "6.5"]]
    round = roadshow(track, teams, judges, marks, advance=3)
    scheme = ensure_scheme(round)
    scheme.tie_breaks = ["chair"]
    scheme.save()
    standings.refresh(round)
    first, second, third = stage.taking_part(round)
    page = open_context(1280, 800, locale=LANGUAGES[language]).new_page()
    _link, token = make_link(by, round.event, by=None)
    page.goto(f"{live_server.url}{reverse('sign-in-link', args=[token])}")
    page.locator("main button").click()
    page.wait_for_url(f"{live_server.url}/**")
    page.context.add_cookies(
        [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
    )
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(path=AXE)
    found = []

    def look(what: str, name: str, query: str = "", *, key: str = "") -> None:
        path = reverse(name, args=[round.event.slug, round.slug])
        page.goto(f"{live_server.url}{path}{query}")
        if key:
            with page.expect_response("**/act/"):
                page.keyboard.press(key)
            page.wait_for_timeout(300)
        found.extend(f"{what}: {one}" for one in found_on(page))

    stage.call_next(round, by)
    stage.call_next(round, by)
    stage.start(round, by)
    look("a team on stage", "desk-roadshow")
    look("a team on the screen", "stage-screen")
    look("the desk asks", "desk-reveal", key="4")
    expect(page.locator(".question")).to_be_visible()
    reveal.choose_team(round, by, first)
    for step in range(7):
        if step in (0, 2, 5, 6):
            look(f"scores at step {step}", "stage-screen")
            look(f"scores at step {step}, the desk", "desk-reveal")
        reveal.step(round, by)
    reveal.show(round, by, "board")
    look("teams so far", "stage-screen")
    reveal.begin_ranking(round, by, places=3, drumroll=1, missing=1)
    for step in range(5):
        look(f"the ranking at step {step}", "stage-screen")
        look(f"the ranking at step {step}, the desk", "desk-reveal")
        reveal.step(round, by)
    reveal.freeze(round, by)
    look("frozen", "stage-screen")
    sheet = Scoresheet.objects.filter(status="submitted").first()
    look("a sheet in the grid", "desk-grid", f"?sheet={sheet.pk}")
    look("a tie to be put to the chair", "desk-ranking")
    panel = round.panels.get()
    panel.chair = judges[0]
    panel.save()
    tie = ties.ask(panel, [second, third], by)
    look("a tie that waits", "desk-ranking")
    ties.decide(tie, judges[0].user, [second.pk, third.pk], "the clearer plan")
    look("a tie that was decided", "desk-ranking")
    expect(page.locator("#ties")).to_contain_text("the clearer plan")
    assert not found, "\n".join(dict.fromkeys(found))
