"""What each component brings in, team by team: from metrics and from judges' sheets."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from contest.models import Participation, Round
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Benchmark, Rubric
from judging.services.benchmarks import current_benchmark
from judging.services.metric_results import counted_results
from judging.services.sheet_results import SheetTotal, sheet_totals
from leaderboard.models import Scheme, SchemeComponent
from leaderboard.models.scheme import criterion_of
from leaderboard.ranking import Combined, Method, Sheet, SheetEffect, combine, scale
from leaderboard.ranking.scaling import Field, Spread, percent_beaten
from leaderboard.services.decided import signed_standing
from leaderboard.services.schemes import bounds_of

GONE = (ParticipationStatus.WITHDRAWN, ParticipationStatus.DISQUALIFIED)


def component_scores(
    component: SchemeComponent,
    round: Round,
    participations: list[Participation],
    *,
    inside: bool,
    benchmark: Benchmark | None = None,
    without: frozenset[int] = frozenset(),
    tie_breaks: Sequence[str] = (),
) -> dict[int, dict]:
    """``{participation of this round: details}``, with ``scaled`` a fraction as a string.

    A component from an earlier round finds the team by its participation there. ``benchmark`` takes
    the place of the one in force in its own round.
    """
    source = component.source
    if source.pk == round.pk:
        source, here = round, {p.pk: p.pk for p in participations}
    else:
        by_team = {p.team_id: p.pk for p in participations}
        here = {
            pk: by_team[team]
            for pk, team in source.participations.values_list("pk", "team_id")
            if team in by_team
        }
    if component.kind == SchemeComponent.Kind.METRIC:
        if benchmark is not None and benchmark.round_id != source.pk:
            benchmark = None
        return _metric_scores(component, source, here, inside=inside, benchmark=benchmark)
    return _judges_scores(component, source, here, without, tie_breaks)


def _metric_scores(
    component, source: Round, here: dict[int, int], *, inside: bool, benchmark: Benchmark | None
) -> dict:
    """The hidden part decides; the public sees it once that round's result is published."""
    private = inside or source.status == RoundStatus.PUBLISHED
    before = source.freeze_at if source.is_frozen and not inside else None
    benchmark = benchmark or current_benchmark(source)
    if benchmark is None:
        return {}
    name = component.metric or benchmark.metric
    results = counted_results(
        source, "private" if private else "public", metric=component.metric, before=before,
        benchmark=benchmark,
    )  # fmt: skip
    greater_is_better = benchmark.describe(name).greater_is_better
    sign = 1 if greater_is_better else -1
    scaled = _scaling(component, source, benchmark, results, greater_is_better)
    scores = {}
    for pk, result in results.items():
        if pk not in here:
            continue
        details = {
            **scaled(pk, result.value),
            "metric": name,
            "value": result.value,
            "received_at": result.received_at.isoformat(),
            # For tie-breaks: the metric itself, better when higher, not cut off at the bounds.
            "signed": sign * result.value,
        }
        if inside:
            details |= {"submission": str(result.submission_id), "public": result.public}
        scores[here[pk]] = details
    return scores


def _scaling(
    component, source: Round, benchmark: Benchmark, results: dict, greater_is_better: bool
) -> Callable[[int, float], dict]:
    """How a raw value becomes a score, and what of that a standing holds.

    Ranks and z-scores look at all teams of the round but baselines and those that left it,
    whichever of them are in a later round that the scores carry over to.
    """
    scaling = component.scaling
    if scaling == SchemeComponent.Scaling.BOUNDS:
        worst, best = bounds_of(component, benchmark)
        return lambda _pk, value: {"scaled": str(scale(value, worst, best))}
    among = results.keys() & _competing(source)
    values = [results[pk].value for pk in among]
    if scaling == SchemeComponent.Scaling.ZSCORE:
        spread = Spread.of(values or [0.0])  # of baselines alone there is none
        shown = {"mean": float(spread.mean), "deviation": spread.deviation}

        def by_zscore(_pk: int, value: float) -> dict:
            score = spread.score(value, greater_is_better)
            return {"scaled": str(score), **shown, "rising": greater_is_better}

        return by_zscore
    field = Field(values, greater_is_better)

    def by_rank(pk: int, value: float) -> dict:
        beaten, others = field.beaten(value, pk in among)
        return {
            "scaled": str(percent_beaten(beaten, others)),
            "beaten": str(beaten),
            "others": others,
            "rising": greater_is_better,
        }

    return by_rank


