import secrets
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual, Named

# Of a criterion, what a mark's meaning hangs on.
TEXTS = ("code", "kind", "name_zh", "name_en", "guide_zh", "guide_en")
NUMBERS = ("weight", "minimum", "maximum", "step")


def new_code() -> str:
    return secrets.token_hex(4)


class Rubric(Named):
    """What judges score by: weighted criteria, and with them bonuses, penalties and vetoes."""

    class VetoRule(models.TextChoices):
        ANY = "any", _("any one judge")
        MAJORITY = "majority", _("more than half of the judges")

    event = models.ForeignKey(
        "contest.Event", models.CASCADE, related_name="rubrics", verbose_name=_("event")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="successors",
        editable=False,
        verbose_name=_("version before"),
    )
    veto_rule = models.CharField(
        _("a team is excluded by the veto of"),
        max_length=10,
        choices=VetoRule,
        default=VetoRule.MAJORITY,
    )

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("rubric")
        verbose_name_plural = _("rubrics")

    def __str__(self) -> str:
        return f"{self.name} ({self.version})" if self.version > 1 else self.name

    def audit_event(self):
        return self.event

    def content(self) -> dict:
        """What judges are asked and how it counts, in one form whatever the database; as JSON."""
        return {
            "rubric": self.pk,
            "version": self.version,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "veto_rule": self.veto_rule,
            "criteria": [criterion.content() for criterion in self.criteria.all()],
        }

    def is_in_use(self) -> bool:
        """Whether a mark was given by it; then it stays, and a change makes a new version."""
        from judging.models import RecordEntry

        return RecordEntry.objects.filter(criterion__rubric=self).exists()


class Criterion(Named):
    """One question of a rubric: a scale from ``minimum`` to ``maximum`` in steps, and a weight.

    Only scored criteria have a weight. A bonus adds its points to the weighted total, a penalty
    takes them off; both start at 0 and may be left alone. A veto asks whether a condition is met:
    1 says yes, 0 is a vote to exclude the team.
    """

    class Kind(models.TextChoices):
        SCORED = "scored", _("scored by weight")
        BONUS = "bonus", _("bonus")
        PENALTY = "penalty", _("penalty")
        VETO = "veto", _("condition (veto)")

    rubric = models.ForeignKey(
        Rubric, models.CASCADE, related_name="criteria", verbose_name=_("rubric")
    )
    ordinal = models.PositiveSmallIntegerField(_("order"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SCORED)
    # The same in every version of the rubric, so that marks find their criterion again.
    code = models.CharField(_("code"), max_length=40, default=new_code, editable=False)
    guide_zh = models.TextField(_("guide (Chinese)"), blank=True)
    guide_en = models.TextField(_("guide (English)"), blank=True)
    weight = models.DecimalField(
        _("weight"),
        max_digits=6,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(Decimal(0))],
    )
    minimum = models.DecimalField(_("lowest mark"), max_digits=6, decimal_places=2, default=0)
    maximum = models.DecimalField(_("highest mark"), max_digits=6, decimal_places=2, default=10)
    step = models.DecimalField(
        _("step"),
        max_digits=6,
        decimal_places=2,
        default=Decimal("0.5"),
        validators=[MinValueValidator(Decimal("0.01"))],
    )

    guide = Bilingual("guide")

    class Meta:
        ordering = ["ordinal", "pk"]
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minimum__lt=models.F("maximum")),
                name="criterion_range",
                violation_error_message=_("The lowest mark must be below the highest."),
            ),
            models.CheckConstraint(
                condition=models.Q(step__gt=0)
                & (
                    models.Q(kind="scored", weight__gt=0)
                    | (~models.Q(kind="scored") & models.Q(weight=0))
                ),
                name="criterion_positive",
                violation_error_message=_(
                    "A scored criterion needs a weight above zero; others have none."
                ),
            ),
            models.UniqueConstraint(
                fields=["rubric", "code"],
                name="criterion_code_once",
                violation_error_message=_("The rubric already has this criterion."),
            ),
        ]

    def content(self) -> dict:
        """What of it makes a mark mean what it means; numbers with two decimals."""
        texts = {name: getattr(self, name) for name in TEXTS}
        return {"id": self.pk, **texts, **{n: f"{getattr(self, n):.2f}" for n in NUMBERS}}

    @property
    def is_required(self) -> bool:
        """Whether a sheet cannot be submitted without a mark here."""
        return self.kind in (self.Kind.SCORED, self.Kind.VETO)

    def clean(self):
        super().clean()
        if self.kind == self.Kind.VETO:
            self.minimum, self.maximum, self.step = Decimal(0), Decimal(1), Decimal(1)
        if self.kind in (self.Kind.BONUS, self.Kind.PENALTY) and self.minimum:
            raise ValidationError({"minimum": _("Bonuses and penalties begin at 0.")})
        if None in (self.minimum, self.maximum, self.step) or self.step <= 0:
            return  # the fields' own validators have said so
        if self.minimum < self.maximum and (self.maximum - self.minimum) % self.step:
            raise ValidationError(
                {"step": _("The steps must lead from the lowest mark exactly to the highest.")}
            )

    def asks_the_same_as(self, other: "Criterion") -> bool:
        """Whether a mark given by ``other``, of another version, says the same here.

        Points of a bonus or penalty are what they are; a scored mark means something only between
        its ends: 8 of 10 is not 8 of 100.
        """
        if self.kind != other.kind or self.code != other.code:
            return False
        ends = (self.minimum, self.maximum) == (other.minimum, other.maximum)
        return self.kind != self.Kind.SCORED or ends

    def lies_on_scale(self, value: Decimal) -> bool:
        return (
            value.is_finite()
            and self.minimum <= value <= self.maximum
            and not (value - self.minimum) % self.step
        )

    def validate_mark(self, value: Decimal) -> None:
        """Raise ValidationError unless ``value`` lies on this criterion's scale."""
        if not self.lies_on_scale(value):
            raise ValidationError(
                _(
                    "“%(criterion)s” takes marks from %(minimum)s to %(maximum)s "
                    "in steps of %(step)s, not %(value)s."
                ),
                code="mark_off_scale",
                params={
                    "criterion": self.name,
                    "minimum": f"{self.minimum.normalize():f}",
                    "maximum": f"{self.maximum.normalize():f}",
                    "step": f"{self.step.normalize():f}",
                    "value": value,
                },
            )
