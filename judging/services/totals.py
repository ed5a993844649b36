"""What the marks of one sheet amount to, exactly. Pure functions of criteria and marks."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from judging.models import Criterion

Kind = Criterion.Kind


def missing(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> list[Criterion]:
    """The criteria that a sheet cannot do without and that have no mark."""
    return [c for c in criteria if c.is_required and c.pk not in marks]


def exact_parts(
    criteria: Iterable[Criterion], marks: Mapping[int, Decimal]
) -> dict[str, Fraction] | None:
    """The points that each criterion brings into the total of one sheet, by its code, exactly;
    None until every required mark is there.

    100 · w·(m − min)/(max − min) / Σ w of a scored criterion, the points of a bonus, minus those of
    a penalty, 0 of a veto. ``marks`` by the criteria's ids; a bonus or penalty left alone is 0.
    """
    criteria = list(criteria)
    scored = [c for c in criteria if c.kind == Kind.SCORED]
    if not scored or missing(criteria, marks):
        return None
    whole = sum(criterion.weight for criterion in scored)
    return {
        c.code: _points(c.kind, c.weight, c.minimum, c.maximum, whole, marks.get(c.pk, 0))
        for c in criteria
    }


# Marks are steps of a scale: a hundred thousand of them are a few hundred different ones.
@lru_cache(maxsize=10_000)
def _points(
    kind: str, weight: Decimal, minimum: Decimal, maximum: Decimal, whole: Decimal, mark: Decimal
) -> Fraction:
    mark = Fraction(mark)
    if kind == Kind.SCORED:
        low, high = Fraction(minimum), Fraction(maximum)
        return 100 * Fraction(weight) * (mark - low) / (high - low) / Fraction(whole)
    if kind == Kind.VETO:
        return Fraction(0)
    return mark if kind == Kind.BONUS else -mark


def kept_within(total: Fraction) -> Fraction:
    """A sheet's total lies between 0 and 100, wherever bonuses and penalties lead."""
    return min(max(total, Fraction(0)), Fraction(100))


def exact_total(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> Fraction | None:
    """Total of one sheet: the sum of its parts, kept within 0 and 100; None until it has all."""
    parts = exact_parts(criteria, marks)
    return None if parts is None else kept_within(sum(parts.values(), Fraction(0)))


def shares(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> dict[str, Fraction]:
    """Each scored criterion's mark on a scale of 0 to 100 by its code, in the rubric's order; what
    has no mark is left out."""
    return {
        c.code: _points(Kind.SCORED, 1, c.minimum, c.maximum, 1, marks[c.pk])
        for c in criteria
        if c.kind == Kind.SCORED and c.pk in marks
    }


def is_veto(criteria: Iterable[Criterion], marks: Mapping[int, Decimal]) -> bool:
    """Whether the sheet says of some condition that the team does not meet it."""
    return any(c.kind == Kind.VETO and marks.get(c.pk) == 0 for c in criteria)


def fraction_to_decimal(value: Fraction) -> Decimal:
    """To twelve decimals, as standings store it."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-12"))
