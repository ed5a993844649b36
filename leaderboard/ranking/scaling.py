"""From raw metrics to component scores between 0 and 100."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import isfinite, sqrt


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


# So many standard deviations from the mean are 0 and 100: a deviation is ten points.
DEVIATIONS = 5


def standard_bounds(values: Sequence[float], greater_is_better: bool) -> tuple[float, float]:
    """The values (worst, best) between which ``scale`` gives T-scores, 50 + 10·(x − mean)/s.

    That is W. A. McCall's scale (1922, *How to measure in education*): the mean is 50, a standard
    deviation ten points; beyond five deviations it is cut off. ``s`` divides by the number of
    values. Where they are all equal, or fewer than two, everybody gets 50. Mean and variance are
    exact, so the bounds do not depend on the order. Raises ValueError without a value.
    """
    if not values:
        raise ValueError("no values")
    numbers = [Fraction(repr(float(value))) for value in values]
    mean = sum(numbers, Fraction(0)) / len(numbers)
    variance = sum(((n - mean) ** 2 for n in numbers), Fraction(0)) / len(numbers)
    reach = DEVIATIONS * sqrt(variance)
    if reach == 0:
        reach = max(1.0, abs(float(mean)))  # any length: the mean is in the middle
    worst, best = float(mean) - reach, float(mean) + reach
    return (worst, best) if greater_is_better else (best, worst)


class Field:
    """The results of all teams, to see how many of the others one of them beats."""

    def __init__(self, values: Sequence[float], greater_is_better: bool):
        self.sign = 1 if greater_is_better else -1
        self.values = sorted(self.sign * value for value in values)

    def beaten(self, value: float, is_among: bool = True) -> tuple[Fraction, int]:
        """How many teams have a worse result, equals by half, and how many others there are.

        ``is_among``: whether ``value`` is one of the field's own.
        """
        value = self.sign * value
        low, high = bisect_left(self.values, value), bisect_right(self.values, value)
        return low + Fraction(high - low - is_among, 2), len(self.values) - is_among


def percent_beaten(beaten: Fraction, others: int) -> Fraction:
    """The score by rank: the share of the other teams that are beaten, 0–100; alone it is 100.

    ``100·(n − r)/(n − 1)`` with the rank ``r``, of equals the middle of their ranks (M. G. Kendall,
    *Rank correlation methods*).
    """
    return 100 * beaten / others if others else Fraction(100)
