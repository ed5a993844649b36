"""Another version of its rubric is put in force in a panel: what it says first, what it does."""

import threading
from decimal import Decimal
from fractions import Fraction
from functools import partial

import pytest
from django.db import connection

from contest.errors import Refused
from contest.models import LogEntry
from contest.signals import ranking_inputs_changed
from judging.models import Mark, RecordEntry
from judging.services import stage
from judging.services.panels import recuse, save_panel
from judging.services.record_check import verify
from judging.services.rubric_versions import apply, changes
from judging.services.rubrics import new_version, save_rubric
from judging.services.scoresheets import (
    Conflict,
    Sent,
    open_sheet,
    return_sheet,
    save_mark,
    submit_sheet,
)
from judging.services.sheet_results import sheet_totals
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_rubric,
    make_team,
    make_track,
    make_user,
    set_status,
)
from tests.judging.test_rubrics import criterion, rows_of

pytestmark = pytest.mark.django_db


class Hall:
    """Two judges have submitted sheets for two teams by a rubric of every kind."""

    MARKS = {
        (0, 0): ("8", "6", "2", "1"), (0, 1): ("9.5", "6.5", None, "1"),
        (1, 0): ("7", "9", None, "1"), (1, 1): ("7", "8", None, "0"),
    }  # fmt: skip

    def __init__(self):
        self.organizer = make_user()
        track = make_track(make_event(self.organizer))
        self.event = track.event
        self.round = make_round(track, format="roadshow", kind="semifinal")
        self.teams = [
            make_participation(self.round, make_team(track), running_order=n) for n in (1, 2)
        ]
        self.judges = [make_judge(self.event) for _n in range(2)]
        self.rubric = save_rubric(
            self.event,
            self.organizer,
            fields={"name_en": "Roadshow", "name_zh": "路演"},
            criteria=[
                criterion("Novelty", 60, name_zh="创新"),
                criterion("Market", 40),
                criterion("Late", kind="penalty", maximum=Decimal(5), step=Decimal(1)),
                criterion("Open?", kind="veto"),
            ],
        )
        self.panel = make_panel(self.round, self.judges, self.rubric)
        for (team, judge), values in self.MARKS.items():
            sheet = self.sheet(team, judge)
            pairs = zip(self.rubric.criteria.all(), values, strict=True)
            for n, (asked, value) in enumerate(pairs):
                if value is not None:
                    self.tap(sheet, asked, value, f"k{n}")
            submit_sheet(sheet, self.judges[judge].user)

    def sheet(self, team, judge):
        return open_sheet(
            self.panel.assignments.get(participation=self.teams[team], judge=self.judges[judge])
        )

    def tap(self, sheet, asked, value, key, **sent):
        by = sheet.assignment.judge.user
        return save_mark(sheet, asked, Decimal(value), sent=Sent(key, **sent), by=by)

    def version(self, change):
        """A version whose rows ``change`` has made of those in force."""
        rows = rows_of(self.rubric)
        rows[0]["name_zh"] = "创新"
        version = new_version(self.rubric, self.organizer)
        save_rubric(
            self.event, self.organizer, version,
            fields={"name_en": "Roadshow", "name_zh": "路演"}, criteria=change(rows),
        )  # fmt: skip
        return version

    def apply(self, version, reason="a mistake", **more):
        apply(self.panel, version, self.organizer, reason, **more)
        self.panel.refresh_from_db()


@pytest.fixture
def hall():
    return Hall()


def reweighted(rows):
    rows[0]["weight"], rows[1]["weight"] = Decimal(20), Decimal(80)
    return rows


def with_another(rows):
    rows[0]["weight"] = Decimal(40)
    return [*rows, criterion("Demo", 20, name_zh="演示")]


