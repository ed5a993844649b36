"""What an explanation is made of, from a place down to each change of a mark, and as plain data."""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual
from contest.numbers import plain, round_half_up
from contest.states import ParticipationStatus
from contest.templatetags.wuzhen import bare
from judging.models import Rubric
from judging.services.totals import fraction_to_decimal
from leaderboard.models import AdvancementRow, SchemeComponent
from leaderboard.models.scheme import method_label
from leaderboard.ranking import Terms
from leaderboard.ranking.methods import COMPARING, MODELS


class SheetState(models.TextChoices):
    """What became of a sheet in its component."""

    COUNTED = "counted", _("counted")
    HIGHEST = "highest", _("dropped as the highest")
    LOWEST = "lowest", _("dropped as the lowest")
    RECUSED = "recused", _("conflict of interest, not counted")
    RETURNED = "returned", _("returned, not counted")
    RELEASED = "released", _("judge released, not counted")
    NOT_SUBMITTED = "not_submitted", _("not submitted")
    LEFT = "left", _("team left the round, not counted")


SUBMITTED_AND_FREE = (SheetState.COUNTED, SheetState.HIGHEST, SheetState.LOWEST)


@dataclass(frozen=True)
class Revision:
    """One change of a mark, as the judging record holds it."""

    number: int
    at: datetime
    device_at: datetime | None
    device: str
    by: str
    previous: Decimal | None
    value: Decimal | None
    reason: str


@dataclass(frozen=True)
class MarkExplained:
    """One criterion of a sheet. ``points`` is what it adds to the sheet's total, below 0 for a
    penalty."""

    criterion: int
    code: str
    name_zh: str
    name_en: str
    kind: str
    weight: Decimal
    minimum: Decimal
    maximum: Decimal
    value: Decimal | None
    share: Fraction | None  # where the mark lies on its scale, 0 to 1; of scored criteria alone
    points: Fraction
    revisions: tuple[Revision, ...]
    # Left out of this criterion's mean, as one of the highest or lowest points.
    dropped: bool = False

    name = Bilingual("name")

    @property
    def percent(self) -> Fraction | None:
        return None if self.share is None else 100 * self.share


@dataclass(frozen=True)
class SheetExplained:
    """One judge's sheet. ``total`` is None where it was not submitted."""

    sheet: UUID | None
    judge: str
    organisation_zh: str
    organisation_en: str
    state: str
    submitted_at: datetime | None
    total: Fraction | None
    veto: bool
    marks: tuple[MarkExplained, ...]
    veto_rule: str = ""
    judge_id: int | None = None  # None: only the name is known any more
    # What it counted as, where judges are compared; None elsewhere.
    counted_as: Fraction | None = None
    # The marks of today come to another total than the standing has.
    differs: bool = False
    # A conflict of interest was declared (or lifted) after the ranking was signed.
    recusal_changed: bool = False

    organisation = Bilingual("organisation")

    @property
    def in_mean(self) -> bool:
        """Whether the component's mean is made of it, too."""
        return self.state == SheetState.COUNTED

    @property
    def state_label(self) -> str:
        return str(SheetState(self.state).label)

    @property
    def points(self) -> Fraction:
        return sum((mark.points for mark in self.marks), Fraction(0))

    def percent(self, code: str) -> Fraction | None:
        """The mark on a criterion, 0–100; without a code, on the first that is scored."""
        scored = (mark for mark in self.marks if mark.share is not None)
        return next((mark.percent for mark in scored if code in ("", mark.code)), None)

    @property
    def kept_within(self) -> bool:
        """Whether bonuses or penalties led out of 0 to 100, where the total ends."""
        return self.total is not None and not self.differs and self.points != self.total


@dataclass(frozen=True)
class JudgesPart:
    """How the sheets were combined."""

    aggregation: str
    trim: int
    per: str
    sheets: tuple[SheetExplained, ...]
    vetoed: bool
    vetoes: int
    veto_rule: str

    @property
    def aggregation_label(self) -> str:
        return method_label(self.aggregation, self.trim, self.per)

    @property
    def compares(self) -> bool:
        """Whether sheets count as something else than their total, by how their judges score."""
        return self.aggregation in COMPARING

    @property
    def veto_rule_label(self) -> str:
        return str(Rubric.VetoRule(self.veto_rule).label) if self.veto_rule else ""

    @property
    def in_mean(self) -> list[SheetExplained]:
        return [sheet for sheet in self.sheets if sheet.in_mean]


