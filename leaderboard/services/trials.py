"""What a version of the benchmark, or other rules, would change in a round's ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from contest.models import Participation, Round
from judging.models import Benchmark
from leaderboard.models import StandingRow
from leaderboard.services import standings
from leaderboard.services.schemes import Rules, ensure_scheme


@dataclass(frozen=True)
class Move:
    """One team's place by what is in force and by what is on trial; None where it has none."""

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
    before, after = standings.on_trial(round), standings.on_trial(round, benchmark)
    return compare(before, after, seats, seats)


def what_if(round: Round, rules: Rules, without_judges: frozenset[int] = frozenset()) -> list[Move]:
    """Every team's move if other rules were in force, or some judges had not scored; nothing is
    stored."""
    seats = ensure_scheme(round).advance_count
    after = standings.on_trial(round, rules=rules, without_judges=without_judges)
    return compare(standings.on_trial(round), after, seats, rules.scheme.advance_count)


def compare(
    before: Sequence[StandingRow], after: Sequence[StandingRow], seats: int, seats_after: int
) -> list[Move]:
    """Every team's move from one ranking to another, in the order of the second."""
    of_before = {row.participation_id: row for row in before}
    found = []
    for row in after:
        # A baseline that the version in force could not score has no row there.
        old = of_before.get(row.participation_id)
        rank_before = old.rank if old else None
        was = bool(seats and rank_before and rank_before <= seats)
        will = bool(seats_after and row.rank and row.rank <= seats_after)
        found.append(
            Move(
                participation=row.participation,
                rank_before=rank_before,
                rank_after=row.rank,
                total_before=old.total if old else None,
                total_after=row.total,
                enters=will and not was,
                leaves=was and not will,
            )
        )
    return found
