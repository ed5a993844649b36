"""Teams that share a rank, and what chairs of panels were asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from contest.models import Round
from judging.models import Panel, Tie
from judging.services import ties
from judging.states import TieStatus
from leaderboard.models import Scheme, StandingRow


@dataclass(frozen=True)
class TiedGroup:
    """Teams that nothing parts, or nothing before the chair is asked. ``across_cut``: some of them
    would advance and others not."""

    rank: int
    rows: tuple[StandingRow, ...]
    across_cut: bool
    asked: Tie | None  # the open question about exactly these teams

    @property
    def last(self) -> int:
        """The last of the places that the teams share."""
        return self.rank + len(self.rows) - 1


def tied_groups(
    rows: Sequence[StandingRow], scheme: Scheme, asked: Sequence[Tie]
) -> list[TiedGroup]:
    """The groups of a standing, best first. ``asked``: the round's ties, with their teams."""
    groups: dict[tuple, list[StandingRow]] = {}
    for row in rows:
        if row.rank is not None:
            # Teams that wait for the chair may have been parted by what is asked after the chair.
            waits = row.explanation.get("awaits_chair")
            groups.setdefault(("chair", waits) if waits else ("rank", row.rank), []).append(row)
    open_ties = {
        frozenset(team.participation_id for team in tie.teams.all()): tie
        for tie in asked
        if tie.status == TieStatus.OPEN
    }
    found = []
    for group in groups.values():
        rank = min(row.rank for row in group)
        across = rank <= scheme.advance_count < rank + len(group) - 1
        teams = frozenset(row.participation_id for row in group)
        if len(group) > 1:
            found.append(TiedGroup(rank, tuple(group), across, open_ties.get(teams)))
    return sorted(found, key=lambda group: group.rank)


def ties_of(round: Round) -> list[Tie]:
    """Ties of the round that wait for their chair or were decided; those taken back are not.

    ``interests`` of each are the teams that the chair must not place, ``holds`` says whether what
    was decided counts.
    """
    found = list(
        Tie.objects.filter(panel__round=round)
        .exclude(status=TieStatus.DROPPED)
        .select_related("panel__chair", "asked_by", "decided_by")
        .prefetch_related("teams__participation__team")
    )
    kept_from = ties.interests(found)
    holding = {tie.pk for tie in ties.holding(round)}
    for tie in found:
        tie.interests = kept_from.get(tie.pk, [])
        tie.holds = tie.pk in holding
    return found


def chaired_panels(round: Round) -> list[Panel]:
    """The round's panels that have somebody to ask."""
    return list(round.panels.exclude(chair=None).select_related("chair"))
