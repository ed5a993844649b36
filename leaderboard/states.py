"""Every state machine of leaderboard/, in one place. See contest/states.py for how they work."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AdvancementStatus(models.TextChoices):
    DRAFT = "draft", _("proposed")
    SIGNED_ONCE = "signed_once", _("awaits the second signature")
    SIGNED = "signed", _("signed off")
    REVOKED = "revoked", _("revoked")


ADVANCEMENT_MOVES = {
    AdvancementStatus.DRAFT: {
        AdvancementStatus.SIGNED_ONCE,
        AdvancementStatus.SIGNED,
        AdvancementStatus.REVOKED,
    },
    AdvancementStatus.SIGNED_ONCE: {AdvancementStatus.SIGNED, AdvancementStatus.REVOKED},
    AdvancementStatus.SIGNED: {AdvancementStatus.REVOKED},
    AdvancementStatus.REVOKED: set(),
}


class Outcome(models.TextChoices):
    """What becomes of one team of a round."""

    IN = "in", _("advances")
    WILDCARD = "wildcard", _("advances by a wildcard")
    RESERVE = "reserve", _("reserve")
    TIED = "tied", _("tied across the cut")
    OUT = "out", _("does not advance")
    WITHDRAWN = "withdrawn", _("withdrew after advancing")
    DISQUALIFIED = "disqualified", _("disqualified after advancing")


ADVANCING = (Outcome.IN, Outcome.WILDCARD)

# Once it is signed; until then the proposal is computed anew as often as somebody decides.
OUTCOME_MOVES = {
    Outcome.IN: {Outcome.WITHDRAWN, Outcome.DISQUALIFIED},
    Outcome.WILDCARD: {Outcome.WITHDRAWN, Outcome.DISQUALIFIED},
    Outcome.RESERVE: {Outcome.IN},
    Outcome.TIED: set(),
    Outcome.OUT: set(),
    Outcome.WITHDRAWN: set(),
    Outcome.DISQUALIFIED: set(),
}


class PreparedStatus(models.TextChoices):
    """A large download that a worker prepares."""

    WAITING = "waiting", _("waits its turn")
    PREPARING = "preparing", _("is being prepared")
    READY = "ready", _("ready")
    FAILED = "failed", _("could not be prepared")


# One that failed stays as it is: whoever tries again asks for a new one.
PREPARED_MOVES = {
    PreparedStatus.WAITING: {PreparedStatus.PREPARING, PreparedStatus.FAILED},
    PreparedStatus.PREPARING: {PreparedStatus.READY, PreparedStatus.FAILED},
    # Its file was found to be gone from the store.
    PreparedStatus.READY: {PreparedStatus.FAILED},
    PreparedStatus.FAILED: set(),
}
