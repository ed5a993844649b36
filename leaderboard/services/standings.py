"""Standings: computed from what is known, kept with a digest of it, followed by newer ones."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest import live
from contest.models import Participation, Round
from contest.roles import is_organizer, organized_events
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Benchmark, Rubric, ScoringRun
from judging.services import ties
from judging.services.benchmarks import current_benchmark
from judging.services.metric_results import counted_results
from judging.services.sheet_results import SheetTotal, sheet_totals
from judging.services.telling import tell_desk
from judging.services.totals import fraction_to_decimal
from judging.states import RunStatus
from leaderboard.models import Advancement, Scheme, SchemeComponent, Standing, StandingRow
from leaderboard.ranking import (
    Combined,
    Contender,
    Method,
    Sheet,
    SheetEffect,
    combine,
    rank,
    scale,
)
from leaderboard.ranking.standing import total
from leaderboard.services.schemes import Rules, bounds_of, rules_of
from leaderboard.states import AdvancementStatus

GONE = (ParticipationStatus.WITHDRAWN, ParticipationStatus.DISQUALIFIED)
FULL, PUBLIC = Standing.Audience.FULL, Standing.Audience.PUBLIC
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
    return {**explanation, "components": components}


def refresh_stale() -> int:
    """Refresh every round that has begun, so that no lost message leaves one behind; how many."""
    rounds = Round.objects.exclude(status=RoundStatus.DRAFT)
    for round in rounds:
        refresh(round)
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
    participations = list(round.participations.select_related("team").order_by("pk"))
    known = [
        _component_scores(
            component,
            round,
            participations,
            inside=inside,
            benchmark=benchmark,
            without=without_judges,
        )
        for component in rules.components
    ]
    decided = _chairs_decisions(rules.scheme, inside=inside)
    return _Inputs(rules, known, participations, decided, audience)


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
    fresh = Standing(
        round=round,
        audience=audience,
        input_digest=digest,
        method=inputs.method,
        read_at=read_at,
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
    return {
        "advance_count": scheme.advance_count,
        "tie_breaks": scheme.tie_breaks,
        "components": [
            {
                "name": _name(component),
                "kind": component.kind,
                "source": component.source.slug,
                "source_zh": component.source.name_zh,
                "source_en": component.source.name_en,
                "weight": str(component.weight),
                **(
                    dict(zip(("worst", "best"), bounds_of(component), strict=True))
                    if component.kind == SchemeComponent.Kind.METRIC
                    else as_method(component)
                ),
            }
            for component in components
        ],
    }


def _component_scores(
    component: SchemeComponent,
    round: Round,
    participations: list[Participation],
    *,
    inside: bool,
    benchmark: Benchmark | None = None,
    without: frozenset[int] = frozenset(),
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
    return _judges_scores(component, source, here, without)


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
    sign = 1 if benchmark.describe(name).greater_is_better else -1
    worst, best = bounds_of(component, benchmark)
    scores = {}
    for pk, result in results.items():
        if pk not in here:
            continue
        details = {
            "scaled": str(scale(result.value, worst, best)),
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
    left = set(source.participations.filter(status__in=GONE).values_list("pk", flat=True))
    given: dict[int, list[SheetTotal]] = {}
    for sheet in sheet_totals(source):
        if sheet.judge_id not in without:
            given.setdefault(sheet.participation_id, []).append(sheet)
    staying = (s for pk, sheets in given.items() if pk not in left for s in sheets)
    return given, combine(counted_sheets(staying), method)


def _judges_scores(component, source: Round, here: dict[int, int], without: frozenset[int]) -> dict:
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
    return scores


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


def _with_chair(
    scheme: Scheme,
    contenders: list[Contender],
    weights: dict[str, Fraction],
    decided: list[ties.Decision],
    participations: dict[str, Participation],
) -> tuple[list[Contender], dict[str, dict]]:
    """The contenders with the chair's word in its place among the tie-breaks, and of those whom it
    places the tie and the place.

    A decision holds for teams that are still tied with each other and nobody else: whoever the
    chair was not asked about cannot be placed by it.
    """
    if not decided:
        return contenders, {}
    level = scheme.tie_breaks.index(Scheme.TieBreak.CHAIR)
    tied: dict[tuple, list[Contender]] = {}
    for contender in contenders:
        tied.setdefault(
            (total(contender.scores, weights), contender.tie_breaks[:level]), []
        ).append(contender)
    placed, applied = [], {}
    for group in tied.values():
        ids = {contender.key: participations[contender.key].pk for contender in group}
        holds = next((d for d in decided if set(ids.values()) <= d.places.keys()), None)
        for contender in group:
            if holds is not None and len(group) > 1:
                breaks = list(contender.tie_breaks)
                place = holds.places[ids[contender.key]]
                breaks[level] = Fraction(-place)
                applied[contender.key] = {"tie": holds.tie, "place": place}
                contender = replace(contender, tie_breaks=tuple(breaks))
            placed.append(contender)
    return placed, applied


def _tie_break(name: str, components, known: list[dict], pk: int) -> Fraction | None:
    """One tie-break as a number that is better the higher it is; None where a team has none."""
    if name == Scheme.TieBreak.CHAIR:
        return None  # known only once it is known who is tied: see _with_chair
    kind = (
        SchemeComponent.Kind.METRIC
        if name in (Scheme.TieBreak.METRIC, Scheme.TieBreak.EARLIEST)
        else SchemeComponent.Kind.JUDGES
    )
    for component, scores in zip(components, known, strict=True):
        if component.kind != kind or pk not in scores:
            continue
        details = scores[pk]
        if name == Scheme.TieBreak.METRIC:
            return Fraction(repr(float(details["signed"])))
        if name == Scheme.TieBreak.EARLIEST:
            return -_microseconds(details["received_at"])
        if name == Scheme.TieBreak.CRITERION:
            return _fraction(details["first_criterion"])
        return _fraction(details["scaled"])
    return None


def _microseconds(moment: str) -> Fraction:
    return Fraction(repr(datetime.fromisoformat(moment).timestamp()))


def _rows(inputs: _Inputs) -> list[StandingRow]:
    scheme, components = inputs.rules.scheme, inputs.rules.components
    known, participations, audience = inputs.known, inputs.participations, inputs.audience
    names = [_name(component) for component in components]
    weights = {
        name: Fraction(component.weight) for name, component in zip(names, components, strict=True)
    }
    active = [p for p in participations if p.status == ParticipationStatus.ACTIVE]
    contenders = [
        Contender(
            key=p.team.code,
            scores={
                name: _fraction(scores.get(p.pk, {}).get("scaled"))
                for name, scores in zip(names, known, strict=True)
            },
            tie_breaks=tuple(_tie_break(tie, components, known, p.pk) for tie in scheme.tie_breaks),
        )
        for p in active
    ]
    by_code = {p.team.code: p for p in active}
    contenders, by_chair = _with_chair(scheme, contenders, weights, inputs.decided, by_code)
    rows = []
    for place in rank(contenders, weights):
        participation = by_code[place.key]
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
                    **({"chair": by_chair[place.key]} if place.key in by_chair else {}),
                },
            )
        )
    rows = _with_baselines(rows, weights, components, known, participations, audience)
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


def _with_baselines(
    rows, weights, components, known, participations, audience: str
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
        if (value := total(scaled, weights)) is None:
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
            n for n, other in enumerate(rows) if other.total is None or other.total < row.total
        )
        rows.insert(next(worse, len(rows)), row)
    for n, row in enumerate(rows, start=1):
        row.position = n
    return rows


def _explain(name, component, details: dict | None, audience: str) -> dict:
    """One component of a row; what only organizers may know is left out for the public."""
    explained = {"name": name, "kind": component.kind, "weight": str(component.weight)}
    scaled = _fraction((details or {}).get("scaled"))
    explained["scaled"] = None if scaled is None else str(fraction_to_decimal(scaled))
    if details is None:
        return explained
    if component.kind == SchemeComponent.Kind.METRIC:
        explained |= {"metric": details["metric"], "value": details["value"]}
        if audience == FULL:
            explained |= {
                "public": details["public"],
                "submission": details["submission"],
                "received_at": details["received_at"],
            }
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


def why_unranked(row: StandingRow) -> list[str]:
    """What a team without a rank lacks, in words, component by component."""
    parts = {part["name"]: part for part in row.explanation["components"]}
    return [
        str(VETOED if parts[name].get("vetoed") else MISSING[parts[name]["kind"]])
        for name in row.explanation["missing"]
    ]
