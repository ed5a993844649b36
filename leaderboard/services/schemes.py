"""Schemes: how a round's ranking is made."""

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.numbers import plain
from contest.signals import ranking_inputs_changed
from judging.metrics import Metric
from judging.models import Benchmark, Criterion, RecordEntry, Scoresheet, ScoringRun
from judging.services import record
from judging.services.benchmarks import current_benchmark
from judging.states import RunStatus
from leaderboard.models import Scheme, SchemeComponent
from leaderboard.models.scheme import criterion_of


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

    # What a scheme says besides its components.
    SCHEME = (
        "advance_count", "tie_breaks", "decimals", "rounding", "minimum_total", "conditions", "seed"
    )  # fmt: skip

    scheme: Scheme
    components: list[SchemeComponent]

    @property
    def sources(self) -> set[int]:
        """The rounds that scores come from."""
        return {component.source_id for component in self.components}

    @property
    def fields(self) -> dict:
        """As ``draft`` and ``save_scheme`` take them."""
        names = [
            f.name for f in SchemeComponent._meta.concrete_fields if f.name not in ("id", "scheme")
        ]
        return {
            **{name: getattr(self.scheme, name) for name in self.SCHEME},
            "components": [
                {name: getattr(component, name) for name in names} for component in self.components
            ],
        }

    def __str__(self) -> str:
        """In one line, for the log."""
        scheme = self.scheme
        parts = [_in_short(component) for component in self.components]
        said = [" + ".join(parts), f"top {scheme.advance_count}"]
        said.append(f"ties: {','.join(scheme.tie_breaks)}")
        if scheme.rounding != Scheme.Rounding.NONE:
            said.append(f"rounded: {scheme.rounding} to {scheme.decimals}")
        if scheme.minimum_total is not None:
            said.append(f"total ≥ {plain(scheme.minimum_total)}")
        if scheme.conditions:
            said.append(f"only: {','.join(scheme.conditions)}")
        if scheme.seed:
            said.append(f"seed: {scheme.seed}")
        return "; ".join(said)


def _in_short(component: SchemeComponent) -> str:
    what = f"{component.metric or component.kind}({component.source.slug})"
    said = [what, plain(component.weight)]
    if component.kind == SchemeComponent.Kind.JUDGES:
        method = component.method
        said.append(method.name + (f" {method.trim}" if method.name == "trimmed" else ""))
        if method.per == SchemeComponent.Per.CRITERION:
            said.append("per criterion")
    elif component.scaling != SchemeComponent.Scaling.BOUNDS:
        said.append(f"by {component.scaling}")
    elif component.worst is not None:
        said.append(f"from {component.worst:g} to {component.best:g}")
    if component.minimum is not None:
        said.append(f"≥ {plain(component.minimum)}")
    return " ".join(said)


def rules_of(round: Round) -> Rules:
    """The rules in force."""
    scheme = ensure_scheme(round)
    return Rules(scheme, list(scheme.components.select_related("source__event")))


def draft(round: Round, *, components: list[dict], **fields) -> Rules:
    """Rules that could be in force, checked and not stored.

    ``components``: dicts with the fields of SchemeComponent; ``fields``: those of ``Rules.SCHEME``,
    of which whatever is left out stays as it is. Raises ValidationError.
    """
    if not components:
        raise ValidationError(_("A scheme needs at least one component."))
    scheme = ensure_scheme(round)
    for name, value in fields.items():
        if name not in Rules.SCHEME:
            raise TypeError(f"no field of a scheme: {name}")
        setattr(scheme, name, value)
    scheme.full_clean()
    made, names = [], set()
    for said in components:
        component = SchemeComponent(scheme=scheme, **said)
        # That it comes once is asked of these, not of the stored ones whose place they take.
        component.full_clean(validate_constraints=False)
        component.validate_constraints(exclude=["scheme"])
        _require_known_metric(component)
        _require_direction(component)
        names.add((component.kind, component.source_id, component.metric))
        made.append(component)
    if len(names) < len(made):
        raise ValidationError(_("The scheme already has this component."))
    _require_known_criteria(scheme, made)
    return Rules(scheme, made)


