"""A sheet's total: scored criteria by weight, bonuses, penalties, vetoes."""

from decimal import Decimal
from fractions import Fraction

import pytest

from judging.models import Criterion
from judging.services.totals import exact_total, is_veto, missing, shares


def criterion(pk, kind="scored", weight=0, low=0, high=10):
    return Criterion(
        pk=pk, kind=kind, weight=Decimal(weight), minimum=Decimal(low), maximum=Decimal(high)
    )


SHEET = [
    criterion(1, "veto", high=1),
    criterion(2, weight=60),
    criterion(3, weight=40, low=1, high=5),
    criterion(4, "bonus", high=5),
    criterion(5, "penalty", high=10),
]


@pytest.mark.parametrize(
    ("marks", "total"),
    [
        ({1: 1, 2: 8, 3: 4}, Fraction(78)),  # 60·0.8 + 40·3/4
        ({1: 0, 2: 8, 3: 4}, Fraction(78)),  # a veto takes no points
        ({1: 1, 2: 8, 3: 4, 4: 3}, Fraction(81)),
        ({1: 1, 2: 8, 3: 4, 4: 3, 5: 10}, Fraction(71)),
        ({1: 1, 2: 10, 3: 5, 4: 5}, Fraction(100)),  # kept within 0 and 100
        ({1: 1, 2: 0, 3: 1, 5: 10}, Fraction(0)),
        ({2: 8, 3: 4}, None),  # the condition was not answered
        ({1: 1, 2: 8}, None),
    ],
)
def test_total(marks, total):
    assert exact_total(SHEET, {pk: Decimal(mark) for pk, mark in marks.items()}) == total


def test_what_a_sheet_cannot_do_without():
    assert [c.pk for c in missing(SHEET, {2: Decimal(1)})] == [1, 3]


def test_scored_criteria_part_ties_in_their_order():
    by_id = {c.pk: c.code for c in SHEET}
    assert shares(SHEET, {2: Decimal("7.5")}) == {by_id[2]: 75}
    assert list(shares(SHEET, {3: Decimal(5), 2: Decimal(0)})) == [by_id[2], by_id[3]]


def test_a_veto_is_a_no():
    assert is_veto(SHEET, {1: Decimal(0)})
    assert not is_veto(SHEET, {1: Decimal(1)})
    assert not is_veto(SHEET, {})
