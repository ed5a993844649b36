from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from contest.errors import Refused, WrongMove
from contest.models import LogEntry, Membership
from contest.services.rounds import (
    close_round,
    join_round,
    open_round,
    publish_round,
    reopen_round,
    set_running_order,
)
from contest.services.teams import (
    accept_invitation,
    disqualify_team,
    invite,
    make_captain,
    register_team,
    reinstate_team,
    remove_member,
    withdraw_team,
)
from contest.states import TeamStatus
from tests.factories import (
    make_event,
    make_judge,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)

pytestmark = pytest.mark.django_db

TEAM = {"name_zh": "灯塔", "country": "CN", "organisation_zh": "某大学"}
ENTRY = {"title_zh": "开源项目"}


def register(track, by, **changes):
    return register_team(by=by, track=track, team={**TEAM, **changes}, entry=ENTRY)


def test_registering_makes_a_captain_a_code_and_a_place_in_the_open_round():
    track = make_track(code_prefix="MA")
    round = make_round(track)
    first, second = register(track, make_user()), register(track, make_user())
    assert (first.code, second.code) == ("MA-001", "MA-002")
    assert first.status == TeamStatus.REGISTERED
    assert first.memberships.get().role == Membership.Role.CAPTAIN
    assert round.participations.count() == 2


def test_registering_twice_gives_the_same_team():
    track, user = make_track(), make_user()
    assert register(track, user).pk == register(track, user).pk


@pytest.mark.parametrize(
    "window",
    [
        {"registration_opens": timezone.now() + timedelta(days=1)},
        {"registration_closes": timezone.now() - timedelta(seconds=1)},
        {"status": "draft"},
    ],
)
def test_registration_has_its_time(window):
    with pytest.raises(Refused) as caught:
        register(make_track(make_event(**window)), make_user())
    assert caught.value.code == "registration_closed"


def test_a_track_with_sub_tracks_takes_no_teams():
    parent = make_track()
    make_track(parent.event, parent=parent)
    with pytest.raises(Refused) as caught:
        register(parent, make_user())
    assert caught.value.code == "track_has_children"


def test_a_nameless_team_is_refused_and_nothing_is_left_behind():
    track = make_track()
    with pytest.raises(ValidationError) as caught:
        register(track, make_user(), name_zh=" ")
    assert {"name_zh", "name_en"} <= set(caught.value.message_dict)
    assert not track.teams.exists()


def test_an_invitation_is_mailed_and_lets_one_person_in():
    captain, guest = make_user(), make_user()
    team = make_team(captain=captain)
    invitation = invite(team, guest.email.upper(), captain)
    assert invite(team, guest.email, captain).pk == invitation.pk
    assert len(mail.outbox) == 1, "pressing again at once sends no second mail"
    cache.clear()  # a minute later
    assert invite(team, guest.email, captain).pk == invitation.pk
    assert len(mail.outbox) == 2
    assert invitation.token in mail.outbox[0].body
    membership = accept_invitation(invitation, guest)
    assert accept_invitation(invitation, guest).pk == membership.pk
    with pytest.raises(Refused):
        accept_invitation(invitation, make_user())
    with pytest.raises(Refused) as caught:
        invite(team, guest.email, captain)
    assert caught.value.code == "already_member"


def test_an_expired_invitation_is_closed_and_can_be_made_anew():
    captain = make_user()
    team = make_team(captain=captain)
    old = invite(team, "late@example.org", captain)
    old.expires_at = timezone.now()
    old.save()
    with pytest.raises(Refused):
        accept_invitation(old, make_user())
    assert invite(team, "late@example.org", captain).token != old.token


def test_a_full_team_and_a_judge_are_refused():
    captain = make_user()
    team = make_team(make_track(make_event(max_members=2)), captain)
    invitation = invite(team, "a@example.org", captain)
    judge = make_judge(team.event)
    with pytest.raises(Refused) as caught:
        accept_invitation(invitation, judge.user)
    assert caught.value.code == "judge_cannot_join"
    accept_invitation(invitation, make_user())
    with pytest.raises(Refused) as caught:
        invite(team, "b@example.org", captain)
    assert caught.value.code == "team_full"


def test_the_captain_stays():
    captain = make_user()
    team = make_team(captain=captain)
    with pytest.raises(Refused):
        remove_member(team.memberships.get(), captain)


def test_withdrawing_and_disqualifying_take_the_team_out_of_its_rounds():
    captain, organizer = make_user(), make_user()
    round = make_round()
    first, second = (make_team(round.track, captain) for _ in range(2))
    for team in (first, second):
        join_round(round, team)
    withdraw_team(first, captain)
    with pytest.raises(Refused):
        disqualify_team(second, organizer, " ")
    disqualify_team(second, organizer, "copied")
    states = list(round.participations.order_by("pk").values_list("status", flat=True))
    assert states == ["withdrawn", "disqualified"]
    assert LogEntry.objects.filter(reason="copied", by=organizer).count() == 2
    reinstate_team(second, organizer, "mistake")
    assert round.participations.get(team=second).status == "active"


def test_rounds_move_only_along_their_machine():
    organizer = make_user()
    track = make_track()
    team = make_team(track)
    round = make_round(track, status="draft")
    with pytest.raises(WrongMove):
        close_round(round, organizer)
    open_round(round, organizer)
    assert round.participations.get().team == team
    with pytest.raises(WrongMove):
        publish_round(round, organizer)
    close_round(round, organizer)
    with pytest.raises(Refused):
        reopen_round(round, organizer, "")
    reopen_round(round, organizer, "the network was down")
    assert round.status == "open"
    later = make_round(track, status="draft")
    with pytest.raises(Refused) as caught:
        open_round(later, organizer)
    assert caught.value.code == "nobody_advanced"


def test_running_order_swaps_without_a_clash():
    round = make_round(format="roadshow")
    first, second, third = (join_round(round, make_team(round.track)) for _ in range(3))
    organizer = make_user()
    set_running_order(round, [first, second, third], organizer)
    set_running_order(round, [third, first], organizer)
    assert [p.pk for p in round.participations.all()] == [third.pk, first.pk, second.pk]
    with pytest.raises(Refused):
        set_running_order(round, [first, first], organizer)


def test_a_team_is_handed_over_and_again_nothing_happens():
    captain, other = make_user(), make_user()
    team = make_team(captain=captain)
    member = team.memberships.create(user=other)
    for _press in range(2):
        make_captain(member, captain)
    roles = dict(team.memberships.values_list("user", "role"))
    assert roles == {captain.pk: "member", other.pk: "captain"}
    assert LogEntry.objects.filter(action="captain").count() == 1
    member.refresh_from_db()
    with pytest.raises(Refused):
        remove_member(member, captain)


def test_nobody_captains_two_teams_of_a_track():
    busy = make_user()
    first = make_team(captain=busy)
    second = make_team(first.track, captain=make_user())
    member = second.memberships.create(user=busy)
    with pytest.raises(Refused) as caught:
        make_captain(member, busy)
    assert caught.value.code == "captains_another"
    set_status(first, "withdrawn")
    make_captain(member, busy)
    assert second.memberships.get(role="captain").user == busy
