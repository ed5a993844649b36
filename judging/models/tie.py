from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.states import HasStates
from judging.states import TIE_MOVES, TieStatus


class Tie(HasStates):
    """A tie that organizers put to the chair of a panel, and what the chair decided."""

    MOVES = TIE_MOVES

    panel = models.ForeignKey(
        "judging.Panel", models.CASCADE, related_name="ties", verbose_name=_("panel")
    )
    status = models.CharField(
        _("status"), max_length=10, choices=TieStatus, default=TieStatus.OPEN, editable=False
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_by = models.ForeignKey(
        "judging.Judge",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_ties",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("tie put to a chair")
        verbose_name_plural = _("ties put to chairs")

    def __str__(self) -> str:
        return f"{self.panel} ({self.asked_at:%Y-%m-%d})"

    def audit_event(self):
        return self.panel.round.event


class TiedTeam(models.Model):
    """One of the teams of a tie; ``place`` counts from 1, the best, once the chair decided."""

    tie = models.ForeignKey(Tie, models.CASCADE, related_name="teams", verbose_name=_("tie"))
    participation = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        related_name="ties",
        verbose_name=_("team in the round"),
    )
    place = models.PositiveSmallIntegerField(_("place"), null=True, blank=True)

    class Meta:
        ordering = ["place", "participation"]
        verbose_name = _("tied team")
        verbose_name_plural = _("tied teams")
        constraints = [
            models.UniqueConstraint(fields=["tie", "participation"], name="tied_once"),
            models.UniqueConstraint(fields=["tie", "place"], name="tie_place_once"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.participation}"
