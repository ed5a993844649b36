"""Tie-breaks that are more than comparing one number of each team."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

MOST = 100


@dataclass(frozen=True)
class Duel:
    """Two teams that are tied: how many of the judges who scored both put the first ahead, and how
    many the second."""

    one: Hashable
    other: Hashable
    for_one: int
    for_other: int


def head_to_head(
    sheets: Mapping[Hashable, Mapping[Hashable, Fraction]],
) -> tuple[dict[Hashable, Fraction], list[Duel]]:
    """What judges who scored several of the tied teams say of them: duels won less duels lost.

    ``sheets``: by team, the totals of its counted sheets by judge. A duel goes to the team that
    more of the judges of both put ahead; it is drawn where as many do on either side. The number is
    A. H. Copeland's (1951, “A reasonable social welfare function”), among the tied teams alone.
    Given are also the duels themselves, but for those of teams that no judge has both seen. Of more
    than ``MOST`` teams nothing is said: who is tied with hundreds was told apart by nobody.
    """
    if len(sheets) > MOST:
        return {}, []
    won = dict.fromkeys(sheets, Fraction(0))
    duels = []
    for one, other in combinations(sorted(sheets, key=str), 2):
        if not (both := sheets[one].keys() & sheets[other].keys()):
            continue
        ahead = sum(sheets[one][judge] > sheets[other][judge] for judge in both)
        behind = sum(sheets[one][judge] < sheets[other][judge] for judge in both)
        duels.append(Duel(one, other, ahead, behind))
        won[one] += (ahead > behind) - (ahead < behind)
        won[other] += (ahead < behind) - (ahead > behind)
    return won, duels


def drawn(seed: str, codes: Sequence[str]) -> dict[str, int]:
    """A lot for each team by its code, 0 to 2⁴⁸ − 1; the higher is the better.

    The first twelve hexadecimal digits of SHA-256 of ``seed:code`` in UTF-8. Whoever knows the seed
    can draw again; what one team draws does not depend on which others there are.
    """
    return {
        code: int(hashlib.sha256(f"{seed}:{code}".encode()).hexdigest()[:12], 16) for code in codes
    }
