"""Score sheets: what is confirmed is kept, once; what is refused says why."""

import threading
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from contest.errors import Refused
from contest.services.rounds import close_round
from judging.models import Criterion, Mark, RecordEntry, Scoresheet
from judging.services.panels import lift_recusal, recuse
from judging.services.scoresheets import (
    Conflict,
    Sent,
    note_digest,
    open_sheet,
    return_sheet,
    save_mark,
    save_text,
    submit_sheet,
    weighted_total,
)
from judging.services.sheet_results import sheet_totals
from judging.services.totals import exact_total
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


class Stage:
    """A roadshow with one team and one judge, whose sheet is open."""

    def __init__(self):
        self.organizer = make_user()
        self.event = make_event(self.organizer)
        track = make_track(self.event)
        self.round = make_round(track, format="roadshow", kind="semifinal")
        self.participation = make_participation(self.round, make_team(track))
        self.judge = make_judge(self.event)
        self.panel = make_panel(self.round, [self.judge], make_rubric(self.event))
        self.criteria = list(self.panel.rubric.criteria.all())
        self.sheet = open_sheet(self.judge.assignments.get())

    def mark(self, n, value, key=None, by=None):
        return save_mark(
            self.sheet,
            self.criteria[n],
            None if value is None else Decimal(value),
            sent=Sent(key or f"{n}-{value}"),
            by=by or self.judge.user,
        )

    def complete(self):
        for n, value in enumerate(("8", "7.5", "9")):
            self.mark(n, value)


@pytest.fixture
def stage(db):
    return Stage()


