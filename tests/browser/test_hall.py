"""Seven judges, twenty teams, and everything that can go wrong in a hall while they mark.

What happens is drawn from FAULT_SEED; FAULT_ROUNDS makes it longer. The test keeps a book of its
own of every tap, by the key that the tap's operation carries, and at the end compares the book with
the server's record: each tap that a tablet showed as kept is one entry, with its value, and there
are no other entries. Texts end as they were written last; sheets are handed in as often as their
judges meant it. A tap whose tab was killed before the tablet showed it as kept may be missing.
"""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import psutil
import pytest
from playwright.sync_api import Error, expect

from judging.models import Mark, RecordEntry, Scoresheet
from judging.services import stage
from judging.services.record_check import verify
from judging.services.scoresheets import return_sheet
from tests.browser.tablets import Hall, Tablet
from tests.browser.weather import Weather
from tests.conftest import CHROMIUM_ARGUMENTS
from tests.site import RunningSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

SEED = int(os.environ.get("FAULT_SEED", "2026"))
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
TEAMS = 20
JUDGES = 7
# How often each happens, per round.
FAULTS = {
    "network cut": 9,
    "tab killed": 5,
    "tab killed at the tap": 5,
    "tab crashed": 3,
    "page loaded again": 3,
    "server restarted": 2,
    "two devices": 5,
    "browser closed": 2,
    "browser killed": 2,
    "disk full": 3,
    "sheet returned": 3,
    "taken back": 3,
    "stage moved": 4,
}

# Shows a sheet, waits until it shows the marks that are known, and taps as quickly as a script can;
# gives the keys of the operations that each tap made.
PLAY = """
async ({ assignment, known, taps }) => {
  const box = (criterion) => document.querySelector(`[data-criterion="${criterion}"]`);
  const shown = (criterion) => {
    const chosen = box(criterion)?.querySelector("input:checked")?.value;
    const mark = chosen ?? box(criterion)?.querySelector(".mark")?.textContent ?? "–";
    return mark === "–" ? null : Number(mark);
  };
  const wanted = (criterion) => known[criterion] === null ? null : Number(known[criterion]);
  location.hash = `#/t/${assignment}`;
  const until = Date.now() + 30000;
  while (!document.querySelector(`input[name^="c${assignment}-"]`)
      || taps.some(({ criterion }) => box(criterion).disabled)
      || Object.keys(known).some((criterion) => shown(criterion) !== wanted(criterion))) {
    if (Date.now() > until) {
      const found = Object.keys(known).map((c) => `${c}: ${shown(c)}, not ${known[c]}`);
      throw new Error(`sheet ${assignment}: ${found.join("; ")}`);
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  const keys = [];
  for (const { criterion, how, value } of taps) {
    const before = madeKeys.length;
    if (how === "undo") document.querySelectorAll(".bar .btn")[1].click();
    else if (how === "button") box(criterion).querySelector(`input[value="${value}"]`).click();
    else if (how === "up") box(criterion).querySelectorAll(".step")[1].click();
    else if (how === "down") box(criterion).querySelectorAll(".step")[0].click();
    else {
      const field = box(criterion).querySelector(how === "slide" ? "[type=range]" : "[type=text]");
      field.value = value;
      field.dispatchEvent(new Event("change"));
    }
    keys.push(madeKeys.slice(before));
  }
  return keys;
}
"""
SHOWN = """
async (assignment) => {
  location.hash = `#/t/${assignment}`;
  while (!document.querySelector(`input[name^="c${assignment}-"]`)) {
    await new Promise((done) => setTimeout(done, 10));
  }
  return [...document.querySelectorAll("[data-criterion]")].map((box) => {
    const chosen = box.querySelector("input:checked")?.value;
    const mark = chosen ?? box.querySelector(".mark")?.textContent;
    return [Number(box.dataset.criterion), mark === undefined || mark === "–" ? null : mark];
  });
}
"""

TYPE = """
async ({ name, text }) => {
  const field = document.getElementById(`f-${name}`);
  for (const part of [text.slice(0, 4), text]) {
    field.value = part;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 10));
  }
}
"""

SUBMIT = """
() => {
  document.querySelector(".bar .btn-primary").click();
  document.getElementById("confirm-submit").click();
}
"""


