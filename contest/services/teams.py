"""Teams: how they come to be, who belongs to them, what becomes of them."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.links import absolute_url
from contest.models import Entry, Event, Invitation, LogEntry, Membership, Team, Track, User
from contest.roles import is_organizer
from contest.services.rounds import (
    COMPETING,
    enter_new_teams,
    first_open_round,
    join_round,
    tell_rankings,
)
from contest.signals import people_kept_out, ranking_inputs_changed
from contest.states import ParticipationStatus, TeamStatus

MAIL_AGAIN_AFTER_S = 60


def _codes(event: Event, prefix: str) -> Iterator[str]:
    """The next codes with a track's prefix, such as ``MA-014``; the event must be locked."""
    taken = [
        int(match[1])
        for code in event.teams.filter(code__startswith=f"{prefix}-").values_list("code", flat=True)
        if (match := re.fullmatch(rf"{prefix}-(\d+)", code))
    ]
    return (f"{prefix}-{number:03}" for number in itertools.count(max(taken, default=0) + 1))


@dataclass
class Registration:
    """A team that is to be, with its project and its people; nothing of it is stored yet."""

    team: Team
    entry: Entry
    captain: User
    members: Sequence[User] = ()

    def require_valid(self) -> None:
        """Raise ValidationError for bad fields of the team, or else of its project."""
        self.team.full_clean(exclude=["event", "track", "code"])
        self.entry.full_clean(exclude=["team"])


def store(event: Event, registrations: Sequence[Registration], by: User) -> list[Team]:
    """Make teams, give them codes, and let them into their tracks' running rounds.

    The event is locked, and whoever calls has checked fields and people. However many they are,
    the database is asked the same.
    """
    codes: dict[str, Iterator[str]] = {}
    tracks: dict[Track, list[Team]] = {}
    people: list[Membership] = []
    for each in registrations:
        team, prefix = each.team, each.team.track.code_prefix
        if prefix not in codes:
            codes[prefix] = _codes(event, prefix)
        team.event, team.code, team.status = event, next(codes[prefix]), TeamStatus.REGISTERED
        tracks.setdefault(team.track, []).append(team)
    teams = Team.objects.bulk_create(each.team for each in registrations)
    for each in registrations:
        each.entry.team = each.team
        people.append(Membership(team=each.team, user=each.captain, role=Membership.Role.CAPTAIN))
        people += [Membership(team=each.team, user=user) for user in each.members]
    Entry.objects.bulk_create(each.entry for each in registrations)
    Membership.objects.bulk_create(people)
    LogEntry.objects.bulk_create(
        LogEntry.about(team, "registered", by=by, after=team.status) for team in teams
    )
    _log_joined([person for person in people if person.role != Membership.Role.CAPTAIN], by)
    for track, new in tracks.items():
        if round := first_open_round(track):
            enter_new_teams(round, new)
    return teams


def _log_joined(memberships: Sequence[Membership], by: User) -> None:
    LogEntry.objects.bulk_create(
        LogEntry.about(membership.team, "member_joined", by=by, after=membership.user.name)
        for membership in memberships
    )


def add_members(event: Event, joining: Sequence[tuple[Team, User]], by: User) -> None:
    """Put people into teams of the event, whoever calls having checked them. Who was invited is
    invited no longer."""
    people = [Membership(team=team, user=user) for team, user in joining]
    Membership.objects.bulk_create(people)
    _log_joined(people, by)
    joined = {(team.pk, user.email): user for team, user in joining}
    for invitation in Invitation.objects.filter(team__event=event, accepted_at=None):
        if user := joined.get((invitation.team_id, invitation.email)):
            _accept(invitation, user)


def _accept(invitation: Invitation, user: User) -> None:
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])


@transaction.atomic
def register_team(*, by: User, track: Track, team: dict, entry: dict) -> Team:
    """Register a team with ``by`` as its captain, and let it into the track's running round.

    ``team`` and ``entry`` hold the fields of those models. One person captains one team of a
    track; asking again for the same track returns that team. Raises Refused when registration is
    not open, ValidationError for bad fields.
    """
    event = Event.objects.select_for_update().get(pk=track.event_id)
    mine = Team.objects.filter(
        track=track, memberships__user=by, memberships__role=Membership.Role.CAPTAIN
    ).exclude(status=TeamStatus.WITHDRAWN)
    if existing := mine.first():
        return existing
    if not event.is_registration_open:
        raise Refused(
            _("Registration for “%(event)s” is not open."),
            code="registration_closed",
            params={"event": event.name},
        )
    if track.children.exists():
        raise Refused(
            _("Choose one of the sub-tracks of “%(track)s”."),
            code="track_has_children",
            params={"track": track.name},
        )
    _require_may_compete(by, event)
    registration = Registration(Team(track=track, **team), Entry(**entry), captain=by)
    registration.require_valid()
    return store(event, [registration], by)[0]


