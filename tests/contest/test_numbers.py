"""Rounding half up, of every kind of number that is shown."""

from decimal import Decimal
from fractions import Fraction

import pytest

from contest.numbers import round_half_up
from contest.templatetags.wuzhen import bare


@pytest.mark.parametrize(
    ("value", "decimals", "wanted"),
    [
        (2.675, 2, "2.68"),
        (Decimal("2.665"), 2, "2.67"),
        ("-2.675", 2, "-2.68"),
        (Fraction(1, 8), 2, "0.13"),
        (Fraction(-1, 8), 2, "-0.13"),
        (Fraction(2, 3), 0, "1"),
        (Fraction(1, 2), 0, "1"),
        (Fraction(100), 2, "100.00"),
        # Just below the half, farther than a decimal of 28 digits could tell.
        (Fraction(1, 200) - Fraction(1, 10**40), 2, "0.00"),
    ],
)
def test_round_half_up(value, decimals, wanted):
    assert str(round_half_up(value, decimals)) == wanted


@pytest.mark.parametrize(("value", "wanted"), [(1.0, "1"), (0.1234567, "0.1234567"), (-2, "-2")])
def test_a_bare_number_has_every_digit(value, wanted):
    assert bare(value) == wanted
