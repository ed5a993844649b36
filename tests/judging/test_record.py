"""The judging record: what fits passes, whatever was meddled with is found."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone, translation

from contest.models import LogEntry
from contest.services.rounds import close_round, reopen_round
from judging.keeping import TABLE, TRIGGER, keep_record
from judging.models import (
    Assignment,
    Criterion,
    Mark,
    Record,
    RecordEntry,
    Recusal,
    Rubric,
    Scoresheet,
)
from judging.models.record import AppendOnlyError
from judging.services import record, stage, ties
from judging.services.panels import lift_recusal, recuse
from judging.services.record_check import verify
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
    assert verify(round) == []
    kinds = set(RecordEntry.objects.values_list("kind", flat=True))
    assert kinds >= {"mark", "comment", "submitted", "returned", "recused", "draw"}
    head = Record.objects.get(round=round)
    assert head.length == RecordEntry.objects.count()
    early = RecordEntry.objects.get(record=head, number=3).digest
    assert verify(round, early) == [], "a head that was written down earlier is still in it"


def fault(round, *args):
    faults = verify(round, *args)
    assert faults
    return faults[0].number


@contextmanager
def unguarded():
    """A cursor of somebody who owns the database and first takes the guard away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {TRIGGER}")
        else:
            cursor.execute(f"DROP TRIGGER {TRIGGER}")
        yield cursor
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER {TRIGGER}")
        else:
            keep_record(None, connection.alias)


def meddle(number, **fields):
    """Change an entry behind the models' back."""
    fields = {
        name: adapt(RecordEntry._meta.get_field(name), value) for name, value in fields.items()
    }
    changes = ", ".join(f"{name} = %s" for name in fields)
    with unguarded() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} SET {changes} WHERE number = %s", [*fields.values(), number]
        )


def adapt(field, value):
    return field.get_db_prep_save(value, connection)


def remove(*numbers):
    with unguarded() as cursor:
        for number in numbers:
            cursor.execute(f"DELETE FROM {TABLE} WHERE number = %s", [number])


@pytest.mark.parametrize(
    "fields",
    [
        {"value": Decimal("9.5")},
        {"reason": "because"},
        {"device": "other"},
        {"key": "other"},
        {"at": timezone.now()},
    ],
)
def test_a_changed_entry_is_found(round, fields):
    meddle(4, **fields)
    assert fault(round) == 4


def test_an_entry_of_somebody_else_is_found(round):
    with unguarded() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET by_id = NULL WHERE number = 4")
    assert fault(round) == 4


def forge(number, **fields):
    """Change an entry and make its digest fit; returns the digest."""
    entry = RecordEntry.objects.get(number=number)
    for name, value in fields.items():
        setattr(entry, name, value)
    before = RecordEntry.objects.filter(number=number - 1).first()
    digest = entry.digest_after(before.digest if before else "")
    meddle(number, **fields, digest=digest)
    return digest


def test_an_entry_changed_with_its_digest_breaks_the_next(round):
    forge(4, value=Decimal("9.5"))
    assert fault(round) == 5


def seal_anew():
    """As somebody would who has our secret key, too."""
    record = Record.objects.get()
    Record.objects.update(seal=record.seal_now())


def test_a_missing_entry_is_found(round):
    remove(4)
    assert fault(round) == 4


def test_an_end_that_was_cut_off_is_found(round):
    last = RecordEntry.objects.order_by("number").last()
    remove(last.number)
    assert fault(round) == last.number
    before = RecordEntry.objects.order_by("number").last()
    Record.objects.update(length=before.number, head=before.digest)
    assert fault(round) == before.number, "it is not sealed by us"
    seal_anew()
    # From inside nothing is wrong with the rest; what was written down earlier tells.
    assert verify(round)[0].number is None, "its conflict of interest is not lifted by the record"
    assert fault(round, last.digest) is None


def test_the_log_holds_heads_that_the_record_must_go_through(round):
    organizer = make_user()
    close_round(round, organizer)
    head = Record.objects.get()
    entry = LogEntry.objects.get(action="record_head")
    assert (entry.after, entry.by) == (f"{head.length} {head.head}", organizer)
    assert record.anchors(round) == [record.Anchor(head.head, head.length, entry.at)]
    reopen_round(round, organizer, "one more")
    record.append(round, RecordEntry.Kind.DRAW, text="later")
    assert verify(round) == []

    # The whole chain from the fourth entry on is made anew, digests, head and data included.
    mark = RecordEntry.objects.get(number=4)
    Mark.objects.filter(criterion=mark.criterion, scoresheet=mark.scoresheet).update(value=1)
    forge(4, value=Decimal(1))
    for number in range(5, head.length + 2):
        digest = forge(number)
    Record.objects.update(head=digest)
    assert len(verify(round)) == 2, "what the log says, and the seal"
    seal_anew()
    (found,) = verify(round)
    assert found.number == head.length
    assert str(head.length) in found.what