@dataclass(frozen=True)
class MetricPart:
    """The submission that counts and how its raw value became one of 0 to 100."""

    metric: str
    label: str
    raw: float
    public: float | None
    scaling: str
    # The raw values that give 0 and 100, where it is scaled between two values.
    worst: float | None
    best: float | None
    unlimited: Fraction  # before it was kept within 0 and 100
    greater_is_better: bool
    submission: str
    number: int | None
    received_at: datetime
    # By rank: how many teams have a worse result, equals by half, and how many others there are.
    beaten: Fraction | None = None
    others: int | None = None
    # By z-scores: mean and standard deviation of the teams' values.
    mean: float | None = None
    deviation: float | None = None

    @property
    def scaling_label(self) -> str:
        return str(SchemeComponent.Scaling(self.scaling).label)

    @property
    def kept_within(self) -> bool:
        return not 0 <= self.unlimited <= 100


@dataclass(frozen=True)
class ComponentExplained:
    """One weighted part of the total; ``value`` is None where the team has none."""

    name: str
    kind: str
    source: str
    source_zh: str
    source_en: str
    weight: Fraction
    share: Fraction  # of the total: this weight over the sum of all
    value: Fraction | None
    judges: JudgesPart | None = None
    metric: MetricPart | None = None
    minimum: Fraction | None = None  # whoever has less is not ranked
    terms: Terms = field(default=Terms(), repr=False)

    source_name = Bilingual("source")

    @property
    def added(self) -> Fraction | None:
        """The value as it is added up: rounded, where the rules say so."""
        return self.terms.score(self.value)

    @property
    def points(self) -> Fraction | None:
        return None if self.added is None else self.share * self.added


@dataclass(frozen=True)
class DuelExplained:
    """How many of the judges of both put the team ahead of another, and how many behind it."""

    team: str
    ahead: int
    behind: int


@dataclass(frozen=True)
class TieBreakExplained:
    """A tie-break that was asked, and what it says of this team. ``compared`` is the number that
    the ranking compares, better the higher it is; None is below all."""

    name: str
    compared: Fraction | None = None
    value: Fraction | None = None
    raw: float | None = None
    at: datetime | None = None
    place: int | None = None
    by: str = ""
    reason: str = ""
    label: str = ""
    # Head to head: of each other team that it was tied with, how many judges put whom ahead.
    duels: tuple[DuelExplained, ...] = ()


@dataclass(frozen=True)
class TiedTeam:
    code: str
    name_zh: str
    name_en: str
    rank: int | None

    name = Bilingual("name")


