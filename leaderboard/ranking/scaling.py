"""From raw metrics to component scores between 0 and 100."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
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


# Scores that need a root are floats rounded to this many decimals, as in ``methods``.
DECIMALS = 9
MIDDLE = Fraction(50)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of some values, to tell where one of them stands.

    Both are kept exactly, the latter as its square, so that teams as far above the mean as others
    are below have scores that add up to 100, and the order of the values changes nothing.
    """

    mean: Fraction
    variance: Fraction

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The deviation divides by the number of values. Raises ValueError without any."""
        if not values:
            raise ValueError("no values")
        numbers = [Fraction(repr(float(value))) for value in values]
        mean = sum(numbers, Fraction(0)) / len(numbers)
        return cls(mean, sum(((n - mean) ** 2 for n in numbers), Fraction(0)) / len(numbers))

    @property
    def deviation(self) -> float:
        """The standard deviation, for showing."""
        return float((Decimal(self.variance.numerator) / self.variance.denominator).sqrt())

    def score(self, value: float, greater_is_better: bool) -> Fraction:
        """The T-score, 50 + 10·(x − mean)/s, kept within 0 and 100, to nine decimals.

        That is W. A. McCall's scale (1922, *How to measure in education*). Without any spread
        everybody has 50.
        """
        distance = Fraction(repr(float(value))) - self.mean
        if not self.variance or not distance:
            return MIDDLE
        # The square of z is exact; one root of a number without a unit is all that is rounded.
        squared = min(distance**2 / self.variance, Fraction(10**6))
        points = Fraction(repr(round(10 * sqrt(squared), DECIMALS)))
        above = (distance > 0) == greater_is_better
        return min(max(MIDDLE + points if above else MIDDLE - points, Fraction(0)), Fraction(100))


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