def test_a_record_that_is_shorter_than_the_log_says_is_found(round):
    close_round(round, make_user())
    length = Record.objects.get().length
    remove(*range(1, length + 1))
    Record.objects.all().delete()
    Mark.objects.all().delete()
    assert fault(round) == length


def test_a_changed_log_is_found(round):
    close_round(round, make_user())
    decided = LogEntry.objects.get(action="record_head")
    # Two heads of the same length, of which one was changed.
    LogEntry.write(round, "record_head", after=f"{Record.objects.get().length} {'0' * 64}")
    assert fault(round) == Record.objects.get().length
    LogEntry.objects.filter(action="record_head").exclude(pk=decided.pk).update(after="lost")
    assert fault(round) is None


def test_a_round_without_a_record_writes_no_head_down():
    round = make_round(format="roadshow")
    close_round(round, make_user())
    assert not LogEntry.objects.filter(action="record_head").exists()


def test_a_head_from_paper_may_be_its_beginning(round):
    head = Record.objects.get().head
    assert verify(round, head[:16]) == []
    assert verify(round, f"{head[:8]} {head[8:20].upper()}") == []
    with pytest.raises(ValidationError):
        verify(round, head[:15])
    with pytest.raises(ValidationError):
        verify(round, "x" * 64)


def test_the_models_refuse_to_change_or_remove_an_entry(round):
    entry = RecordEntry.objects.get(number=4)
    entries = RecordEntry.objects.filter(number=4)
    for act in (
        entry.save,
        entry.delete,
        entries.delete,
        RecordEntry.objects.all().delete,
        Record.objects.get().entries.all().delete,
        lambda: entries.update(reason="x"),
        lambda: entries.bulk_update([entry], ["reason"]),
        lambda: RecordEntry.objects.update(reason="x"),
        lambda: RecordEntry.objects.update_or_create(pk=entry.pk, defaults={"reason": "x"}),
        lambda: RecordEntry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["reason"], unique_fields=["id"]
        ),
    ):
        with pytest.raises(AppendOnlyError):
            act()
    assert verify(round) == []


def test_the_database_refuses_too(round):
    statements = [f"UPDATE {TABLE} SET reason = 'x' WHERE number = 4"]
    if connection.vendor == "postgresql":
        statements.append(f"DELETE FROM {TABLE} WHERE number = 4")
    for statement in statements:
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            connection.cursor().execute(statement)
    assert verify(round) == []


def test_a_team_brings_its_conflicts_into_the_record_of_a_later_round(round):
    judge, team = Recusal.objects.get().judge, Recusal.objects.get().team
    later = make_round(round.track, format="roadshow", kind="final")
    make_participation(later, team)
    entry = RecordEntry.objects.get(record__round=later)
    assert (entry.kind, entry.judge, entry.reason) == ("recused", judge, "adviser")
    assert verify(later) == []
    # One that somebody puts in by hand, however early it says it was, is found.
    other = later.participations.get().team
    early = Recusal.objects.create(judge=make_judge(later.event), team=other, reason="x")
    Recusal.objects.filter(pk=early.pk).update(declared_at=timezone.now() - timedelta(days=9))
    assert len(verify(later)) == 1
    early.delete()
    Recusal.objects.all().delete()
    assert len(verify(later)) == 1


def test_a_chairs_decision_that_was_changed_is_found(round):
    teams = list(round.participations.all())
    panel = round.panels.get()
    panel.chair = panel.judges.first()
    panel.save()
    tie = ties.ask(panel, teams, make_user())
    ties.decide(tie, panel.chair.user, [p.pk for p in teams], "the pitch")
    assert verify(round) == []
    tie.teams.update(place=None)
    for place, team in enumerate(reversed(teams), start=1):
        tie.teams.filter(participation=team).update(place=place)
    assert fault(round) is None


def test_data_that_the_record_does_not_explain_are_found(round):
    Mark.objects.filter(pk=Mark.objects.first().pk).update(value=Decimal(10))
    Scoresheet.objects.filter(status="submitted").update(comment="bad")
    Recusal.objects.all().delete()
    assert len(verify(round)) == 3
    Scoresheet.objects.update(status="draft")
    assert len(verify(round)) == 5


def test_a_round_without_a_record_has_no_marks():
    round = make_round(format="roadshow")
    assert verify(round) == []
    assert len(verify(round, "0" * 64)) == 1


def test_the_rubric_is_in_the_record_before_the_first_mark_by_it(round):
    criteria = RecordEntry.objects.get(kind="criteria")
    rubric = round.panels.get().rubric
    assert criteria.rubric_content == rubric.content()
    assert criteria.number < RecordEntry.objects.filter(kind="mark").first().number
    first = rubric.criteria.first()
    assert (
        criteria.rubric_content["criteria"][0]
        | {
            "id": first.pk,
            "weight": f"{first.weight:.2f}",
            "maximum": "10.00",
        }
        == criteria.rubric_content["criteria"][0]
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("weight", Decimal("12.5"), "12.50"),
        ("maximum", Decimal(20), "20.00"),
        ("minimum", Decimal(-1), "-1.00"),
        ("step", Decimal("0.25"), "0.25"),
        ("guide_en", "as you like", "as you like"),
    ],
)
def test_a_changed_rubric_is_found(round, field, value, said):
    first = round.panels.get().rubric.criteria.first()
    Criterion.objects.filter(pk=first.pk).update(**{field: value})
    (found,) = verify(round)
    assert found.number is None
    assert field in found.what
    assert said in found.what