@dataclass
class Tap:
    """One operation that a tap made."""

    key: str
    sheet: int
    criterion: int
    value: Decimal | None
    kept: bool = False  # the tablet showed that it has it
    yielded: bool = False  # the judge chose what another device left


class Book:
    """What the judges did, by the tests' own account."""

    def __init__(self):
        self.taps: list[Tap] = []
        self.idle = 0  # taps that changed nothing: the mark was there already
        self.marks: dict[tuple[int, int], Decimal | None] = {}
        self.texts: dict[tuple[int, str], str] = {}
        self.returned = 0
        self.met: Counter[str] = Counter()
        self.decided = 0

    def write(self, tap: Tap) -> None:
        self.taps.append(tap)
        self.marks[tap.sheet, tap.criterion] = tap.value

    def mark(self, sheet: int, criterion: int) -> Decimal | None:
        return self.marks.get((sheet, criterion))


def number(said: str | None) -> Decimal | None:
    return None if said is None else Decimal(said)


def text(mark: Decimal | None) -> str | None:
    """As short as the app says it."""
    return None if mark is None else f"{mark.normalize():f}"


class Seat:
    """A judge, on one device or more, and how they mark."""

    def __init__(self, story, judge, device: Tablet):
        self.story, self.judge, self.device = story, judge, device
        self.sheets = [assignment.pk for assignment in story.hall.assignments(judge)]
        self.pages: list[Tablet] = [device]  # that they use in turn
        self.history: dict[int, list] = {}  # by sheet: what Undo on the page goes back to
        self.is_cut = False
        self.is_full = False  # what the tablet shows as kept may live in its page alone
        self.submitted: set[int] = set()
        self.ever: set[int] = set()  # that were submitted once, and perhaps returned since

    # --- Marking -------------------------------------------------------------------------------

    def _draw_taps(self, sheet: int, count: int) -> list[dict]:
        """Taps, and in each the mark that is right after it."""
        random, book = self.story.random, self.story.book
        taps, marks = [], {}
        history = [*self.history.get(sheet, [])]
        queue = [*self.story.hall.criteria]
        for n in range(count):
            criterion = queue.pop(0) if queue else random.choice(self.story.hall.criteria)
            pk = criterion.pk
            before = marks[pk] if pk in marks else book.mark(sheet, pk)
            ways = {"scored": ["button", "button", "up", "down"], "veto": ["button"]}.get(
                criterion.kind, ["button", "up"]
            )
            if criterion.maximum == 100:
                ways = ["type", "slide", "up", "down"]
            how = random.choice(ways)
            if n and history and len(self.pages) == 1 and random.random() < 0.08:
                pk, value = history.pop()
                taps.append({"criterion": pk, "how": "undo", "value": value})
                marks[pk] = value
                continue
            if how in ("up", "down"):
                step = criterion.step if how == "up" else -criterion.step
                value = criterion.minimum if before is None else before + step
                value = min(criterion.maximum, max(criterion.minimum, value))
            else:
                steps = int((criterion.maximum - criterion.minimum) / criterion.step)
                value = criterion.minimum + random.randint(0, steps) * criterion.step
            taps.append({"criterion": pk, "how": how, "value": value})
            if value != before:
                history.append((pk, before))
            marks[pk] = value
            if random.random() < 0.08:  # a finger that trembles
                taps.append({**taps[-1]})
                if how in ("up", "down"):
                    again = min(criterion.maximum, max(criterion.minimum, value + step))
                    if again != value:
                        history.append((pk, value))
                    taps[-1]["value"] = marks[pk] = again
        self.history[sheet] = history
        return taps

    def play(self, sheet: int, taps: list[dict], page: Tablet | None = None) -> list[Tap]:
        """Tap on the sheet; what came of it, not yet shown as kept."""
        book = self.story.book
        page = page or self.device
        said = page.page.evaluate(
            PLAY,
            {
                "assignment": sheet,
                "known": {
                    str(c.pk): text(book.mark(sheet, c.pk)) for c in self.story.hall.criteria
                },
                "taps": [
                    {
                        **tap,
                        "value": text(tap["value"]),
                    }
                    for tap in taps
                ],
            },
        )
        made = []
        for tap, keys in zip(taps, said, strict=True):
            if tap["value"] == book.mark(sheet, tap["criterion"]):
                assert keys == [], "a tap on the mark that is there changes nothing"
                book.idle += 1
                continue
            assert len(keys) == 1, f"{tap} on {sheet} made {len(keys)} operations"
            made.append(Tap(keys[0], sheet, tap["criterion"], tap["value"]))
            book.write(made[-1])
        return made

    def kept(self, taps: list[Tap], page: Tablet | None = None) -> None:
        """Wait until the tablet shows that it has them."""
        (page or self.device).stored()
        for tap in taps:
            tap.kept = True

    def mark(self, sheet: int) -> None:
        """The judge gives a team its marks, on one of their pages."""
        page = self.story.random.choice(self.pages)
        taps = self._draw_taps(sheet, self.story.random.randint(3, 7))
        played = self.play(sheet, taps, page)
        if self.story.random.random() < 0.2:
            name = self.story.random.choice(["comment", "private_note"])
            text = f"{name} of burst {len(self.story.book.taps)}"
            page.page.evaluate(TYPE, {"name": name, "text": text})
            self.story.book.texts[sheet, name] = text
        self.kept(played, page)
        self.device = page

    def killed_at_the_tap(self, sheet: int) -> None:
        """The tab is gone before the tablet shows anything; look what it kept."""
        book = self.story.book
        before = {c.pk: book.mark(sheet, c.pk) for c in self.story.hall.criteria}
        taps = self.play(sheet, self._draw_taps(sheet, 4))
        self.reopen()
        allowed = {pk: {value} for pk, value in before.items()}
        for tap in taps:
            allowed[tap.criterion].add(tap.value)
        for criterion, mark in self.device.page.evaluate(SHOWN, sheet):
            assert number(mark) in allowed[criterion]
            book.marks[sheet, criterion] = number(mark)

    def submit(self, sheet: int) -> None:
        """Hand in the sheet that is open, if nothing lacks."""
        if not self.is_complete(sheet):
            return
        self.device.page.evaluate(SUBMIT)
        self.device.stored()
        self.submitted.add(sheet)
        self.ever.add(sheet)

    def is_complete(self, sheet: int) -> bool:
        required = [c.pk for c in self.story.hall.criteria if c.kind in ("scored", "veto")]
        return all(self.story.book.mark(sheet, pk) is not None for pk in required)

    def take_back(self, sheet: int) -> None:
        """Hand the sheet in where no network is, and think better of it."""
        self.device.context.set_offline(True)
        self.device.offline()
        self.play(sheet, [])
        self.device.page.evaluate(SUBMIT)
        self.device.page.get_by_role("button", name="Take back").click()
        expect(self.device.page.get_by_role("button", name="Submit…")).to_be_visible()
        if not self.is_cut:
            self.restore()

    def returned(self, sheet: int) -> None:
        """The organizers give the sheet back, perhaps before the tablet knows that they had it."""
        kept = Scoresheet.objects.get(assignment=sheet)
        return_sheet(kept, self.story.hall.organizer, "look again")
        self.submitted.remove(sheet)
        self.story.book.returned += 1

    # --- Faults --------------------------------------------------------------------------------

    def fill_disk(self, *names: str) -> None:
        self.is_full = True
        self.device.full(*names)

    def clear_disk(self) -> None:
        if self.is_full:
            self.device.full()
            self.is_full = False

    def reopen(self, crash: bool = False) -> None:
        """The tab dies, and is opened again."""
        self.history.clear()
        if crash:
            with contextlib.suppress(Error):
                self.device.page.goto("chrome://crash")
        place = self.pages.index(self.device)
        self.device.page.close()
        self.pages[place].again()

    def reload(self) -> None:
        self.history.clear()
        self.device.page.reload()

    def cut(self) -> None:
        self.is_cut = True
        self.device.context.set_offline(True)

    def restore(self) -> None:
        self.is_cut = False
        self.device.context.set_offline(False)

    def calm(self) -> None:
        """Everything is on the server; a judge who is signed out signs in again."""
        self.restore()
        self.clear_disk()
        for tablet in self.pages:
            tablet.page.evaluate("dispatchEvent(new Event('online'))")
        for tablet in self.pages:
            expect(tablet.sync).to_have_attribute("data-storing", "0")
            tablet.page.wait_for_function(
                "() => document.querySelector('#sync').matches('[data-link=online],"
                "[data-link=signed_out]')",
                timeout=60000,
            )
            if tablet.sync.get_attribute("data-link") == "signed_out":
                self.story.book.met["signed in again"] += 1
                tablet.sign_in(self.judge)
            tablet.saved()
            # What a full disk kept although it was settled is sent once more, and is the same.
            tablet.page.reload()
            tablet.saved()


