"""Rounds: their life from preparation to publication, and who takes part."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Event, LogEntry, Participation, Round, Team, Track, User
from contest.signals import ranking_inputs_changed, round_closing, round_publishing
from contest.states import ParticipationStatus, RoundStatus, TeamStatus

COMPETING = (TeamStatus.REGISTERED, TeamStatus.CONFIRMED)


def first_open_round(track: Track) -> Round | None:
    """The round new teams of ``track`` join: the first of it or of a track above, while open."""
    for owner in reversed(track.path()):
        first = owner.rounds.order_by("ordinal").first()
        if first is not None:
            return first if first.status == RoundStatus.OPEN else None
    return None


def join_round(round: Round, team: Team) -> Participation:
    """Put a team into a round; a team that is in it already stays, one that had left comes back."""
    participation, created = Participation.objects.get_or_create(round=round, team=team)
    if not created and participation.status == ParticipationStatus.WITHDRAWN:
        if team.status not in COMPETING:
            return participation
        participation.move_to(ParticipationStatus.ACTIVE)  # who had to leave comes back
        created = True
    if created:
        ranking_inputs_changed.send(sender=Round, round=round)
    return participation


def enter_new_teams(round: Round, teams: Sequence[Team]) -> None:
    """Put teams that were just made into a round, all at once: they bring nothing along, such as
    conflicts of interest, that each would be looked through for."""
    Participation.objects.bulk_create(Participation(round=round, team=team) for team in teams)
    ranking_inputs_changed.send(sender=Round, round=round)


def leave_round(participation: Participation, by: User, reason: str) -> None:
    """Take a team out of a round that it was put into by mistake.

    Where something is on record of it there, such as a conflict of interest that was declared
    meanwhile, it stays as one that withdrew.
    """
    try:
        with transaction.atomic():
            participation.delete()
    except ProtectedError:
        participation.move_to(ParticipationStatus.WITHDRAWN, by=by, reason=reason)


def eligible_teams(round: Round):
    """Competing teams of the round's track and its sub-tracks."""
    return Team.objects.filter(track__in=round.track.with_descendants(), status__in=COMPETING)


def tell_rankings(teams: Iterable[Team]) -> None:
    """Something about these teams has changed that the rules of a ranking may ask about."""
    rounds = Round.objects.filter(participations__team__in=teams).select_related("event").distinct()
    for round in rounds:
        if not round.is_decided:
            ranking_inputs_changed.send(sender=Team, round=round)


def _lock_event(round: Round) -> None:
    """Registrations lock the event, too: a team is in the round or sees that it is open."""
    Event.objects.select_for_update().get(pk=round.event_id)


def _take_in_teams(round: Round) -> None:
    for team in eligible_teams(round):
        join_round(round, team)


@transaction.atomic
def open_round(round: Round, by: User | None) -> Round:
    """Open a round. A track's first round takes in every competing team of the track.

    Raises Refused when a later round has nobody in it, WrongMove.
    """
    _lock_event(round)
    round.require_move(RoundStatus.OPEN)
    if round.status == RoundStatus.CLOSED:
        raise Refused(_("A closed round is reopened with a reason."), code="reason_required")
    if round.previous() is None:
        _take_in_teams(round)
    elif not round.participations.filter(status=ParticipationStatus.ACTIVE).exists():
        raise Refused(
            _("Nobody has advanced to “%(round)s” yet; sign off the round before it first."),
            code="nobody_advanced",
            params={"round": round.name},
        )
    fields = {} if round.opens_at else {"opens_at": timezone.now()}
    round.move_to(RoundStatus.OPEN, by=by, **fields)
    return round


def missing_sheets(round: Round) -> int:
    """How many score sheets of the round are waited for, and locked out once it is closed."""
    return sum(count for _receiver, count in round_closing.send(sender=Round, round=round))


@transaction.atomic
def close_round(round: Round, by: User | None, told: int | None = None) -> Round:
    """No more submissions or marks. Raises WrongMove.

    ``told`` is how many sheets whoever closes it knew to be missing: Refused where more are by now,
    so that nobody locks out a judge unawares. None, for programs: however many are.
    """
    if told is not None and round.may_move(RoundStatus.CLOSED):
        missing = missing_sheets(round)
        if missing > told:
            raise Refused(
                _("%(missing)s sheets are missing by now, not %(told)s. Look again, then close."),
                code="more_missing",
                params={"missing": missing, "told": told},
            )
    round.move_to(RoundStatus.CLOSED, by=by)
    ranking_inputs_changed.send(sender=Round, round=round)
    return round


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")


@transaction.atomic
def reopen_round(round: Round, by: User, reason: str) -> Round:
    """Open a closed round again, with a reason; a first round takes in who registered meanwhile.

    Raises Refused, WrongMove.
    """
    _require_reason(reason)
    _lock_event(round)
    if round.may_move(RoundStatus.OPEN) and round.previous() is None:
        _take_in_teams(round)
    round.move_to(RoundStatus.OPEN, by=by, reason=reason)
    return round


def mark_decided(round: Round, by: User) -> Round:
    """The ranking is signed off."""
    round.move_to(RoundStatus.DECIDED, by=by)
    return round


def undo_decided(round: Round, by: User, reason: str) -> Round:
    """The sign-off was revoked, with a reason. Raises Refused, WrongMove."""
    _require_reason(reason)
    round.move_to(RoundStatus.CLOSED, by=by, reason=reason)
    ranking_inputs_changed.send(sender=Round, round=round)
    return round


@transaction.atomic
def publish_round(round: Round, by: User) -> Round:
    """Show the decided result to the public. Raises Refused, WrongMove."""
    round_publishing.send(sender=Round, round=round)
    round.move_to(RoundStatus.PUBLISHED, by=by)
    ranking_inputs_changed.send(sender=Round, round=round)
    return round


def unpublish_round(round: Round, by: User, reason: str) -> Round:
    """Take a published result back, with a reason. Raises Refused, WrongMove."""
    _require_reason(reason)
    round.move_to(RoundStatus.DECIDED, by=by, reason=reason)
    ranking_inputs_changed.send(sender=Round, round=round)
    return round


@transaction.atomic
def save_round(round: Round, by: User) -> Round:
    """Create or change a round. Raises ValidationError.

    Raises Refused for another track or format once teams take part: they rely on both.
    """
    if round.pk:
        stored = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        changed = (stored.track_id, stored.format) != (round.track_id, round.format)
        if changed and stored.participations.exists():
            raise Refused(
                _("Teams take part in “%(round)s”; its track and format stay as they are."),
                code="round_in_use",
                params={"round": stored.name},
            )
    round.event_id = round.track.event_id  # unique short names are checked within the event
    round.full_clean()
    round.save()
    LogEntry.write(round, "saved", by=by)
    return round


@transaction.atomic
def set_running_order(round: Round, participations: Sequence[Participation], by: User) -> None:
    """Number the given participations 1, 2, 3, …; those left out come last, unnumbered."""
    Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    ids = [participation.pk for participation in participations]
    own = set(round.participations.values_list("pk", flat=True))
    if len(set(ids)) != len(ids) or not set(ids) <= own:
        raise Refused(
            _("The running order names a team twice, or one that is not in the round."),
            code="bad_running_order",
        )
    # First clear, so that no two rows share a number on the way.
    round.participations.update(running_order=None)
    for n, pk in enumerate(ids, start=1):
        round.participations.filter(pk=pk).update(running_order=n)
    LogEntry.write(round, "running_order", by=by, after=f"{len(ids)}")
