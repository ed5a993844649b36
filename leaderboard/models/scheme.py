from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leaderboard.ranking import Method

PERCENT = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]
# So many tie-breaks may follow each other.
MOST_TIE_BREAKS = 8


def default_tie_breaks() -> list[str]:
    return ["judges", "metric", "earliest"]


class Scheme(models.Model):
    """How a round's ranking is made: components, tie-breaks, how many advance."""

    class TieBreak(models.TextChoices):
        JUDGES = "judges", _("higher judges' score")
        METRIC = "metric", _("higher automated score")
        CRITERION = "criterion", _("higher mark on the rubric's first criterion")
        HEAD_TO_HEAD = "head_to_head", _("head to head: whom more judges put ahead")
        EARLIEST = "earliest", _("earlier submission")
        CHAIR = "chair", _("decision of the panel's chair")
        DRAW = "draw", _("draw with the recorded seed")

    class Rounding(models.TextChoices):
        NONE = "none", _("nothing: exact totals are compared")
        TOTALS = "totals", _("totals, as they are shown")
        ALL = "all", _("component scores and totals, as they are shown")

    class Condition(models.TextChoices):
        CONFIRMED = "confirmed", _("the team has been confirmed")
        REPOSITORY = "repository", _("the entry names a source repository")
        LICENCE = "licence", _("the entry has a licence")

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
    rounding = models.CharField(
        _("rounded before they are compared"),
        max_length=10,
        choices=Rounding,
        default=Rounding.NONE,
        help_text=_("Half up, to the decimals shown."),
    )
    minimum_total = models.DecimalField(
        _("minimum total"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=PERCENT,
        help_text=_(
            "0–100; a team with less is listed without a rank and advances only by a wildcard."
        ),
    )
    conditions = models.JSONField(_("a team is ranked only if"), default=list, blank=True)
    seed = models.CharField(
        _("seed of the draw"),
        max_length=100,
        blank=True,
        help_text=_(
            "Left empty, one is drawn. Once the first scores are there none can be given by hand."
        ),
    )

    class Meta:
        verbose_name = _("ranking scheme")
        verbose_name_plural = _("ranking schemes")

    def __str__(self) -> str:
        return str(self.round)

    def clean(self):
        super().clean()
        self._require_known("tie_breaks", self.TieBreak.values, is_tie_break)
        self._require_known("conditions", self.Condition.values)
        if len(self.tie_breaks) > MOST_TIE_BREAKS:
            said = _("At most %(most)s tie-breaks.") % {"most": MOST_TIE_BREAKS}
            raise ValidationError({"tie_breaks": said})

    def _require_known(self, field: str, known: list[str], is_known=None) -> None:
        """Raise ValidationError for a name that is not known, or comes twice."""
        names = getattr(self, field)
        wrong = [name for name in names if not (is_known or known.__contains__)(name)]
        if wrong or len(set(names)) != len(names):
            said = _("Name each once; known are: %(known)s.") % {"known": ", ".join(known)}
            raise ValidationError({field: said})

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

    class Scaling(models.TextChoices):
        BOUNDS = "bounds", _("between two values")
        RANK = "rank", _("by rank: the share of the other teams that are beaten")
        ZSCORE = "zscore", _("by z-scores: the mean is 50, a standard deviation 10 points")

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
    scaling = models.CharField(
        _("metric is scaled"), max_length=10, choices=Scaling, default=Scaling.BOUNDS
    )
    # Of the metric: the raw values that become 0 and 100; where less is better, 0 is the larger.
    worst = models.FloatField(
        _("metric value that gives 0"),
        null=True,
        blank=True,
        help_text=_("Left out, both are the natural bounds of the metric."),
    )
    best = models.FloatField(_("metric value that gives 100"), null=True, blank=True)
    minimum = models.DecimalField(
        _("minimum score"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=PERCENT,
        help_text=_("0–100 of this component; a team with less is listed without a rank."),
    )

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

    @property
    def how(self) -> str:
        """How the component's score is made, in words."""
        if self.kind == self.Kind.JUDGES:
            return self.method_label
        if self.scaling != self.Scaling.BOUNDS:
            return str(self.get_scaling_display())
        if self.worst is None:
            return gettext("natural bounds of the metric")
        return f"{self.worst:g} → 0, {self.best:g} → 100"

    def clean(self):
        super().clean()
        if self.scaling != self.Scaling.BOUNDS and (self.worst, self.best) != (None, None):
            raise ValidationError({"worst": _("Only a metric scaled between two values has them.")})
        if (self.worst is None) != (self.best is None):
            raise ValidationError({"best": _("Give both values, or neither.")})
        if not self.scheme_id or not self.source_id:
            return
        target = self.scheme.round
        if self.source.track_id != target.track_id or self.source.ordinal > target.ordinal:
            raise ValidationError(
                {"source": _("A component comes from this round or an earlier one of its track.")}
            )


NAMED_CRITERION = "criterion:"


def is_tie_break(name) -> bool:
    """Whether a scheme can ask it: one of ``Scheme.TieBreak``, or ``criterion:`` and the code of a
    criterion."""
    if not isinstance(name, str):
        return False
    return name in Scheme.TieBreak.values or bool(criterion_of(name))


def criterion_of(tie_break: str) -> str:
    """The code of the criterion that a tie-break names; empty if it names none."""
    return tie_break.removeprefix(NAMED_CRITERION) if tie_break.startswith(NAMED_CRITERION) else ""


def tie_break_label(name: str, criteria: Mapping[str, str]) -> str:
    """A tie-break in words. ``criteria``: names of criteria by their codes."""
    if code := criterion_of(name):
        return gettext("higher mark on “%(criterion)s”") % {"criterion": criteria.get(code, code)}
    return str(Scheme.TieBreak(name).label)


def method_label(aggregation: str, trim: int, per: str) -> str:
    """How judges' sheets are combined, in words."""
    label = str(SchemeComponent.Aggregation(aggregation).label)
    if aggregation == SchemeComponent.Aggregation.TRIMMED and trim > 1:
        label = gettext("mean without the %(n)s highest and the %(n)s lowest") % {"n": trim}
    if per == SchemeComponent.Per.CRITERION:
        label = f"{label} ({SchemeComponent.Per.CRITERION.label})"
    return label