def invite(team: Team, email: str, by: User) -> Invitation:
    """Invite a person by e-mail; an invitation that is still open is sent again, not doubled.

    Raises Refused when the team is full or the person already belongs to it.
    """
    email = User.objects.normalize_email(email).lower()
    with transaction.atomic():
        Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
        if team.memberships.filter(user__email=email).exists():
            raise Refused(
                _("%(email)s already belongs to the team."),
                code="already_member",
                params={"email": email},
            )
        _require_competing(team)
        invitation = team.invitations.filter(email=email, accepted_at=None).first()
        if invitation is not None and not invitation.is_open:
            invitation.delete()
            invitation = None
        if invitation is None:
            open_ones = team.invitations.filter(accepted_at=None, expires_at__gt=timezone.now())
            _require_room(team, invited=open_ones.count())
            invitation = Invitation.objects.create(team=team, email=email, invited_by=by)
    # Pressing the button again and again is one mail a minute.
    if not cache.add(f"invitation-mail-{invitation.pk}", 1, MAIL_AGAIN_AFTER_S):
        return invitation
    recipient = User.objects.filter(email=email).first()
    language = recipient.language if recipient else by.language
    with translation.override(language):
        context = {
            "invitation": invitation,
            "team": team,
            "url": absolute_url(reverse("invitation", args=[invitation.token])),
        }
        send_mail(
            subject=str(_("Invitation to join the team “%(team)s”") % {"team": team.name}),
            message=render_to_string("contest/mail/invitation.txt", context),
            from_email=None,
            recipient_list=[email],
        )
    return invitation


def _require_competing(team: Team) -> None:
    if team.status not in COMPETING:
        raise Refused(
            _("The team is “%(status)s” and takes nobody in."),
            code="team_not_competing",
            params={"status": team.get_status_display()},
        )


def _require_may_compete(user: User, event: Event) -> None:
    """Who sees hidden data and scores must not compete with those who do not."""
    if event.roles.filter(user=user).exists():
        raise organizer_cannot_compete()
    if user.email and (why := kept_out(event).get(user.email)):
        raise Refused(why, code="kept_out")


def kept_out(event: Event) -> dict[str, str]:
    """Addresses of people who must not compete in the event, and why, as other apps know."""
    found = {}
    for _receiver, said in people_kept_out.send(sender=Event, event=event):
        found |= said
    return found


def _require_room(team: Team, invited: int = 0) -> None:
    if team.memberships.count() + invited >= team.event.max_members:
        raise team_full(team.event)


def organizer_cannot_compete() -> Refused:
    return Refused(
        _("Who organizes the event cannot compete in it."), code="organizer_cannot_compete"
    )


def judge_cannot_join() -> Refused:
    return Refused(_("A judge's account cannot join a team."), code="judge_cannot_join")


def team_full(event: Event) -> Refused:
    return Refused(
        _("A team has at most %(count)s members."),
        code="team_full",
        params={"count": event.max_members},
    )


@transaction.atomic
def accept_invitation(invitation: Invitation, user: User) -> Membership:
    """Join the team. Accepting again as the same person changes nothing. Raises Refused."""
    team = Team.objects.select_for_update(of=("self",)).get(pk=invitation.team_id)
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    membership = team.memberships.filter(user=user).first()
    if membership is not None:
        return membership
    if not invitation.is_open:
        raise Refused(_("This invitation was used or has expired."), code="invitation_closed")
    if hasattr(user, "judge"):
        raise judge_cannot_join()
    _require_competing(team)
    _require_may_compete(user, team.event)
    _require_room(team)
    membership = Membership.objects.create(team=team, user=user)
    _accept(invitation, user)
    LogEntry.write(team, "member_joined", by=user, after=user.name)
    return membership


@transaction.atomic
def remove_member(membership: Membership, by: User) -> None:
    """Take a member out of the team, or leave it. The captain stays. Raises Refused."""
    if membership.role == Membership.Role.CAPTAIN:
        raise Refused(_("The captain cannot leave the team."), code="captain_stays")
    LogEntry.write(membership.team, "member_removed", by=by, before=membership.user.name)
    membership.delete()