def test_a_changed_veto_rule_or_a_criterion_put_in_or_taken_away_is_found(round):
    rubric = round.panels.get().rubric
    Rubric.objects.update(veto_rule="any")
    assert "veto_rule" in verify(round)[0].what
    Rubric.objects.update(veto_rule="majority")
    assert verify(round) == []
    extra = Criterion.objects.create(rubric=rubric, name_en="Charm", kind="bonus", weight=0)
    assert len(verify(round)) == 1
    extra.delete()
    other = Rubric.objects.create(event=rubric.event, name_en="Another")
    rubric.criteria.filter(pk=rubric.criteria.first().pk).update(rubric=other)
    assert verify(round)


def test_a_release_that_the_record_does_not_hold_is_found(round):
    free = round.panels.get().assignments.order_by("pk").last()
    free.released_at = timezone.now()
    free.save()
    assert len(verify(round)) == 1
    record.append(
        round, RecordEntry.Kind.RELEASED, judge=free.judge, participation=free.participation
    )
    assert verify(round) == []
    free.released_at = None
    free.save()
    assert len(verify(round)) == 1


def test_a_mark_of_minus_zero_is_zero(round):
    sheet = Scoresheet.objects.filter(status="returned").get()
    criterion = sheet.assignment.panel.rubric.criteria.first()
    save_mark(sheet, criterion, Decimal("-0"), sent=Sent("z"), by=sheet.assignment.judge.user)
    assert verify(round) == []


def test_entries_that_were_added_past_the_platform_are_found(round):
    last = RecordEntry.objects.order_by("number").last()
    forged = RecordEntry(
        record=last.record, number=last.number + 1, kind="draw", at=timezone.now(), text="mine"
    )
    forged.digest = forged.digest_after(last.digest)
    forged.save()
    Record.objects.update(length=forged.number, head=forged.digest)
    assert fault(round) == forged.number
    record.append(round, RecordEntry.Kind.DRAW, text="later")
    assert fault(round) == forged.number + 1, "what comes after does not heal it"


def test_the_seal_holds_when_the_secret_key_is_changed_and_the_old_one_kept(round, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert verify(round) == []
    record.append(round, RecordEntry.Kind.DRAW, text="later")
    assert verify(round) == []
    settings.SECRET_KEY_FALLBACKS = []
    settings.SECRET_KEY = "a third"
    assert "SECRET_KEY" in verify(round)[0].what


def test_a_sheet_that_was_given_to_another_team_is_found(round):
    first, second = Assignment.objects.filter(scoresheet__isnull=False).order_by("pk")
    here, there = first.participation_id, second.participation_id
    spare = make_participation(round, make_team(round.track))
    for assignment, team in ((first, spare.pk), (second, here), (first, there)):
        Assignment.objects.filter(pk=assignment.pk).update(participation=team)
    assert len(verify(round)) == 2


def test_a_sheet_in_a_panel_with_another_rubric_is_found(round):
    other = make_panel(round, [make_judge(round.event)], assign=False)
    submitted = Assignment.objects.get(scoresheet__status="submitted")
    Assignment.objects.filter(pk=submitted.pk).update(panel=other)
    assert other.rubric != round.panels.exclude(pk=other.pk).get().rubric
    with translation.override("en"):
        (found,) = verify(round)
    assert "rubric" in found.what


def test_a_private_note_that_was_changed_is_found(round):
    sheet = Scoresheet.objects.filter(status="returned").get()
    by = sheet.assignment.judge.user
    save_text(sheet, "private_note", "weak", sent=Sent("n"), by=by)
    assert verify(round) == []
    Scoresheet.objects.filter(pk=sheet.pk).update(private_note="strong")
    assert len(verify(round)) == 1


def test_a_fault_does_not_hide_another(round):
    meddle(4, reason="because")
    meddle(7, reason="because")
    Recusal.objects.all().delete()
    assert [found.number for found in verify(round)] == [4, 7, None]


def test_what_judges_do_while_it_is_checked_is_no_fault(round):
    sheet = Scoresheet.objects.filter(status="returned").get()
    criterion = sheet.assignment.panel.rubric.criteria.first()
    taps = iter(range(100))

    def tap(_count):
        if (n := next(taps)) in (2, 5):
            value = Decimal(n)
            save_mark(sheet, criterion, value, sent=Sent(f"t{n}"), by=sheet.assignment.judge.user)

    before = Record.objects.get().length
    assert verify(round, progress=tap) == []
    assert Record.objects.get().length == before + 2