def test_it_says_what_differs(hall):
    def change(rows):
        novelty, _market, late, open_source = rows
        novelty["weight"] = Decimal(50)
        late["maximum"] = Decimal(10)
        open_source["name_en"] = "Open source?"
        return [late, novelty, criterion("Demo", 50), open_source]

    found = changes(hall.panel, hall.version(change))
    told = {
        c.criterion.name_en: [
            name
            for name in ("added", "dropped", "reweighted", "rescaled", "reworded")
            if getattr(c, f"is_{name}")
        ]
        for c in found.criteria
    }
    assert told == {
        "Late": ["rescaled"], "Novelty": ["reweighted"], "Demo": ["added"],
        "Open source?": ["reworded"], "Market": ["dropped"],
    }  # fmt: skip
    assert not found.is_wording_alone


def test_other_weights_change_totals_and_places_and_no_mark(hall):
    version = hall.version(reweighted)
    found = changes(hall.panel, version)
    first = next(c for c in found.sheets if c.sheet == hall.sheet(0, 0))
    assert (first.before, first.after) == (Fraction(70), Fraction(62))  # 72 and 64, less 2
    assert (first.lost, first.missing) == ((), ())
    assert [(t.participation, t.place_before, t.place_after) for t in found.teams] == [
        (hall.teams[1], 2, 1),
        (hall.teams[0], 1, 2),
    ]
    assert [(t.before, t.after) for t in found.teams] == [
        (Fraction(76), Fraction(82)),
        (Fraction(153, 2), Fraction(133, 2)),
    ]
    hall.apply(version)
    assert hall.panel.rubric == version
    assert {s.total for s in sheet_totals(hall.round)} == {c.after for c in found.sheets}
    assert set(Mark.objects.values_list("criterion__rubric", flat=True)) == {version.pk}
    assert verify(hall.round) == []
    assert not changes(hall.panel, version).lost


def test_every_mark_that_moves_is_in_the_record(hall):
    version = hall.version(reweighted)
    given = list(RecordEntry.objects.filter(kind="mark").values_list("pk", flat=True))
    with_reason = RecordEntry.objects.filter(reason="a mistake", by=hall.organizer)
    hall.apply(version)
    put = with_reason.exclude(kind="rubric").exclude(pk__in=given)
    assert put.filter(value=None, criterion__rubric=hall.rubric).count() == len(given)
    carried = put.filter(criterion__rubric=version)
    assert {(e.scoresheet_id, e.criterion_id): e.value for e in carried} == {
        (m.scoresheet_id, m.criterion_id): m.value for m in Mark.objects.all()
    }
    (entry,) = with_reason.filter(kind="rubric")
    assert "Roadshow 1 → Roadshow 2" in entry.text or "路演 1 → 路演 2" in entry.text
    log = LogEntry.objects.get(action="rubric_in_force")
    assert (log.reason, log.by) == ("a mistake", hall.organizer)


def test_a_sheet_that_lacks_a_mark_goes_back_to_its_judge(hall, django_capture_on_commit_callbacks):
    version = hall.version(with_another)
    found = changes(hall.panel, version)
    assert len(found.going_back) == 4
    assert all(team.after is None and team.place_after is None for team in found.teams)
    told = []
    ranking_inputs_changed.connect(lambda round, **_: told.append(round), weak=False)
    with django_capture_on_commit_callbacks(execute=True):
        hall.apply(version, reason="the demo was forgotten")
    assert hall.round in told
    assert verify(hall.round) == []
    sheet = hall.sheet(0, 0)
    assert sheet.status == "returned"
    why = sheet.entries.filter(kind="returned").get().reason
    assert "Demo" in why
    assert "演示" in why
    assert "Novelty" not in why
    assert "the demo was forgotten" in why
    hall.tap(sheet, version.criteria.last(), 5, "demo")
    submit_sheet(sheet, hall.judges[0].user)
    (total,) = sheet_totals(hall.round)
    assert total.total == Fraction(40 * 8 + 40 * 6 + 20 * 5, 10) - 2
    assert verify(hall.round) == []


