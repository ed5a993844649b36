from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Notice(models.Model):
    """What one member of a team was told of a round's result by e-mail: once, and once more where
    something else became of the team afterwards."""

    participation = models.ForeignKey(
        "contest.Participation",
        models.CASCADE,
        related_name="notices",
        verbose_name=_("team in the round"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("member")
    )
    # A digest of what is to be said; what differs from it is worth another mail.
    said = models.CharField(_("digest of what was said"), max_length=64)
    corrects = models.BooleanField(_("corrects an earlier one"), default=False)
    # Whoever sends takes it first, so that two workers do not; what is not sent is tried again.
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("notice to a team")
        verbose_name_plural = _("notices to teams")
        constraints = [models.UniqueConstraint(fields=["participation", "user"], name="told_once")]

    def __str__(self) -> str:
        return f"{self.participation}: {self.user}"
