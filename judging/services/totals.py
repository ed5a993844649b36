"""What the marks of one sheet amount to, exactly. Pure functions of criteria and marks."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from judging.models import Criterion

Kind = Criterion.Kind


def missing(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> list[Criterion]:
    """The criteria that a sheet cannot do without and that have no mark."""
    return [c for c in criteria if c.is_required and c.pk not in marks]


def exact_total(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> Fraction | None:
    """Total of one sheet between 0 and 100, exactly; None until every required mark is there.

    100 · Σ w·(m − min)/(max − min) / Σ w over the scored criteria, plus bonuses, minus penalties,
    kept within 0 and 100. ``marks`` by the criteria's ids; a bonus or penalty left alone is 0.
    """
    criteria = list(criteria)
    scored = [c for c in criteria if c.kind == Kind.SCORED]
    if not scored or missing(criteria, marks):
        return None
    share = Fraction(0)
    for criterion in scored:
        low, high = Fraction(criterion.minimum), Fraction(criterion.maximum)
        share += Fraction(criterion.weight) * (Fraction(marks[criterion.pk]) - low) / (high - low)
    total = 100 * share / sum(Fraction(criterion.weight) for criterion in scored)
    for criterion in criteria:
        points = Fraction(marks.get(criterion.pk, 0))
        if criterion.kind == Kind.BONUS:
            total += points
        elif criterion.kind == Kind.PENALTY:
            total -= points
    return min(max(total, Fraction(0)), Fraction(100))


def first_share(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> Fraction | None:
    """The first scored criterion's mark on a scale of 0 to 100; None while it is missing."""
    first = next((c for c in criteria if c.kind == Kind.SCORED), None)
    if first is None or first.pk not in marks:
        return None
    low, high = Fraction(first.minimum), Fraction(first.maximum)
    return 100 * (Fraction(marks[first.pk]) - low) / (high - low)


def is_veto(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> bool:
    """Whether the sheet says of some condition that the team does not meet it."""
    return any(c.kind == Kind.VETO and marks.get(c.pk) == 0 for c in criteria)


def fraction_to_decimal(value: Fraction) -> Decimal:
    """To twelve decimals, as standings store it."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-12"))