def test_a_mark_stays_only_where_it_says_the_same(hall):
    def change(rows):
        novelty, market, late, open_source = rows
        novelty["maximum"] = Decimal(100)  # 8 of 10 is not 8 of 100
        market["step"] = Decimal(1)  # 6.5 is no longer on the scale
        late["maximum"] = Decimal(1)  # nor are 2 points
        return [novelty, market, late, open_source]

    version = hall.version(change)
    found = {
        tuple(c.name_en for c in change.missing): change
        for change in changes(hall.panel, version).sheets
    }
    assert set(found) == {("Novelty", "Late"), ("Novelty", "Market"), ("Novelty",)}
    assert all(change.goes_back for change in found.values())
    hall.apply(version)
    first = hall.sheet(0, 0)
    assert {m.criterion.name_en: m.value for m in first.marks.all()} == {"Market": 6, "Open?": 1}
    assert verify(hall.round) == []


def test_a_mark_of_an_unknown_criterion_is_lost_and_stops_nothing(hall):
    stray = make_rubric(hall.event, weights=(100,)).criteria.get()
    sheet = hall.sheet(0, 0)
    mark = Mark.objects.create(scoresheet=sheet, criterion=stray, value=Decimal(3))
    version = hall.version(reweighted)
    (change,) = [c for c in changes(hall.panel, version).sheets if c.sheet == sheet]
    assert change.lost == (mark,)
    assert not change.goes_back
    hall.apply(version)
    assert not Mark.objects.filter(criterion=stray).exists()


@pytest.mark.parametrize("status", ["withdrawn", "disqualified"])
def test_teams_that_compete_no_longer_have_no_place(hall, status):
    gone, left = hall.teams
    set_status(gone, status)
    (team,) = changes(hall.panel, hall.version(reweighted)).teams
    assert team.participation == left
    assert (team.place_before, team.place_after) == (1, 1)


def test_words_alone_move_no_sheet(hall):
    def change(rows):
        rows[1]["name_en"] = "Market and model"
        return rows

    version = hall.version(change)
    found = changes(hall.panel, version)
    assert found.is_wording_alone
    assert (found.lost, found.going_back) == (0, [])
    assert all(sheet.before == sheet.after for sheet in found.sheets)
    hall.apply(version)
    assert {hall.sheet(t, j).status for t, j in hall.MARKS} == {"submitted"}
    assert verify(hall.round) == []


def test_the_older_version_can_come_back(hall):
    before = {s.total for s in sheet_totals(hall.round)}
    hall.apply(hall.version(reweighted))
    hall.apply(hall.rubric, reason="after all")
    assert {s.total for s in sheet_totals(hall.round)} == before
    assert verify(hall.round) == []


def test_twice_is_once(hall):
    version = hall.version(reweighted)
    hall.apply(version)
    length = RecordEntry.objects.count()
    hall.apply(version)
    assert RecordEntry.objects.count() == length


def test_sheets_of_recused_judges_do_not_count_and_keep_their_marks(hall):
    recuse(hall.judges[1], hall.teams[0].team, hall.organizer, "adviser")
    version = hall.version(reweighted)
    team = next(t for t in changes(hall.panel, version).teams if t.participation == hall.teams[0])
    assert (team.sheets_before, team.before) == (1, Fraction(70))
    hall.apply(version)
    assert hall.sheet(0, 1).marks.count() == 3
    assert verify(hall.round) == []


def test_a_draft_keeps_its_marks_and_stays_with_its_judge(hall):
    sheet = hall.sheet(1, 1)
    return_sheet(sheet, hall.organizer, "look again")
    hall.apply(hall.version(with_another))
    assert hall.sheet(1, 1).marks.count() == 3
    assert sheet.entries.filter(kind="returned").count() == 1


