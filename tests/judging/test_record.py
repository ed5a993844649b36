"""The judging record: what fits passes, whatever was meddled with is found."""

from decimal import Decimal

import pytest
from django.utils import timezone

from judging.models import Mark, Record, RecordEntry, Recusal, Scoresheet
from judging.services import record, stage
from judging.services.panels import lift_recusal, recuse
from judging.services.scoresheets import (
    Sent,
    open_sheet,
    return_sheet,
    save_mark,
    save_text,
    submit_sheet,
)
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def round():
    """A roadshow in which everything happened that a record can hold of judges."""
    organizer = make_user()
    track = make_track(make_event(organizer))
    round = make_round(track, format="roadshow", kind="semifinal")
    first, second = (make_participation(round, make_team(track)) for _n in range(2))
    judges = [make_judge(track.event) for _n in range(2)]
    panel = make_panel(round, judges)
    stage.draw(round, organizer, seed="7")
    for assignment in panel.assignments.filter(judge=judges[0]):
        sheet = open_sheet(assignment)
        by = assignment.judge.user
        for n, criterion in enumerate(panel.rubric.criteria.all()):
            save_mark(sheet, criterion, Decimal(n + 5), sent=Sent(f"k{n}"), by=by)
        save_text(sheet, "comment", "good", sent=Sent("c"), by=by)
        submit_sheet(sheet, by)
    return_sheet(sheet, organizer, "again")
    save_mark(sheet, criterion, None, sent=Sent("clear"), by=by)
    recuse(judges[1], first.team, judges[1].user, "adviser")
    lift_recusal(recuse(judges[1], second.team, organizer, "mistake"), organizer, "it was")
    return round


def test_an_untouched_record_has_no_fault(round):
    assert record.verify(round) == []
    kinds = set(RecordEntry.objects.values_list("kind", flat=True))
    assert kinds >= {"mark", "comment", "submitted", "returned", "recused", "draw"}
    head = Record.objects.get(round=round)
    assert head.length == RecordEntry.objects.count()
    early = RecordEntry.objects.get(record=head, number=3).digest
    assert record.verify(round, early) == [], "a head that was written down earlier is still in it"


def fault(round, *args):
    faults = record.verify(round, *args)
    assert faults
    return faults[0].number


@pytest.mark.parametrize(
    "fields",
    [
        {"value": Decimal("9.5")},
        {"reason": "because"},
        {"device": "other"},
        {"key": "other"},
        {"by": None},
        {"at": timezone.now()},
    ],
)
def test_a_changed_entry_is_found(round, fields):
    RecordEntry.objects.filter(number=4).update(**fields)
    assert fault(round) == 4


def test_an_entry_changed_with_its_digest_breaks_the_next(round):
    entry = RecordEntry.objects.get(number=4)
    entry.value = Decimal("9.5")
    entry.digest = entry.digest_after(RecordEntry.objects.get(number=3).digest)
    entry.save()
    assert fault(round) == 5


def test_a_missing_entry_is_found(round):
    RecordEntry.objects.filter(number=4).delete()
    assert fault(round) == 4


def test_an_end_that_was_cut_off_is_found(round):
    last = RecordEntry.objects.order_by("number").last()
    head = last.digest
    last.delete()
    assert fault(round) == last.number
    before = RecordEntry.objects.order_by("number").last()
    Record.objects.update(length=before.number, head=before.digest)
    # From inside nothing is wrong with the rest; what was written down earlier tells.
    assert fault(round, head) is None


def test_data_that_the_record_does_not_explain_are_found(round):
    Mark.objects.filter(pk=Mark.objects.first().pk).update(value=Decimal(10))
    Scoresheet.objects.filter(status="submitted").update(comment="bad")
    Recusal.objects.all().delete()
    assert len(record.verify(round)) == 3
    Scoresheet.objects.update(status="draft")
    assert len(record.verify(round)) == 5


def test_a_round_without_a_record_has_no_marks():
    round = make_round(format="roadshow")
    assert record.verify(round) == []
    assert len(record.verify(round, "0" * 64)) == 1
