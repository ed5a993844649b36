"""Schemes: how a round's ranking is made."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.signals import ranking_inputs_changed
from contest.states import RoundStatus
from judging.metrics import Metric
from judging.models import Benchmark
from judging.services.benchmarks import current_benchmark
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


@transaction.atomic
def save_scheme(
    round: Round,
    by: User,
    *,
    advance_count: int,
    tie_breaks: list[str],
    decimals: int,
    components: list[dict],
) -> Scheme:
    """Set a round's scheme; the log keeps what it was and is.

    ``components``: dicts with the fields of SchemeComponent. Raises Refused once the ranking is
    signed off, ValidationError.
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    if round.status in (RoundStatus.DECIDED, RoundStatus.PUBLISHED):
        raise Refused(
            _("The ranking is signed off; revoke that before you change the scheme."),
            code="round_decided",
        )
    if not components:
        raise ValidationError(_("A scheme needs at least one component."))
    scheme = Scheme.objects.filter(round=round).first() or Scheme(round=round)
    before = describe(scheme) if scheme.pk else ""
    scheme.advance_count, scheme.decimals = advance_count, decimals
    scheme.tie_breaks = list(tie_breaks)
    scheme.full_clean()
    scheme.save()
    scheme.components.all().delete()
    for fields in components:
        component = SchemeComponent(scheme=scheme, **fields)
        component.full_clean()
        _require_known_metric(component)
        _require_direction(component)
        component.save()
    LogEntry.write(scheme, "scheme", by=by, before=before, after=describe(scheme))
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Scheme, round=round))
    return scheme


def add_tie_break(round: Round, by: User, name: str) -> Scheme:
    """Ask one more tie-break, after those of the round's scheme; one that is there stays."""
    scheme = ensure_scheme(round)
    if name in scheme.tie_breaks:
        return scheme
    fields = [
        f.name for f in SchemeComponent._meta.concrete_fields if f.name not in ("id", "scheme")
    ]
    return save_scheme(
        round,
        by,
        advance_count=scheme.advance_count,
        tie_breaks=[*scheme.tie_breaks, name],
        decimals=scheme.decimals,
        components=[
            {field: getattr(component, field) for field in fields}
            for component in scheme.components.select_related("source")
        ],
    )


def describe(scheme: Scheme) -> str:
    """The scheme in one line, for the log."""
    parts = [
        f"{c.metric or c.kind}({c.source.slug}) {Decimal(c.weight).normalize():f}"
        for c in scheme.components.select_related("source")
    ]
    ties = ",".join(scheme.tie_breaks)
    return f"{' + '.join(parts)}; top {scheme.advance_count}; ties: {ties}"
