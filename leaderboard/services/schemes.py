"""Schemes: how a round's ranking is made."""

from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.signals import ranking_inputs_changed
from judging.metrics import Metric
from judging.models import Benchmark, RecordEntry, Scoresheet, ScoringRun
from judging.services import record
from judging.services.benchmarks import current_benchmark
from judging.states import RunStatus
from leaderboard.models import Scheme, SchemeComponent


def metric_bounds(
    round: Round, name: str = "", benchmark: Benchmark | None = None
) -> tuple[float, float]:
    """The natural bounds (worst, best) of a round's metric, or of another one that it has; 0 and 1
    where it has none yet."""
    benchmark = benchmark or current_benchmark(round)
    if benchmark is None:
        return 0.0, 1.0
    metric = benchmark.describe(name or benchmark.metric)
    return metric.worst, metric.best


def _contradicted_metric(
    component: SchemeComponent, benchmark: Benchmark | None = None
) -> Metric | None:
    """The metric by whose direction the component's own bounds would make the worse the better."""
    benchmark = benchmark or current_benchmark(component.source)
    if component.worst is None or benchmark is None:
        return None
    metric = benchmark.describe(component.metric or benchmark.metric)
    rising = component.best > component.worst
    return metric if rising != metric.greater_is_better else None


def bounds_of(
    component: SchemeComponent, benchmark: Benchmark | None = None
) -> tuple[float, float]:
    """The raw values (worst, best) that a metric component is scaled by: its own, or the natural
    ones of the metric where it has none or its own contradict the metric's direction."""
    if component.worst is None or _contradicted_metric(component, benchmark):
        return metric_bounds(component.source, component.metric, benchmark)
    return component.worst, component.best


def _require_known_metric(component: SchemeComponent) -> None:
    """Raise ValidationError for a metric that the source's benchmark does not have."""
    benchmark = current_benchmark(component.source)
    if not component.metric or benchmark is None:
        return
    known = benchmark.known_names()
    if component.metric not in known:
        raise ValidationError(
            _("“%(round)s” has no metric “%(metric)s”; known are: %(known)s.")
            % {
                "round": component.source.name,
                "metric": component.metric,
                "known": ", ".join(known),
            }
        )


def _require_direction(component: SchemeComponent) -> None:
    """Raise ValidationError for bounds by which the worse would be the better."""
    if component.kind != SchemeComponent.Kind.METRIC:
        return
    if metric := _contradicted_metric(component):
        raise ValidationError(
            _("“%(metric)s” is better when it is %(direction)s: exchange the values for 0 and 100.")
            % {
                "metric": metric.label,
                "direction": _("higher") if metric.greater_is_better else _("lower"),
            }
        )


def ensure_scheme(round: Round) -> Scheme:
    """The round's scheme; where none was saved yet, the usual one for its format is."""
    scheme = Scheme.objects.filter(round=round).first()
    if scheme is not None:
        return scheme
    with transaction.atomic():
        scheme, created = Scheme.objects.get_or_create(
            round=round,
            defaults={
                "advance_count": {"preliminary": 20, "semifinal": 10}.get(round.kind, 0),
                "tie_breaks": ["metric", "earliest"]
                if round.format == Round.Format.AUTOMATED
                else ["judges", "criterion"],
            },
        )
        if created:
            kind = (
                SchemeComponent.Kind.METRIC
                if round.format == Round.Format.AUTOMATED
                else SchemeComponent.Kind.JUDGES
            )
            scheme.components.create(kind=kind, source=round, weight=100)
    return scheme


@dataclass(frozen=True)
class Rules:
    """A scheme with its components, stored or not."""

    scheme: Scheme
    components: list[SchemeComponent]

    @property
    def fields(self) -> dict:
        """As ``draft`` and ``save_scheme`` take them."""
        names = [
            f.name for f in SchemeComponent._meta.concrete_fields if f.name not in ("id", "scheme")
        ]
        return {
            "advance_count": self.scheme.advance_count,
            "tie_breaks": self.scheme.tie_breaks,
            "decimals": self.scheme.decimals,
            "components": [
                {name: getattr(component, name) for name in names} for component in self.components
            ],
        }

    def __str__(self) -> str:
        """In one line, for the log."""
        parts = [_in_short(component) for component in self.components]
        ties = ",".join(self.scheme.tie_breaks)
        return f"{' + '.join(parts)}; top {self.scheme.advance_count}; ties: {ties}"