class TwoDevices(Seat):
    """A judge who marks on two tablets, and on both at once."""

    def __init__(self, story, judge, device: Tablet, other: Tablet):
        super().__init__(story, judge, device)
        self.other = other

    def differ(self, sheet: int) -> None:
        """The same mark on both, one of them without a network; then the judge decides."""
        story, book = self.story, self.story.book
        criterion = story.hall.criteria[0]
        self.restore()
        here, there = story.random.sample([f"{n}" for n in range(1, 11)], 2)
        before = book.mark(sheet, criterion.pk)
        if text(before) in (here, there):
            here, there = "0", "0.5"
        tap = {"criterion": criterion.pk, "how": "button"}
        self.play(sheet, [], self.other)  # it shows what is known
        self.other.context.set_offline(True)
        theirs = self.play(sheet, [{**tap, "value": Decimal(there)}], self.other)
        self.kept(theirs, self.other)
        book.marks[sheet, criterion.pk] = before  # as the first device still shows it
        ours = self.play(sheet, [{**tap, "value": Decimal(here)}])
        self.kept(ours)
        self.device.saved()
        self.other.context.set_offline(False)
        conflict = self.other.page.locator(f'[data-conflict="{theirs[0].key}"]')
        expect(conflict).to_be_visible(timeout=60000)
        theirs[0].yielded = True
        self.story.book.decided += 1
        if story.random.random() < 0.5:
            made = self.other.page.evaluate("madeKeys.length")
            conflict.get_by_role("button", name="Keep the one from here").click()
            expect(conflict).to_have_count(0)
            self.other.page.wait_for_function("n => madeKeys.length > n", arg=made)
            key = self.other.page.evaluate("madeKeys.at(-1)")
            again = Tap(key, sheet, criterion.pk, Decimal(there))
            book.write(again)
            self.kept([again], self.other)
        else:
            conflict.get_by_role("button", name="Take the other").click()
            expect(conflict).to_have_count(0)
        self.other.saved()

    def calm(self) -> None:
        super().calm()
        self.other.saved()


