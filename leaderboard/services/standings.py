"""Standings: computed from what is known, kept with a digest of it, followed by newer ones."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest import live
from contest.models import Participation, Round
from contest.roles import is_organizer, organized_events
from contest.states import ParticipationStatus, RoundStatus, TeamStatus
from judging.models import Benchmark, Rubric, ScoringRun
from judging.services import ties
from judging.services.benchmarks import current_benchmark
from judging.services.metric_results import counted_results
from judging.services.sheet_results import SheetTotal, sheet_totals
from judging.services.telling import tell_desk
from judging.services.totals import fraction_to_decimal
from judging.states import RunStatus
from leaderboard.models import Advancement, Scheme, SchemeComponent, Standing, StandingRow
from leaderboard.models.scheme import criterion_of
from leaderboard.ranking import (
    Combined,
    Contender,
    Method,
    Sheet,
    SheetEffect,
    Terms,
    combine,
    rank,
    scale,
)
from leaderboard.ranking.scaling import Field, Spread, percent_beaten
from leaderboard.ranking.standing import TOTAL, part
from leaderboard.ranking.tie_breaks import drawn, head_to_head
from leaderboard.services.schemes import Rules, bounds_of, criteria_names, rules_of
from leaderboard.states import AdvancementStatus

logger = logging.getLogger(__name__)
GONE = (ParticipationStatus.WITHDRAWN, ParticipationStatus.DISQUALIFIED)
FULL, PUBLIC = Standing.Audience.FULL, Standing.Audience.PUBLIC
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From nobody to everybody.
SHOWN = list(Standing.ShownTo)


def refresh(round: Round) -> None:
    """Bring both standings of a round up to date, and those of later rounds that build on it.

    A standing is written only when its inputs changed: the same inputs keep the same one. Inputs
    are read and ranked before anything is locked, so that thousands of teams do not make judges
    wait; of two refreshes at once the one that read later stands.
    """
    round = Round.objects.select_related("event").get(pk=round.pk)
    if round.status == RoundStatus.DRAFT and not round.participations.exists():
        return
    signed = signed_standing(round)
    if signed is None:
        _refresh(round, FULL)
    if signed is None or round.status != RoundStatus.PUBLISHED:
        if not _is_settled(round):
            _refresh(round, PUBLIC)
    else:
        _show_result(round, signed)
    dependants = Round.objects.filter(
        scheme__components__source=round, ordinal__gt=round.ordinal
    ).distinct()
    for later in dependants:
        refresh(later)


def _is_settled(round: Round) -> bool:
    """Whether a frozen board shows the standing of its moment, and so stays as it is.

    What was received before the freeze may be scored after it; once that is in, neither a choice
    nor a withdrawal nor another version of the benchmark moves anything until publication.
    """
    if not round.is_frozen or (standing := current(round, PUBLIC)) is None:
        return False
    early = ScoringRun.objects.filter(
        submission__participation__round=round, submission__received_at__lt=round.freeze_at
    )
    if early.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exists():
        return False
    last = early.aggregate(last=Max("finished_at"))["last"]
    return standing.read_at > max(round.freeze_at, last or round.freeze_at)


def signed_standing(round: Round) -> Standing | None:
    """The standing that was signed off, which holds until the signature is revoked."""
    if not round.is_decided:
        return None
    decision = (
        Advancement.objects.filter(round=round, status=AdvancementStatus.SIGNED)
        .select_related("standing")
        .first()
    )
    return decision.standing if decision else None


def _show_result(round: Round, signed: Standing) -> None:
    """Publish the signed standing: the same ranks and totals, without what stays inside."""
    standing = current(round, PUBLIC)
    shown = standing is not None and standing.is_result
    if shown and standing.input_digest == signed.input_digest:
        return
    rows = [
        StandingRow(
            participation_id=row.participation_id,
            rank=row.rank,
            total=row.total,
            position=row.position,
            explanation=_for_the_public(row.explanation),
        )
        for row in signed.rows.all()
        # Who had left is on the organizers' list alone.
        if row.explanation.get("status", "baseline") == "baseline"
    ]
    fresh = Standing(
        round=round,
        audience=PUBLIC,
        is_result=True,
        input_digest=signed.input_digest,
        method=signed.method,
        read_at=timezone.now(),
    )
    _store(round, PUBLIC, fresh.read_at, fresh, rows)


def _for_the_public(explanation: dict) -> dict:
    inside = ("public", "submission", "received_at", "sheets", "vetoed", "exact")
    components = [
        {name: value for name, value in component.items() if name not in inside}
        for component in explanation["components"]
    ]
    return {**_shown(explanation, PUBLIC), "components": components}


def refresh_stale() -> int:
    """Refresh every round that has begun, so that no lost message leaves one behind; how many."""
    rounds = Round.objects.exclude(status=RoundStatus.DRAFT)
    for round in rounds:
        try:
            refresh(round)
        except Exception:  # whatever is wrong with one round, the others go on
            logger.exception("the ranking of round %s cannot be computed", round.pk)
    return len(rounds)


def current(round: Round, audience: str) -> Standing | None:
    return Standing.objects.filter(round=round, audience=audience, is_current=True).first()


def visible_standings(user):
    """The newest standings this person may see: those of boards that are open to them, and all of
    events they organize."""
    organized = Q(round__event__in=organized_events(user))
    own = Round.objects.with_teams_board().taken_part_in_by(user)
    boards = Q(round__in=Round.objects.with_public_board()) | Q(round__in=own)
    on_boards = _on_boards().filter(boards)
    return Standing.objects.filter(organized | Q(pk__in=on_boards.values("pk")), is_current=True)


def public_standing(round: Round) -> Standing | None:
    """What everybody may see now; None before the round has a public board."""
    return _on_board(round) if round.is_board_public else None


def board_standing(round: Round, user) -> Standing | None:
    """What ``user`` may see on the round's leaderboard now: organizers the same as teams."""
    return _on_board(round) if may_see_board(round, user) else None