def refused(code, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        apply(*args, **kwargs)
    assert caught.value.code == code


@pytest.mark.parametrize("status", ["decided", "published"])
def test_a_decided_round_stands(hall, status):
    version = hall.version(reweighted)
    set_status(hall.round, status)
    refused("round_decided", hall.panel, version, hall.organizer, "why")
    assert Mark.objects.filter(criterion__rubric=version).count() == 0


def test_it_takes_a_reason_and_a_version_of_the_same_rubric(hall):
    version = hall.version(reweighted)
    refused("reason_required", hall.panel, version, hall.organizer, " ")
    refused("not_a_version", hall.panel, make_rubric(hall.event), hall.organizer, "why")


def test_nothing_else_happens_than_was_seen(hall):
    version = hall.version(reweighted)
    seen = changes(hall.panel, version).seen
    save_rubric(
        hall.event, hall.organizer, version, fields={}, criteria=with_another(rows_of(hall.rubric))
    )
    refused("changes_outdated", hall.panel, version, hall.organizer, "why", seen)
    hall.apply(version, seen=changes(hall.panel, version).seen)


def test_the_panels_form_points_to_what_changes(hall):
    version = hall.version(reweighted)
    wanted = {"fields": {}, "rubric": version, "judges": hall.judges}
    with pytest.raises(Refused) as caught:
        save_panel(hall.round, hall.organizer, hall.panel, **wanted)
    assert caught.value.code == "version_changes_marks"
    hall.panel.refresh_from_db()
    wanted["rubric"] = make_rubric(hall.event)
    with pytest.raises(Refused) as caught:
        save_panel(hall.round, hall.organizer, hall.panel, **wanted)
    assert caught.value.code == "rubric_in_use"


# --- Tablets that were away meanwhile --------------------------------------------------------


def test_a_tap_by_the_version_before_counts_where_it_says_the_same(hall):
    sheet = hall.sheet(1, 0)
    novelty, market, *_rest = hall.rubric.criteria.all()
    return_sheet(sheet, hall.organizer, "look again")
    known = RecordEntry.objects.count()
    kept = hall.tap(sheet, novelty, 5, "before", device="a", base=known)

    def change(rows):
        rows[1]["maximum"] = Decimal(100)
        return rows

    version = hall.version(change)
    hall.apply(version)
    now, _changed, *_rest = version.criteria.all()
    assert hall.tap(sheet, novelty, 5, "before", device="a") == kept, "sent again, it is the same"
    late = hall.tap(sheet, novelty, 6, "after", device="a", base=kept.number)
    assert (late.criterion, late.previous) == (now, Decimal(5))
    assert hall.tap(sheet, novelty, 6, "after", device="a") == late
    with pytest.raises(Conflict):  # another tablet of the judge, which knew nothing of that
        hall.tap(sheet, novelty, 7, "other", device="b")
    with pytest.raises(Refused) as caught:
        hall.tap(sheet, market, 8, "scale", device="a", base=known)
    assert caught.value.code == "criterion_changed"
    assert verify(hall.round) == []


def test_the_stage_is_none_of_its_business(hall):
    stage.draw(hall.round, hall.organizer, seed="1")
    hall.apply(hall.version(reweighted))
    assert verify(hall.round) == []


@pytest.mark.django_db(transaction=True)
def test_judges_tap_while_a_version_is_put_in_force():
    """Whatever comes first, each mark ends on the version in force and the record explains it."""
    hall = Hall()
    sheets = [hall.sheet(1, 0), hall.sheet(1, 1)]
    for sheet in sheets:
        return_sheet(sheet, hall.organizer, "look again")
    criteria = list(hall.rubric.criteria.filter(kind="scored"))
    version = hall.version(with_another)
    faults, begun = [], threading.Event()

    def run(call):
        try:
            call()
        except Exception as fault:  # told below
            faults.append(fault)
        finally:
            connection.close()

    def tapping(sheet):
        for n in range(12):
            hall.tap(sheet, criteria[n % 2], n % 10, f"live{n}")
            begun.set()

    def putting():
        begun.wait(10)
        apply(hall.panel, version, hall.organizer, "why")

    calls = [putting, *(partial(tapping, sheet) for sheet in sheets)]
    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert set(Mark.objects.values_list("criterion__rubric", flat=True)) == {version.pk}
    assert RecordEntry.objects.filter(key__startswith="live").count() == 24
    for sheet in sheets:
        values = dict(sheet.marks.values_list("criterion__code", "value"))
        assert [values[c.code] for c in criteria] == [0, 1]  # of the last two taps, 10 and 11
    assert verify(hall.round) == []
