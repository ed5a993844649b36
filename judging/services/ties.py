"""Ties that organizers put to the chair of a panel."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import SystemRandom

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, User
from contest.signals import ranking_inputs_changed
from contest.states import RoundStatus
from judging.models import Judge, Panel, RecordEntry, Tie, TiedTeam
from judging.services import record
from judging.services.telling import tell_judges
from judging.states import TieStatus


def _changed(round: Round) -> None:
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Tie, round=round))


@transaction.atomic
def ask(panel: Panel, participations: Sequence[Participation], by: User) -> Tie:
    """Put a tie of two or more teams to the panel's chair; asked again, it is the same tie.

    Raises Refused where the panel has no chair or a team is not in its round.
    """
    panel = Panel.objects.select_for_update(of=("self",)).select_related("round").get(pk=panel.pk)
    if panel.chair_id is None:
        raise Refused(
            _("“%(panel)s” has no chair. Name one first."),
            code="no_chair",
            params={"panel": panel.name},
        )
    if panel.round.status in (RoundStatus.DECIDED, RoundStatus.PUBLISHED):
        raise Refused(
            _("The ranking of “%(round)s” is signed off; revoke that first."),
            code="round_decided",
            params={"round": panel.round.name},
        )
    ids = {participation.pk for participation in participations}
    own = set(panel.round.participations.filter(pk__in=ids).values_list("pk", flat=True))
    if len(ids) < 2 or ids != own:
        raise Refused(_("A tie is between two or more teams of the round."), code="bad_tie")
    for tie in panel.ties.filter(status=TieStatus.OPEN).prefetch_related("teams"):
        if {team.participation_id for team in tie.teams.all()} == ids:
            return tie
    tie = Tie.objects.create(panel=panel, asked_by=by)
    rows = [TiedTeam(tie=tie, participation=p) for p in participations]
    SystemRandom().shuffle(rows)  # the ids tell the chair of an anonymous panel nothing
    TiedTeam.objects.bulk_create(rows)
    tell_judges([panel.chair_id])
    LogEntry.write(tie, "tie_asked", by=by, after=", ".join(p.team.code for p in participations))
    return tie


def decide(tie: Tie, by: User, order: Sequence[int], reason: str) -> Tie:
    """The chair's decision: the participations' ids, best first, and why.

    Sent again it changes nothing. Raises Refused for anybody but the chair, for another set of
    teams, or where the tie was taken back or decided otherwise meanwhile.
    """
    with transaction.atomic():
        tie = (
            Tie.objects.select_for_update(of=("self",))
            .select_related("panel__round__event", "panel__chair")
            .get(pk=tie.pk)
        )
        chair: Judge | None = tie.panel.chair
        if chair is None or chair.user_id != by.pk:
            raise Refused(_("Only the chair of the panel decides."), code="not_chair")
        teams = {team.participation_id: team for team in tie.teams.select_related("participation")}
        if set(order) != set(teams) or len(order) != len(teams):
            raise Refused(_("Put each of the tied teams in its place, once."), code="bad_tie")
        if not reason.strip():
            raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
        if tie.status == TieStatus.DECIDED:
            if [pk for pk, _team in sorted(teams.items(), key=lambda i: i[1].place)] == list(order):
                return tie
            raise Refused(_("The tie was decided already."), code="tie_decided")
        tie.move_to(
            TieStatus.DECIDED,
            by=by,
            reason=reason,
            decided_by=chair,
            decided_at=timezone.now(),
        )
        Tie.objects.filter(pk=tie.pk).update(reason=reason)
        for place, pk in enumerate(order, start=1):
            TiedTeam.objects.filter(pk=teams[pk].pk).update(place=place)
        codes = [teams[pk].participation.team.code for pk in order]
        record.append(
            tie.panel.round,
            RecordEntry.Kind.TIE,
            judge=chair,
            by=by,
            text=f"#{tie.pk} {' > '.join(codes)}",
            reason=reason,
        )
        _changed(tie.panel.round)
    return tie


def drop(tie: Tie, by: User, reason: str) -> Tie:
    """Take a tie back from the chair, or what was decided; with a reason."""
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    with transaction.atomic():
        tie.move_to(TieStatus.DROPPED, by=by, reason=reason)
        if tie.panel.chair_id:
            tell_judges([tie.panel.chair_id])
        _changed(tie.panel.round)
    return tie


@dataclass(frozen=True)
class Decision:
    """What a chair decided between these teams: place by participation, 1 the best."""

    tie: int
    places: dict[int, int]


def decisions(round: Round) -> list[Decision]:
    """The chairs' decisions in the round that hold, newest first."""
    ties = Tie.objects.filter(panel__round=round, status=TieStatus.DECIDED).order_by("-decided_at")
    return [
        Decision(tie.pk, {team.participation_id: team.place for team in tie.teams.all()})
        for tie in ties.prefetch_related("teams")
    ]
