"""What a version of the benchmark on trial would change in a round's ranking."""

from dataclasses import dataclass
from decimal import Decimal

from contest.models import Participation, Round
from judging.models import Benchmark
from leaderboard.services import standings
from leaderboard.services.schemes import ensure_scheme


@dataclass(frozen=True)
class Move:
    """One team's place by the version in force and by the one on trial; None where it has none."""

    participation: Participation
    rank_before: int | None
    rank_after: int | None
    total_before: Decimal | None
    total_after: Decimal | None
    enters: bool  # the places that advance
    leaves: bool

    @property
    def places(self) -> int:
        """How many places the team rises; negative where it falls."""
        if self.rank_before is None or self.rank_after is None:
            return 0
        return self.rank_before - self.rank_after

    @property
    def change(self) -> Decimal | None:
        if self.total_before is None or self.total_after is None:
            return None
        return self.total_after - self.total_before

    @property
    def is_move(self) -> bool:
        return (self.rank_before, self.total_before) != (self.rank_after, self.total_after)


def moves(round: Round, benchmark: Benchmark) -> list[Move]:
    """Every team's move, in the order of the ranking by the version on trial.

    Both rankings are computed now, in the same way, so that nothing but the version differs.
    """
    seats = ensure_scheme(round).advance_count
    before = {row.participation_id: row for row in standings.on_trial(round, None)}
    after = standings.on_trial(round, benchmark)
    found = []
    for row in after:
        # A baseline that the version in force could not score has no row there.
        old = before.get(row.participation_id)
        rank_before = old.rank if old else None
        inside = [bool(seats and rank and rank <= seats) for rank in (rank_before, row.rank)]
        found.append(
            Move(
                participation=row.participation,
                rank_before=rank_before,
                rank_after=row.rank,
                total_before=old.total if old else None,
                total_after=row.total,
                enters=inside == [False, True],
                leaves=inside == [True, False],
            )
        )
    return found
