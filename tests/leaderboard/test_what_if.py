"""Other rules on a copy: who would enter and leave; what a change of the rules leaves behind."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from contest.errors import Refused
from contest.models import LogEntry
from judging.models import Judge, RecordEntry
from judging.services.record_check import verify
from leaderboard.models import SchemeComponent, Standing
from leaderboard.services import standings
from leaderboard.services.schemes import draft, has_scores, rules_of, save_scheme
from leaderboard.services.trials import what_if
from tests.factories import make_participation, make_round, make_team
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    automated,
    organizer,  # noqa: F401
    people,
    roadshow,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db
# By the mean the first is ahead thanks to one judge; without extremes the second is.
MARKS = [[10, 5, 5, 5, 5], [6, 6, 6, 5, 5], [1, 1, 1, 1, 1]]


@pytest.fixture
def round(track):  # noqa: F811
    teams, judges = people(track, 3, 5)
    return roadshow(track, teams, judges, MARKS, advance=1)


def fields(round, aggregation="trimmed", **more):
    component = {"kind": "judges", "source": round, "weight": 100, "aggregation": aggregation}
    return {
        "advance_count": 1, "tie_breaks": [], "decimals": 2, "components": [component | more],
    }  # fmt: skip


def test_another_method_is_tried_and_nothing_is_stored(round):
    standings.refresh(round)
    before = (Standing.objects.count(), SchemeComponent.objects.get().aggregation)
    moves = what_if(round, draft(round, **fields(round, "mean")))
    first, second, _third = round.participations.order_by("pk")
    assert [move.participation for move in moves][:2] == [first, second]
    assert [move.enters for move in moves] == [True, False, False]
    assert [move.leaves for move in moves] == [False, True, False]
    assert (Standing.objects.count(), SchemeComponent.objects.get().aggregation) == before
    assert what_if(round, rules_of(round))[0].is_move is False


def test_more_places_and_other_tie_breaks_are_tried(round):
    wider = draft(round, **fields(round) | {"advance_count": 2})
    enters = [move.participation.team for move in what_if(round, wider) if move.enters]
    assert enters == [round.participations.order_by("pk")[0].team]


def test_judges_are_left_out(round):
    generous = Judge.objects.order_by("pk").first()
    mean = draft(round, **fields(round, "mean"))
    with_all = what_if(round, mean)
    without = what_if(round, mean, frozenset([generous.pk]))
    assert with_all[0].participation != without[0].participation
    assert (
        what_if(round, mean, frozenset(Judge.objects.values_list("pk", flat=True)))[0].rank_after
        is None
    )


def test_a_draft_is_checked_like_the_rules_themselves(round, track):  # noqa: F811
    twice = fields(round)
    twice["components"] *= 2
    bad = [
        fields(round) | {"components": []},
        twice,
        fields(round, weight=0),
        fields(round, trim=0),
        fields(round, "loudest"),
        fields(make_round(track, ordinal=9)),
        fields(round) | {"tie_breaks": ["coin"]},
    ]
    for each in bad:
        with pytest.raises(ValidationError):
            draft(round, **each)


def test_the_rules_are_in_force_from_the_first_score_on(track, organizer):  # noqa: F811
    empty = make_round(track, format="roadshow", kind="semifinal", ordinal=5)
    make_participation(empty, make_team(track))
    assert not has_scores(empty)
    save_scheme(empty, organizer, **fields(empty, "median"))
    assert not RecordEntry.objects.exists(), "before that they are changed freely"
    assert has_scores(automated(track, [40]))


def test_a_change_of_rules_in_force_is_kept_with_its_effect(round, organizer):  # noqa: F811
    with pytest.raises(Refused) as refused:
        save_scheme(round, organizer, **fields(round, "mean"))
    assert refused.value.code == "reason_required"
    save_scheme(round, organizer, **fields(round, "mean"), reason="as announced in the call")
    first, second, _third = round.participations.order_by("pk")
    entry = RecordEntry.objects.get(kind="scheme")
    assert entry.reason == "as announced in the call"
    assert entry.text.endswith(f"+{first.team.code} −{second.team.code}; 2 moved")
    assert "trimmed 1" in entry.text
    assert verify(round) == []
    assert LogEntry.objects.get(action="scheme", reason=entry.reason).after.endswith("2 moved")
    save_scheme(round, organizer, **fields(round, "mean"))
    assert RecordEntry.objects.filter(kind="scheme").count() == 1, "the same rules are no change"


def test_the_desk_tries_and_saves(client, round, organizer):  # noqa: F811
    client.cookies["django_language"] = "en"
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-scheme", args=[round.event.slug, round.slug])
    form = {
        "advance_count": "1", "decimals": "2", "components-TOTAL_FORMS": "1",
        "components-INITIAL_FORMS": "0", "components-0-kind": "judges",
        "components-0-source": str(round.pk), "components-0-weight": "100",
        "components-0-aggregation": "trimmed", "components-0-trim": "1",
        "components-0-per": "total", "without": [str(Judge.objects.order_by("pk").last().pk)],
    }  # fmt: skip
    tried = client.post(page, form | {"action": "try", "components-0-aggregation": "mean"})
    assert "Into the places that advance" in tried.content.decode()
    wrong = client.post(page, form | {"action": "try", "components-0-weight": "0"})
    assert 'class="errors"' in wrong.content.decode()
    unexplained = client.post(page, form | {"components-0-aggregation": "mean"})
    assert "Give the reason" in unexplained.content.decode()
