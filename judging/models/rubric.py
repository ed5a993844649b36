from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual, Named


class Rubric(Named):
    """What judges score by: weighted criteria."""

    event = models.ForeignKey(
        "contest.Event", models.CASCADE, related_name="rubrics", verbose_name=_("event")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("rubric")
        verbose_name_plural = _("rubrics")

    def audit_event(self):
        return self.event

    def is_in_use(self) -> bool:
        """Whether a mark was given by it; it can then only be copied, not changed."""
        from judging.models import MarkRevision

        return MarkRevision.objects.filter(criterion__rubric=self).exists()


class Criterion(Named):
    """One question of a rubric: a scale from ``minimum`` to ``maximum`` in steps, and a weight."""

    rubric = models.ForeignKey(
        Rubric, models.CASCADE, related_name="criteria", verbose_name=_("rubric")
    )
    ordinal = models.PositiveSmallIntegerField(_("order"), default=0)
    guide_zh = models.TextField(_("guide (Chinese)"), blank=True)
    guide_en = models.TextField(_("guide (English)"), blank=True)
    weight = models.DecimalField(
        _("weight"),
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
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
                condition=models.Q(weight__gt=0) & models.Q(step__gt=0),
                name="criterion_positive",
                violation_error_message=_("Weight and step must be above zero."),
            ),
        ]

    def clean(self):
        super().clean()
        if None in (self.minimum, self.maximum, self.step) or self.step <= 0:
            return  # the fields' own validators have said so
        if self.minimum < self.maximum and (self.maximum - self.minimum) % self.step:
            raise ValidationError(
                {"step": _("The steps must lead from the lowest mark exactly to the highest.")}
            )

    def validate_mark(self, value: Decimal) -> None:
        """Raise ValidationError unless ``value`` lies on this criterion's scale."""
        if (
            not value.is_finite()
            or not self.minimum <= value <= self.maximum
            or (value - self.minimum) % self.step
        ):
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
