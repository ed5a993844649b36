import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.states import HasStates
from judging.states import SCORESHEET_MOVES, ScoresheetStatus


class Scoresheet(HasStates):
    """One judge's marks for one team in a round."""

    MOVES = SCORESHEET_MOVES

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.OneToOneField(
        "judging.Assignment",
        models.PROTECT,
        related_name="scoresheet",
        verbose_name=_("assignment"),
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=ScoresheetStatus,
        default=ScoresheetStatus.DRAFT,
        editable=False,
    )
    comment = models.TextField(_("comment to the team"), max_length=4000, blank=True)
    private_note = models.TextField(_("private note"), max_length=4000, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("score sheet")
        verbose_name_plural = _("score sheets")

    def __str__(self) -> str:
        return str(self.assignment)

    def audit_event(self):
        return self.assignment.judge.event

    @property
    def is_editable(self) -> bool:
        return self.status != ScoresheetStatus.SUBMITTED


class Mark(models.Model):
    """The mark that holds now; every change of it is in the round's judging record."""

    scoresheet = models.ForeignKey(
        Scoresheet, models.PROTECT, related_name="marks", verbose_name=_("score sheet")
    )
    criterion = models.ForeignKey(
        "judging.Criterion", models.PROTECT, related_name="marks", verbose_name=_("criterion")
    )
    value = models.DecimalField(_("mark"), max_digits=6, decimal_places=2)

    class Meta:
        ordering = ["criterion__ordinal", "criterion"]
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        constraints = [
            models.UniqueConstraint(fields=["scoresheet", "criterion"], name="mark_once")
        ]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.value}"
