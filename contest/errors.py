"""What a service raises when it refuses what was asked."""

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """A rule of the competition forbids this; the message tells the person which and why.

    ``code`` is stable and meant for programs, the message is translated and meant for people.
    """

    def __init__(self, message, code: str, params: dict | None = None):
        super().__init__(message, code=code, params=params)


class WrongMove(Refused):
    """A state machine has no such move from where the object stands."""
