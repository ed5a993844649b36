"""From raw metrics to component scores between 0 and 100."""

from fractions import Fraction
from functools import lru_cache
from math import isfinite


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