def _competing(source: Round) -> set[int]:
    """The participations that others of the round are measured against: of a decided round those
    that competed when it was signed, so that no score of it changes afterwards."""
    signed = signed_standing(source)
    if signed is not None:
        rows = signed.rows.filter(explanation__status__isnull=True)
        return set(rows.values_list("participation_id", flat=True))
    active = source.participations.filter(status=ParticipationStatus.ACTIVE)
    return set(active.values_list("pk", flat=True))


def _left(source: Round) -> set[int]:
    """The participations that had left the round, of a decided one by its signature."""
    signed = signed_standing(source)
    if signed is not None:
        rows = signed.rows.filter(explanation__status__in=GONE)
        return set(rows.values_list("participation_id", flat=True))
    gone = source.participations.filter(status__in=GONE)
    return set(gone.values_list("pk", flat=True))


def counted_sheets(totals: Iterable[SheetTotal]) -> list[Sheet]:
    """The sheets that count, as the ranking mathematics takes them."""
    return [
        Sheet(str(s.sheet_id), s.participation_id, s.judge_id, s.total, s.parts)
        for s in totals
        if s.counted
    ]


def combined_sheets(
    source: Round, method: Method, without: frozenset[int] = frozenset()
) -> tuple[dict[int, list[SheetTotal]], Combined]:
    """The sheets of a round by participation, and what they come to.

    Methods that compare judges look at all teams of the round but those that left it, whichever of
    them are in a later round that the scores carry over to.
    """
    left = _left(source)
    given: dict[int, list[SheetTotal]] = {}
    for sheet in sheet_totals(source):
        if sheet.judge_id not in without:
            given.setdefault(sheet.participation_id, []).append(sheet)
    staying = (s for pk, sheets in given.items() if pk not in left for s in sheets)
    return given, combine(counted_sheets(staying), method)


def _judges_scores(
    component,
    source: Round,
    here: dict[int, int],
    without: frozenset[int],
    tie_breaks: Sequence[str],
) -> dict:
    codes = [code for name in tie_breaks if (code := criterion_of(name))]
    asks_duels = Scheme.TieBreak.HEAD_TO_HEAD in tie_breaks
    given, combined = combined_sheets(source, component.method, without)
    scores = {}
    for pk, sheets in given.items():
        if pk not in here:
            continue
        counted = [sheet for sheet in sheets if sheet.counted]
        value = combined.scores.get(pk)
        first = sum((sheet.first_criterion for sheet in counted), Fraction(0))
        excluded = _is_vetoed(counted)
        scores[here[pk]] = {
            "scaled": str(value) if value is not None and not excluded else None,
            "vetoed": excluded,
            "first_criterion": str(first / len(counted)) if counted else None,
            "sheets": [_sheet(sheet, combined.sheets.get(str(sheet.sheet_id))) for sheet in sheets],
        }
        if codes:
            scores[here[pk]]["criteria"] = {code: _mean_share(counted, code) for code in codes}
        if asks_duels:
            scores[here[pk]]["by_judge"] = {s.judge_id: str(s.total) for s in counted}
    return scores


def _mean_share(counted: Sequence[SheetTotal], code: str) -> str | None:
    """The mean mark on a criterion, 0–100, of the counted sheets that have it."""
    given = [sheet.shares[code] for sheet in counted if code in sheet.shares]
    return str(sum(given, Fraction(0)) / len(given)) if given else None


def _sheet(sheet: SheetTotal, effect: SheetEffect | None) -> dict:
    """A sheet as a standing holds it: what it was, and what it counted as."""
    return {
        "sheet": str(sheet.sheet_id),
        "judge": sheet.judge_name,
        "organisation_zh": sheet.organisation_zh,
        "organisation_en": sheet.organisation_en,
        "total": str(sheet.total),
        "counted": sheet.counted,
        "why_not": sheet.why_not,
        "counted_as": str(effect.value) if effect else None,
        "dropped": bool(effect and effect.dropped),
        "dropped_parts": list(effect.dropped_parts) if effect else [],
        "veto": sheet.veto,
    }


def _is_vetoed(counted: Sequence[SheetTotal]) -> bool:
    """Whether the judges exclude the team, by the rule of the rubric they score by."""
    votes = [sheet for sheet in counted if sheet.veto]
    if any(sheet.veto_rule == Rubric.VetoRule.ANY for sheet in votes):
        return True
    return 2 * len(votes) > len(counted)
