"""The full score sheets of a round: every sheet and mark, whether it counted, and why.

One source of rows for CSV, JSON and the workbook (workbook.py): what ``explanation`` says of each
team. It is read some teams at a time and written row by row, so that a whole season fits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from contest import tables_out
from contest.states import ParticipationStatus
from contest.tables_out import Progress, quiet
from leaderboard.exports.columns import explained
from leaderboard.exports.finalists import records
from leaderboard.models import Standing
from leaderboard.models.scheme import MOST_TIE_BREAKS
from leaderboard.ranking.methods import COMPARING, MODELS, droppable
from leaderboard.services.explained import (
    SUBMITTED_AND_FREE,
    ComponentExplained,
    Explanation,
    JudgesPart,
    MarkExplained,
    SheetExplained,
    as_data,
)
from leaderboard.services.explanation import explain_in_parts

TIE_BREAKS = tuple(f"tie_break_{n}" for n in range(1, MOST_TIE_BREAKS + 1))
TEAMS = (
    "rank", "team_code", "team_name_zh", "team_name_en", "status", "total", "stated_total",
    "conditions_unmet", "below_minimum", "lacks", "advances", "tie_breaks", *TIE_BREAKS,
)  # fmt: skip
COMPONENTS = (
    "team_code", "component", "kind", "round", "weight", "aggregation", "trim", "per", "basis",
    "sheets_counted", "dropped_each_end", "vetoes", "vetoed", "metric", "raw", "scaling", "worst",
    "best", "metric_mean", "metric_deviation", "teams_beaten", "other_teams", "submission",
    "received_at", "minimum", "below_minimum", "score", "points",
)  # fmt: skip
SHEETS = (
    "team_code", "component", "sheet", "judge", "organisation_zh", "organisation_en", "state",
    "reason", "submitted_at", "counts", "in_mean", "veto", "veto_rule", "sheet_points",
    "sheet_total", "counts_as",
)  # fmt: skip
MARKS = (
    "team_code", "component", "sheet", "judge", "criterion", "criterion_zh", "criterion_en",
    "kind", "weight", "lowest", "highest", "mark", "mark_points", "counts", "dropped", "changes",
    "last_changed_at",
)  # fmt: skip
# One row a mark, with what is known of its sheet and its team.
FLAT = (
    "rank", "team_code", "team_name_zh", "team_name_en", "total", "component", "score", "sheet",
    "judge", "organisation_zh", "organisation_en", "state", "reason", "submitted_at", "veto",
    "sheet_total", "counts_as", "criterion", "criterion_zh", "criterion_en", "kind", "weight",
    "lowest", "highest", "mark", "mark_points", "dropped", "changes", "last_changed_at",
)  # fmt: skip
TABLES = {"teams": TEAMS, "components": COMPONENTS, "sheets": SHEETS, "marks": MARKS}


@dataclass(frozen=True)
class TeamRows:
    """One team's rows in every table; each component with its own."""

    explanation: Explanation
    team: dict
    components: list["ComponentRows"]


@dataclass(frozen=True)
class ComponentRows:
    part: ComponentExplained
    component: dict
    sheets: list[dict]
    marks: list[dict]


def rows(standing: Standing, progress: Progress = quiet) -> Iterator[TeamRows]:
    """Every team, best first; of teams that have left, what judges had given them."""
    for one in explain_in_parts(standing, progress):
        parts = one.components or one.left_behind
        yield TeamRows(one, _team(one), [_component(one, part) for part in parts])


def _team(one: Explanation) -> dict:
    compared = [tie.compared for tie in one.tie_breaks]
    return {
        **dict.fromkeys(TIE_BREAKS),
        "rank": one.rank,
        "team_code": one.code,
        "team_name_zh": one.name_zh,
        "team_name_en": one.name_en,
        "status": one.status,
        "total": one.total,
        "stated_total": one.stated,
        "conditions_unmet": len(one.unmet),
        "below_minimum": len(one.below),
        "lacks": "; ".join(one.lacks),
        "advances": one.outcome,
        "tie_breaks": ", ".join(tie.name for tie in one.tie_breaks),
        **dict(zip(TIE_BREAKS, compared, strict=False)),
    }


def _component(one: Explanation, part: ComponentExplained) -> ComponentRows:
    judges, metric = part.judges, part.metric
    place = {"team_code": one.code, "component": part.name}
    sheets = [(sheet, _sheet(sheet, judges)) for sheet in (judges.sheets if judges else ())]
    counted = sum(row["counts"] for _sheet_, row in sheets)
    row = {
        **place,
        "kind": part.kind,
        "round": part.source,
        "weight": part.weight,
        "aggregation": judges.aggregation if judges else None,
        "trim": judges.trim if judges and judges.aggregation == "trimmed" else None,
        "per": judges.per if judges and judges.aggregation in ("trimmed", "median") else None,
        "basis": basis(part),
        "sheets_counted": counted if judges else None,
        "dropped_each_end": dropped_each_end(judges, counted) if judges else None,
        "vetoes": judges.vetoes if judges else None,
        "vetoed": int(judges.vetoed) if judges else None,
        "metric": metric.metric if metric else None,
        "raw": metric.raw if metric else None,
        "scaling": metric.scaling if metric else None,
        "worst": metric.worst if metric else None,
        "best": metric.best if metric else None,
        "metric_mean": metric.mean if metric else None,
        "metric_deviation": metric.deviation if metric else None,
        "teams_beaten": metric.beaten if metric else None,
        "other_teams": metric.others if metric else None,
        "submission": metric.submission if metric else None,
        "received_at": metric.received_at if metric else None,
        # Baselines and those that left have no rank anyway.
        "minimum": part.minimum if one.status == ParticipationStatus.ACTIVE else None,
        "below_minimum": int(part.name in one.below),
        "score": part.value,
        "points": part.points,
    }
    marks = []
    for sheet, said in sheets:
        of_sheet = {**place, "sheet": sheet.sheet, "judge": sheet.judge, "counts": said["counts"]}
        marks += [{**of_sheet, **_mark(mark)} for mark in sheet.marks]
    return ComponentRows(part, row, [{**place, **said} for _sheet_, said in sheets], marks)