def refusal(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code
    return str(caught.value)


def test_a_mark_is_kept_with_who_when_and_what_it_was(stage):
    device = timezone.now()
    save_mark(
        stage.sheet,
        stage.criteria[0],
        Decimal("6"),
        sent=Sent("a", device_at=device),
        by=stage.judge.user,
    )
    stage.mark(0, "6.5", key="b")
    first, second = RecordEntry.objects.filter(kind="mark").order_by("number")
    assert (first.previous, first.value, first.device_at) == (None, Decimal("6"), device)
    assert (second.previous, second.value, second.by) == (6, Decimal("6.5"), stage.judge.user)
    assert [mark.value for mark in Mark.objects.all()] == [Decimal("6.5")]


def test_the_same_tap_sent_again_is_the_same_revision(stage):
    once = stage.mark(0, "6", key="tap")
    stage.mark(0, "7", key="later")
    again = stage.mark(0, "6", key="tap")
    assert once == again
    assert Mark.objects.get().value == 7, "the repeat changes nothing"
    assert refusal("key_reused", lambda: stage.mark(0, "9", key="tap"))
    assert RecordEntry.objects.filter(kind="mark").count() == 2


def test_a_mark_can_be_cleared_and_stays_on_record(stage):
    stage.mark(0, "6")
    stage.mark(0, None, key="clear")
    assert not Mark.objects.exists()
    kept = RecordEntry.objects.filter(kind="mark").values_list("value", flat=True)
    assert list(kept) == [Decimal("6"), None]


@pytest.mark.parametrize("value", ["-0.5", "10.5", "7.25", "NaN", "Infinity"])
def test_a_mark_off_the_scale_is_refused(stage, value):
    with pytest.raises(ValidationError) as caught:
        stage.mark(0, value)
    with translation.override("en"):
        assert "takes marks from 0 to 10 in steps of 0.5" in caught.value.messages[0]
    assert not RecordEntry.objects.exists()


def test_only_the_sheets_judge_writes(stage):
    other = make_judge(stage.event)
    for by in (other.user, stage.organizer, make_user()):
        refusal("not_your_sheet", lambda by=by: stage.mark(0, "5", by=by))
        refusal("not_your_sheet", lambda by=by: submit_sheet(stage.sheet, by))
        sent = Sent("t")
        refusal(
            "not_your_sheet",
            lambda by=by, sent=sent: save_text(stage.sheet, "comment", "x", sent=sent, by=by),
        )


def test_a_criterion_of_another_rubric_is_refused(stage):
    foreign = make_rubric(stage.event).criteria.first()
    with pytest.raises(ValidationError, match=r"another rubric|另一张"):
        save_mark(stage.sheet, foreign, Decimal(5), sent=Sent("k"), by=stage.judge.user)


def test_submitting_needs_every_mark_and_twice_changes_nothing(stage):
    stage.mark(0, "8")
    told = refusal("marks_missing", lambda: submit_sheet(stage.sheet, stage.judge.user))
    assert stage.criteria[1].name in told
    assert stage.criteria[2].name in told
    stage.complete()
    first = submit_sheet(stage.sheet, stage.judge.user).submitted_at
    assert submit_sheet(stage.sheet, stage.judge.user).submitted_at == first
    refusal("sheet_submitted", lambda: stage.mark(0, "3", key="late"))
    # A tap that was answered before the submission and is sent again is still answered.
    assert stage.mark(0, "8", key="0-8")


def test_a_returned_sheet_can_be_changed_and_does_not_count_until_then(stage):
    stage.complete()
    submit_sheet(stage.sheet, stage.judge.user)
    assert len(sheet_totals(stage.round)) == 1
    refusal("reason_required", lambda: return_sheet(stage.sheet, stage.organizer, " "))
    return_sheet(stage.sheet, stage.organizer, "wrong team")
    assert sheet_totals(stage.round) == []
    stage.mark(0, "2", key="again")
    submit_sheet(stage.sheet, stage.judge.user)
    # 100 · (40·0.2 + 35·0.75 + 25·0.9) / 100 = 56.75
    assert sheet_totals(stage.round)[0].total == Fraction("56.75")


def test_a_closed_round_takes_no_marks_but_on_a_sheet_that_was_returned(stage):
    stage.complete()
    close_round(stage.round, stage.organizer)
    refusal("round_not_open", lambda: stage.mark(0, "1", key="x"))
    set_status(stage.sheet, "submitted")
    return_sheet(stage.sheet, stage.organizer, "the second mark was meant for another team")
    assert stage.mark(0, "1", key="x").value == 1
    submit_sheet(stage.sheet, stage.judge.user)
    set_status(stage.round, "decided")
    refusal("round_decided", lambda: return_sheet(stage.sheet, stage.organizer, "too late"))


def test_two_tablets_of_one_judge_never_overwrite_each_other_in_silence(stage):
    def tap(value, key, device, base=0):
        sent = Sent(key, device=device, base=base)
        return save_mark(
            stage.sheet, stage.criteria[0], Decimal(value), sent=sent, by=stage.judge.user
        )

    first = tap("6", "a", "left")
    with pytest.raises(Conflict) as caught:
        tap("7", "b", "right")
    assert caught.value.entry == first
    assert Mark.objects.get().value == 6, "nothing was written"
    second = tap("7", "c", "right", base=first.number)
    assert second.previous == 6
    refusal("conflict", lambda: tap("8", "d", "left", base=first.number))
    assert tap("7.5", "e", "right").value == Decimal("7.5"), "of one tablet the taps are in order"


def test_a_sheet_is_submitted_with_the_marks_that_its_judge_saw(stage):
    stage.complete()
    marks = {c.pk: Decimal(m) for c, m in zip(stage.criteria, ("8", "7.5", "9"), strict=True)}
    by = stage.judge.user
    wrong = {**marks, stage.criteria[0].pk: Decimal("9")}
    refusal("conflict", lambda: submit_sheet(stage.sheet, by, sent=Sent("s"), seen=wrong))
    assert submit_sheet(stage.sheet, by, sent=Sent("s"), seen=marks).status == "submitted"
    return_sheet(stage.sheet, stage.organizer, "look again")
    assert submit_sheet(stage.sheet, by, sent=Sent("s"), seen=marks).status == "returned", (
        "a repeat of an earlier request does not hand in what was returned since"
    )
    refusal("conflict", lambda: submit_sheet(stage.sheet, by, sent=Sent("t"), seen=marks))
    known = stage.sheet.entries.get(kind="returned").number
    again = Sent("t", base=known)
    assert submit_sheet(stage.sheet, by, sent=again, seen=marks).status == "submitted"
    refusal("conflict", lambda: submit_sheet(stage.sheet, by, sent=Sent("u"), seen=wrong))


def test_texts_are_kept_once_and_a_note_stays_out_of_the_record(stage):
    by = stage.judge.user
    save_text(stage.sheet, "comment", "clear", sent=Sent("c"), by=by)
    save_text(stage.sheet, "comment", "clear", sent=Sent("c"), by=by)
    save_text(stage.sheet, "private_note", "weak pitch", sent=Sent("n"), by=by)
    sheet = Scoresheet.objects.get()
    assert (sheet.comment, sheet.private_note) == ("clear", "weak pitch")
    kept = dict(RecordEntry.objects.values_list("kind", "text"))
    assert kept["comment"] == "clear"
    assert kept["note"] == note_digest(sheet, "weak pitch")
    with pytest.raises(ValidationError, match="4001"):
        save_text(stage.sheet, "comment", "x" * 4001, sent=Sent("l"), by=by)


def test_a_conflict_of_interest_takes_the_sheet_out_and_keeps_it(stage):
    stage.complete()
    submit_sheet(stage.sheet, stage.judge.user)
    team = stage.participation.team
    refusal("not_allowed", lambda: recuse(stage.judge, team, make_user(), "because"))
    refusal("reason_required", lambda: recuse(stage.judge, team, stage.judge.user, ""))
    recusal = recuse(stage.judge, team, stage.judge.user, "adviser")
    assert recuse(stage.judge, team, stage.organizer, "again") == recusal
    (sheet,) = sheet_totals(stage.round)
    assert (sheet.counted, sheet.why_not) == (False, "recused")
    assert Mark.objects.count() == 3
    refusal("recused", lambda: stage.mark(0, "1", key="x"))
    refusal("not_allowed", lambda: lift_recusal(recusal, stage.judge.user, "mistake"))
    lift_recusal(recusal, stage.organizer, "mistake")
    assert sheet_totals(stage.round)[0].counted


def test_the_weighted_total_is_exact():
    criteria = [
        Criterion(pk=1, weight=Decimal(1), minimum=Decimal(0), maximum=Decimal(3)),
        Criterion(pk=2, weight=Decimal(2), minimum=Decimal(1), maximum=Decimal(5)),
    ]
    # 100 · (1·1/3 + 2·2/4) / 3 = 400/9
    assert exact_total(criteria, {1: Decimal(1), 2: Decimal(3)}) == Fraction(400, 9)
    assert exact_total(criteria, {1: Decimal(1)}) is None
    assert exact_total([], {}) is None


halves = st.integers(0, 20).map(lambda n: Decimal(n) / 2)


@given(st.lists(st.tuples(st.integers(1, 50), halves), min_size=1, max_size=6), st.integers(1, 9))
def test_only_the_proportion_of_weights_counts(items, factor):
    def total(times):
        criteria = [
            Criterion(pk=n, weight=Decimal(w * times), minimum=Decimal(0), maximum=Decimal(10))
            for n, (w, _mark) in enumerate(items)
        ]
        return exact_total(criteria, {n: mark for n, (_w, mark) in enumerate(items)})

    assert total(1) == total(factor)
    assert 0 <= total(1) <= 100


def test_the_total_shown_has_twelve_decimals(stage):
    stage.complete()
    assert weighted_total(stage.sheet) == Decimal("80.750000000000")


@pytest.mark.django_db(transaction=True)
def test_one_tap_sent_on_two_connections_at_once_is_one_revision():
    stage = Stage()
    start = threading.Barrier(4)
    got, failed = [], []

    def send():
        try:
            start.wait()
            got.append(stage.mark(0, "8", key="tap").pk)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(got)) == 1
    assert [entry.kind for entry in RecordEntry.objects.all()] == ["criteria", "mark"]
    assert Scoresheet.objects.count() == 1