class OwnBrowser(Seat):
    """A judge whose browser is a process of its own, to be closed and killed."""

    def __init__(self, story, judge, launch, folder):
        self._launch, self._folder = launch, folder
        super().__init__(story, judge, Tablet(story.site, launch(folder)))

    def restart(self, kill: bool) -> None:
        self.history.clear()
        if kill:
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if f"--user-data-dir={self._folder}" in process.cmdline():
                        process.send_signal(signal.SIGKILL)
            with contextlib.suppress(Error):
                self.device.context.close()
        else:
            self.device.context.close()
        device = Tablet(self.story.site, self._launch(self._folder))
        if self.is_cut:
            device.context.set_offline(True)
        self.pages[:] = [device]
        self.device = device
        device.go_home()
        expect(device.page.locator(".team")).to_have_count(TEAMS)


class Story:
    def __init__(self, site, weather: Weather, hall: Hall, open_context, launch, folder):
        self.site, self.weather, self.hall = site, weather, hall
        self.random, self.book = random.Random(SEED), Book()

        def tablet() -> Tablet:
            return Tablet(site, open_context(1024, 768))

        *plain, two, own = hall.judges
        self.seats = [Seat(self, judge, tablet()) for judge in plain]
        self.two = TwoDevices(self, two, tablet(), tablet())
        self.own = OwnBrowser(self, own, launch, folder)
        self.seats += [self.two, self.own]
        for seat in self.seats:
            seat.device.sign_in(seat.judge).ready_offline()
        self.two.other.sign_in(two)
        # One judge has the app open in two tabs.
        tabs = self.seats[0]
        second = Tablet(site, tabs.device.context)
        second.go_home()
        tabs.pages.append(second)
        self.later: list[tuple[int, object]] = []
        self.faults: dict[int, list[str]] = {}  # by the burst before which they happen
        self.left: dict[Seat, list[int]] = {}
        self.move_stage()

    def move_stage(self) -> None:
        """The next team comes on stage, and its clock runs, on every tablet."""
        stage.call_next(self.hall.round, self.hall.organizer)
        stage.start(self.hall.round, self.hall.organizer)

    def play(self) -> None:
        """The marking, with faults between and during it."""
        random = self.random
        left = self.left = {seat: seat.sheets * ROUNDS for seat in self.seats}
        bursts = sum(len(sheets) for sheets in left.values())
        for name, count in FAULTS.items():
            for _n in range(count * ROUNDS):
                self.put_off(name, random.randrange(5, bursts))
        self.weather.is_bad = True
        n = -1
        while any(left.values()):
            n += 1
            for then, act in [entry for entry in self.later if entry[0] <= n]:
                self.later.remove((then, act))
                act()
            for name in self.faults.pop(n, []):
                self.fault(name, n)
            seat = random.choice([seat for seat in self.seats if left[seat]])
            sheet = left[seat].pop(0)
            if sheet in seat.ever:  # it was returned, which the tablet has to hear of
                if self.is_down:
                    left[seat].append(sheet)
                    continue
                seat.restore()
            seat.mark(sheet)
            # The last time they see the sheet, most hand it in.
            if sheet not in left[seat] and seat is not self.two and random.random() < 0.7:
                seat.submit(sheet)

    @property
    def is_down(self) -> bool:
        return any(act == self.site.start for _then, act in self.later)

    def put_off(self, name: str, n: int) -> None:
        self.faults.setdefault(n, []).append(name)

    def fault(self, name: str, n: int) -> None:
        random = self.random
        seat = random.choice(self.seats)
        sheet = random.choice([one for one in seat.sheets if one not in seat.submitted] or [None])
        down = self.is_down
        if name == "stage moved":
            self.move_stage()
        elif name == "sheet returned":
            # As the server knows it; the tablet may not have been answered yet.
            in_hand = Scoresheet.objects.filter(status="submitted").values_list(
                "assignment", flat=True
            )
            known = [(s, pk) for s in self.seats for pk in sorted(s.submitted & set(in_hand))]
            known = [(s, pk) for s, pk in known if not s.is_cut]
            if down or not known:
                self.put_off(name, n + 10)
                return
            seat, sheet = random.choice(known)
            seat.returned(sheet)
            self.left[seat].append(sheet)
        elif name == "taken back":
            ready = [pk for pk in seat.sheets if pk not in seat.ever and seat.is_complete(pk)]
            if not ready or seat is self.two or len(seat.pages) > 1:
                self.put_off(name, n + 3)
                return
            seat.take_back(random.choice(ready))
        elif name == "disk full":
            if len(seat.pages) > 1 or seat.is_full or seat is self.two:
                self.put_off(name, n + 1)
                return
            seat.fill_disk(*random.choice([("add",), ("put",), ("put", "delete")]))
            self.later.append((n + random.randint(8, 20), seat.clear_disk))
        elif seat.is_full and name.startswith(("tab", "page")):
            return  # what lives in the page alone would be gone, and the judge was told so
        elif self.own.is_full and name.startswith("browser"):
            return
        else:
            self.break_something(name, n, seat, sheet, down)
            return
        self.book.met[name] += 1

    def break_something(self, name, n, seat, sheet, down) -> None:
        random = self.random
        if name == "network cut":
            seat.cut()
            self.later.append((n + random.randint(8, 35), seat.restore))
        elif name == "tab killed":
            seat.reopen()
        elif name == "tab killed at the tap":
            if sheet is None or len(seat.pages) > 1:
                return
            seat.killed_at_the_tap(sheet)
        elif name == "tab crashed":
            if len(seat.pages) > 1:
                return  # both tabs live in the process that crashes
            seat.reopen(crash=True)
        elif name == "page loaded again":
            seat.reload()
        elif name == "server restarted":
            if down:
                return
            self.site.stop()
            self.later.append((n + random.randint(6, 14), self.site.start))
        elif name == "two devices":
            if down:
                self.later.append((n + 15, lambda: self.fault(name, n + 15)))
                return
            self.two.differ(random.choice(self.two.sheets))
        else:
            self.own.restart(kill=name == "browser killed")
        self.book.met[name] += 1

    def calm(self) -> None:
        """All faults end; everything arrives."""
        self.weather.is_bad = False
        while self.later:
            _then, act = self.later.pop(0)
            act()
        for seat in self.seats:
            seat.calm()

    def told(self, lost: int, doubled: int, took: float) -> str:
        book = self.book
        met = {**book.met, **self.weather.met}
        return "\n".join(
            [
                f"seed {SEED}, rounds {ROUNDS}: {JUDGES} judges, {TEAMS} teams, {took:.0f} s",
                f"marks entered {len([m for m in book.marks.values() if m is not None])}, "
                f"taps {len(book.taps) + book.idle}, of which {len(book.taps)} changed a mark; "
                f"texts {len(book.texts)}; "
                f"sheets handed in {sum(len(seat.submitted) for seat in self.seats)}",
                "faults: " + ", ".join(f"{name} {met[name]}" for name in sorted(met)),
                f"lost {lost}, doubled {doubled}, conflicts resolved {book.decided}",
            ]
        )


