"""How a team's total came about: its components, each judge's sheet, each mark, each change of it.

What is explained is a row of a standing, of the signed one once the round is decided. Which sheets
counted is read from that row; what they are made of, from the marks, which cannot change once the
round is decided. Everything is computed anew in fractions, and ``matches`` says whether it comes to
what the standing holds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from contest.models import Participation, Round, Submission
from contest.states import ParticipationStatus
from contest.tables_out import Progress, quiet
from judging.models import Assignment, Criterion, Mark, RecordEntry, Recusal, Rubric, Tie
from judging.services.benchmarks import current_benchmark
from judging.services.totals import (
    exact_total,
    fraction_to_decimal,
    kept_within,
)
from judging.states import ScoresheetStatus
from leaderboard.models import Scheme, SchemeComponent, Standing, StandingRow
from leaderboard.models.scheme import criterion_of, tie_break_label
from leaderboard.ranking import Method, Sheet, combine, scale
from leaderboard.ranking.methods import COMPARING
from leaderboard.ranking.scaling import percent_beaten
from leaderboard.ranking.tie_breaks import drawn
from leaderboard.services import standings
from leaderboard.services.advancement import in_force
from leaderboard.services.component_scores import GONE
from leaderboard.services.decided import signed_standing
from leaderboard.services.explained import (
    SUBMITTED_AND_FREE,
    ComponentExplained,
    DuelExplained,
    Explanation,
    JudgesPart,
    MarkExplained,
    MetricPart,
    Revision,
    SheetExplained,
    SheetState,
    TieBreakExplained,
    TiedTeam,
)
from leaderboard.services.schemes import ensure_scheme
from leaderboard.services.standing_method import terms_of
from leaderboard.services.tie_breaks import judged_by
from leaderboard.services.unranked import why_unranked
from leaderboard.states import AdvancementStatus

JUDGES, METRIC = SchemeComponent.Kind.JUDGES, SchemeComponent.Kind.METRIC
# Teams that are explained at once where all of them are wanted one after the other.
AT_ONCE = 200


def standing_of(round: Round) -> Standing | None:
    """What is explained: the signed standing once there is one, else the newest."""
    signed = signed_standing(round)
    if signed is not None:
        return signed
    standings.refresh(round)
    return standings.current(round, standings.FULL)


def explain(participation: Participation) -> Explanation | None:
    """How the team's total came about; None while the round has no ranking with it."""
    standing = standing_of(participation.round)
    if standing is None:
        return None
    row = standing.rows.filter(participation=participation).first()
    return None if row is None else explain_row(row)


def explain_row(row: StandingRow) -> Explanation:
    """How the total of one row came about. The number of queries does not grow with anything."""
    (explanation,) = _explain(row.standing, standing_rows(row.standing).filter(pk=row.pk))
    return explanation


def explain_all(round: Round) -> list[Explanation]:
    """Every team of the round, best first; as many queries as for one."""
    standing = standing_of(round)
    return [] if standing is None else list(_explain(standing, standing_rows(standing)))


def explain_in_parts(standing: Standing, progress: Progress = quiet) -> Iterator[Explanation]:
    """Every team of the standing, in its order, without holding more than a few hundred of them.

    ``progress`` is told how many the reader has done with.
    """
    for done, one in enumerate(_in_parts(standing)):
        progress(done)
        yield one


def _in_parts(standing: Standing) -> Iterator[Explanation]:
    rows = []
    for row in standing_rows(standing).iterator(AT_ONCE):
        rows.append(row)
        if len(rows) == AT_ONCE:
            yield from _explain(standing, rows)
            rows = []
    if rows:
        yield from _explain(standing, rows)


def standing_rows(standing: Standing):
    return standing.rows.select_related("participation__team", "participation__round")


def _explain(standing: Standing, rows: Iterable[StandingRow]) -> Iterator[Explanation]:
    rows = list(rows)
    facts = _Facts(standing, rows)
    for row in rows:
        yield facts.explanation(row)