@transaction.atomic
def make_captain(membership: Membership, by: User) -> None:
    """Let another member be the captain; the one before stays as a member. Again changes nothing.

    Raises Refused where the member captains another team of the track.
    """
    team = Team.objects.select_for_update(of=("self",)).get(pk=membership.team_id)
    role = Membership.Role
    elsewhere = Membership.objects.filter(
        user=membership.user_id, role=role.CAPTAIN, team__track=team.track_id
    ).exclude(team=team)
    if elsewhere.exclude(team__status=TeamStatus.WITHDRAWN).exists():
        raise Refused(
            _("%(name)s captains another team of this track."),
            code="captains_another",
            params={"name": membership.user.name},
        )
    before = team.memberships.filter(role=role.CAPTAIN).select_related("user").first()
    if before is not None and before.pk == membership.pk:
        return
    if before is not None:
        before.role = role.MEMBER
        before.save(update_fields=["role"])
    membership.role = role.CAPTAIN
    membership.save(update_fields=["role"])
    was = before.user.name if before is not None else ""
    LogEntry.write(team, "captain", by=by, before=was, after=membership.user.name)


def _end_participations(team: Team, status: str, by, reason: str) -> None:
    for participation in team.participations.filter(status=ParticipationStatus.ACTIVE):
        participation.move_to(status, by=by, reason=reason)
        ranking_inputs_changed.send(sender=Team, round=participation.round)


@transaction.atomic
def withdraw_team(team: Team, by: User, reason: str = "") -> None:
    """The team gives up: it leaves every ranking; what it sent stays on record."""
    team.move_to(TeamStatus.WITHDRAWN, by=by, reason=reason)
    _end_participations(team, ParticipationStatus.WITHDRAWN, by, reason)


@transaction.atomic
def confirm_team(team: Team, by: User) -> None:
    """The organizer has checked the team. Raises WrongMove."""
    team.move_to(TeamStatus.CONFIRMED, by=by)
    tell_rankings([team])  # some rank confirmed teams alone


@transaction.atomic
def disqualify_team(team: Team, by: User, reason: str) -> None:
    """The organizer excludes the team; a reason is required. Raises Refused or WrongMove."""
    if not reason.strip():
        raise Refused(_("Give the reason for the disqualification."), code="reason_required")
    team.move_to(TeamStatus.DISQUALIFIED, by=by, reason=reason)
    _end_participations(team, ParticipationStatus.DISQUALIFIED, by, reason)


@transaction.atomic
def reinstate_team(team: Team, by: User, reason: str) -> None:
    """Undo a disqualification or withdrawal: the team is back in the rounds it was taken out of,
    and in the track's first round while that is open. Raises Refused, WrongMove."""
    if not reason.strip():
        raise Refused(_("Give the reason for the reinstatement."), code="reason_required")
    left = (
        ParticipationStatus.WITHDRAWN
        if team.status == TeamStatus.WITHDRAWN
        else ParticipationStatus.DISQUALIFIED
    )
    back = TeamStatus.REGISTERED if left == ParticipationStatus.WITHDRAWN else TeamStatus.CONFIRMED
    team.move_to(back, by=by, reason=reason)
    if round := first_open_round(team.track):
        join_round(round, team)
    for participation in team.participations.filter(status=left):
        participation.move_to(ParticipationStatus.ACTIVE, by=by, reason=reason)
        ranking_inputs_changed.send(sender=Team, round=participation.round)


def may_edit(team: Team, by: User) -> bool:
    """Whether ``by``, a member or organizer, may change the team and its entry now.

    Organizers may at any time, members while registration is open and the team competes.
    """
    if is_organizer(by, team.event):
        return True
    return team.event.is_registration_open and team.status in COMPETING


def require_edit(team: Team, by: User) -> None:
    """Raise Refused where ``may_edit`` says no."""
    if not may_edit(team, by):
        raise Refused(
            _("The team and its entry can be changed only while registration is open."),
            code="registration_closed",
        )


@transaction.atomic
def edit_team(team: Team, by: User, **fields) -> Team:
    """Change a team's names, organisation or country. Raises ValidationError."""
    before = {name: getattr(team, name) for name in fields}
    for name, value in fields.items():
        setattr(team, name, value)
    team.full_clean()
    team.save()
    changed = [name for name, value in before.items() if value != getattr(team, name)]
    if changed:
        LogEntry.write(team, "edited", by=by, after=", ".join(changed))
    return team
