"""What was signed stands in the judging record, and nothing slips in before the signature."""

from decimal import Decimal

import pytest
from django.utils import translation

from contest.errors import Refused
from contest.models import Round
from contest.services import rounds
from judging.models import RecordEntry, Scoresheet
from judging.services import record
from judging.services.record_check import verify
from judging.services.scoresheets import Sent, return_sheet, save_mark, submit_sheet
from leaderboard.models import Advancement, AdvancementRow, Standing, StandingRow
from leaderboard.services import advancement, standings
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    decided,
    organizer,  # noqa: F401
    people,
    roadshow,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 2)
    return decided(roadshow(track, teams, judges, [[9, 2], [5, 5], [4, 4]]), organizer)


def swap(rows, field):
    """Exchange what two rows hold, behind the models' back."""
    (one, first), (two, second) = rows.values_list("pk", field)[:2]
    rows.model.objects.filter(pk=one).update(**{field: second})
    rows.model.objects.filter(pk=two).update(**{field: first})


def test_signing_and_revoking_are_in_the_record(proposal, organizer):  # noqa: F811
    advancement.sign_off(proposal, organizer)
    assert verify(proposal.round) == []
    entry = RecordEntry.objects.get(kind="signed")
    assert entry.text.startswith(f"#{proposal.pk} ")
    advancement.revoke(proposal, organizer, "typo")
    assert verify(proposal.round) == []
    assert RecordEntry.objects.get(kind="revoked").reason == "typo"
    Advancement.objects.update(status="signed")
    assert verify(proposal.round)


@pytest.mark.parametrize("field", ["rank", "total"])
def test_places_that_were_changed_after_the_signature_are_found(proposal, organizer, field):  # noqa: F811
    advancement.sign_off(proposal, organizer)
    swap(proposal.standing.rows, field)
    assert len(verify(proposal.round)) == 1


def test_finalists_that_were_exchanged_are_found(proposal, organizer):  # noqa: F811
    advancement.sign_off(proposal, organizer)
    assert verify(proposal.round) == []
    swap(AdvancementRow.objects.filter(advancement=proposal), "outcome")
    assert len(verify(proposal.round)) == 1


def test_a_list_that_is_not_what_the_rule_says_is_not_signed(proposal, organizer):  # noqa: F811
    swap(AdvancementRow.objects.filter(advancement=proposal), "outcome")
    with pytest.raises(Refused) as refused:
        advancement.sign_off(proposal, organizer)
    assert refused.value.code == "rule_outdated"


def test_a_signature_that_was_made_or_taken_away_by_hand_is_found(proposal, organizer):  # noqa: F811
    Advancement.objects.update(status="signed")
    assert len(verify(proposal.round)) == 1
    Advancement.objects.update(status="draft")
    advancement.sign_off(Advancement.objects.get(), organizer)
    Advancement.objects.update(status="revoked")
    assert len(verify(proposal.round)) == 1


def test_a_published_list_that_was_changed_is_found(proposal, organizer):  # noqa: F811
    advancement.sign_off(proposal, organizer)
    rounds.publish_round(Round.objects.get(pk=proposal.round_id), organizer)
    standings.refresh(proposal.round)
    assert verify(proposal.round) == []
    shown = Standing.objects.get(round=proposal.round, is_result=True)
    swap(StandingRow.objects.filter(standing=shown), "rank")
    with translation.override("en"):
        assert "published" in verify(proposal.round)[0].what


def test_a_sheet_that_comes_in_while_somebody_signs_is_not_left_out(
    proposal, organizer, monkeypatch  # noqa: F811
):  # fmt: skip
    sheet = Scoresheet.objects.filter(assignment__participation__round=proposal.round).first()
    by = sheet.assignment.judge.user
    return_sheet(sheet, organizer, "again")
    proposal = advancement.propose(proposal.round, organizer)
    hold = record.hold

    def comes_in(round):
        monkeypatch.setattr(record, "hold", hold)
        criterion = sheet.assignment.panel.rubric.criteria.first()
        save_mark(sheet, criterion, Decimal(1), sent=Sent("late"), by=by)
        submit_sheet(Scoresheet.objects.get(pk=sheet.pk), by)
        return hold(round)

    monkeypatch.setattr(record, "hold", comes_in)
    with pytest.raises(Refused) as refused:
        advancement.sign_off(proposal, organizer)
    assert refused.value.code == "standing_outdated"
    advancement.sign_off(advancement.propose(proposal.round, organizer), organizer)
    assert verify(proposal.round) == []


def test_nothing_that_ranks_comes_into_the_record_after_the_signature(proposal, organizer):  # noqa: F811
    advancement.sign_off(proposal, organizer)
    for kind in record.DECIDED_BY:
        with pytest.raises(Refused) as refused:
            record.append(proposal.round, kind)
        assert refused.value.code == "round_decided"
