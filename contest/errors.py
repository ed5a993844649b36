"""What a service raises when it refuses what was asked."""

from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.translation import gettext_lazy as _


class Refused(ValidationError):
    """A rule of the competition forbids this; the message tells the person which and why.

    ``code`` is stable and meant for programs, the message is translated and meant for people.
    """

    def __init__(self, message, code: str, params: dict | None = None):
        super().__init__(message, code=code, params=params)


class WrongMove(Refused):
    """A state machine has no such move from where the object stands."""


# What a database says of values it has no room for: numbers beyond 64 bits, characters of code 0.
OUT_OF_RANGE = (DataError, OverflowError, UnicodeEncodeError)


def out_of_range_message():
    return _("A number or text in the request is outside of what can be stored.")
