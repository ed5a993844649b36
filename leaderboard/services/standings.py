"""Standings: computed from what is known, kept with a digest of it, followed by newer ones."""

import hashlib
import json
import logging
from dataclasses import dataclass
from fractions import Fraction

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from contest import live
from contest.models import Participation, Round
from contest.numbers import plain
from contest.roles import is_organizer, organized_events
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Benchmark, ScoringRun
from judging.services import ties
from judging.services.telling import tell_desk
from judging.services.totals import fraction_to_decimal
from judging.states import RunStatus
from leaderboard.models import Scheme, SchemeComponent, Standing, StandingRow
from leaderboard.ranking import (
    Contender,
    Terms,
    rank,
)
from leaderboard.ranking.standing import TOTAL
from leaderboard.ranking.tie_breaks import drawn
from leaderboard.services.component_scores import GONE, component_scores
from leaderboard.services.decided import signed_standing
from leaderboard.services.schemes import Rules, rules_of
from leaderboard.services.standing_method import (
    component_name,
    method_of_rules,
    only_said,
    terms_of,
    to_fraction,
    to_text,
)
from leaderboard.services.tie_breaks import GroupTies, chairs_decisions, judged_by, tie_break
from leaderboard.services.unranked import unmet_conditions

logger = logging.getLogger(__name__)
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
        return method_of_rules(self.rules.scheme, self.rules.components)

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
        component_scores(
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
    decided = chairs_decisions(scheme, inside=inside)
    active = (p for p in participations if p.status == ParticipationStatus.ACTIVE)
    unmet = {p.pk: lacking for p in active if (lacking := unmet_conditions(scheme, p.team))}
    return _Inputs(rules, known, participations, decided, audience, unmet)


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


def _rows(inputs: _Inputs) -> list[StandingRow]:
    scheme, components = inputs.rules.scheme, inputs.rules.components
    known, participations, audience = inputs.known, inputs.participations, inputs.audience
    names = [component_name(component) for component in components]
    weights = {
        name: Fraction(component.weight) for name, component in zip(names, components, strict=True)
    }
    terms = terms_of(inputs.method)
    by_code = {p.team.code: p for p in participations if p.status == ParticipationStatus.ACTIVE}
    lots = {}
    if Scheme.TieBreak.DRAW in scheme.tie_breaks and scheme.seed:
        lots = drawn(scheme.seed, list(by_code))
    judged = [c for c in components if c.kind == SchemeComponent.Kind.JUDGES]
    homes = judged_by(scheme.tie_breaks, {component_name(c): c.source for c in judged})
    contenders = [
        Contender(
            key=code,
            scores={
                name: to_fraction(scores.get(p.pk, {}).get("scaled"))
                for name, scores in zip(names, known, strict=True)
            },
            tie_breaks=tuple(
                Fraction(lots[code])
                if tie == Scheme.TieBreak.DRAW and lots
                else tie_break(tie, components, known, homes, p.pk)
                for tie in scheme.tie_breaks
            ),
            is_eligible=p.pk not in inputs.unmet,
        )
        for code, p in by_code.items()
    ]
    ties_asked = GroupTies(inputs.rules, known, inputs.decided, by_code)
    contenders = ties_asked.parted(contenders, weights, terms)
    minimums = {**terms.minimums, TOTAL: terms.minimum_total}
    rows = []
    for place in rank(contenders, weights, terms):
        participation = by_code[place.key]
        below = {name: plain(fraction_to_decimal(minimums[name])) for name in place.below}
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
                    **only_said(barred),
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
            name: to_fraction((details or {}).get("scaled"))
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
    scaled = to_fraction((details or {}).get("scaled"))
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
            {**sheet, **{name: to_text(sheet[name]) for name in ("total", "counted_as")}}
            for sheet in details["sheets"]
        ]
    return explained