def _in_short(component: SchemeComponent) -> str:
    what = f"{component.metric or component.kind}({component.source.slug})"
    weight = f"{Decimal(component.weight).normalize():f}"
    if component.kind != SchemeComponent.Kind.JUDGES:
        return f"{what} {weight}"
    method = component.method
    how = method.name + (f" {method.trim}" if method.name == "trimmed" else "")
    how += " per criterion" if method.per == SchemeComponent.Per.CRITERION else ""
    return f"{what} {weight} {how}"


def rules_of(round: Round) -> Rules:
    """The rules in force."""
    scheme = ensure_scheme(round)
    return Rules(scheme, list(scheme.components.select_related("source__event")))


def draft(
    round: Round,
    *,
    advance_count: int,
    tie_breaks: list[str],
    decimals: int,
    components: list[dict],
) -> Rules:
    """Rules that could be in force, checked and not stored.

    ``components``: dicts with the fields of SchemeComponent. Raises ValidationError.
    """
    if not components:
        raise ValidationError(_("A scheme needs at least one component."))
    scheme = ensure_scheme(round)
    scheme.advance_count, scheme.decimals = advance_count, decimals
    scheme.tie_breaks = list(tie_breaks)
    scheme.full_clean()
    made, names = [], set()
    for fields in components:
        component = SchemeComponent(scheme=scheme, **fields)
        # That it comes once is asked of these, not of the stored ones whose place they take.
        component.full_clean(validate_constraints=False)
        component.validate_constraints(exclude=["scheme"])
        _require_known_metric(component)
        _require_direction(component)
        names.add((component.kind, component.source_id, component.metric))
        made.append(component)
    if len(names) < len(made):
        raise ValidationError(_("The scheme already has this component."))
    return Rules(scheme, made)


def has_scores(round: Round) -> bool:
    """Whether the round's first score is there: from then on its rules are in force."""
    sheets = Scoresheet.objects.filter(
        assignment__participation__round=round, submitted_at__isnull=False
    )
    runs = ScoringRun.objects.filter(
        submission__participation__round=round, status=RunStatus.SUCCEEDED
    )
    return sheets.exists() or runs.exists()


@transaction.atomic
def save_scheme(
    round: Round,
    by: User,
    *,
    advance_count: int,
    tie_breaks: list[str],
    decimals: int,
    components: list[dict],
    reason: str = "",
) -> Scheme:
    """Set a round's scheme; the log keeps what it was and is.

    Once the round's first score is there the rules are in force: a change needs a reason, and the
    log and the judging record keep it with its effect. Raises Refused without one or once the
    ranking is signed off, ValidationError as ``draft``.
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    round.require_undecided()
    before = str(rules_of(round))
    rules = draft(
        round,
        advance_count=advance_count,
        tie_breaks=tie_breaks,
        decimals=decimals,
        components=components,
    )
    after = str(rules)
    if after != before and has_scores(round):
        if not reason.strip():
            raise Refused(
                _("The first scores are there, so the rules are in force. Give the reason for the "
                  "change; it is kept with its effect."),
                code="reason_required",
            )  # fmt: skip
        after = f"{after}; {_effect(round, rules)}"
        record.append(
            round, RecordEntry.Kind.SCHEME, by=by, text=f"{before} → {after}", reason=reason
        )
    rules.scheme.save()
    rules.scheme.components.all().delete()
    for component in rules.components:
        component.save()
    LogEntry.write(rules.scheme, "scheme", by=by, before=before, after=after, reason=reason)
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Scheme, round=round))
    return rules.scheme


def _effect(round: Round, rules: Rules) -> str:
    """What the rules would change now, in short: ``+T-7 −T-3; 5 moved``."""
    from leaderboard.services.trials import what_if  # which asks for the rules in force

    moves = what_if(round, rules)
    enter = [f"+{move.participation.team.code}" for move in moves if move.enters]
    leave = [f"−{move.participation.team.code}" for move in moves if move.leaves]
    moved = sum(move.rank_before != move.rank_after for move in moves)
    return f"{' '.join(enter + leave) or '±0'}; {moved} moved"


def add_tie_break(round: Round, by: User, name: str, reason: str = "") -> Scheme:
    """Ask one more tie-break, after those of the round's scheme; one that is there stays."""
    rules = rules_of(round)
    if name in rules.scheme.tie_breaks:
        return rules.scheme
    fields = rules.fields | {"tie_breaks": [*rules.scheme.tie_breaks, name]}
    return save_scheme(round, by, **fields, reason=reason)
