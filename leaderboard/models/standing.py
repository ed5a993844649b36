from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Standing(models.Model):
    """A round's ranking as computed from inputs named by a digest. Never changed, only followed.

    The *public* standing knows public metric scores and no judge's mark before publication; the
    *full* one is what organizers see and sign.
    """

    class Audience(models.TextChoices):
        PUBLIC = "public", _("public")
        FULL = "full", _("organizers")

    class ShownTo(models.TextChoices):
        NOBODY = "", _("nobody")
        TEAMS = "teams", _("teams of the round")
        ALL = "all", _("everybody")

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="standings", verbose_name=_("round")
    )
    audience = models.CharField(_("for"), max_length=10, choices=Audience)
    is_current = models.BooleanField(_("newest"), default=True)
    # The public copy of what was signed, shown while the round is published.
    is_result = models.BooleanField(_("published result"), default=False)
    # Who could see it on a leaderboard while it was the newest: the history shows no other.
    shown_to = models.CharField(
        _("was shown to"), max_length=5, choices=ShownTo, default=ShownTo.NOBODY, blank=True
    )
    read_at = models.DateTimeField(_("inputs read"), default=timezone.now)
    computed_at = models.DateTimeField(_("computed"), auto_now_add=True)
    input_digest = models.CharField(_("digest of the inputs"), max_length=64)
    # The scheme as it was: weights, aggregation, bounds, tie-breaks.
    method = models.JSONField(_("method"), default=dict)

    class Meta:
        ordering = ["-computed_at", "-pk"]
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "audience"],
                condition=models.Q(is_current=True),
                name="one_current_standing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.round} ({self.get_audience_display()})"


class StandingRow(models.Model):
    """One team's place, with everything that explains it."""

    standing = models.ForeignKey(
        Standing, models.CASCADE, related_name="rows", verbose_name=_("standing")
    )
    participation = models.ForeignKey(
        "contest.Participation",
        models.CASCADE,
        related_name="standing_rows",
        verbose_name=_("team in the round"),
    )
    # Null: the team is not ranked, and `explanation` says why (no score yet, withdrawn, …).
    rank = models.PositiveIntegerField(_("rank"), null=True)
    total = models.DecimalField(_("total"), max_digits=20, decimal_places=12, null=True)
    position = models.PositiveIntegerField(_("place in the list"))
    # Each component: raw values, scaled value, weight, which judges' sheets were dropped.
    explanation = models.JSONField(_("explanation"), default=dict)

    class Meta:
        ordering = ["position"]
        verbose_name = _("row of a standing")
        verbose_name_plural = _("rows of standings")
        constraints = [
            models.UniqueConstraint(fields=["standing", "participation"], name="row_once"),
            models.UniqueConstraint(fields=["standing", "position"], name="position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rank} {self.participation}"
