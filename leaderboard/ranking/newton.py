"""Newton's method for the concave functions that the models are fitted by."""

from collections.abc import Callable

import numpy as np

STEPS = 100
HALVINGS = 40
CLOSE = 1e-12


def climb(
    value: Callable[[np.ndarray], float],
    direction: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """The place of the maximum, and whether it was reached.

    ``direction`` is Newton's step; it is halved as long as it leads down. Where none leads up any
    more the numbers are as good as floats allow.
    """
    here, height = start, value(start)
    for _ in range(STEPS):
        step = direction(here)
        if not np.isfinite(step).all():
            return here, False
        if np.abs(step).max(initial=0.0) <= CLOSE * (1 + np.abs(here).max(initial=0.0)):
            return here + step, True
        for _ in range(HALVINGS):
            there = here + step
            # Close to the top the rounding of the heights is larger than their difference.
            if (reached := value(there)) >= height - 1e-14 * abs(height):
                break
            step = step / 2
        else:
            return here, False
        here, height = there, reached
    return here, False
