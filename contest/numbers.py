from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor


def round_half_up(value, decimals: int) -> Decimal:
    """``value`` (Decimal, Fraction, float, int or numeric string) rounded half up, as rules books
    say: away from zero.

    A float is taken by its shortest decimal form, so that 2.675 rounds to 2.68 as people expect; a
    Fraction is rounded once, from its exact value.
    """
    if isinstance(value, Fraction):
        units = floor(abs(value) * 10**decimals + Fraction(1, 2))
        return Decimal(-units if value < 0 else units).scaleb(-decimals)
    if not isinstance(value, Decimal):
        value = Decimal(str(value))
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def whole(text: str) -> int | None:
    """A whole number that a sender wrote, if it is one that a database can hold."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def plain(number) -> str:
    """A decimal without zeros that say nothing: 7.50 is ``7.5``, 8.00 is ``8``."""
    return f"{Decimal(number).normalize():f}"
