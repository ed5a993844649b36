from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Named
from contest.states import HasStates
from leaderboard.states import ADVANCEMENT_MOVES, AdvancementStatus


class Advancement(HasStates):
    """Who goes on from a round, decided on one standing and signed by an organizer."""

    MOVES = ADVANCEMENT_MOVES

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="advancements", verbose_name=_("round")
    )
    standing = models.ForeignKey(
        "leaderboard.Standing",
        models.PROTECT,
        related_name="advancements",
        verbose_name=_("standing"),
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=AdvancementStatus,
        default=AdvancementStatus.DRAFT,
        editable=False,
    )
    reason = models.TextField(_("reason of the decision on a tie"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("signed by"),
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("advancement")
        verbose_name_plural = _("advancements")
        constraints = [
            models.UniqueConstraint(
                fields=["round"],
                condition=~models.Q(status="revoked"),
                name="one_advancement_in_force",
            )
        ]

    def __str__(self) -> str:
        return str(self.round)

    def audit_event(self):
        return self.round.event


class AdvancementRow(models.Model):
    """A team that goes on, or one that ties across the cut and waits for a decision."""

    class Outcome(models.TextChoices):
        IN = "in", _("advances")
        TIED = "tied", _("tied across the cut")
        OUT = "out", _("does not advance")

    advancement = models.ForeignKey(
        Advancement, models.CASCADE, related_name="rows", verbose_name=_("advancement")
    )
    row = models.ForeignKey(
        "leaderboard.StandingRow",
        models.PROTECT,
        related_name="+",
        verbose_name=_("row of the standing"),
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)

    class Meta:
        ordering = ["row__position"]
        verbose_name = _("row of an advancement")
        verbose_name_plural = _("rows of advancements")
        constraints = [models.UniqueConstraint(fields=["advancement", "row"], name="advances_once")]

    def __str__(self) -> str:
        return f"{self.row} {self.get_outcome_display()}"


class Award(Named):
    """A prize of a round: for a range of ranks, or given by the organizers by name."""

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="awards", verbose_name=_("round")
    )
    ordinal = models.PositiveSmallIntegerField(_("order"), default=0)
    first_rank = models.PositiveSmallIntegerField(_("from rank"), null=True, blank=True)
    last_rank = models.PositiveSmallIntegerField(_("to rank"), null=True, blank=True)

    class Meta:
        ordering = ["ordinal", "pk"]
        verbose_name = _("award")
        verbose_name_plural = _("awards")

    def clean(self):
        super().clean()
        if (self.first_rank is None) != (self.last_rank is None):
            raise ValidationError(
                {"last_rank": _("Give both ranks, or neither for an award that is given by name.")}
            )
        if self.first_rank is not None and not 1 <= self.first_rank <= self.last_rank:
            raise ValidationError({"last_rank": _("The ranks must count upwards from 1.")})

    def audit_event(self):
        return self.round.event


class AwardWinner(models.Model):
    """A team that won an award."""

    award = models.ForeignKey(
        Award, models.CASCADE, related_name="winners", verbose_name=_("award")
    )
    participation = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        related_name="awards",
        verbose_name=_("team in the round"),
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = _("award winner")
        verbose_name_plural = _("award winners")
        constraints = [models.UniqueConstraint(fields=["award", "participation"], name="won_once")]

    def __str__(self) -> str:
        return f"{self.award}: {self.participation}"
