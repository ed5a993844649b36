"""Quotas, wildcards, reserves, two signatures and what follows when a team leaves."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from contest.models import EventRole
from contest.services import rounds
from contest.services.teams import disqualify_team, edit_team, withdraw_team
from judging.models import RecordEntry
from judging.services.panels import recuse
from judging.services.record_check import verify
from leaderboard.models import Advancement, AdvancementRow
from leaderboard.services import advancement, promotion
from leaderboard.services.advancement_rules import rule_of, save_rule
from tests.factories import make_round, make_track, make_user
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    decided,
    organizer,  # noqa: F401
    people,
    refusal,
    roadshow,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db


def ranked(track, countries, marks=None, advance=2):  # noqa: F811
    """A roadshow whose teams come in the order of ``countries``; a final follows it."""
    teams, judges = people(track, len(countries), 1)
    for team, country in zip(teams, countries, strict=True):
        team.country = country
        team.save()
    marks = marks or [9 - n for n in range(len(teams))]
    round = roadshow(track, teams, judges, [[mark] for mark in marks], advance=advance)
    final = make_round(track, kind="final", format="roadshow", ordinal=2, status="draft")
    return round, final, teams


def ruled(round, by, quotas=(), **fields):
    return save_rule(
        round, by, **{"wildcards": 0, "reserves": 0, "ties": "ask", **fields}, quotas=quotas
    )


def outcomes(proposal):
    rows = proposal.rows.select_related("row__participation__team").order_by("row__position")
    return [
        item.outcome + (f" {item.number}" if item.outcome == "reserve" else "") for item in rows
    ]


def participation(round, team):
    return round.participations.get(team=team)


EACH = {"kind": "country", "most": 1}


def test_a_quota_lets_the_next_move_up_and_says_why(track, organizer, client):  # noqa: F811
    round, final, teams = ranked(track, ["CN", "CN", "FR"])
    ruled(round, organizer, [EACH], reserves=1)
    proposal = decided(round, organizer)
    assert outcomes(proposal) == ["in", "reserve 1", "in"]
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(
        reverse("desk-ranking", args=[track.event.slug, round.slug]),
        headers={"Accept-Language": "en"},
    ).content.decode()
    assert "the quota of China is full (1)" in page
    advancement.sign_off(proposal, organizer)
    assert {p.team for p in final.participations.all()} == {teams[0], teams[2]}
    assert verify(round) == []
    refusal("round_decided", lambda: ruled(round, organizer))


def test_another_rule_or_another_country_asks_for_another_proposal(track, organizer):  # noqa: F811
    round, _final, teams = ranked(track, ["CN", "CN", "FR"])
    proposal = decided(round, organizer)
    ruled(round, organizer, [EACH])
    refusal("rule_outdated", lambda: advancement.sign_off(proposal, organizer))
    second = advancement.propose(round, organizer)
    assert outcomes(second) == ["in", "out", "in"]
    edit_team(teams[1], organizer, country="BR")
    refusal("rule_outdated", lambda: advancement.sign_off(second, organizer))
    assert outcomes(advancement.propose(round, organizer)) == ["in", "in", "out"]


def test_a_rule_that_cannot_be_kept_is_not_saved(track, organizer):  # noqa: F811
    round, _final, _teams = ranked(track, ["CN"])
    other = make_track(track.event)
    for wrong in (
        {"kind": "country"},
        {"kind": "country", "most": 1, "least": 2},
        {"kind": "country", "country": "CN", "least": 3},
        {"kind": "organisation", "most": 1, "country": "CN"},
        {"kind": "track", "most": 1},
        {"kind": "track", "most": 1, "track": other},
    ):
        with pytest.raises(ValidationError):
            ruled(round, organizer, [wrong])
    with pytest.raises(ValidationError):
        ruled(round, organizer, [EACH, EACH])


def test_places_are_kept_for_sub_tracks_and_organisations_are_known_by_any_name(organizer, track):  # noqa: F811
    one, two = (make_track(track.event, parent=track) for _ in range(2))
    round, _final, teams = ranked(track, ["CN", "CN", "CN", "CN"], advance=2)
    for team, below in zip(teams, (one, one, one, two), strict=True):
        team.track = below
        team.save()
    ruled(round, organizer, [{"kind": "track", "least": 1}])
    assert outcomes(decided(round, organizer)) == ["in", "out", "out", "in"]
    edit_team(teams[0], organizer, organisation_zh="清华大学", organisation_en="Tsinghua")
    edit_team(teams[1], organizer, organisation_zh="", organisation_en="TSINGHUA ")
    edit_team(teams[2], organizer, organisation_zh="清华大学附属中学", organisation_en="")
    ruled(round, organizer, [{"kind": "organisation", "most": 1}])
    assert outcomes(advancement.propose(round, organizer)) == ["in", "out", "in", "out"]


def test_wildcards_have_a_reason_and_a_number(track, organizer):  # noqa: F811
    round, final, teams = ranked(track, ["CN"] * 5)
    ruled(round, organizer, wildcards=1, reserves=1)
    proposal = decided(round, organizer)
    places = [participation(round, team) for team in teams]
    give = advancement.give_wildcard
    refusal("reason_required", lambda: give(proposal, places[2], organizer, " "))
    refusal("no_wildcard_needed", lambda: give(proposal, places[0], organizer, "x"))
    give(proposal, places[2], organizer, "host")
    give(proposal, places[2], organizer, "host")
    refusal("no_wildcard_left", lambda: give(proposal, places[4], organizer, "x"))
    assert outcomes(proposal) == ["in", "in", "wildcard", "reserve 1", "out"]
    advancement.take_wildcard(proposal, places[2], organizer)
    assert outcomes(proposal) == ["in", "in", "reserve 1", "out", "out"]
    give(proposal, places[4], organizer, "host")
    advancement.sign_off(proposal, organizer)
    assert {p.team for p in final.participations.all()} == {teams[0], teams[1], teams[4]}
    assert verify(round) == []
    AdvancementRow.objects.filter(reason="host").update(reason="another")
    assert len(verify(round)) == 1


def test_a_new_proposal_takes_over_what_still_applies_and_tells_the_rest(track, organizer):  # noqa: F811
    round, _final, teams = ranked(track, ["CN"] * 5, [9, 7, 7, 5, 4])
    ruled(round, organizer, wildcards=2)
    proposal = decided(round, organizer)
    tied = [participation(round, team).pk for team in teams[1:3]]
    advancement.decide_tie(proposal, organizer, tied[:1], "earlier")
    for team in teams[3:]:
        advancement.give_wildcard(proposal, participation(round, team), organizer, "host")
    advancement.revoke(proposal, organizer, "to look at it again")
    again = advancement.propose(round, organizer)
    assert outcomes(again) == ["in", "in", "out", "wildcard", "wildcard"]
    assert (again.reason, again.dropped) == ("earlier", [])
    disqualify_team(teams[0], organizer, "cheated")
    withdraw_team(teams[4], organizer)
    third = advancement.propose(round, organizer)
    assert outcomes(third)[:3] == ["in", "in", "wildcard"], "both now fit; nothing ties"
    assert sorted(what for _team, what in third.dropped) == ["tie", "wildcard"]
    assert third.decisions == []


def test_decisions_on_ties_can_be_taken_back(track, organizer):  # noqa: F811
    round, _final, teams = ranked(track, ["CN"] * 3, [9, 7, 7])
    proposal = decided(round, organizer)
    advancement.decide_tie(proposal, organizer, [participation(round, teams[1]).pk], "earlier")
    advancement.undo_ties(proposal, organizer, "wrong team")
    assert outcomes(proposal) == ["in", "tied", "tied"]
    advancement.decide_tie(proposal, organizer, [participation(round, teams[2]).pk], "drawn")
    assert Advancement.objects.get(pk=proposal.pk).reason == "drawn"


@pytest.mark.parametrize(
    ("ties", "wanted"), [("all_in", ["in"] * 3), ("all_out", ["in", "out", "out"])]
)
def test_the_rule_may_say_what_becomes_of_ties(track, organizer, ties, wanted):  # noqa: F811
    round, _final, _teams = ranked(track, ["CN"] * 3, [9, 7, 7])
    ruled(round, organizer, ties=ties)
    proposal = decided(round, organizer)
    assert outcomes(proposal) == wanted
    assert advancement.sign_off(proposal, organizer).status == "signed"


# --- Two signatures --------------------------------------------------------------------------


def test_two_people_sign_where_two_organize(track, organizer):  # noqa: F811
    round, final, _teams = ranked(track, ["CN"] * 3)
    second = make_user()
    EventRole.objects.create(event=track.event, user=second)
    proposal = decided(round, organizer)
    once = advancement.sign_off(proposal, organizer)
    assert advancement.sign_off(once, organizer).status == "signed_once", "again is no second one"
    assert not final.participations.exists()
    assert not RecordEntry.objects.filter(kind="signed").exists()
    refusal("not_a_proposal", lambda: advancement.undo_ties(once, organizer, "x"))
    signed = advancement.sign_off(once, second)
    assert (signed.status, signed.signed_by) == ("signed", second)
    assert [item.by for item in signed.signatures.all()] == [organizer, second]
    assert final.participations.count() == 2
    assert advancement.sign_off(signed, second) == signed
    assert verify(round) == []
    signed.signatures.filter(by=organizer).update(by=make_user())
    assert len(verify(round)) == 1


def test_a_ranking_that_changes_between_the_signatures_is_not_signed(track, organizer):  # noqa: F811
    round, _final, teams = ranked(track, ["CN"] * 3)
    track.event.signatures = "two"
    track.event.save()
    proposal = advancement.sign_off(decided(round, organizer), organizer)
    withdraw_team(teams[0], organizer)
    refusal("standing_outdated", lambda: advancement.sign_off(proposal, make_user()))
    fresh = advancement.propose(round, organizer)
    assert not fresh.signatures.exists()


# --- A team leaves ---------------------------------------------------------------------------


def test_the_next_reserve_follows_a_team_that_left(track, organizer, client):  # noqa: F811
    round, final, teams = ranked(track, ["CN"] * 4)
    ruled(round, organizer, reserves=2)
    signed = advancement.sign_off(decided(round, organizer), organizer)
    first, _second, third, fourth = signed.rows.order_by("row__position")
    assert promotion.vacancies(signed) == []
    refusal("not_vacant", lambda: promotion.promote(signed, first.pk, third.pk, organizer, "x"))
    disqualify_team(teams[0], organizer, "cheated")
    (vacancy,) = promotion.vacancies(signed)
    assert (vacancy.row, vacancy.suggested) == (first, (third,))
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("desk-ranking", args=[track.event.slug, round.slug]))
    assert f'value="{third.pk}"' in page.content.decode()
    refusal("not_next", lambda: promotion.promote(signed, first.pk, fourth.pk, organizer, "x"))
    refusal("reason_required", lambda: promotion.promote(signed, first.pk, third.pk, organizer, ""))
    for _ in range(2):
        promotion.promote(signed, first.pk, third.pk, organizer, "next in order")
    assert outcomes(signed) == ["disqualified", "in", "in", "reserve 2"]
    active = final.participations.filter(status="active")
    assert {p.team for p in active} == {teams[1], teams[2]}
    entry = RecordEntry.objects.get(kind="promoted")
    assert entry.participation.team == teams[2]
    assert verify(round) == []
    AdvancementRow.objects.filter(pk=fourth.pk).update(outcome="in")
    assert len(verify(round)) == 1, "a promotion by hand"


def test_a_promotion_keeps_the_quotas_and_asks_where_reserves_tie(track, organizer):  # noqa: F811
    round, _final, teams = ranked(
        track, ["CN", "FR", "CN", "BR", "BR", "FR"], [9, 8, 7, 6, 6, 5], advance=2
    )
    ruled(round, organizer, [EACH], reserves=4)
    signed = advancement.sign_off(decided(round, organizer), organizer)
    assert outcomes(signed) == ["in", "in", "reserve 1", "reserve 2", "reserve 2", "reserve 4"]
    withdraw_team(teams[1], organizer)
    (vacancy,) = promotion.vacancies(signed)
    assert [item.row.participation.team for item in vacancy.passed] == [teams[2]]
    assert {item.row.participation.team for item in vacancy.suggested} == {teams[3], teams[4]}


def test_nobody_follows_into_a_round_that_is_over(track, organizer):  # noqa: F811
    round, final, teams = ranked(track, ["CN"] * 3)
    ruled(round, organizer, reserves=1)
    signed = advancement.sign_off(decided(round, organizer), organizer)
    withdraw_team(teams[0], organizer)
    rounds.open_round(final, organizer)
    rounds.close_round(final, organizer)
    (vacancy,) = promotion.vacancies(signed)
    refusal(
        "next_round_over",
        lambda: promotion.promote(
            signed, vacancy.row.pk, vacancy.suggested[0].pk, organizer, "late"
        ),
    )


def test_a_signature_is_revoked_after_a_promotion_without_loss(track, organizer):  # noqa: F811
    round, final, teams = ranked(track, ["CN"] * 4)
    ruled(round, organizer, reserves=1)
    signed = advancement.sign_off(decided(round, organizer), organizer)
    withdraw_team(teams[0], organizer)
    (vacancy,) = promotion.vacancies(signed)
    promotion.promote(signed, vacancy.row.pk, vacancy.suggested[0].pk, organizer, "next")
    advancement.revoke(signed, organizer, "appeal")
    assert not final.participations.filter(status="active").exists()
    round.refresh_from_db()
    again = advancement.sign_off(advancement.propose(round, organizer), organizer)
    assert {p.team for p in final.participations.filter(status="active")} == set(teams[1:3])
    assert verify(round) == []
    assert again.status == "signed"


# --- Pages -----------------------------------------------------------------------------------


def test_the_rule_is_set_on_its_page(track, organizer, client):  # noqa: F811
    round, _final, _teams = ranked(track, ["CN"] * 3)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-advancement", args=[track.event.slug, round.slug])
    sent = {
        "ties": "run_off", "reserves": "2", "wildcards": "1", "quotas-TOTAL_FORMS": "1",
        "quotas-INITIAL_FORMS": "0", "quotas-0-kind": "country", "quotas-0-country": "CN",
        "quotas-0-track": "", "quotas-0-most": "2", "quotas-0-least": "",
    }  # fmt: skip
    assert client.post(page, sent).status_code == 302
    rule = rule_of(round)
    assert (rule.ties, rule.reserves, rule.wildcards) == ("run_off", 2, 1)
    assert [(q.group, q.most, q.least) for q in rule.quotas.all()] == [("CN", 2, 0)]
    shown = client.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert "At most 2 of China." in shown
    sent["quotas-0-most"] = ""
    assert client.post(page, sent).status_code == 200, "an empty quota is refused"


def test_the_desk_offers_wildcards_and_the_second_signature(track, organizer, client):  # noqa: F811
    round, _final, teams = ranked(track, ["CN"] * 4)
    track.event.signatures = "two"
    track.event.save()
    ruled(round, organizer, wildcards=1)
    decided(round, organizer)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    names = [track.event.slug, round.slug]
    act, decide, page = (reverse(n, args=names) for n in
                         ("desk-advance-act", "desk-decide", "desk-ranking"))  # fmt: skip
    english = {"Accept-Language": "en"}
    team = participation(round, teams[3]).pk
    client.post(act, {"action": "give_wildcard", "team": team, "reason": "host"})
    assert "Take back" in client.get(page, headers=english).content.decode()
    client.post(decide, {"action": "sign_off"})
    shown = client.get(page, headers=english).content.decode()
    assert "awaits the second signature" in shown
    assert 'value="sign_off"' not in shown
    recuse(round.panels.get().judges.first(), teams[0], organizer, "adviser")
    assert "has changed since the proposal" in client.get(page, headers=english).content.decode()
