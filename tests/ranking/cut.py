"""Who is above the cut, who is below, and who ties across it: selection without any rule, written
once more to compare with."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from leaderboard.ranking.standing import Placed


@dataclass(frozen=True)
class Cut:
    """``through`` advance. If ``tied`` is not empty, those share the rank at the cut and
    ``seats`` places are left for them: somebody has to decide. The rest do not advance."""

    through: tuple[Hashable, ...]
    tied: tuple[Hashable, ...]
    below: tuple[Hashable, ...]
    seats: int


def cut(placed: Sequence[Placed], count: int) -> Cut:
    """Cut a ranking (as ``rank`` returns it) after ``count`` teams, never through a tie."""
    ranked = [place for place in placed if place.rank is not None]
    ends = {}
    for place in ranked:
        ends[place.rank] = ends.get(place.rank, place.rank - 1) + 1
    through = tuple(place.key for place in ranked if ends[place.rank] <= count)
    tied = tuple(place.key for place in ranked if place.rank <= count < ends[place.rank])
    taken = {*through, *tied}
    below = tuple(place.key for place in placed if place.key not in taken)
    return Cut(through, tied, below, max(0, count - len(through)) if tied else 0)