@dataclass(frozen=True)
class Explanation:
    """One team's place. ``total`` is what the parts come to, ``stated`` what the standing says."""

    participation: int
    code: str
    name_zh: str
    name_en: str
    rank: int | None
    stated: Decimal | None
    decimals: int
    components: tuple[ComponentExplained, ...]
    lacks: tuple[str, ...]  # why there is no rank
    shared: bool
    tie_breaks: tuple[TieBreakExplained, ...]
    tied_with: tuple[TiedTeam, ...]
    status: str  # of the team in the round, by the standing
    status_now: str
    outcome: str
    outcome_reason: str
    advances: int  # how many teams do from this round
    signed: bool
    signed_at: datetime | None
    signed_by: str
    computed_at: datetime
    input_digest: str
    # Of a team that has left the round: what judges gave it, which counts for nothing.
    left_behind: tuple[ComponentExplained, ...] = ()
    is_incomplete: bool = False  # a component is missing
    # The components, and “total”, below their minimum; the scheme's conditions that are not met.
    below: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    terms: Terms = field(default=Terms(), repr=False)

    name = Bilingual("name")

    @property
    def total(self) -> Fraction | None:
        points = [component.points for component in self.components]
        if not points or None in points or self.is_incomplete:
            return None
        return self.terms.rounded(sum(points, Fraction(0)))

    @property
    def matches(self) -> bool:
        """Whether the parts come to the total of the standing, and no sheet differs from it."""
        if any(sheet.differs for sheet in self.sheets):
            return False
        if self.total is None or self.stated is None:
            return self.total is None and self.stated is None
        return fraction_to_decimal(self.total) == self.stated

    @property
    def sheets(self) -> list[SheetExplained]:
        return [s for part in self.components if part.judges for s in part.judges.sheets]

    @property
    def has_left(self) -> bool:
        """Whether the team has left the round since the ranking was signed."""
        return self.signed and self.status != self.status_now

    @property
    def status_now_label(self) -> str:
        return str(ParticipationStatus(self.status_now).label)

    @property
    def outcome_label(self) -> str:
        return str(AdvancementRow.Outcome(self.outcome).label) if self.outcome else ""

    # The numbers in one line, rounded as they are shown.

    @property
    def formula(self) -> str:
        """``(40 × 91.67 + 60 × 80.00) ÷ (40 + 60) = 84.67``; empty without a total."""
        if self.total is None:
            return ""
        weights = [_short(part.weight) for part in self.components]
        values = [self._shown(part.added) for part in self.components]
        terms = " + ".join(f"{w} × {v}" for w, v in zip(weights, values, strict=True))
        return f"({terms}) ÷ ({' + '.join(weights)}) = {self._shown(self.total)}"

    def component_formula(self, part: ComponentExplained) -> str:
        """How the component's value comes from its sheets or its raw value."""
        if part.value is None:
            return ""
        value = self._shown(part.value)
        if part.metric and part.metric.beaten is not None:
            beaten, others = (_short(Fraction(n)) for n in (part.metric.beaten, part.metric.others))
            return f"100 × {beaten} ÷ {others} = {value}" if part.metric.others else ""
        if part.metric and part.metric.mean is not None:
            raw, mean = (_signed(number) for number in (part.metric.raw, part.metric.mean))
            distance = f"{raw} − {mean}" if part.metric.greater_is_better else f"{mean} − {raw}"
            if not part.metric.deviation:
                return ""
            return f"50 + 10 × ({distance}) ÷ {bare(part.metric.deviation)} = {value}"
        if part.metric:
            worst, best = (_signed(number) for number in (part.metric.worst, part.metric.best))
            return (
                f"100 × ({bare(part.metric.raw)} − {worst}) ÷ ({best} − {worst}) "
                f"= {self._shown(part.metric.unlimited)}"
            )
        return self._judges_formula(part.judges, value)

    def _judges_formula(self, judges: JudgesPart, value: str) -> str:
        """As far as it is one sum: not where each criterion has its own, nor for whole models."""
        if judges.per == SchemeComponent.Per.CRITERION or judges.aggregation in MODELS:
            return ""
        values = [sheet.counted_as if judges.compares else sheet.total for sheet in judges.in_mean]
        if None in values:
            return ""
        if judges.aggregation == SchemeComponent.Aggregation.MEDIAN:
            values = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
        given = [self._shown(each) for each in values]
        return f"({' + '.join(given)}) ÷ {len(given)} = {value}"

    @property
    def parts(self) -> list[tuple[ComponentExplained, str]]:
        """Each component with its formula."""
        return [(part, self.component_formula(part)) for part in self.components]

    def _shown(self, value: Fraction) -> str:
        return str(round_half_up(value, self.decimals))


def _short(value: Fraction) -> str:
    return plain(fraction_to_decimal(value))


def _signed(number: float) -> str:
    return f"({bare(number)})" if number < 0 else bare(number)


# --- As plain data ---------------------------------------------------------------------------


def as_data(value):
    """An explanation as JSON holds it: fractions as decimals to twelve places, and exactly under
    ``…_exact``; moments in UTC."""
    if is_dataclass(value):
        data = {}
        for item in fields(value):
            if not item.repr:  # what is computed with, and no part of the explanation
                continue
            found = getattr(value, item.name)
            data[item.name] = as_data(found)
            if isinstance(found, Fraction):
                data[f"{item.name}_exact"] = str(found)
        for name in COMPUTED.get(type(value), ()):
            found = getattr(value, name)
            data[name] = as_data(found)
            if isinstance(found, Fraction):
                data[f"{name}_exact"] = str(found)
        return data
    if isinstance(value, (tuple, list)):
        return [as_data(item) for item in value]
    if isinstance(value, Fraction):
        return str(fraction_to_decimal(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    return value


COMPUTED = {
    Explanation: ("total", "matches"),
    ComponentExplained: ("points",),
    SheetExplained: ("points", "kept_within"),
}