def criteria_names(rounds: Iterable[Round]) -> dict[str, str]:
    """The scored criteria that teams are judged by in these rounds: their names by their codes,
    with the round's where several are called the same."""
    found: dict[str, tuple[str, str]] = {}
    for round in rounds:
        criteria = Criterion.objects.filter(rubric__panels__round=round, kind=Criterion.Kind.SCORED)
        for criterion in criteria.distinct():
            found.setdefault(criterion.code, (criterion.name, round.name))
    times = Counter(name for name, _round in found.values())
    return {
        code: f"{name} ({of})" if times[name] > 1 else name for code, (name, of) in found.items()
    }


def judged_sources(components: Iterable[SchemeComponent]) -> list[Round]:
    """The rounds whose judges' scores are part of the total."""
    return [c.source for c in components if c.kind == SchemeComponent.Kind.JUDGES]


def _require_known_criteria(scheme: Scheme, components: list[SchemeComponent]) -> None:
    """Raise ValidationError for a tie-break by a criterion that no component is judged by. One that
    is in force may stay, whatever has become of its rubric."""
    named = {code for name in scheme.tie_breaks if (code := criterion_of(name))}
    if not named:
        return
    in_force = Scheme.objects.values_list("tie_breaks", flat=True).get(pk=scheme.pk)
    known = criteria_names(judged_sources(components))
    if wrong := sorted(named - known.keys() - {criterion_of(name) for name in in_force}):
        raise ValidationError(
            {
                "tie_breaks": _("No criterion has the code “%(code)s”; known are: %(known)s.")
                % {
                    "code": ", ".join(wrong),
                    "known": ", ".join(f"{code} ({name})" for code, name in known.items()) or "–",
                }
            }
        )


def has_scores(round: Round) -> bool:
    """Whether a first score is there, in the round or in one that it carries over: from then on
    the rules are in force."""
    return _is_scored({round.pk, *rules_of(round).sources})


def _is_scored(rounds: Iterable[int]) -> bool:
    sheets = Scoresheet.objects.filter(
        assignment__participation__round__in=rounds, submitted_at__isnull=False
    )
    runs = ScoringRun.objects.filter(
        submission__participation__round__in=rounds, status=RunStatus.SUCCEEDED
    )
    return sheets.exists() or runs.exists()


@transaction.atomic
def save_scheme(
    round: Round,
    by: User,
    *,
    components: list[dict],
    reason: str = "",
    **fields,
) -> Scheme:
    """Set a round's scheme as ``draft`` takes it; the log keeps what it was and is.

    A draw without a seed is given one. Once a first score is there, in the round or in one that is
    or was carried over, the rules are in force: a change needs a reason, and the log and the
    judging record keep it with its effect; a seed is then drawn and not given. Raises Refused
    without a reason or once the ranking is signed off, ValidationError as ``draft``.
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    round.require_undecided()
    in_force = rules_of(round)
    before = str(in_force)
    rules = draft(round, components=components, **fields)
    known = {round.pk} | in_force.sources | rules.sources
    if rules.scheme.seed not in ("", in_force.scheme.seed) and _is_scored(known):
        raise Refused(
            _(
                "The first scores are there, and who knows them can choose a seed by whom it "
                "favours. Leave it empty: then one is drawn."
            ),
            code="seed_after_scores",
        )
    if Scheme.TieBreak.DRAW in rules.scheme.tie_breaks and not rules.scheme.seed:
        rules.scheme.seed = secrets.token_hex(8)
    after = str(rules)
    if after != before and _is_scored(known):
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
    """Ask one more tie-break, after those of the round's scheme, but before a draw, which leaves
    nobody to ask about; one that is there stays."""
    rules = rules_of(round)
    asked = list(rules.scheme.tie_breaks)
    if name in asked:
        return rules.scheme
    draw = Scheme.TieBreak.DRAW
    asked.insert(asked.index(draw) if draw in asked else len(asked), name)
    fields = rules.fields | {"tie_breaks": asked}
    return save_scheme(round, by, **fields, reason=reason)