@pytest.fixture
def weather():
    return Weather(SEED)


@pytest.fixture
def site(transactional_db, settings, weather):
    site = RunningSite(around=weather.around)
    site.start()
    settings.SITE_URL = site.url
    yield site
    site.stop()


@pytest.fixture
def launch(chromium, chromium_path):
    """``launch(folder)``: a browser of its own with what it kept in the folder."""
    opened = []

    def start(folder):
        context = chromium.browser_type.launch_persistent_context(
            str(folder), executable_path=chromium_path, args=CHROMIUM_ARGUMENTS, locale="en-GB",
            viewport={"width": 1024, "height": 768},
        )  # fmt: skip
        context.set_default_timeout(15000)
        opened.append(context)
        return context

    yield start
    for context in opened:
        with contextlib.suppress(Error):
            context.close()


def test_nothing_is_lost_and_nothing_doubled(
    site, weather, open_context, launch, tmp_path, record_property
):
    began = time.monotonic()
    hall = Hall(TEAMS, JUDGES)
    story = Story(site, weather, hall, open_context, launch, tmp_path / "browser")
    story.play()
    story.calm()
    book = story.book
    entries = RecordEntry.objects.filter(record__round=hall.round)
    marked = list(entries.filter(kind="mark").select_related("scoresheet"))
    by_key: dict[str, list[RecordEntry]] = {}
    for entry in marked:
        by_key.setdefault(entry.key, []).append(entry)
    known = {tap.key: tap for tap in book.taps}
    lost = [tap for tap in book.taps if tap.kept and not tap.yielded and tap.key not in by_key]
    doubled = [entry for same in by_key.values() for entry in same[1:]]
    doubled += [entry for entry in marked if entry.key not in known]
    record_property(
        "story",
        ("hall", story.told(len(lost), len(doubled), time.monotonic() - began)),
    )
    assert (lost, doubled) == ([], [])
    for entry in marked:
        tap = known[entry.key]
        said = (entry.scoresheet.assignment_id, entry.criterion_id, entry.value)
        assert said == (tap.sheet, tap.criterion, tap.value)
        assert not tap.yielded
    held = {
        (assignment, criterion): value
        for assignment, criterion, value in Mark.objects.values_list(
            "scoresheet__assignment", "criterion", "value"
        )
    }
    assert held == {field: value for field, value in book.marks.items() if value is not None}
    submitted = {sheet for seat in story.seats for sheet in seat.submitted}
    assert submitted == set(
        Scoresheet.objects.filter(status="submitted").values_list("assignment", flat=True)
    )
    assert entries.filter(kind="submitted").count() == len(submitted) + book.returned
    for (sheet, name), written in book.texts.items():
        assert getattr(Scoresheet.objects.get(assignment=sheet), name) == written
    assert verify(hall.round) == []
    for seat in story.seats:
        assert seat.device.outbox() == []
