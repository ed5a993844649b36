"""A balanced design of a panel: proposed, looked at, applied; what is scored stays."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse

from contest.errors import Refused
from contest.models import LogEntry
from judging.models import Assignment
from judging.services import designs
from judging.services.designs import Wish, apply, propose
from judging.services.panels import assign_all, recuse
from judging.services.scoresheets import Sent, open_sheet, save_mark
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
def by():
    return make_user()


@pytest.fixture
def panel(by):
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    for _n in range(8):
        make_participation(round, make_team(track))
    return make_panel(round, [make_judge(track.event) for _n in range(5)], assign=False)


def pairs(panel):
    return set(panel.assignments.values_list("judge_id", "participation_id"))


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code
    return " ".join(caught.value.messages)


def test_what_is_applied_is_what_was_proposed(panel, by):
    wish = Wish(k=3, seed="2026")
    proposal = propose(panel, wish)
    assert pairs(panel) == set(), "a proposal writes nothing"
    low, high = proposal.design.load_range
    assert (low, high) == (4, 5)
    apply(panel, wish, by, proposal.digest)
    assert pairs(panel) == set(proposal.design.pairs)
    apply(panel, wish, by, proposal.digest)
    assert pairs(panel) == set(proposal.design.pairs), "applied again it is the same"
    entry = LogEntry.objects.get(action="designed")
    assert entry.after == f"+24, k = 3, seed = 2026, keep, design = {proposal.digest[:16]}"


def test_a_design_that_became_another_one_is_not_applied(panel, by):
    wish = Wish(k=3)
    seen = propose(panel, wish).digest
    judge = panel.judges.first()
    recuse(judge, panel.round.participations.first().team, by, "adviser")
    refused("design_changed", lambda: apply(panel, wish, by, seen))
    assert pairs(panel) == set()


def test_conflicts_and_the_same_organisation_are_left_out(panel, by):
    first, second, *_others = panel.round.participations.select_related("team")
    a, b, *_rest = panel.judges.all()
    recuse(a, first.team, by, "adviser")
    b.organisation_en = second.team.organisation_en
    b.save()
    apply(panel, Wish(k=4), by)
    assert (a.pk, first.pk) not in pairs(panel)
    assert (b.pk, second.pk) not in pairs(panel)
    for participation in panel.round.participations.all():
        assert panel.assignments.filter(participation=participation).count() == 4


def test_teams_without_enough_judges_are_named(panel, by):
    team = panel.round.participations.first().team
    for judge in panel.judges.all()[:2]:
        recuse(judge, team, by, "adviser")
    said = refused("too_few_allowed", lambda: apply(panel, Wish(k=4), by))
    assert team.code in said
    assert pairs(panel) == set()
    proposal = apply(panel, Wish(k=4, accept_fewer=True), by)
    assert [(p.team, got, len(who)) for p, got, who in proposal.short] == [(team, 3, 2)]
    assert panel.assignments.filter(participation__team=team).count() == 3
    refused("too_few_judges", lambda: propose(panel, Wish(k=6)))
    with pytest.raises(ValidationError):
        Wish(k=0)


def test_what_is_there_is_kept_and_without_marks_may_be_replaced(panel, by):
    assign_all(panel, by)
    everything = pairs(panel)
    apply(panel, Wish(k=3), by)
    assert pairs(panel) == everything, "kept: every team had more judges than asked for"
    marked = panel.assignments.first()
    sheet = open_sheet(marked)
    save_mark(
        sheet, panel.rubric.criteria.first(), Decimal(5), sent=Sent("k"), by=marked.judge.user
    )
    open_sheet(panel.assignments.last())  # looked at, nothing written
    again = apply(panel, Wish(k=3, keep=False), by)
    assert len(pairs(panel)) == 24
    assert (marked.judge_id, marked.participation_id) in pairs(panel)
    assert again.design.load_range == (4, 5)
    assert apply(panel, Wish(k=3, keep=False), by).removed == []


def test_judges_who_lose_teams_are_told_and_the_log_says_which(panel, by, monkeypatch):
    leaving, *others = panel.judges.all()
    team = panel.round.participations.first()
    for judge in (leaving, others[0]):
        Assignment.objects.create(panel=panel, judge=judge, participation=team)
    panel.judges.set(others)
    told = []
    monkeypatch.setattr(designs, "tell_judges", lambda judges: told.extend(judges))
    wish = Wish(k=1, seed="7", keep=False, accept_fewer=True)
    done = apply(panel, wish, by)
    lost = {str(a) for a in done.removed}
    assert str(Assignment(judge=leaving, participation=team)) in lost
    assert leaving.pk in told
    logged = LogEntry.objects.filter(action="unassigned").values_list("before", flat=True)
    assert set(logged) == lost
    entry = LogEntry.objects.get(action="designed")
    assert "k = 1, seed = 7, accept_fewer, design = " in entry.after
    assert entry.before == f"−{len(lost)}"


def test_another_design_is_drawn_with_the_same_wish(panel, by, client):
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("desk-design", args=[panel.round.event.slug, panel.round.slug, panel.pk])
    body = {"k": 2, "seed": "7", "skip_others": "on", "accept_fewer": "on", "seen": "old"}
    page = client.post(address, body, headers={"Accept-Language": "en"}).content.decode()
    assert "Look at it again" in page
    (link,) = re.findall(r'href="\?(\S+)">Draw another one', page)
    said = QueryDict(link.replace("&amp;", "&"), mutable=True)
    assert said.pop("seed") != ["7"]
    assert said.dict() == {"k": "2", "skip_others": "on", "accept_fewer": "on"}


def test_teams_of_another_panel_can_be_left_out(panel, by):
    other = make_panel(panel.round, [make_judge(panel.round.event)], assign=False)
    taken = panel.round.participations.first()
    Assignment.objects.create(panel=other, judge=other.judges.get(), participation=taken)
    apply(panel, Wish(k=2, skip_others=True), by)
    assert not panel.assignments.filter(participation=taken).exists()
    assert panel.assignments.count() == 14
    apply(panel, Wish(k=2), by)
    assert panel.assignments.filter(participation=taken).count() == 2


def test_a_judge_who_has_the_team_in_another_panel_is_not_given_it_twice(panel, by):
    shared = panel.judges.first()
    other = make_panel(panel.round, [shared], assign=False)
    taken = panel.round.participations.first()
    Assignment.objects.create(panel=other, judge=shared, participation=taken)
    apply(panel, Wish(k=4), by)
    assert Assignment.objects.get(judge=shared, participation=taken).panel == other
    assert panel.assignments.filter(participation=taken).count() == 4


def test_a_round_without_teams_has_nothing_to_design(by):
    round = make_round(make_track(make_event(by)), format="roadshow")
    panel = make_panel(round, [make_judge(round.event)])
    refused("no_teams", lambda: propose(panel, Wish(k=1)))


def test_ids_of_assignments_do_not_tell_the_order_of_teams(panel, by):
    """Judges of an anonymous panel see their assignments' ids."""
    assign_all(panel, by)
    judge = panel.judges.first()
    orders = []
    for _n in range(4):
        orders.append(
            list(
                panel.assignments.filter(judge=judge)
                .order_by("pk")
                .values_list("participation", flat=True)
            )
        )
        panel.assignments.all().delete()
        assign_all(panel, by)
    assert len({tuple(order) for order in orders}) > 1
