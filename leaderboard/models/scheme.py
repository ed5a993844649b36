from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.ranking import Method


def default_tie_breaks() -> list[str]:
    return ["judges", "metric", "earliest"]


class Scheme(models.Model):
    """How a round's ranking is made: components, tie-breaks, how many advance."""

    class TieBreak(models.TextChoices):
        JUDGES = "judges", _("higher judges' score")
        METRIC = "metric", _("higher automated score")
        CRITERION = "criterion", _("higher mark on the rubric's first criterion")
        EARLIEST = "earliest", _("earlier submission")
        CHAIR = "chair", _("decision of the panel's chair")

    round = models.OneToOneField(
        "contest.Round", models.CASCADE, related_name="scheme", verbose_name=_("round")
    )
    advance_count = models.PositiveSmallIntegerField(
        _("teams that advance"), default=10, help_text=_("0: nobody; the round awards prizes.")
    )
    tie_breaks = models.JSONField(_("tie-breaks, in order"), default=default_tie_breaks, blank=True)
    decimals = models.PositiveSmallIntegerField(
        _("decimals shown"), default=2, validators=[MaxValueValidator(6)]
    )

    class Meta:
        verbose_name = _("ranking scheme")
        verbose_name_plural = _("ranking schemes")

    def __str__(self) -> str:
        return str(self.round)

    def clean(self):
        super().clean()
        known = set(self.TieBreak.values)
        wrong = [name for name in self.tie_breaks if name not in known]
        if wrong or len(set(self.tie_breaks)) != len(self.tie_breaks):
            raise ValidationError(
                {
                    "tie_breaks": _("Name each tie-break once; known are: %(known)s.")
                    % {"known": ", ".join(sorted(known))}
                }
            )

    def audit_event(self):
        return self.round.event


class SchemeComponent(models.Model):
    """One weighted part of a round's total, itself on a scale of 0 to 100."""

    class Kind(models.TextChoices):
        METRIC = "metric", _("automated score")
        JUDGES = "judges", _("judges' scores")

    class Aggregation(models.TextChoices):
        MEAN = "mean", _("mean")
        TRIMMED = "trimmed", _("mean without the highest and the lowest")
        MEDIAN = "median", _("median")
        ZSCORE = "zscore", _("mean of z-scores by judge")
        BORDA = "borda", _("ranks by judge (Borda)")
        SEVERITY = "severity", _("mean adjusted for severe and lenient judges")
        ORDINAL = "ordinal", _("ordinal model of teams and judges")
        BRADLEY_TERRY = "bradley_terry", _("pairs by judge (Bradley–Terry)")

    class Per(models.TextChoices):
        TOTAL = "total", _("of the sheets’ totals")
        CRITERION = "criterion", _("of each criterion by itself")

    scheme = models.ForeignKey(
        Scheme, models.CASCADE, related_name="components", verbose_name=_("ranking scheme")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    source = models.ForeignKey(
        "contest.Round",
        models.PROTECT,
        related_name="+",
        verbose_name=_("from the round"),
        help_text=_("This round, or an earlier one whose result carries over."),
    )
    weight = models.DecimalField(
        _("weight"),
        max_digits=6,
        decimal_places=2,
        default=100,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    metric = models.CharField(
        _("metric or measure"),
        max_length=100,
        blank=True,
        help_text=_("Empty: the one that ranks. Others are further metrics, or what a run took."),
    )
    aggregation = models.CharField(
        _("judges' scores are combined by"),
        max_length=20,
        choices=Aggregation,
        default=Aggregation.TRIMMED,
    )
    trim = models.PositiveSmallIntegerField(
        _("sheets dropped at each end"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("Of the trimmed mean. Never so many that fewer than two sheets are left."),
    )
    per = models.CharField(
        _("median or trimmed mean"), max_length=10, choices=Per, default=Per.TOTAL
    )
    # Of the metric: the raw values that become 0 and 100; where less is better, 0 is the larger.
    worst = models.FloatField(
        _("metric value that gives 0"),
        null=True,
        blank=True,
        help_text=_("Left out, both are the natural bounds of the metric."),
    )
    best = models.FloatField(_("metric value that gives 100"), null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("component")
        verbose_name_plural = _("components")
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "kind", "source", "metric"],
                name="component_once",
                violation_error_message=_("The scheme already has this component."),
            ),
            models.CheckConstraint(
                condition=~models.Q(worst=models.F("best")),
                name="component_bounds",
                violation_error_message=_("The values that give 0 and 100 must differ."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.source.name}"

    @property
    def method(self) -> Method:
        """How judges' sheets are combined; settings that the method does not have are left out."""
        settings = {}
        if self.aggregation == self.Aggregation.TRIMMED:
            settings["trim"] = self.trim
        if self.aggregation in (self.Aggregation.TRIMMED, self.Aggregation.MEDIAN):
            settings["per"] = self.per
        return Method(self.aggregation, **settings)

    @property
    def method_label(self) -> str:
        return method_label(self.aggregation, self.method.trim, self.method.per)

    def clean(self):
        super().clean()
        if (self.worst is None) != (self.best is None):
            raise ValidationError({"best": _("Give both values, or neither.")})
        if not self.scheme_id or not self.source_id:
            return
        target = self.scheme.round
        if self.source.track_id != target.track_id or self.source.ordinal > target.ordinal:
            raise ValidationError(
                {"source": _("A component comes from this round or an earlier one of its track.")}
            )


def method_label(aggregation: str, trim: int, per: str) -> str:
    """How judges' sheets are combined, in words."""
    label = str(SchemeComponent.Aggregation(aggregation).label)
    if aggregation == SchemeComponent.Aggregation.TRIMMED and trim > 1:
        label = gettext("mean without the %(n)s highest and the %(n)s lowest") % {"n": trim}
    if per == SchemeComponent.Per.CRITERION:
        label = f"{label} ({SchemeComponent.Per.CRITERION.label})"
    return label
