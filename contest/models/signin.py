import hashlib
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SignInLink(models.Model):
    """A one-time link, shown as a QR code, that signs one person in.

    The database holds the SHA-256 of the secret, never the secret: who reads a backup cannot sign
    in. A used link keeps its session alive until it expires or is revoked.

    One that was ``handed_from`` another is a short code, made where that one had signed in, for the
    installed app beside it: good for minutes, and no longer alive than the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="sign_in_links",
        verbose_name=_("user"),
    )
    event = models.ForeignKey(
        "contest.Event",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="sign_in_links",
        verbose_name=_("event"),
    )
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    handed_from = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="handed_on",
        verbose_name=_("handed on from"),
    )
    usable_until = models.DateTimeField(_("usable until"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")

    def __str__(self) -> str:
        return f"{self.user} ({self.created_at:%Y-%m-%d})"

    @staticmethod
    def digest(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @property
    def is_live(self) -> bool:
        """Not revoked and not expired; a session opened by it may go on."""
        return self.revoked_at is None and timezone.now() < self.expires_at

    @property
    def is_usable(self) -> bool:
        """Whether it can still sign somebody in."""
        in_time = self.usable_until is None or timezone.now() < self.usable_until
        return self.is_live and self.used_at is None and in_time
