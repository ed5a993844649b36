"""A judge's tablet as these tests use it: the real app in Chromium, and what it shows."""

from contextlib import contextmanager
from decimal import Decimal

from django.urls import reverse
from playwright.sync_api import Page, expect

from contest.services.signin import make_link
from judging.models import Assignment, Criterion, Judge, Rubric
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

WAIT_MS = 30_000

# Every operation of the app has a key of its own; this tells which keys a tap made.
KEYS = """
window.madeKeys = [];
const make = crypto.randomUUID?.bind(crypto);
if (make) crypto.randomUUID = () => {
  const key = make();
  window.madeKeys.push(key);
  return key;
};
"""
# The disk is full: `full(["add", "put"])` takes no more of that, `full([])` is as it was.
FULL = """
const whole = { ...Object.getOwnPropertyDescriptors(IDBObjectStore.prototype) };
window.full = (names) => {
  for (const name of ["add", "put", "delete"]) {
    const { value } = whole[name];
    IDBObjectStore.prototype[name] = names.includes(name)
      ? () => { throw new DOMException("full", "QuotaExceededError"); }
      : value;
  }
};
"""
OUTBOX = """
() => new Promise((give, fail) => {
  const opening = indexedDB.open("wuzhen-judge");
  opening.onerror = () => fail(opening.error);
  opening.onsuccess = () => {
    const asked = opening.result.transaction("outbox").objectStore("outbox").getAll();
    asked.onsuccess = () => {
      opening.result.close();
      give(asked.result);
    };
  };
})
"""


def make_hall_rubric(event) -> Rubric:
    """Every kind of criterion, and every way to give a mark."""
    rubric = Rubric.objects.create(event=event, name_en="Roadshow", name_zh="路演评分表")
    for n, (name, kind, weight, most, step) in enumerate(
        [
            ("Idea", "scored", 60, 10, "0.5"),  # buttons
            ("Impact", "scored", 40, 100, "1"),  # a slider and a field
            ("Original work", "veto", 0, 1, "1"),
            ("Open source", "bonus", 0, 5, "1"),
            ("Over time", "penalty", 0, 5, "1"),
        ]
    ):
        Criterion.objects.create(
            rubric=rubric, ordinal=n, kind=kind, name_en=name, name_zh=f"{name} 项", weight=weight,
            minimum=0, maximum=most, step=Decimal(step),
        )  # fmt: skip
    return rubric


class Hall:
    """A roadshow: its teams, its panel, an organizer."""

    def __init__(self, teams: int = 3, judges: int = 1):
        self.organizer = make_user()
        self.event = make_event(self.organizer)
        self.track = make_track(self.event)
        self.round = make_round(self.track, format="roadshow", kind="semifinal")
        for n in range(1, teams + 1):
            make_participation(self.round, make_team(self.track), running_order=n)
        self.judges = [make_judge(self.event) for _n in range(judges)]
        self.panel = make_panel(self.round, self.judges, make_hall_rubric(self.event))
        self.criteria = list(self.panel.rubric.criteria.all())

    @property
    def judge(self) -> Judge:
        return self.judges[0]

    def assignments(self, judge: Judge | None = None) -> list[Assignment]:
        """The judge's teams in running order."""
        return list(
            (judge or self.judge)
            .assignments.select_related("participation__team")
            .order_by("participation__running_order")
        )


class Tablet:
    """One page of the app."""

    def __init__(self, site, context):
        self.site, self.context = site, context
        self.page = self._new_page()

    def _new_page(self) -> Page:
        page = self.context.new_page()
        page.add_init_script(KEYS)
        page.add_init_script(FULL)
        return page

    # --- Opening -------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"{self.site.url}{reverse('judge-home')}"

    def sign_in(self, judge: Judge) -> "Tablet":
        _link, token = make_link(judge.user, judge.event, by=None)
        self.page.goto(f"{self.site.url}{reverse('sign-in-link', args=[token])}")
        self.page.locator("main button").click()
        self.page.wait_for_url(f"{self.url}**")
        expect(self.page.locator("#sync")).to_have_attribute("data-link", "online", timeout=WAIT_MS)
        return self

    def ready_offline(self) -> "Tablet":
        """Wait until the app is kept for opening without a network."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        return self

    def go_home(self) -> "Tablet":
        self.page.goto(self.url)
        return self

    def again(self) -> None:
        """Open the app in a new tab of the same browser, in place of the old one."""
        self.page = self._new_page()
        self.go_home()
        expect(self.page.locator("#sync")).to_be_visible()

    # --- A sheet -------------------------------------------------------------------------------

    def open(self, assignment: Assignment) -> "Tablet":
        self.page.evaluate("hash => { location.hash = hash }", f"#/t/{assignment.pk}")
        expect(self.page.locator(".bar")).to_be_visible()
        self.page.wait_for_function("pk => location.hash.endsWith(`/${pk}`)", arg=assignment.pk)
        return self

    def criterion(self, criterion: Criterion):
        return self.page.locator(f'[data-criterion="{criterion.pk}"]')

    def tap(self, criterion: Criterion, mark: str) -> None:
        """Give a mark by the button that says it."""
        self.criterion(criterion).locator(f'.choice:has(input[value="{mark}"])').click()

    def type(self, criterion: Criterion, mark: str) -> None:
        field = self.criterion(criterion).locator("input[type=text]")
        field.fill(mark)
        field.blur()

    def mark(self, criterion: Criterion) -> str:
        return self.criterion(criterion).locator(".mark").inner_text()

    def fill(self, hall: Hall, idea: str = "8", impact: str = "75") -> None:
        """All that a sheet must have."""
        for criterion, mark in zip(hall.criteria, (idea, impact, "1"), strict=False):
            if criterion.name_en == "Impact":
                self.type(criterion, mark)
            else:
                self.tap(criterion, mark)

    def submit(self) -> None:
        self.page.locator(".bar .btn-primary").click()
        self.page.locator("#confirm-submit").click()

    @property
    def total(self) -> str:
        return self.page.locator(".bar .sum").inner_text()

    # --- What it says --------------------------------------------------------------------------

    @property
    def sync(self):
        return self.page.locator("#sync")

    def stored(self) -> "Tablet":
        """Wait until everything is on the tablet's disk."""
        expect(self.sync).to_have_attribute("data-storing", "0")
        return self

    def saved(self) -> "Tablet":
        """Wait until everything is on the server."""
        self.stored()
        expect(self.sync).to_have_attribute("data-waiting", "0", timeout=WAIT_MS)
        expect(self.sync).to_have_attribute("data-link", "online", timeout=WAIT_MS)
        return self

    def offline(self) -> "Tablet":
        expect(self.sync).to_have_attribute("data-link", "offline", timeout=WAIT_MS)
        return self

    def state(self, assignment: Assignment) -> str:
        """What the list says of a sheet."""
        self.page.locator("header .home").click()
        row = self.page.locator(f'[data-assignment="{assignment.pk}"] .state')
        names = row.get_attribute("class").split()
        return next(name.removeprefix("state-") for name in names if name.startswith("state-"))

    def outbox(self) -> list[dict]:
        """What lies on the tablet's disk, unsent or undecided."""
        return self.page.evaluate(OUTBOX)

    def full(self, *names: str) -> None:
        """From now on the disk refuses these: add, put, delete; with none, it is as it was."""
        self.page.evaluate("names => full(names)", list(names))

    @contextmanager
    def cut_off(self):
        """No network, for as long as it lasts."""
        self.context.set_offline(True)
        yield self
        self.context.set_offline(False)
