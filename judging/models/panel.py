from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual, Named, require_one_language


class Judge(models.Model):
    """An expert who judges in one event, for an organisation.

    ``user`` is an account of this judge in this event alone (see contest.models.User).
    """

    event = models.ForeignKey(
        "contest.Event", models.CASCADE, related_name="judges", verbose_name=_("event")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="judge",
        verbose_name=_("account"),
        editable=False,
    )
    name = models.CharField(_("name"), max_length=150)
    email = models.EmailField(_("e-mail"), blank=True)
    organisation_zh = models.CharField(_("organisation (Chinese)"), max_length=200, blank=True)
    organisation_en = models.CharField(_("organisation (English)"), max_length=200, blank=True)

    organisation = Bilingual("organisation")

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("judge")
        verbose_name_plural = _("judges")

    def __str__(self) -> str:
        return self.name

    def clean(self):
        super().clean()
        require_one_language(self, "organisation")

    def audit_event(self):
        return self.event


class Panel(Named):
    """The judges of a round and the rubric they score by."""

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="panels", verbose_name=_("round")
    )
    rubric = models.ForeignKey(
        "judging.Rubric", models.PROTECT, related_name="panels", verbose_name=_("rubric")
    )
    judges = models.ManyToManyField(
        Judge, related_name="panels", blank=True, verbose_name=_("judges")
    )
    chair = models.ForeignKey(
        Judge,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="chaired_panels",
        verbose_name=_("chair"),
        help_text=_("Decides ties that the organizers put to the panel."),
    )
    is_anonymous = models.BooleanField(
        _("teams are anonymous"),
        default=False,
        help_text=_("Judges see a team's code and project, but not who it is."),
    )

    class Meta:
        ordering = ["round", "pk"]
        verbose_name = _("panel")
        verbose_name_plural = _("panels")

    def clean(self):
        super().clean()
        if self.round_id and self.rubric_id and self.rubric.event_id != self.round.event_id:
            raise ValidationError({"rubric": _("The rubric belongs to another event.")})
        if self.round_id and self.chair_id and self.chair.event_id != self.round.event_id:
            raise ValidationError({"chair": _("The judge belongs to another event.")})

    def audit_event(self):
        return self.round.event


class Assignment(models.Model):
    """One judge is to score one team in a round."""

    panel = models.ForeignKey(
        Panel, models.CASCADE, related_name="assignments", verbose_name=_("panel")
    )
    judge = models.ForeignKey(
        Judge, models.CASCADE, related_name="assignments", verbose_name=_("judge")
    )
    participation = models.ForeignKey(
        "contest.Participation",
        models.CASCADE,
        related_name="assignments",
        verbose_name=_("team in the round"),
    )
    # A judge who leaves before submitting; what was marked stays on record and is not waited for.
    released_at = models.DateTimeField(_("released"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["participation__running_order", "participation__team__code", "judge"]
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["judge", "participation"],
                name="assigned_once",
                violation_error_message=_("This judge is already assigned to this team."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.judge} → {self.participation}"


class Recusal(models.Model):
    """A conflict of interest: the judge's sheets for this team stay on record but do not count."""

    judge = models.ForeignKey(
        Judge, models.CASCADE, related_name="recusals", verbose_name=_("judge")
    )
    team = models.ForeignKey(
        "contest.Team", models.CASCADE, related_name="recusals", verbose_name=_("team")
    )
    reason = models.CharField(_("reason"), max_length=300)
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("declared by"),
    )
    declared_at = models.DateTimeField(_("declared"), auto_now_add=True)

    class Meta:
        ordering = ["-declared_at"]
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        constraints = [models.UniqueConstraint(fields=["judge", "team"], name="recused_once")]

    def __str__(self) -> str:
        return f"{self.judge} ✕ {self.team}"

    def clean(self):
        super().clean()
        if self.judge_id and self.team_id and self.judge.event_id != self.team.event_id:
            raise ValidationError({"team": _("The team belongs to another event.")})

    def audit_event(self):
        return self.judge.event