def may_see_board(round: Round, user) -> bool:
    if round.is_board_public:
        return True
    if not round.is_board_for_teams:
        return False
    return (
        is_organizer(user, round.event)
        or Round.objects.filter(pk=round.pk).taken_part_in_by(user).exists()
    )


def _on_board(round: Round) -> Standing | None:
    """What the round's leaderboard shows to whoever may see it."""
    standing = current(round, PUBLIC)
    # A result shows while it is published, at once and not before; so does its retraction.
    published = round.status == RoundStatus.PUBLISHED
    return standing if standing is not None and standing.is_result == published else None


def _on_boards():
    """What ``_on_board`` gives, of all rounds."""
    return Standing.objects.filter(audience=PUBLIC, is_current=True).filter(
        Q(is_result=True, round__status=RoundStatus.PUBLISHED)
        | Q(is_result=False) & ~Q(round__status=RoundStatus.PUBLISHED)
    )


def _shown_to(round: Round, standing: Standing) -> str:
    """Who sees the standing while it is the round's newest."""
    published = round.status == RoundStatus.PUBLISHED
    if standing.audience != PUBLIC or standing.is_result != published:
        return Standing.ShownTo.NOBODY
    if round.is_board_public:
        return Standing.ShownTo.ALL
    return Standing.ShownTo.TEAMS if round.is_board_for_teams else Standing.ShownTo.NOBODY


