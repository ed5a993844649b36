"""What follows when a team leaves after the signature: the next reserve takes its place."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.services.rounds import join_round
from contest.states import RoundStatus
from judging.models import RecordEntry
from leaderboard.models import Advancement, AdvancementRow
from leaderboard.services import advancement_rules as rules
from leaderboard.services import notices, signature
from leaderboard.services.advancement import has_left, kept_rule
from leaderboard.states import ADVANCING, AdvancementStatus, Outcome


@dataclass(frozen=True)
class Vacancy:
    """The place of a team that left. ``suggested`` are the next reserves: one, several where they
    tie, none where no reserve may follow. ``passed`` come before them, but a quota is full."""

    row: AdvancementRow
    outcome: str
    suggested: tuple[AdvancementRow, ...]
    passed: tuple[AdvancementRow, ...]


def vacancies(advancement: Advancement) -> list[Vacancy]:
    """The places of signed teams that left and were not given on yet."""
    if advancement.status != AdvancementStatus.SIGNED:
        return []
    rows = list(advancement.rows.select_related("row__participation__team"))
    empty = [
        (item, left) for item in rows if item.outcome in ADVANCING and (left := has_left(item))
    ]
    if not empty:
        return []
    suggested, passed = _next(advancement, rows)
    return [Vacancy(item, left, suggested, passed) for item, left in empty]


def _next(advancement: Advancement, rows: list[AdvancementRow]) -> tuple[tuple, tuple]:
    """(who follows now, who is passed over for a quota)."""
    teams = (item.row.participation.team for item in rows)
    groups = rules.Groups(advancement.round, teams).of
    rule = rules.selection_rule(kept_rule(advancement))

    def groups_of(item):
        of_team = groups[item.row.participation.team_id]
        return [(kind, of_team[kind]) for kind in rule.kinds if of_team[kind] is not None]

    taken: dict[tuple, int] = {}
    for item in rows:
        if item.outcome == Outcome.IN and not has_left(item):
            for group in groups_of(item):
                taken[group] = taken.get(group, 0) + 1
    waiting = sorted(
        (i for i in rows if i.outcome == Outcome.RESERVE and not has_left(i)),
        key=lambda item: (item.number, item.row.position),
    )
    allowed, passed = [], []
    for item in waiting:
        limits = [(taken.get(group, 0), rule.numbers(*group)[0]) for group in groups_of(item)]
        full = any(most is not None and count >= most for count, most in limits)
        (passed if full else allowed).append(item)
    # A place that was kept for a group goes to its reserves first.
    needed = [
        item
        for item in allowed
        if any(taken.get(group, 0) < rule.numbers(*group)[1] for group in groups_of(item))
    ]
    allowed = needed or allowed
    if not allowed:
        return (), tuple(passed)
    first = allowed[0].number
    following = tuple(item for item in allowed if item.number == first)
    return following, tuple(item for item in passed if item.number <= first)


def promote(
    advancement: Advancement, left_id: int, promoted_id: int, by: User, reason: str
) -> AdvancementRow:
    """Give the place of a team that left (a row of the list) to the reserve that follows.

    The judging record keeps it, and the team is in the next round. Doing it twice changes nothing.
    Raises Refused without a reason, while the team competes, for another than the next reserve, or
    once the next round is over.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",)).get(pk=advancement.round_id)
        advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=advancement.pk)
        if advancement.status != AdvancementStatus.SIGNED:
            raise Refused(_("The ranking is not signed off."), code="not_signed")
        items = advancement.rows.select_related("row__participation__team").in_bulk(
            [left_id, promoted_id]
        )
        left, promoted = items.get(left_id), items.get(promoted_id)
        if left is None or promoted is None:
            raise Refused(_("The team is not in this list."), code="not_in_list")
        if left.outcome not in ADVANCING and promoted.outcome == Outcome.IN:
            return promoted  # the same request once more
        vacancy = next((v for v in vacancies(advancement) if v.row.pk == left.pk), None)
        if vacancy is None:
            raise Refused(_("The team has not left; its place is not free."), code="not_vacant")
        if promoted.pk not in [item.pk for item in vacancy.suggested]:
            raise Refused(_("Another reserve is next."), code="not_next")
        following = round.next()
        if following is not None and following.status not in (RoundStatus.DRAFT, RoundStatus.OPEN):
            raise Refused(
                _("“%(round)s” is closed; nobody can follow into it."),
                code="next_round_over",
                params={"round": following.name},
            )
        left.move_to(vacancy.outcome)
        promoted.move_to(Outcome.IN)
        team = promoted.row.participation.team
        if following is not None:
            join_round(following, team)
        LogEntry.write(
            advancement,
            "reserve_promoted",
            by=by,
            before=str(left.row.participation.team),
            after=str(team),
            reason=reason,
        )
        signature.enter(
            advancement,
            RecordEntry.Kind.PROMOTED,
            by,
            reason,
            participation=promoted.row.participation,
        )
        notices.prepare(round)
    return promoted