@dataclass
class _Facts:
    """What several queries say of all the rows at once."""

    standing: Standing
    rows: Sequence[StandingRow]
    assignments: dict = field(default_factory=dict)  # by (round, team)
    marks: dict = field(default_factory=dict)  # by sheet: {criterion: value}
    criteria: dict = field(default_factory=dict)  # by rubric
    criteria_names: dict = field(default_factory=dict)  # by code
    # By (sheet, code of the criterion): a mark keeps its history over versions of the rubric.
    revisions: dict = field(default_factory=dict)

    def __post_init__(self):
        standing = self.standing
        self.round = Round.objects.select_related("event").get(pk=standing.round_id)
        self.decimals = ensure_scheme(self.round).decimals
        self.method = standing.method["components"]
        self.terms = terms_of(standing.method)
        self.signed = self.round.is_decided
        teams = {row.participation.team_id for row in self.rows}
        self._read_sheets(teams)
        self.recused = set(
            Recusal.objects.filter(team__in=teams).values_list("judge_id", "team_id")
        )
        self._read_submissions()
        self._read_decision()
        self._read_ties()

    def _read_sheets(self, teams: set[int]) -> None:
        sources = {_source(part) for part in self.method if part["kind"] == JUDGES}
        here = {"participation__round__in": sources, "participation__team__in": teams}
        for assignment in (
            Assignment.objects.filter(**here)
            .select_related("judge", "panel__rubric", "participation", "scoresheet")
            .defer("scoresheet__private_note")
            .order_by("participation_id", "judge_id")
        ):
            place = (assignment.participation.round_id, assignment.participation.team_id)
            self.assignments.setdefault(place, []).append(assignment)
        of_sheet = {f"scoresheet__assignment__{name}": value for name, value in here.items()}
        for sheet, criterion, value in Mark.objects.filter(**of_sheet).values_list(
            "scoresheet_id", "criterion_id", "value"
        ):
            self.marks.setdefault(sheet, {})[criterion] = value
        for criterion in Criterion.objects.filter(rubric__panels__round__in=sources).distinct():
            self.criteria.setdefault(criterion.rubric_id, []).append(criterion)
            self.criteria_names[criterion.code] = criterion.name
        rounds = Round.objects.in_bulk(sources)
        judged = {p["name"]: rounds[_source(p)] for p in self.method if p["kind"] == JUDGES}
        self.homes = judged_by(self.standing.method["tie_breaks"], judged)
        for entry in (
            RecordEntry.objects.filter(kind=RecordEntry.Kind.MARK, **of_sheet)
            .select_related("by", "criterion")
            .order_by("record", "number")
        ):
            self.revisions.setdefault((entry.scoresheet_id, entry.criterion.code), []).append(
                Revision(
                    number=entry.number,
                    at=entry.at,
                    device_at=entry.device_at,
                    device=entry.device,
                    by=entry.by.name if entry.by else "",
                    previous=entry.previous,
                    value=entry.value,
                    reason=entry.reason,
                )
            )

    def _read_submissions(self) -> None:
        sources = {_source(part) for part in self.method if part["kind"] == METRIC}
        self.numbers = {
            str(pk): number
            for pk, number in Submission.objects.filter(
                pk__in={
                    part["submission"]
                    for row in self.rows
                    for part in row.explanation["components"]
                    if "submission" in part
                }
            ).values_list("pk", "number")
        }
        self.benchmarks = {
            source.pk: current_benchmark(source) for source in Round.objects.filter(pk__in=sources)
        }

    def _read_decision(self) -> None:
        decision = in_force(self.round)
        if decision is not None and decision.standing_id != self.standing.pk:
            decision = None
        self.decision = decision
        self.outcomes = (
            dict(decision.rows.values_list("row_id", "outcome")) if decision is not None else {}
        )

    def _read_ties(self) -> None:
        """Teams of the same total, and the chairs' decisions that placed teams in the standing."""
        self.of_total: dict[Decimal, list[StandingRow]] = {}
        totals = {row.total for row in self.rows if row.total is not None}
        same = standing_rows(self.standing).filter(rank__isnull=False)
        if len(totals) <= AT_ONCE:
            same = same.filter(total__in=totals)
        for row in same:
            self.of_total.setdefault(row.total, []).append(row)
        held = {row.explanation["chair"]["tie"] for row in self.rows if "chair" in row.explanation}
        self.ties = Tie.objects.select_related("decided_by").in_bulk(held)

    # What one row is made of.

    def explanation(self, row: StandingRow) -> Explanation:
        said, participation = row.explanation, row.participation
        team = participation.team
        stored = {part["name"]: part for part in said["components"]}
        whole = sum((Fraction(part["weight"]) for part in self.method), Fraction(0))
        # A team that has left is in the list without anything.
        components = tuple(
            self._component(method, stored.get(method["name"], {}), team.pk, whole)
            for method in (self.method if stored else ())
        )
        signed = self.signed and self.decision is not None
        signed = signed and self.decision.status == AdvancementStatus.SIGNED
        tied = [] if row.rank is None else self.of_total.get(row.total, [])
        outcome = self.outcomes.get(row.pk, "")
        return Explanation(
            participation=participation.pk,
            code=team.code,
            name_zh=team.name_zh,
            name_en=team.name_en,
            rank=row.rank,
            stated=row.total,
            decimals=self.decimals,
            components=components,
            lacks=tuple(why_unranked(row)),
            shared=bool(said.get("shared")),
            tie_breaks=tuple(
                self._tie_break(name, components, row) for name in said.get("tie_breaks_used", [])
            ),
            tied_with=tuple(
                TiedTeam(
                    other.participation.team.code,
                    other.participation.team.name_zh,
                    other.participation.team.name_en,
                    other.rank,
                )
                for other in tied
                if other.pk != row.pk
            ),
            status=said.get("status", ParticipationStatus.ACTIVE),
            status_now=participation.status,
            outcome=outcome,
            outcome_reason=self.decision.reason if outcome and self.decision else "",
            advances=self.standing.method["advance_count"],
            is_incomplete=bool(said.get("missing")),
            below=tuple(said.get("below", ())),
            unmet=tuple(said.get("unmet", ())),
            terms=self.terms,
            signed=signed,
            signed_at=self.decision.signed_at if signed else None,
            signed_by=self.decision.signed_by.name if signed else "",
            computed_at=self.standing.computed_at,
            input_digest=self.standing.input_digest,
            left_behind=tuple(self._left_behind(team.pk, whole))
            if said.get("status") in GONE
            else (),
        )

    def _left_behind(self, team: int, whole: Fraction) -> Iterator[ComponentExplained]:
        for method in self.method:
            if method["kind"] != JUDGES:
                continue
            part = self._component(method, {}, team, whole)
            sheets = []
            for sheet, assignment in zip(
                part.judges.sheets, self.assignments.get((_source(method), team), []), strict=True
            ):
                if sheet.sheet and assignment.scoresheet.status == ScoresheetStatus.SUBMITTED:
                    total = kept_within(sheet.points)
                    at = assignment.scoresheet.submitted_at
                    sheet = replace(sheet, state=SheetState.LEFT, total=total, submitted_at=at)
                sheets.append(sheet)
            yield replace(part, value=None, judges=replace(part.judges, sheets=tuple(sheets)))

    def _component(
        self, method: dict, stored: dict, team: int, whole: Fraction
    ) -> ComponentExplained:
        value, judges, metric = None, None, None
        if method["kind"] == JUDGES:
            value, judges = self._judges(method, stored, team)
        elif stored.get("scaled") is not None:
            value, metric = self._metric(method, stored)
        weight = Fraction(method["weight"])
        return ComponentExplained(
            name=method["name"],
            kind=method["kind"],
            source=method["source"],
            source_zh=method["source_zh"],
            source_en=method["source_en"],
            weight=weight,
            share=weight / whole,
            value=value,
            judges=judges,
            metric=metric,
            minimum=self.terms.minimums.get(method["name"]),
            terms=self.terms,
        )

    def _metric(self, method: dict, stored: dict) -> tuple[Fraction, MetricPart]:
        benchmark = self.benchmarks.get(_source(method))
        name, worst, best = stored["metric"], method.get("worst"), method.get("best")
        rising = stored.get("rising")
        beaten = _fraction(stored.get("beaten"))
        if beaten is not None:
            value = unlimited = percent_beaten(beaten, stored["others"])
        elif "mean" in stored:  # what the other teams have, the standing alone knows
            value = unlimited = Fraction(stored["exact"])
        else:
            value = scale(stored["value"], worst, best)
            low, high, raw = (Fraction(repr(float(n))) for n in (worst, best, stored["value"]))
            unlimited = 100 * (raw - low) / (high - low)
        return value, MetricPart(
            metric=name,
            label=str(benchmark.describe(name).label) if benchmark else name,
            raw=stored["value"],
            public=stored.get("public"),
            scaling=method.get("scaling", SchemeComponent.Scaling.BOUNDS),
            worst=worst,
            best=best,
            unlimited=unlimited,
            greater_is_better=worst < best if rising is None else rising,
            mean=stored.get("mean"),
            deviation=stored.get("deviation"),
            submission=stored["submission"],
            number=self.numbers.get(stored["submission"]),
            received_at=datetime.fromisoformat(stored["received_at"]),
            beaten=beaten,
            others=stored.get("others"),
        )

    def _judges(self, method: dict, stored: dict, team: int) -> tuple[Fraction | None, JudgesPart]:
        assignments = self.assignments.get((_source(method), team), [])
        given = _by_assignment(stored.get("sheets", []), assignments)
        sheets = [self._sheet(assignment, said, team) for assignment, said in given]
        counted = [n for n, sheet in enumerate(sheets) if sheet.in_mean]
        how = method_of(method)
        vetoed = bool(stored.get("vetoed"))
        if how.name in COMPARING:
            # Every sheet of the round has its part in it; what came of them, the standing holds.
            scaled = stored.get("exact", stored.get("scaled"))
            value = None if scaled is None else Fraction(scaled)
        else:
            value = self._anew(sheets, counted, how)
        rules = {a.panel.rubric.veto_rule for a in assignments}
        return (
            None if vetoed else value,
            JudgesPart(
                aggregation=how.name,
                trim=how.trim,
                per=how.per,
                sheets=tuple(sheets),
                vetoed=vetoed,
                vetoes=sum(sheets[n].veto for n in counted),
                veto_rule=Rubric.VetoRule.ANY
                if Rubric.VetoRule.ANY in rules
                else next(iter(rules), ""),
            ),
        )

    def _anew(
        self, sheets: list[SheetExplained], counted: list[int], how: Method
    ) -> Fraction | None:
        """The score of these sheets, computed again; they are told what became of each."""
        combined = combine(
            [
                Sheet(n, "", n, sheets[n].total, {m.code: m.points for m in sheets[n].marks})
                for n in counted
            ],
            how,
        )
        dropped = [n for n in counted if combined.sheets[n].dropped]
        dropped.sort(key=lambda n: sheets[n].total)
        for place, n in enumerate(dropped):
            lower = 2 * place < len(dropped)
            state = SheetState.LOWEST if lower else SheetState.HIGHEST
            sheets[n] = replace(sheets[n], state=state)
        for n in counted:
            if parts := set(combined.sheets[n].dropped_parts):
                marks = (replace(m, dropped=m.code in parts) for m in sheets[n].marks)
                sheets[n] = replace(sheets[n], marks=tuple(marks))
        return combined.scores.get("")

    def _sheet(self, assignment: Assignment | None, said: dict | None, team: int) -> SheetExplained:
        """``said`` is what the standing holds of a submitted sheet."""
        if assignment is None:
            return SheetExplained(
                sheet=None,
                judge=said["judge"],
                organisation_zh=said["organisation_zh"],
                organisation_en=said["organisation_en"],
                state=SheetState.COUNTED if said["counted"] else SheetState.RECUSED,
                submitted_at=None,
                total=Fraction(said["total"]),
                veto=said.get("veto", False),
                marks=(),
                counted_as=_counted_as(said),
                differs=True,
            )
        sheet = getattr(assignment, "scoresheet", None)
        criteria = self.criteria.get(assignment.panel.rubric_id, [])
        values = self.marks.get(sheet.pk, {}) if sheet else {}
        now = exact_total(criteria, values)
        recused = (assignment.judge_id, assignment.participation.team_id) in self.recused
        total, differs = None, False
        if said is not None:
            differs = now is None or str(fraction_to_decimal(now)) != said["total"]
            total = Fraction(said["total"]) if differs else now
        return SheetExplained(
            sheet=sheet.pk if sheet else None,
            judge=said["judge"] if said else assignment.judge.name,
            organisation_zh=(said or vars(assignment.judge))["organisation_zh"],
            organisation_en=(said or vars(assignment.judge))["organisation_en"],
            state=_state(assignment, sheet, said, recused),
            submitted_at=sheet.submitted_at if sheet and said else None,
            total=total,
            veto=bool(said and said.get("veto")),
            marks=tuple(self._marks(sheet, criteria, values)) if sheet else (),
            veto_rule=assignment.panel.rubric.veto_rule,
            judge_id=assignment.judge_id,
            counted_as=_counted_as(said),
            differs=differs,
            recusal_changed=self.signed and said is not None and said["counted"] == recused,
        )

    def _marks(self, sheet, criteria: list[Criterion], values: dict) -> Iterator[MarkExplained]:
        whole = sum(
            (Fraction(c.weight) for c in criteria if c.kind == Criterion.Kind.SCORED), Fraction(0)
        )
        for criterion in criteria:
            value = values.get(criterion.pk)
            share, points = None, Fraction(0)
            if value is not None and criterion.kind == Criterion.Kind.SCORED:
                low, high = Fraction(criterion.minimum), Fraction(criterion.maximum)
                share = (Fraction(value) - low) / (high - low)
                points = 100 * Fraction(criterion.weight) * share / whole
            elif value is not None and criterion.kind == Criterion.Kind.BONUS:
                points = Fraction(value)
            elif value is not None and criterion.kind == Criterion.Kind.PENALTY:
                points = -Fraction(value)
            yield MarkExplained(
                criterion=criterion.pk,
                code=criterion.code,
                name_zh=criterion.name_zh,
                name_en=criterion.name_en,
                kind=criterion.kind,
                weight=criterion.weight,
                minimum=criterion.minimum,
                maximum=criterion.maximum,
                value=value,
                share=share,
                points=points,
                revisions=tuple(self.revisions.get((sheet.pk, criterion.code), ())),
            )

    def _tie_break(
        self, name: str, components: tuple[ComponentExplained, ...], row: StandingRow
    ) -> TieBreakExplained:
        """What the tie-break says of this team, found as the ranking finds it."""
        asked = TieBreakExplained(name, label=tie_break_label(name, self.criteria_names))
        if name == Scheme.TieBreak.CHAIR:
            return self._chair(asked, row)
        if name == Scheme.TieBreak.HEAD_TO_HEAD:
            return self._duels(asked, row)
        if name == Scheme.TieBreak.DRAW:
            if not (seed := self.standing.method.get("seed")):
                return asked
            code = row.participation.team.code
            return replace(asked, compared=Fraction(drawn(seed, [code])[code]))
        if name in (Scheme.TieBreak.METRIC, Scheme.TieBreak.EARLIEST):
            metric = next((c.metric for c in components if c.metric), None)
            return self._metric_tie(asked, metric) if metric else asked
        judged = [c for c in components if c.judges and c.value is not None]
        if code := criterion_of(name):
            judged = [c for c in components if c.judges and c.name == self.homes.get(name)]
        if not judged:
            return asked
        part = judged[0]
        if name == Scheme.TieBreak.JUDGES:
            return replace(asked, compared=part.value, value=part.value)
        given = [
            share
            for sheet in part.judges.sheets
            if sheet.state in SUBMITTED_AND_FREE and (share := sheet.percent(code)) is not None
        ]
        mean = sum(given, Fraction(0)) / len(given) if given else None
        return replace(asked, compared=mean, value=mean)

    def _metric_tie(self, asked: TieBreakExplained, metric: MetricPart) -> TieBreakExplained:
        if asked.name == Scheme.TieBreak.METRIC:
            raw = Fraction(repr(float(metric.raw)))
            compared = raw if metric.greater_is_better else -raw
            return replace(asked, compared=compared, raw=metric.raw)
        # By how much it came before the ranking was made: fewer digits than moments have.
        earlier = self.standing.computed_at - metric.received_at
        compared = Fraction(earlier // timedelta(microseconds=1), 10**6)
        return replace(asked, compared=compared, at=metric.received_at)

    @staticmethod
    def _duels(asked: TieBreakExplained, row: StandingRow) -> TieBreakExplained:
        said = row.explanation.get("head_to_head")
        if said is None:
            return asked
        score = Fraction(said["score"])
        duels = tuple(DuelExplained(d["team"], d["ahead"], d["behind"]) for d in said["duels"])
        return replace(asked, compared=score, value=score, duels=duels)

    def _chair(self, asked: TieBreakExplained, row: StandingRow) -> TieBreakExplained:
        said = row.explanation.get("chair")
        tie = self.ties.get(said["tie"]) if said else None
        if tie is None:
            return asked
        return replace(
            asked,
            compared=Fraction(-said["place"]),
            at=tie.decided_at,
            place=said["place"],
            by=tie.decided_by.name if tie.decided_by else "",
            reason=tie.reason,
        )


def method_of(component: dict) -> Method:
    """How a standing's component combined sheets. Older standings have one highest and lowest."""
    return Method(component["aggregation"], component.get("trim", 1), component.get("per", "total"))


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _counted_as(said: dict | None) -> Fraction | None:
    return _fraction((said or {}).get("counted_as"))


def _source(method: dict) -> int:
    """The id of the component's round, which its name holds."""
    return int(method["name"].split("-")[1])


def _by_assignment(stored: list[dict], assignments: list[Assignment]) -> list[tuple]:
    """Each assignment with what the standing holds of its sheet, and what is left of the latter.

    Older standings do not name the sheet; there the judge's name tells.
    """
    left = list(stored)
    pairs = []
    for assignment in assignments:
        sheet = getattr(assignment, "scoresheet", None)
        said = next(
            (
                item
                for item in left
                if (
                    item["sheet"] == str(sheet and sheet.pk)
                    if "sheet" in item
                    else item["judge"] == assignment.judge.name
                )
            ),
            None,
        )
        if said is not None:
            left.remove(said)
        pairs.append((assignment, said))
    return pairs + [(None, said) for said in left]


def _state(assignment: Assignment, sheet, said: dict | None, recused: bool) -> str:
    if said is not None:
        return SheetState.COUNTED if said["counted"] else SheetState.RECUSED
    if recused:
        return SheetState.RECUSED
    if assignment.released_at is not None:
        return SheetState.RELEASED
    if sheet is not None and sheet.status == ScoresheetStatus.RETURNED:
        return SheetState.RETURNED
    return SheetState.NOT_SUBMITTED