@dataclass(frozen=True)
class _Inputs:
    """Everything that one standing is made of, read at one moment."""

    rules: Rules
    known: list[dict]
    participations: list[Participation]
    decided: list[ties.Decision]
    audience: str
    # By participation, the scheme's conditions that the team does not meet.
    unmet: dict[int, list[str]]

    @property
    def method(self) -> dict:
        return _method(self.rules.scheme, self.rules.components)

    @property
    def digest(self) -> str:
        inputs = {
            "method": self.method,
            "audience": self.audience,
            "chair": [sorted(decision.places.items()) for decision in self.decided],
            "components": [
                {str(pk): details for pk, details in sorted(scores.items())}
                for scores in self.known
            ],
            "teams": [[p.pk, p.status] for p in self.participations],
            **({"unmet": sorted(self.unmet.items())} if self.unmet else {}),
        }
        canonical = json.dumps(inputs, sort_keys=True, default=str, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _read(
    round: Round,
    rules: Rules,
    audience: str,
    benchmark: Benchmark | None = None,
    without_judges: frozenset[int] = frozenset(),
) -> _Inputs | None:
    """The inputs as they are now; None where the public may not know one of the components."""
    inside = audience == FULL
    if not inside and any(_is_hidden(component, round) for component in rules.components):
        return None
    scheme = rules.scheme
    teams = ["team__entry"] if scheme.conditions else ["team"]
    participations = list(round.participations.select_related(*teams).order_by("pk"))
    known = [
        _component_scores(
            component,
            round,
            participations,
            inside=inside,
            benchmark=benchmark,
            without=without_judges,
            tie_breaks=scheme.tie_breaks,
        )
        for component in rules.components
    ]
    decided = _chairs_decisions(scheme, inside=inside)
    active = (p for p in participations if p.status == ParticipationStatus.ACTIVE)
    unmet = {p.pk: lacking for p in active if (lacking := _unmet(scheme, p.team))}
    return _Inputs(rules, known, participations, decided, audience, unmet)


def _unmet(scheme: Scheme, team) -> list[str]:
    """The conditions of the scheme that the team does not meet, in their order."""
    if not scheme.conditions:
        return []
    entry = getattr(team, "entry", None)
    meets = {
        Scheme.Condition.CONFIRMED: team.status == TeamStatus.CONFIRMED,
        Scheme.Condition.REPOSITORY: bool(entry and entry.repository),
        Scheme.Condition.LICENCE: bool(entry and entry.licence),
    }
    return [name for name in scheme.conditions if not meets[name]]


def input_digest(round: Round, audience: str) -> str:
    """What a standing that is computed now would name as its inputs; nothing is stored."""
    inputs = _read(round, rules_of(round), audience)
    return inputs.digest if inputs is not None else ""


def _refresh(round: Round, audience: str) -> None:
    read_at = timezone.now()
    inputs = _read(round, rules_of(round), audience)
    if inputs is None:
        _store(round, audience, read_at, None, [])
        return
    digest = inputs.digest
    standing = current(round, audience)
    if standing is not None and standing.input_digest == digest:
        return
    rows = _rows(inputs)
    method = inputs.method
    if audience == PUBLIC:
        method.pop("seed", None)  # before the result, who knows it knows who would win a draw
    fresh = Standing(
        round=round, audience=audience, input_digest=digest, method=method, read_at=read_at
    )
    _store(round, audience, read_at, fresh, rows)


def _is_hidden(component: SchemeComponent, round: Round) -> bool:
    """Whether the public may not know what the component brings in, before the result is out.

    Marks of judges are nobody's business then, nor is an earlier round that shows nothing yet.
    """
    source = component.source
    if component.kind == SchemeComponent.Kind.JUDGES:
        return source.pk == round.pk or source.status != RoundStatus.PUBLISHED
    return source.pk != round.pk and not source.is_board_public


def on_trial(
    round: Round,
    benchmark: Benchmark | None = None,
    rules: Rules | None = None,
    without_judges: frozenset[int] = frozenset(),
) -> list[StandingRow]:
    """The organizers' standing as it would be with another version of the benchmark, by other rules
    (which need not be stored), or without some judges' sheets; as it is, where nothing is said.
    Not kept."""
    return _rows(_read(round, rules or rules_of(round), FULL, benchmark, without_judges))


@transaction.atomic
def _store(round: Round, audience: str, read_at, fresh: Standing | None, rows) -> None:
    """Put a standing in the place of the one before it, unless that read its inputs later."""
    locked = Round.objects.select_for_update(of=("self",)).select_related("event")
    round = locked.get(pk=round.pk)
    standing = current(round, audience)
    if standing is not None:
        same = (
            fresh is not None
            and standing.input_digest == fresh.input_digest
            and standing.is_result == fresh.is_result
        )
        if standing.read_at > read_at or same:
            return
        standing.is_current = False
        # The board may have been opened since it was made.
        standing.shown_to = max(standing.shown_to, _shown_to(round, standing), key=SHOWN.index)
        standing.save(update_fields=["is_current", "shown_to"])
    if audience == PUBLIC and (standing is not None or fresh is not None):
        tell_boards(round)
    if audience == FULL:
        tell_desk(round.pk)  # whoever reveals it is told that it has changed
    if fresh is not None:
        fresh.shown_to = _shown_to(round, fresh)
        fresh.save()
        for row in rows:
            row.standing = fresh
        StandingRow.objects.bulk_create(rows, batch_size=1000)


def tell_boards(round: Round) -> None:
    """Tell open leaderboards of the round that what everybody may see there has changed."""
    live.publish(live.channel("board", round.pk))


def _name(component: SchemeComponent) -> str:
    metric = f"-{component.metric}" if component.metric else ""
    return f"{component.kind}-{component.source_id}{metric}"


def _method(scheme: Scheme, components: list[SchemeComponent]) -> dict:
    """The rules as a standing holds them. What a rule book rarely has is there only where it has
    it, so that standings of rules without it are what they were before there was such a rule."""
    rare = {
        "rounding": scheme.rounding if scheme.rounding != Scheme.Rounding.NONE else None,
        "decimals": scheme.decimals if scheme.rounding != Scheme.Rounding.NONE else None,
        "minimum_total": _plain(scheme.minimum_total),
        "conditions": list(scheme.conditions) or None,
        "seed": scheme.seed if Scheme.TieBreak.DRAW in scheme.tie_breaks else None,
    }
    return {
        "advance_count": scheme.advance_count,
        "tie_breaks": scheme.tie_breaks,
        **_said(rare),
        "components": [
            {
                "name": _name(component),
                "kind": component.kind,
                "source": component.source.slug,
                "source_zh": component.source.name_zh,
                "source_en": component.source.name_en,
                "weight": str(component.weight),
                **_how(component),
                **_said({"minimum": _plain(component.minimum)}),
            }
            for component in components
        ],
    }


def _how(component: SchemeComponent) -> dict:
    """How a component's score is made, as standings hold it."""
    if component.kind == SchemeComponent.Kind.JUDGES:
        return as_method(component)
    if component.scaling != SchemeComponent.Scaling.BOUNDS:
        return {"scaling": component.scaling}
    return dict(zip(("worst", "best"), bounds_of(component), strict=True))


def _said(fields: dict) -> dict:
    return {name: value for name, value in fields.items() if value is not None}


def _plain(number) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def terms_of(method: dict) -> Terms:
    """What a standing's rules ask of scores beyond their weights."""
    rounding = method.get("rounding")
    return Terms(
        places=method["decimals"] if rounding else None,
        rounds_components=rounding == Scheme.Rounding.ALL,
        minimums={
            part["name"]: Fraction(part["minimum"])
            for part in method["components"]
            if "minimum" in part
        },
        minimum_total=_fraction(method.get("minimum_total")),
    )


def _component_scores(
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
        # Of baselines alone there is no spread.
        spread = Spread.of(values or [0.0])

        def by_zscore(_pk: int, value: float) -> dict:
            score = spread.score(value, greater_is_better) if values else Fraction(50)
            return {
                "scaled": str(score),
                "mean": float(spread.mean),
                "deviation": spread.deviation,
                "rising": greater_is_better,
            }

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


def as_method(component: SchemeComponent) -> dict:
    """How a component combines sheets, as standings hold it."""
    method = component.method
    return {"aggregation": method.name, "trim": method.trim, "per": method.per}


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


def _text(fraction: str | None) -> str | None:
    """A fraction as a decimal of twelve places."""
    return None if fraction is None else str(fraction_to_decimal(Fraction(fraction)))


def _fraction(text) -> Fraction | None:
    return None if text is None else Fraction(text)


def _chairs_decisions(scheme: Scheme, *, inside: bool) -> list[ties.Decision]:
    """What chairs decided, where the scheme asks them; the public learns of it by the result."""
    if not inside or Scheme.TieBreak.CHAIR not in scheme.tie_breaks:
        return []
    return ties.decisions(scheme.round)


@dataclass
class _Ties:
    """The tie-breaks that hang on who is tied, and what they have said of whom, by team code."""

    inputs: _Inputs
    by_code: dict[str, Participation]
    said: dict[str, dict] = field(default_factory=dict)

    def parted(
        self, contenders: list[Contender], weights: Mapping[str, Fraction], terms: Terms
    ) -> list[Contender]:
        """The contenders with these tie-breaks in their places, asked one after the other."""
        asked = {
            Scheme.TieBreak.CHAIR: self._by_chair,
            Scheme.TieBreak.HEAD_TO_HEAD: self._by_duels,
        }
        for level, name in enumerate(self.inputs.rules.scheme.tie_breaks):
            if name in asked:
                contenders = part(contenders, weights, level, asked[name], terms)
        return contenders

    def _by_chair(self, codes: list[str]) -> dict[str, Fraction]:
        """A decision holds for teams that are still tied with each other and nobody else: whoever
        the chair was not asked about cannot be placed by it."""
        ids = {code: self.by_code[code].pk for code in codes}
        decided = self.inputs.decided
        holds = next((d for d in decided if set(ids.values()) <= d.places.keys()), None)
        if holds is None:
            # Whatever comes after the chair may part them; the desk offers to ask all the same.
            for code in codes:
                self._say(code, "awaits_chair", min(codes))
            return {}
        places = {code: holds.places[pk] for code, pk in ids.items()}
        for code, place in places.items():
            self._say(code, "chair", {"tie": holds.tie, "place": place})
        return {code: Fraction(-place) for code, place in places.items()}

    def _by_duels(self, codes: list[str]) -> dict[str, Fraction]:
        """By the sheets of the first component that is judged and knows one of the teams."""
        ids = {code: self.by_code[code].pk for code in codes}
        judged = (
            scores
            for component, scores in zip(
                self.inputs.rules.components, self.inputs.known, strict=True
            )
            if component.kind == SchemeComponent.Kind.JUDGES
        )
        scores = next((found for found in judged if found.keys() & set(ids.values())), None)
        if scores is None:
            return {}
        sheets = {
            code: {
                judge: Fraction(total)
                for judge, total in scores.get(pk, {}).get("by_judge", {}).items()
            }
            for code, pk in ids.items()
        }
        won, duels = head_to_head(sheets)
        for code, score in won.items():
            self._say(code, "head_to_head", {"score": int(score), "duels": []})
        for duel in duels:
            self._tell(duel.one, duel.other, duel.for_one, duel.for_other)
            self._tell(duel.other, duel.one, duel.for_other, duel.for_one)
        return won

    def _tell(self, code: str, other: str, ahead: int, behind: int) -> None:
        duels = self.said[code]["head_to_head"]["duels"]
        duels.append({"team": other, "ahead": ahead, "behind": behind})

    def _say(self, code: str, name: str, what: dict) -> None:
        self.said.setdefault(code, {})[name] = what


def judged_by(tie_breaks: Sequence[str], sources: Mapping[str, Round]) -> dict[str, str]:
    """For each tie-break that names a criterion: the first component that is judged by it.

    ``sources``: the rounds of the judged components by the components' names, in their order.
    """
    named = {name: code for name in tie_breaks if (code := criterion_of(name))}
    if not named:
        return {}
    codes = {name: criteria_names([source]) for name, source in sources.items()}
    homes = {
        tie: next((name for name, known in codes.items() if code in known), None)
        for tie, code in named.items()
    }
    return {tie: name for tie, name in homes.items() if name is not None}


def _tie_break(
    name: str, components, known: list[dict], homes: dict[str, str], pk: int
) -> Fraction | None:
    """One tie-break as a number that is better the higher it is; None where a team has none, and
    where it is known only once it is known who is tied: see _Ties."""
    code = criterion_of(name)
    kind = (
        SchemeComponent.Kind.METRIC
        if name in (Scheme.TieBreak.METRIC, Scheme.TieBreak.EARLIEST)
        else SchemeComponent.Kind.JUDGES
    )
    for component, scores in zip(components, known, strict=True):
        if component.kind != kind or pk not in scores:
            continue
        if code and _name(component) != homes.get(name):
            continue
        details = scores[pk]
        if code:
            return _fraction(details["criteria"][code])
        if name == Scheme.TieBreak.METRIC:
            return Fraction(repr(float(details["signed"])))
        if name == Scheme.TieBreak.EARLIEST:
            return -_microseconds(details["received_at"])
        if name == Scheme.TieBreak.CRITERION:
            return _fraction(details["first_criterion"])
        if name == Scheme.TieBreak.JUDGES:
            return _fraction(details["scaled"])
    return None


def _microseconds(moment: str) -> Fraction:
    return Fraction((datetime.fromisoformat(moment) - EPOCH) // timedelta(microseconds=1))


def _rows(inputs: _Inputs) -> list[StandingRow]:
    scheme, components = inputs.rules.scheme, inputs.rules.components
    known, participations, audience = inputs.known, inputs.participations, inputs.audience
    names = [_name(component) for component in components]
    weights = {
        name: Fraction(component.weight) for name, component in zip(names, components, strict=True)
    }
    terms = terms_of(inputs.method)
    by_code = {p.team.code: p for p in participations if p.status == ParticipationStatus.ACTIVE}
    lots = {}
    if Scheme.TieBreak.DRAW in scheme.tie_breaks and scheme.seed:
        lots = drawn(scheme.seed, list(by_code))
    judged = [c for c in components if c.kind == SchemeComponent.Kind.JUDGES]
    homes = judged_by(scheme.tie_breaks, {_name(c): c.source for c in judged})
    contenders = [
        Contender(
            key=code,
            scores={
                name: _fraction(scores.get(p.pk, {}).get("scaled"))
                for name, scores in zip(names, known, strict=True)
            },
            tie_breaks=tuple(
                Fraction(lots[code])
                if tie == Scheme.TieBreak.DRAW and lots
                else _tie_break(tie, components, known, homes, p.pk)
                for tie in scheme.tie_breaks
            ),
            is_eligible=p.pk not in inputs.unmet,
        )
        for code, p in by_code.items()
    ]
    ties_asked = _Ties(inputs, by_code)
    contenders = ties_asked.parted(contenders, weights, terms)
    minimums = {**terms.minimums, TOTAL: terms.minimum_total}
    rows = []
    for place in rank(contenders, weights, terms):
        participation = by_code[place.key]
        below = {name: _plain(fraction_to_decimal(minimums[name])) for name in place.below}
        barred = {"below": below or None, "unmet": inputs.unmet.get(participation.pk)}
        rows.append(
            StandingRow(
                participation=participation,
                rank=place.rank,
                total=None if place.total is None else fraction_to_decimal(place.total),
                position=len(rows) + 1,
                explanation={
                    "components": [
                        _explain(name, component, scores.get(participation.pk), audience)
                        for name, component, scores in zip(names, components, known, strict=True)
                    ],
                    "missing": list(place.missing),
                    "tie_breaks_used": scheme.tie_breaks[: place.tie_breaks_used],
                    "shared": place.shared,
                    **_said(barred),
                    **_shown(ties_asked.said.get(place.key, {}), audience),
                },
            )
        )
    rows = _with_baselines(rows, weights, terms, components, known, participations, audience)
    if audience == FULL:
        for participation in participations:
            if participation.status in GONE:
                rows.append(
                    StandingRow(
                        participation=participation,
                        position=len(rows) + 1,
                        explanation={
                            "components": [],
                            "missing": [],
                            "status": participation.status,
                        },
                    )
                )
    return rows


def _shown(said: dict, audience: str) -> dict:
    """What the tie-breaks said, as far as this audience may know it: how many judges put whom
    ahead, and whom the chair may be asked about, is between them and the organizers."""
    inside = ("head_to_head", "awaits_chair")
    return {k: v for k, v in said.items() if audience == FULL or k not in inside}


def _with_baselines(
    rows, weights, terms: Terms, components, known, participations, audience: str
) -> list[StandingRow]:
    """The rows with the organizers' baselines among them, where their totals belong, unranked."""
    names = list(weights)
    for participation in participations:
        if participation.status != ParticipationStatus.BASELINE:
            continue
        scores = [found.get(participation.pk) for found in known]
        scaled = {
            name: _fraction((details or {}).get("scaled"))
            for name, details in zip(names, scores, strict=True)
        }
        if (value := terms.total(scaled, weights)) is None:
            continue
        row = StandingRow(
            participation=participation,
            rank=None,
            total=fraction_to_decimal(value),
            explanation={
                "components": [
                    _explain(n, c, s, audience)
                    for n, c, s in zip(names, components, scores, strict=True)
                ],
                "missing": [],
                "status": participation.status,
            },
        )
        worse = (
            n
            for n, other in enumerate(rows)
            if other.total is None or other.total < row.total or _is_barred(other)
        )
        rows.insert(next(worse, len(rows)), row)
    for n, row in enumerate(rows, start=1):
        row.position = n
    return rows


def _is_barred(row: StandingRow) -> bool:
    """Whether the row has a total and yet no rank, and so stands behind all that have one."""
    return "below" in row.explanation or "unmet" in row.explanation


def _explain(name, component, details: dict | None, audience: str) -> dict:
    """One component of a row; what only organizers may know is left out for the public."""
    explained = {"name": name, "kind": component.kind, "weight": str(component.weight)}
    scaled = _fraction((details or {}).get("scaled"))
    explained["scaled"] = None if scaled is None else str(fraction_to_decimal(scaled))
    if details is None:
        return explained
    if component.kind == SchemeComponent.Kind.METRIC:
        shown = ("metric", "value", "beaten", "others", "mean", "deviation", "rising")
        explained |= {name: details[name] for name in shown if name in details}
        if audience == FULL:
            explained |= {
                "public": details["public"],
                "submission": details["submission"],
                "received_at": details["received_at"],
            }
            if "mean" in details:
                explained["exact"] = details["scaled"]
    elif audience == FULL:
        explained["vetoed"] = details["vetoed"]
        # Twelve decimals are for showing; whoever adds the components up again needs all of it.
        explained["exact"] = details["scaled"]
        explained["sheets"] = [
            {**sheet, **{name: _text(sheet[name]) for name in ("total", "counted_as")}}
            for sheet in details["sheets"]
        ]
    return explained


MISSING = {
    SchemeComponent.Kind.METRIC: _("no scored submission"),
    SchemeComponent.Kind.JUDGES: _("no counted score sheet"),
}
VETOED = _("excluded by the judges' veto")


BELOW = {
    SchemeComponent.Kind.METRIC: _("less than %(least)s for the automated score (%(metric)s)"),
    SchemeComponent.Kind.JUDGES: _("less than %(least)s for the judges' scores"),
    TOTAL: _("a total of less than %(least)s"),
}
UNMET = {
    Scheme.Condition.CONFIRMED: _("team not confirmed"),
    Scheme.Condition.REPOSITORY: _("no source repository"),
    Scheme.Condition.LICENCE: _("no licence"),
}


def why_unranked(row: StandingRow) -> list[str]:
    """Why a team has no rank, in words: what it lacks, component by component; where it is below
    a minimum; which conditions it does not meet."""
    return _lacking(row) + barred(row)


def _lacking(row: StandingRow) -> list[str]:
    parts = {part["name"]: part for part in row.explanation["components"]}
    return [
        str(VETOED if parts[name].get("vetoed") else MISSING[parts[name]["kind"]])
        for name in row.explanation["missing"]
    ]


def barred(row: StandingRow) -> list[str]:
    """Why a team has no rank although it may have a total, in words."""
    said = []
    for name, least in row.explanation.get("below", {}).items():
        parts = (part for part in row.explanation["components"] if part["name"] == name)
        part = next(parts, {"kind": TOTAL})
        said.append(str(BELOW[part["kind"]] % {"least": least, "metric": part.get("metric")}))
    return said + [str(UNMET[name]) for name in row.explanation.get("unmet", [])]
