"""The full score sheets as a workbook whose formulas compute every total and rank anew.

``marks`` → ``sheets`` → (``criteria``) → ``components`` → ``teams``: each table's numbers are
formulas over the one before, beside what the platform says and whether the two agree. Formulas
reach over blocks of rows that belong to one team, so that a season's workbook opens in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contest.numbers import round_half_up
from contest.states import ParticipationStatus
from contest.tables_out import Book, Formula, Progress, Tab, quiet
from judging.models import Criterion
from leaderboard.exports import scores
from leaderboard.exports.columns import COLUMNS, both, explained
from leaderboard.exports.scores import ComponentRows, TeamRows, as_number
from leaderboard.models import SchemeComponent, Standing
from leaderboard.services.explained import Explanation, MetricPart
from leaderboard.services.explanation import method_of
from leaderboard.services.schemes import ensure_scheme
from leaderboard.services.standing_method import terms_of

# Totals are compared to so many decimals: what is equal by the rules must be equal in floats.
PLACES = 9
NEAR = "1E-8"
TEAMS = (
    "rank", "team_code", "team_name_zh", "team_name_en", "status", "total", "conditions_unmet",
    "below_minimum", "ranked_total", "stated_rank", "stated_total", "check_rank", "check_total",
    "lacks", "advances", "tie_breaks",
    *scores.TIE_BREAKS,
)  # fmt: skip
COMPONENTS = (*scores.COMPONENTS[:-1], "stated_score", "check_score")
SHEETS = (*scores.SHEETS, "stated_sheet_total", "check_sheet")
CRITERIA = (
    "team_code", "component", "criterion", "criterion_zh", "criterion_en", "sheets_counted",
    "dropped_each_end", "criterion_score",
)  # fmt: skip
MARKS = (*scores.MARKS, "counted_points")
TABLES = {
    "teams": TEAMS, "components": COMPONENTS, "criteria": CRITERIA, "sheets": SHEETS,
    "marks": MARKS,
}  # fmt: skip
PER_CRITERION = SchemeComponent.Per.CRITERION

HOW: tuple[Promise, ...] = (
    _(
        "Change a mark and see what becomes of the total and the rank: points of a mark (marks), "
        "total of a sheet (sheets), median or trimmed mean of each criterion where the scheme asks "
        "for it (criteria), score of a component (components), total and rank (teams) are formulas."
    ),
    _(
        "stated_… is what the platform says; check_… is OK, or the difference. Columns that are no "
        "formulas come from the judges or the scheme. Do not sort: formulas reach over blocks of "
        "rows."
    ),
    _(
        "Where judges are compared with each other (z-scores, Borda, severity) what a sheet counts "
        "as is the platform’s number, and its mean is computed here; scores of a model (ordinal, "
        "Bradley–Terry) are the platform’s numbers. docs/methods.md has the formulas."
    ),
    _("The table “columns” says what each column means."),
)


def to_xlsx(standing: Standing, out, progress: Progress = quiet) -> None:
    decimals = ensure_scheme(standing.round).decimals
    with Book(out, decimals, optional=4) as book:
        _Workbook(book, standing).write(progress)


@dataclass
class _Block:
    """Rows of one table that belong together."""

    tab: Tab
    first: int
    last: int

    def __call__(self, column: str, *, here: bool = False) -> str:
        return self.tab.range(column, self.first, self.last, here=here)


class _Workbook:
    def __init__(self, book: Book, standing: Standing):
        self.standing = standing
        self.terms = terms_of(standing.method)
        self.about = book.tab("about", ("item", "value"))
        self.teams = book.tab("teams", TEAMS, frozen=2)
        self.components = book.tab("components", COMPONENTS, frozen=2)
        self.criteria = None
        if any(method_of(part).per == PER_CRITERION for part in self._judged()):
            self.criteria = book.tab("criteria", CRITERIA, frozen=2)
        self.sheets = book.tab("sheets", SHEETS, frozen=4)
        self.marks = book.tab("marks", MARKS, frozen=4)
        self.columns = book.tab("columns", COLUMNS)

    def _judged(self) -> Iterable[dict]:
        return (p for p in self.standing.method["components"] if "aggregation" in p)

    def write(self, progress: Progress) -> None:
        self._about()
        # Those that are ranked come first, as one block, the rest after them.
        ranked = self.standing.rows.filter(explanation__status__isnull=True).count()
        self.ranked = _Block(self.teams, 2, 1 + ranked)
        later = []
        for team in scores.rows(self.standing, progress):
            if team.explanation.status == ParticipationStatus.ACTIVE:
                self._team(team)
            else:
                later.append(team)
        for team in later:
            self._team(team)
        tables = {n: c for n, c in TABLES.items() if n != "criteria" or self.criteria}
        for row in explained(tables):
            self.columns.add(row)

    def _about(self) -> None:
        told = scores.about(self.standing)
        method, heads = told.pop("method"), told.pop("judging_records")
        items = list(told.items())
        items += [(f"tie_break_{n}", name) for n, name in enumerate(method["tie_breaks"], 1)]
        for name in ("rounding", "decimals", "minimum_total", "seed"):
            items += [(name, method[name])] if name in method else []
        items += [("condition", name) for name in method.get("conditions", ())]
        for part in method["components"]:
            value = " ".join(str(part[n]) for n in ("aggregation", "trim", "per") if n in part)
            items.append((part["name"], f"{part['source']}, {part['weight']} {value}".strip()))
        for head in heads:
            items.append((f"judging_record_{head['round']}", f"{head['entries']} {head['head']}"))
        for text in HOW:
            items += [("how_to_check", told_in) for told_in in both(text)]
        for item, value in items:
            self.about.add({"item": item, "value": value})

    # One team.

    def _team(self, team: TeamRows) -> None:
        one, row = team.explanation, self.teams.row
        first = self.components.row
        for part in team.components:
            self._component(part)
        block = _Block(self.components, first, self.components.row - 1)
        active = one.status == ParticipationStatus.ACTIVE
        total = None if one.total is None else round_half_up(one.total, PLACES)
        values = team.team | {
            "stated_rank": one.rank,
            "rank": None,
            "total": None,
            "ranked_total": None,
            "check_rank": None,
            "check_total": None,
        }
        if one.components:
            values |= self._total(one, block, total)
        if active:
            values["rank"] = Formula(self._rank(row, len(one.tie_breaks)), _cached(one.rank))
            values["check_rank"] = self._check(
                self.teams, "rank", "stated_rank", one.rank, one.rank
            )
        self.teams.add(values)

    def _total(self, one: Explanation, block: _Block, total: Fraction | None) -> dict:
        """The total, and as what it is ranked: not at all below a minimum, or where a condition is
        not met."""
        terms, row = self.terms, self.teams.row
        score, weight = self._added(block("score")), block("weight")
        places = PLACES if terms.places is None else terms.places
        cell = {n: self.teams.cell(n, row) for n in TEAMS}
        below = f"SUM({block('below_minimum')})"
        if terms.minimum_total is not None and one.status == ParticipationStatus.ACTIVE:
            least = float(terms.minimum_total)
            below += f'+IF({cell["total"]}="",0,IF({cell["total"]}<{least},1,0))'
        is_ranked = total is not None and not one.below and not one.unmet
        return {
            "total": _formula(
                f"=IF(COUNT({block('score')})={len(one.components)},"
                f'ROUND(SUMPRODUCT({weight},{score})/SUM({weight}),{places}),"")',
                total,
            ),
            "below_minimum": Formula(f"={below}", len(one.below)),
            "ranked_total": _formula(
                f'=IF({cell["below_minimum"]}+{cell["conditions_unmet"]}>0,"",{cell["total"]})',
                total if is_ranked else None,
            ),
            "check_total": self._check(self.teams, "total", "stated_total", total, one.stated),
        }

    def _added(self, score: str) -> str:
        """Scores as they are added up."""
        terms = self.terms
        return f"ROUND({score},{terms.places})" if terms.rounds_components else score

    def _rank(self, row: int, tie_breaks: int) -> str:
        """By total, then by as many tie-breaks as were asked of this team."""

        def column(name: str) -> str:
            return self.ranked(name, here=True)

        total = self.teams.cell("ranked_total", row)
        terms, equal = [], f"({column('ranked_total')}={total})"
        for name in scores.TIE_BREAKS[:tie_breaks]:
            mine = self.teams.cell(name, row)
            terms.append(f"+SUMPRODUCT({equal}*({column(name)}>{mine}))")
            equal += f"*({column(name)}={mine})"
        return f'=IF({total}="","",RANK({total},{column("ranked_total")}){"".join(terms)})'

    # One component.

    def _component(self, rows: ComponentRows) -> None:
        part, judges = rows.part, rows.part.judges
        marks = list(rows.marks)
        per_criterion = judges is not None and judges.per == PER_CRITERION
        if per_criterion:
            marks = _by_criterion(rows)
        first = self.marks.row
        block = _Block(self.marks, first, first + len(marks) - 1)
        for mark in marks:
            self._mark(mark, block)
        sheets = _Block(self.sheets, self.sheets.row, self.sheets.row + len(rows.sheets) - 1)
        for sheet in rows.sheets:
            self._sheet(sheet, rows, block if marks else None)
        criteria = self._criteria(rows, marks, first) if per_criterion else None
        values = {name: as_number(value) for name, value in rows.component.items()}
        values |= {"stated_score": part.value, "check_score": None}
        if judges is not None and rows.sheets:
            values |= self._judges(rows, sheets, criteria)
        elif part.metric is not None:
            values["score"] = _formula(self._of_metric(part.metric), part.value)
        if rows.component["minimum"] is not None:
            least, score = self._of_components("minimum"), self._of_components("score")
            compared = self._added(score) if self.terms.rounds_components else _near(score)
            values["below_minimum"] = Formula(
                f'=IF({score}="",0,IF({compared}<{least},1,0))', rows.component["below_minimum"]
            )
        if isinstance(values["score"], Formula):
            values["check_score"] = self._check(
                self.components, "score", "stated_score", part.value, part.value
            )
        self.components.add(values)

    def _of_metric(self, metric: MetricPart) -> str:
        cell = self._of_components
        if metric.beaten is not None:
            beaten, others = cell("teams_beaten"), cell("other_teams")
            return f"=IF({others}=0,100,100*{beaten}/{others})"
        if metric.mean is not None:
            deviation = cell("metric_deviation")
            sign = "+" if metric.greater_is_better else "-"
            points = f"50{sign}10*({cell('raw')}-{cell('metric_mean')})/{deviation}"
            return f"=IF({deviation}=0,50,ROUND(MIN(100,MAX(0,{points})),{PLACES}))"
        return (
            f"=MIN(100,MAX(0,100*({cell('raw')}-{cell('worst')})/({cell('best')}-{cell('worst')})))"
        )

    def _of_components(self, column: str) -> str:
        return self.components.cell(column, self.components.row)

    def _judges(self, rows: ComponentRows, sheets: _Block, criteria: _Block | None) -> dict:
        part, judges, said = rows.part, rows.part.judges, rows.component
        cell, counted = self._of_components, sheets("counts_as")
        n, dropped = cell("sheets_counted"), cell("dropped_each_end")
        vetoes = f"COUNTIFS({sheets('counts')},1,{sheets('veto')},1"
        values = {
            "sheets_counted": Formula(f"=SUM({sheets('counts')})", said["sheets_counted"]),
            "vetoes": Formula(f"={vetoes})", said["vetoes"]),
            "vetoed": Formula(
                f'=IF(OR({vetoes},{sheets("veto_rule")},"any")>0,2*{cell("vetoes")}>{n}),1,0)',
                said["vetoed"],
            ),
        }
        if judges.aggregation == "trimmed":
            values["dropped_each_end"] = Formula(
                f"=MAX(0,MIN({cell('trim')},INT(({n}-2)/2)))", said["dropped_each_end"]
            )
        if said["basis"] == "stated":
            return values
        if criteria is not None:
            mean = f"SUM({criteria('criterion_score')})"
        else:
            mean = _mean_of(judges.aggregation, counted, n, dropped)
        values["score"] = _formula(
            f'=IF(OR({n}=0,{cell("vetoed")}=1),"",MIN(100,MAX(0,{mean})))', part.value
        )
        return values

    def _criteria(self, rows: ComponentRows, marks: list[dict], first: int) -> _Block | None:
        """A row for each criterion, whose marks lie side by side."""
        judges, begin = rows.part.judges, self.criteria.row
        n = 0
        while n < len(marks):
            code = marks[n]["criterion"]
            count = sum(mark["criterion"] == code for mark in marks)
            block = _Block(self.marks, first + n, first + n + count - 1)
            points = [m["mark_points"] for m in marks[n : n + count] if m["counts"]]
            counted = block("counted_points")
            mine = {c: self.criteria.cell(c, self.criteria.row) for c in CRITERIA}
            drop = scores.dropped_each_end(judges, len(points))
            median = judges.aggregation == SchemeComponent.Aggregation.MEDIAN
            mean = _mean_of(
                judges.aggregation, counted, mine["sheets_counted"], mine["dropped_each_end"]
            )
            trim = judges.trim
            self.criteria.add(
                {
                    **{c: marks[n][c] for c in CRITERIA[:5]},
                    "sheets_counted": Formula(f"=COUNT({counted})", len(points)),
                    "dropped_each_end": None
                    if median
                    else Formula(f"=MAX(0,MIN({trim},INT(({mine['sheets_counted']}-2)/2)))", drop),
                    "criterion_score": _formula(
                        f'=IF({mine["sheets_counted"]}=0,"",{mean})',
                        _middle(points, (len(points) - 1) // 2 if median else drop),
                    ),
                }
            )
            n += count
        return _Block(self.criteria, begin, self.criteria.row - 1) if marks else None

    # One sheet, one mark.

    def _sheet(self, said: dict, rows: ComponentRows, marks: _Block | None) -> None:
        row = self.sheets.row
        values = {name: as_number(value) for name, value in said.items()}
        values |= {"stated_sheet_total": said["sheet_total"], "check_sheet": None}

        def cell(column: str) -> str:
            return self.sheets.cell(column, row)

        if said["sheet_total"] is not None and said["sheet"] and marks:
            here = f"{marks('sheet')},{cell('sheet')}"
            points = f"SUMIFS({marks('mark_points')},{here})"
            values["sheet_points"] = Formula(f"={points}", float(said["sheet_points"]))
            kept = min(max(said["sheet_points"], Fraction(0)), Fraction(100))
            values["sheet_total"] = Formula(f"=MIN(100,MAX(0,{cell('sheet_points')}))", float(kept))
            kind, mark = marks("kind"), marks("mark")
            veto = f'COUNTIFS({here},{kind},"{Criterion.Kind.VETO}",{mark},0)'
            values["veto"] = Formula(f"=IF({veto}>0,1,0)", said["veto"])
            values["check_sheet"] = self._check(
                self.sheets, "sheet_total", "stated_sheet_total", kept, said["sheet_total"]
            )
            if said["counts"] and not rows.part.judges.compares:
                values["counts_as"] = Formula(
                    f'=IF({cell("counts")}=1,{cell("sheet_total")},"")', float(kept)
                )
        self.sheets.add(values)

    def _mark(self, said: dict, block: _Block) -> None:
        row = self.marks.row
        values = {name: as_number(value) for name, value in said.items()}

        def cell(column: str) -> str:
            return self.marks.cell(column, row)

        mark, points, kind = cell("mark"), float(said["mark_points"]), said["kind"]
        if kind == Criterion.Kind.SCORED:
            weight, sheet = block("weight", here=True), block("sheet", here=True)
            formula = (
                f"100*{cell('weight')}*({mark}-{cell('lowest')})"
                f"/({cell('highest')}-{cell('lowest')})/SUMIFS({weight},{sheet},{cell('sheet')})"
            )
        elif kind in (Criterion.Kind.BONUS, Criterion.Kind.PENALTY):
            formula = mark if kind == Criterion.Kind.BONUS else f"-{mark}"
        else:
            formula = "0"
        values["mark_points"] = Formula(f'=IF({mark}="",0,{formula})', points)
        values["counted_points"] = Formula(
            f'=IF({cell("counts")}=1,{cell("mark_points")},"")', points if said["counts"] else ""
        )
        self.marks.add(values)

    @staticmethod
    def _check(tab: Tab, column: str, stated: str, value, said) -> Formula:
        """OK, or the difference, of two cells of the row that is being written."""
        a, b = tab.cell(column, tab.row), tab.cell(stated, tab.row)
        if value is None or said is None:
            known = "OK" if value is said else "differs"
        else:
            difference = float(Fraction(value) - Fraction(said))
            known = "OK" if abs(difference) < float(NEAR) else difference
        return Formula(
            f'=IF(COUNT({a},{b})=0,"OK",IF(COUNT({a},{b})=1,"differs",'
            f'IF(ABS({a}-{b})<{NEAR},"OK",{a}-{b})))',
            known,
        )


def _near(number: str) -> str:
    """What is equal by the rules must be equal in floats."""
    return f"ROUND({number},{PLACES})"


def _mean_of(aggregation: str, numbers: str, count: str, dropped: str) -> str:
    if aggregation == SchemeComponent.Aggregation.MEDIAN:
        return f"MEDIAN({numbers})"
    if aggregation == SchemeComponent.Aggregation.TRIMMED:
        # Spreadsheets drop as many numbers as the share says, rounded down to an even number: half
        # a number more, so that no rounding of the share can make it fewer.
        return f"TRIMMEAN({numbers},(2*{dropped}+0.5)/{count})"
    return f"AVERAGE({numbers})"


def _middle(numbers: list[Fraction], drop: int) -> Fraction | None:
    kept = sorted(numbers)[drop : len(numbers) - drop]
    return sum(kept, Fraction(0)) / len(kept) if kept else None


def _by_criterion(rows: ComponentRows) -> list[dict]:
    """The marks criterion by criterion; a criterion that a sheet does not have brings it 0."""
    sheets = [sheet for sheet in rows.sheets if sheet["sheet"]]
    given = {(mark["sheet"], mark["criterion"]): mark for mark in rows.marks}
    heads = {mark["criterion"]: mark for mark in rows.marks}
    found = []
    for code, head in heads.items():
        for sheet in sheets:
            mark = given.get((sheet["sheet"], code))
            if mark is None and not sheet["counts"]:
                continue
            found.append(mark or head | _absent(sheet))
    return found


def _absent(sheet: dict) -> dict:
    return {
        **{name: sheet[name] for name in ("sheet", "judge", "counts")},
        "kind": "absent",
        "weight": 0,
        "mark": None,
        "mark_points": Fraction(0),
        "dropped": 0,
        "changes": 0,
        "last_changed_at": None,
    }


def _formula(text: str, value) -> Formula:
    return Formula(text, _cached(value))


def _cached(value) -> float | str:
    return "" if value is None else float(value)
