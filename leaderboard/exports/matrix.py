"""The matrix of judges: teams by judges, each sheet's total, what was dropped or does not count."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest import tables_out
from contest.numbers import round_half_up
from contest.tables_out import Book, Progress, Styled, quiet
from leaderboard.exports import scores
from leaderboard.exports.columns import COLUMNS, both, explained
from leaderboard.exports.finalists import records
from leaderboard.exports.pdf import Paper, both_names
from leaderboard.models import Standing
from leaderboard.services.explained import (
    ComponentExplained,
    SheetExplained,
    SheetState,
    as_data,
)
from leaderboard.services.explanation import explain_in_parts
from leaderboard.services.schemes import ensure_scheme

FIRST = ("rank", "team_code", "team_name_zh", "team_name_en", "component")
LAST = ("score", "total")
# So many judges fit side by side on paper; with more, each team's are listed.
SIDE_BY_SIDE = 11
TOTAL_OF = gettext_lazy("Total of the sheet of %(judge)s")
STATE_OF = gettext_lazy("What became of the sheet of %(judge)s")
DROPPED = (SheetState.HIGHEST, SheetState.LOWEST)


@dataclass(frozen=True)
class Line:
    """A team's sheets of one component, by the judge's number in the matrix."""

    rank: int | None
    team_code: str
    team_name_zh: str
    team_name_en: str
    component: str
    score: Fraction | None
    total: Fraction | None
    sheets: dict[int, SheetExplained]


@dataclass(frozen=True)
class Matrix:
    """``judges``: names, in the order of their numbers, which count from 1."""

    standing: Standing
    judges: list[str]
    lines: list[Line]
    parts: dict[str, ComponentExplained]  # by name, as they are for the first team

    @property
    def columns(self) -> list[str]:
        return [*FIRST, *self._of_judges, *LAST]

    @property
    def _of_judges(self) -> list[str]:
        numbers = range(1, len(self.judges) + 1)
        return [name for n in numbers for name in (f"judge_{n}", f"judge_{n}_state")]

    @property
    def heads(self) -> list[str]:
        """A second row of heads, with the judges' names."""
        names = [text for judge in self.judges for text in (judge, "")]
        return [""] * len(FIRST) + names + [""] * len(LAST)

    def meanings(self) -> dict[str, tuple[str, str]]:
        told = {}
        for n, judge in enumerate(self.judges, start=1):
            for name, text in ((f"judge_{n}", TOTAL_OF), (f"judge_{n}_state", STATE_OF)):
                en, zh = both(text)
                told[name] = (en % {"judge": judge}, zh % {"judge": judge})
        return told

    def rows(self) -> Iterator[dict]:
        for line in self.lines:
            row = {name: getattr(line, name) for name in (*FIRST, *LAST)}
            for n in range(1, len(self.judges) + 1):
                sheet = line.sheets.get(n)
                row[f"judge_{n}"] = sheet.total if sheet else None
                row[f"judge_{n}_state"] = str(sheet.state) if sheet else None
            yield row


def matrix(standing: Standing, progress: Progress = quiet) -> Matrix:
    """Every team with sheets in the standing, best first; judges by their names."""
    judges: dict[tuple, str] = {}
    found = []
    for one in explain_in_parts(standing, progress):
        for part in one.components or one.left_behind:
            if part.judges is None:
                continue
            sheets = {}
            for sheet in part.judges.sheets:
                who = (sheet.judge, sheet.judge_id or 0, sheet.organisation_en)
                judges[who] = sheet.judge
                sheets[who] = replace(sheet, marks=())
            found.append((one, part, sheets))
    numbers = {who: n for n, who in enumerate(sorted(judges), start=1)}
    lines = [
        Line(
            rank=one.rank,
            team_code=one.code,
            team_name_zh=one.name_zh,
            team_name_en=one.name_en,
            component=part.name,
            score=part.value,
            total=one.total,
            sheets={numbers[who]: sheet for who, sheet in sheets.items()},
        )
        for one, part, sheets in found
    ]
    parts: dict[str, ComponentExplained] = {}
    for _one, part, _sheets in found:
        parts.setdefault(part.name, part)
    return Matrix(standing, [who[0] for who in sorted(judges)], lines, parts)


def to_csv(standing: Standing, out, progress: Progress = quiet) -> None:
    """With a second row of heads: the judges' names."""
    table = matrix(standing, progress)
    rows = ({n: as_data(v) for n, v in row.items()} for row in table.rows())
    tables_out.write_csv(out, table.columns, rows, table.heads)