def basis(part: ComponentExplained) -> str:
    """What the component's score can be computed from by whoever has the file alone."""
    if part.judges is None or part.judges.aggregation not in COMPARING:
        return "marks" if part.judges else "metric"
    return "stated" if part.judges.aggregation in MODELS else "counts_as"


def dropped_each_end(judges: JudgesPart, counted: int) -> int | None:
    return droppable(counted, judges.trim) if judges.aggregation == "trimmed" else None


def _sheet(sheet: SheetExplained, judges: JudgesPart) -> dict:
    counts = sheet.state in SUBMITTED_AND_FREE
    return {
        "sheet": sheet.sheet,
        "judge": sheet.judge,
        "organisation_zh": sheet.organisation_zh,
        "organisation_en": sheet.organisation_en,
        "state": str(sheet.state),
        "reason": sheet.state_label,
        "submitted_at": sheet.submitted_at,
        "counts": int(counts),
        "in_mean": int(sheet.in_mean),
        "veto": int(sheet.veto),
        "veto_rule": sheet.veto_rule,
        "sheet_points": sheet.points if sheet.total is not None else None,
        "sheet_total": sheet.total,
        "counts_as": (sheet.counted_as if judges.compares else sheet.total) if counts else None,
    }


def _mark(mark: MarkExplained) -> dict:
    return {
        "criterion": mark.code,
        "criterion_zh": mark.name_zh,
        "criterion_en": mark.name_en,
        "kind": str(mark.kind),
        "weight": mark.weight,
        "lowest": mark.minimum,
        "highest": mark.maximum,
        "mark": mark.value,
        "mark_points": mark.points,
        "dropped": int(mark.dropped),
        "changes": len(mark.revisions),
        "last_changed_at": mark.revisions[-1].at if mark.revisions else None,
    }


# --- CSV and JSON ----------------------------------------------------------------------------


def flat(standing: Standing, progress: Progress = quiet) -> Iterator[dict]:
    """One row a mark; one without marks for a sheet, a component or a team that has none."""
    for team in rows(standing, progress):
        of_team = dict.fromkeys(FLAT) | _only(team.team)
        if not team.components:
            yield of_team
        for part in team.components:
            of_part = of_team | {n: part.component[n] for n in ("component", "score")}
            if not part.sheets:
                yield of_part
            marks: dict = {}
            for mark in part.marks:
                marks.setdefault(mark["sheet"], []).append(mark)
            for sheet in part.sheets:
                of_sheet = of_part | _only(sheet)
                given = marks.get(sheet["sheet"], []) if sheet["sheet"] else []
                for mark in given:
                    yield of_sheet | _only(mark)
                if not given:
                    yield of_sheet


def _only(row: dict) -> dict:
    return {name: value for name, value in row.items() if name in _FLAT}


_FLAT = frozenset(FLAT)


def to_csv(standing: Standing, out, progress: Progress = quiet) -> None:
    tables_out.write_csv(
        out, FLAT, ({n: _plain(v) for n, v in row.items()} for row in flat(standing, progress))
    )


def to_json(standing: Standing, out, progress: Progress = quiet) -> None:
    """Numbers as text: to twelve decimals, and exactly under ``…_exact``."""
    head = about(standing) | {"columns": list(explained(TABLES))}
    tables_out.write_json(out, head, "teams", map(_tree, rows(standing, progress)))


def _tree(team: TeamRows) -> dict:
    components = [
        plain(part.component) | {"sheets": list(_nested(part.sheets, part.marks))}
        for part in team.components
    ]
    return plain(team.team) | {"components": components}


def _nested(sheets: Iterable[dict], marks: Iterable[dict]) -> Iterator[dict]:
    by_sheet: dict = {}
    for mark in marks:
        by_sheet.setdefault(mark["sheet"], []).append(plain(mark))
    for sheet in sheets:
        yield plain(sheet) | {"marks": by_sheet.get(sheet["sheet"], []) if sheet["sheet"] else []}


def plain(row: dict) -> dict:
    data = {}
    for name, value in row.items():
        data[name] = _plain(value)
        if isinstance(value, Fraction):
            data[f"{name}_exact"] = str(value)
    return data


def _plain(value):
    """Most cells are texts and numbers, of which there are millions."""
    return value if value is None or type(value) in (str, int) else as_data(value)


def about(standing: Standing) -> dict:
    """What the file rests on."""
    round = standing.round
    return {
        "event": round.event.slug,
        "round": round.slug,
        "round_status": round.status,
        "computed_at": standing.computed_at.isoformat(),
        "input_digest": standing.input_digest,
        "method": standing.method,
        "judging_records": records(round),
    }


def as_number(value):
    """What a spreadsheet takes for the value; fractions and decimals unrounded."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value
