"""Every state machine of leaderboard/, in one place. See contest/states.py for how they work."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AdvancementStatus(models.TextChoices):
    DRAFT = "draft", _("proposed")
    SIGNED = "signed", _("signed off")
    REVOKED = "revoked", _("revoked")


ADVANCEMENT_MOVES = {
    AdvancementStatus.DRAFT: {AdvancementStatus.SIGNED, AdvancementStatus.REVOKED},
    AdvancementStatus.SIGNED: {AdvancementStatus.REVOKED},
    AdvancementStatus.REVOKED: set(),
}
