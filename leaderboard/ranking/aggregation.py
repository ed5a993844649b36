"""From judges' totals and raw metrics to component scores between 0 and 100."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isfinite

# With this many scores or fewer, a trimmed mean drops none: of three, only one would be left.
TRIM_NOTHING_UP_TO = 3


@dataclass(frozen=True)
class Aggregate:
    """A combined score and the positions (in the input) of the scores that were dropped."""

    value: Fraction
    dropped: tuple[int, ...] = ()


def aggregate(scores: Sequence[Decimal | Fraction | int], method: str) -> Aggregate | None:
    """Combine one team's totals (0–100 each) by ``mean`` or ``trimmed``; None if there are none.

    ``trimmed`` drops one highest and one lowest before the mean; with three or fewer scores it
    drops nothing. Of equal extremes the first is dropped: it makes no difference to the value.
    Raises ValueError for another method.
    """
    if method not in ("mean", "trimmed"):
        raise ValueError(f"unknown aggregation: {method}")
    if not scores:
        return None
    exact = [Fraction(score) for score in scores]
    dropped: tuple[int, ...] = ()
    if method == "trimmed" and len(exact) > TRIM_NOTHING_UP_TO:
        order = sorted(range(len(exact)), key=lambda n: (exact[n], n))
        dropped = (order[0], order[-1])
    kept = [score for n, score in enumerate(exact) if n not in dropped]
    return Aggregate(sum(kept, Fraction(0)) / len(kept), dropped)


def scale(value: float, worst: float, best: float) -> Fraction:
    """A raw metric on a scale where ``worst`` is 0 and ``best`` is 100, cut off at both ends.

    ``100 · (value − worst) / (best − worst)``; with ``worst > best`` less is better. The floats
    are taken as the decimal numbers they print as, so 0.1 is a tenth. Raises ValueError for equal
    bounds or a value that is not finite.
    """
    if worst == best:
        raise ValueError("worst and best must differ")
    if not all(isfinite(number) for number in (value, worst, best)):
        raise ValueError("not a finite number")
    low, length = _exact_bounds(float(worst), float(best))
    scaled = 100 * (Fraction(repr(float(value))) - low) / length
    return min(max(scaled, Fraction(0)), Fraction(100))


@lru_cache(maxsize=100)
def _exact_bounds(worst: float, best: float) -> tuple[Fraction, Fraction]:
    """Where a scale begins and how long it is: the same for every team of a round."""
    low, high = Fraction(repr(worst)), Fraction(repr(best))
    return low, high - low