def to_xlsx(standing: Standing, out, progress: Progress = quiet) -> None:
    table = matrix(standing, progress)
    with Book(out, ensure_scheme(standing.round).decimals) as book:
        tab = book.tab("matrix", table.columns, table.heads, frozen=3)
        for row in table.rows():
            for n in range(1, len(table.judges) + 1):
                look = _look(row[f"judge_{n}_state"])
                if look and row[f"judge_{n}"] is not None:
                    row[f"judge_{n}"] = Styled(row[f"judge_{n}"], look)
            tab.add(row)
        meanings = book.tab("columns", COLUMNS)
        for row in explained({"matrix": table.columns}, table.meanings()):
            meanings.add(row)


def _look(state: str | None) -> str:
    if state in (None, SheetState.COUNTED):
        return ""
    return "dropped" if state in DROPPED else "out"


def to_json(standing: Standing, out, progress: Progress = quiet) -> None:
    """Numbers as text: to twelve decimals, and exactly under ``…_exact``."""
    table = matrix(standing, progress)
    head = scores.about(standing) | {
        "columns": list(explained({"matrix": table.columns}, table.meanings())),
        "judges": {f"judge_{n}": name for n, name in enumerate(table.judges, start=1)},
    }
    rows = (scores.plain(row) for row in table.rows())
    tables_out.write_json(out, head, "matrix", rows)


def to_pdf(standing: Standing, out, progress: Progress = quiet) -> None:
    """Judges side by side where they fit, else each team's in a list; to be signed."""
    round, table = standing.round, matrix(standing, progress)
    decimals = ensure_scheme(round).decimals
    pdf = Paper(round, _("Matrix of judges"))
    pdf.made()
    for part in table.parts.values():
        told = {"round": part.source_name, "method": part.judges.aggregation_label}
        pdf.say(_("Sheets of “%(round)s” are combined by: %(method)s.") % told)
    pdf.say(
        _(
            "In round brackets: dropped as the highest or lowest. In square brackets: does not "
            "count, by conflict of interest or because the team has left. –: no sheet counts, not "
            "submitted, returned, or its judge released. Empty: not assigned."
        )
    )
    pdf.ln(2)

    def shown(value: Fraction | None) -> str:
        return "–" if value is None else str(round_half_up(value, decimals))

    def cell(sheet: SheetExplained | None) -> str:
        if sheet is None:
            return ""
        look = _look(str(sheet.state))
        text = shown(sheet.total)
        if text == "–" or not look:
            return text
        return f"({text})" if look == "dropped" else f"[{text}]"

    several = len({line.component for line in table.lines}) > 1
    heads = [_("Rank"), _("Code"), _("Team")] + ([_("Component")] if several else [])
    widths = [11, 18, 44] + ([26] if several else [])
    side_by_side = len(table.judges) <= SIDE_BY_SIDE
    judged = table.judges if side_by_side else [_("Sheets")]
    rest = 277 - sum(widths) - 36
    widths += [rest / max(len(judged), 1)] * len(judged) + [18, 18]

    def row(line: Line) -> list[str]:
        first = [str(line.rank or "–"), line.team_code,
                 both_names(line.team_name_zh, line.team_name_en)]  # fmt: skip
        if several:
            first.append(line.component)
        if side_by_side:
            sheets = [cell(line.sheets.get(n)) for n in range(1, len(judged) + 1)]
        else:
            given = sorted(line.sheets.items())
            sheets = ["; ".join(f"{table.judges[n - 1]} {cell(s)}" for n, s in given)]
        return [*first, *sheets, shown(line.score), shown(line.total)]

    pdf.grid(
        [*heads, *judged, _("Judges’ score"), _("Total")],
        map(row, table.lines),
        widths,
        aligns=["RIGHT", *["LEFT"] * (len(heads) - 1)]
        + ["RIGHT" if side_by_side else "LEFT"] * len(judged)
        + ["RIGHT", "RIGHT"],
        size=8,
    )
    pdf.ending(records(round), standing.input_digest)
    out.write(pdf.output())


FORMATS = {
    "csv": (tables_out.CSV_TYPE, to_csv),
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "pdf": ("application/pdf", to_pdf),
    "json": (tables_out.JSON_TYPE, to_json),
}
