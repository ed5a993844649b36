"""Ties that organizers put to the chair of a panel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import SystemRandom

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, Team, User
from contest.signals import ranking_inputs_changed
from judging.models import Judge, Panel, RecordEntry, Recusal, Tie, TiedTeam
from judging.services import record
from judging.services.locks import lock_round
from judging.services.panels import same_organisation
from judging.services.telling import tell_judges
from judging.states import TieStatus


def _changed(round: Round) -> None:
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Tie, round=round))


def _of_interest(judge: Judge, teams: Iterable[Team], recused: set) -> list[Team]:
    """Teams that the judge must not place: of a conflict of interest or the same organisation."""
    return [
        team for team in teams if (judge.pk, team.pk) in recused or same_organisation(judge, team)
    ]


def _recused(judges: Iterable[Judge]) -> set[tuple[int, int]]:
    return set(Recusal.objects.filter(judge__in=judges).values_list("judge_id", "team_id"))


def interests(ties: Iterable[Tie]) -> dict[int, list[Team]]:
    """By tie: the teams that its chair, or whoever has decided it, must not place."""
    judges = {tie.pk: tie.decided_by or tie.panel.chair for tie in ties}
    recused = _recused(filter(None, judges.values()))
    return {
        tie.pk: _of_interest(judge, (team.participation.team for team in tie.teams.all()), recused)
        for tie in ties
        if (judge := judges[tie.pk]) is not None
    }


def open_for(chair: Judge) -> list[Tie]:
    """The ties that wait for this chair, but for those in which the chair has an interest."""
    found = list(
        Tie.objects.filter(panel__chair=chair, status=TieStatus.OPEN)
        .select_related("panel__chair", "decided_by")
        .prefetch_related("teams__participation__team__entry")
    )
    kept_from = interests(found) if found else {}
    return [tie for tie in found if not kept_from[tie.pk]]


@transaction.atomic
def ask(panel: Panel, participations: Sequence[Participation], by: User) -> Tie:
    """Put a tie of two or more teams to the panel's chair; asked again, it is the same tie.

    Raises Refused where the panel has no chair, the chair has an interest in one of the teams, or
    a team is not in its round.
    """
    round = lock_round(panel.round_id)
    Panel.objects.select_for_update(of=("self",)).get(pk=panel.pk)
    panel = Panel.objects.select_related("chair").get(pk=panel.pk)
    round.require_undecided()
    if panel.chair is None:
        raise Refused(
            _("“%(panel)s” has no chair. Name one first."),
            code="no_chair",
            params={"panel": panel.name},
        )
    ids = {participation.pk for participation in participations}
    own = set(round.participations.filter(pk__in=ids).values_list("pk", flat=True))
    if len(ids) < 2 or ids != own:
        raise Refused(_("A tie is between two or more teams of the round."), code="bad_tie")
    teams = [participation.team for participation in participations]
    if teams := _of_interest(panel.chair, teams, _recused([panel.chair])):
        raise Refused(
            _(
                "%(chair)s has a conflict of interest with %(teams)s or belongs to the same "
                "organisation. Name another chair for this tie."
            ),
            code="chair_conflict",
            params={"chair": panel.chair.name, "teams": ", ".join(str(team) for team in teams)},
        )
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


def _require_no_interest(tie: Tie, chair: Judge) -> None:
    """Raise Refused where the chair must not place one of the teams.

    A chair to whom teams are anonymous is not told which of them it is.
    """
    if not (teams := interests([tie])[tie.pk]):
        return
    hidden = tie.panel.is_anonymous
    raise Refused(
        _("%(chair)s has a conflict of interest with one of the teams and cannot decide this tie.")
        if hidden
        else _(
            "%(chair)s has a conflict of interest with %(teams)s or belongs to the same "
            "organisation, and cannot decide this tie."
        ),
        code="chair_conflict",
        params={
            "chair": chair.name,
            **({} if hidden else {"teams": ", ".join(str(team) for team in teams)}),
        },
    )


def _entry_text(tie: Tie, codes: Iterable[str]) -> str:
    """How the record says which tie it is about, and its order: ``#7 T-2 > T-0``."""
    return f"#{tie.pk} {' > '.join(codes)}"


def decide(tie: Tie, by: User, order: Sequence[int], reason: str) -> Tie:
    """The chair's decision: the participations' ids, best first, and why.

    Sent again it changes nothing. Raises Refused for anybody but the chair, for a chair with an
    interest in one of the teams, for another set of teams, where the tie was taken back or decided
    otherwise meanwhile, or once the ranking is signed off.
    """
    with transaction.atomic():
        round = lock_round(tie.panel.round_id)
        Tie.objects.select_for_update(of=("self",)).get(pk=tie.pk)
        tie = Tie.objects.select_related("panel__round__event", "panel__chair").get(pk=tie.pk)
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
        round.require_undecided()
        _require_no_interest(tie, chair)
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
        record.append(
            round,
            RecordEntry.Kind.TIE,
            judge=chair,
            by=by,
            text=_entry_text(tie, (teams[pk].participation.team.code for pk in order)),
            reason=reason,
        )
        _changed(round)
    return tie


def drop(tie: Tie, by: User, reason: str) -> Tie:
    """Take a tie back from the chair, or what was decided; with a reason.

    Done twice, it changes nothing the second time. Raises Refused without a reason, or once the
    ranking is signed off.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    with transaction.atomic():
        lock_round(tie.panel.round_id).require_undecided()
        _drop(tie, by, reason)
    return tie


def _drop(tie: Tie, by: User | None, reason: str) -> None:
    """Take it back; what was decided stays on record, and so does that it was taken back."""
    held = Tie.objects.select_for_update(of=("self",)).get(pk=tie.pk)
    tie.move_to(TieStatus.DROPPED, by=by, reason=reason)
    if held.status == TieStatus.DROPPED:
        return
    round, chair = tie.panel.round, tie.panel.chair_id
    if chair:
        tell_judges([chair])
    if held.status == TieStatus.DECIDED:
        placed = tie.teams.order_by("place").select_related("participation__team")
        record.append(
            round,
            RecordEntry.Kind.TIE_DROPPED,
            judge=held.decided_by,
            by=by,
            text=_entry_text(tie, (team.participation.team.code for team in placed)),
            reason=reason,
        )
        _changed(round)


def close_open(round: Round, by: User | None) -> None:
    """Ask no chair any longer: the ranking is signed off, with what was decided until then."""
    waiting = Tie.objects.filter(panel__round=round, status=TieStatus.OPEN)
    for tie in waiting.select_related("panel__round__event").order_by("pk"):
        _drop(tie, by, gettext("The ranking was signed off."))


@dataclass(frozen=True)
class Decision:
    """What a chair decided between these teams: place by participation, 1 the best."""

    tie: int
    places: dict[int, int]


def holding(round: Round) -> list[Tie]:
    """The decided ties of the round that hold, newest first.

    None of a chair who has a conflict of interest with one of its teams, declared whenever: such a
    chair's sheet would not count either.
    """
    conflict = Recusal.objects.filter(
        judge=OuterRef("decided_by"), team__participations__ties__tie=OuterRef("pk")
    )
    decided = Tie.objects.filter(~Exists(conflict), panel__round=round, status=TieStatus.DECIDED)
    return list(decided.order_by("-decided_at").prefetch_related("teams"))


def decisions(round: Round) -> list[Decision]:
    """The chairs' decisions in the round that hold, newest first."""
    return [
        Decision(tie.pk, {team.participation_id: team.place for team in tie.teams.all()})
        for tie in holding(round)
    ]
