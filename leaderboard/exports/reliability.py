"""The reliability report as a workbook, JSON and paper; its words in the reader's language."""

import json
from collections.abc import Iterable

from django.utils.translation import gettext as _

from contest import tables_out
from contest.models import Round
from contest.numbers import round_half_up
from contest.tables_out import Book
from leaderboard.exports.columns import COLUMNS, explained
from leaderboard.exports.finalists import records
from leaderboard.exports.pdf import Paper, both_names
from leaderboard.services.reliability import Report, label_of
from leaderboard.services.reliability_words import findings, note_text

FINDINGS = ("level", "text")
TEAMS = (
    "rank_by_judges", "team_code", "team_name_zh", "team_name_en", "rank_low", "rank_high",
    "in_top", "sheets",
)  # fmt: skip
JUDGES = (
    "judge", "sheets", "mean", "spread", "lowest_total", "highest_total", "severity", "group",
    "agreement", "without_entering", "without_leaving", "without_moved",
)  # fmt: skip
METHODS = ("aggregation", "trim", "per", "method", "entering", "leaving", "moved", "furthest")
COEFFICIENTS = (
    "coefficient", "value", "low", "high", "df", "p", "judges", "teams", "left_out"
)  # fmt: skip
TABLES = {
    "findings": FINDINGS, "teams": TEAMS, "judges": JUDGES, "other_methods": METHODS,
    "coefficients": COEFFICIENTS,
}  # fmt: skip


def tables(report: Report) -> dict[str, list[dict]]:
    """The rows of every table, all formats alike."""
    return {
        "findings": [{"level": finding.level, "text": finding.text} for finding in findings(report)]
        + [{"level": "fair", "text": note_text(note, report)} for note in report.notes],
        "teams": [_team(row, report) for row in report.intervals.intervals],
        "judges": [_judge(row, report) for row in report.judges],
        "other_methods": [
            {
                "aggregation": method.name,
                "trim": method.trim if method.name == "trimmed" else None,
                "per": method.per if method.name in ("trimmed", "median") else None,
                "method": label_of(method),
                "entering": _codes(shift.entering, report),
                "leaving": _codes(shift.leaving, report),
                "moved": len(shift.moved),
                "furthest": shift.furthest,
            }
            for method, shift in report.others
        ],
        "coefficients": list(_coefficients(report)),
    }


def _team(row, report: Report) -> dict:
    team = report.teams[row.team].team
    return {
        "rank_by_judges": row.rank,
        "team_code": team.code,
        "team_name_zh": team.name_zh,
        "team_name_en": team.name_en,
        "rank_low": row.low,
        "rank_high": row.high,
        "in_top": row.in_top,
        "sheets": row.sheets,
    }


def _judge(row, report: Report) -> dict:
    shift = report.without.get(row.judge)
    return {
        "judge": report.judge_names[row.judge],
        "sheets": row.sheets,
        "mean": row.mean,
        "spread": row.spread,
        "lowest_total": row.lowest,
        "highest_total": row.highest,
        "severity": row.severity,
        "group": row.group + 1,
        "agreement": row.agreement,
        "without_entering": _codes(shift.entering, report) if shift else None,
        "without_leaving": _codes(shift.leaving, report) if shift else None,
        "without_moved": len(shift.moved) if shift else None,
    }


def _codes(teams: Iterable, report: Report) -> str:
    return ", ".join(report.teams[team].team.code for team in teams)


def _coefficients(report: Report) -> Iterable[dict]:
    empty = dict.fromkeys(COEFFICIENTS)
    icc, kendall, alpha = report.icc, report.kendall, report.alpha
    on = {"judges": icc.judges, "teams": icc.teams, "left_out": icc.left_out}
    for form in icc.forms:
        found = {"coefficient": form.name, "value": form.value, "low": form.low, "high": form.high}
        yield empty | on | found
    if kendall.w is not None:
        yield empty | {
            "coefficient": "Kendall W", "value": kendall.w, "df": kendall.df, "p": kendall.p,
            "judges": kendall.judges, "teams": kendall.teams, "left_out": kendall.left_out,
        }  # fmt: skip
    if alpha.value is not None:
        yield empty | {
            "coefficient": f"Krippendorff alpha ({alpha.level})", "value": alpha.value,
            "teams": alpha.teams,
        }  # fmt: skip


def about(round: Round, report: Report) -> dict:
    return {
        "event": round.event.slug,
        "round": round.slug,
        "aggregation": report.method.name,
        "method": report.method_label,
        "top": report.top,
        "sheets": report.sheets,
        "draws": report.intervals.draws,
        "judging_records": records(round),
    }


def to_xlsx(source: tuple[Round, Report], out) -> None:
    told = about(*source)
    heads = told.pop("judging_records")
    items = list(told.items())
    items += [(f"judging_record_{h['round']}", f"{h['entries']} {h['head']}") for h in heads]
    with Book(out, 3) as book:
        first = book.tab("about", ("item", "value"))
        for item, value in items:
            first.add({"item": item, "value": value})
        for name, rows in tables(source[1]).items():
            tab = book.tab(name, TABLES[name])
            for row in rows:
                tab.add(row)
        meanings = book.tab("columns", COLUMNS)
        for row in explained(TABLES):
            meanings.add(row)


def to_json(source: tuple[Round, Report], out) -> None:
    document = about(*source) | {"columns": list(explained(TABLES))} | tables(source[1])
    out.write(json.dumps(document, ensure_ascii=False, indent=1).encode())


def to_pdf(source: tuple[Round, Report], out) -> None:
    round, report = source
    found = tables(report)
    pdf = Paper(round, _("Reliability of the judges’ scores"))
    pdf.made()
    pdf.say(
        _(
            "From %(n)s sheets that count, combined by: %(method)s. Ranks are by the judges’ score "
            "alone, without other components, tie-breaks and vetoes. Intervals come from %(draws)s "
            "rankings in which each team’s sheets were drawn anew, with repetition."
        )
        % {"n": report.sheets, "method": report.method_label, "draws": report.intervals.draws}
    )
    _title(pdf, _("In plain words"))
    for finding in found["findings"]:
        pdf.say(f"· {finding['text']}")
    _title(pdf, _("How sure each rank is"))
    pdf.grid(
        [_("Rank"), _("Code"), _("Team"), _("95 % interval"),
         _("In the first %(n)s") % {"n": report.top}, _("Sheets")],
        (
            [
                str(row["rank_by_judges"]), row["team_code"],
                both_names(row["team_name_zh"], row["team_name_en"]),
                f"{row['rank_low']}–{row['rank_high']}",
                f"{round_half_up(100 * row['in_top'], 0)} %", str(row["sheets"]),
            ]
            for row in found["teams"]
        ),
        (14, 24, 100, 32, 36, 22),
        aligns=["RIGHT", "LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT"],
    )  # fmt: skip
    _title(pdf, _("Judges"))
    pdf.grid(
        [_("Judge"), _("Sheets"), _("Mean"), _("Spread"), _("Stricter by"),
         _("Agrees with the others"), _("Without this judge")],
        (
            [
                row["judge"], str(row["sheets"]), _shown(row["mean"]), _shown(row["spread"]),
                _shown(row["severity"]), _shown(row["agreement"]),
                _shift(row["without_entering"], row["without_leaving"]),
            ]
            for row in found["judges"]
        ),
        (60, 20, 24, 24, 28, 36, 76),
        aligns=["LEFT", *["RIGHT"] * 5, "LEFT"],
    )  # fmt: skip
    _title(pdf, _("Under other methods"))
    pdf.grid(
        [_("Method"), _("First %(n)s") % {"n": report.top}, _("Teams that move"), _("Furthest")],
        (
            [row["method"], _shift(row["entering"], row["leaving"]), str(row["moved"]),
             str(row["furthest"])]
            for row in found["other_methods"]
        ),
        (100, 110, 32, 26),
        aligns=["LEFT", "LEFT", "RIGHT", "RIGHT"],
    )  # fmt: skip
    _title(pdf, _("Coefficients"))
    pdf.grid(
        [_("Coefficient"), _("Value"), _("95 % interval"), "p"],
        (
            [row["coefficient"], _shown(row["value"], 3),
             "" if row["low"] is None else f"{_shown(row['low'], 3)}–{_shown(row['high'], 3)}",
             "" if row["p"] is None else _shown(row["p"], 3)]
            for row in found["coefficients"]
        ),
        (90, 40, 60, 40),
        aligns=["LEFT", "RIGHT", "RIGHT", "RIGHT"],
    )  # fmt: skip
    pdf.heads_of_records(records(round))
    out.write(pdf.output())


def _title(pdf: Paper, text: str) -> None:
    if pdf.will_page_break(30):
        pdf.add_page()
    pdf.ln(2)
    pdf.say(text, size=12, height=8)


def _shown(value: float | None, decimals: int = 2) -> str:
    return "–" if value is None else str(round_half_up(value, decimals))


def _shift(entering: str | None, leaving: str | None) -> str:
    if entering is None:
        return "–"
    said = [f"+ {entering}"] * bool(entering) + [f"− {leaving}"] * bool(leaving)
    return "  ".join(said) or _("the same teams")


FORMATS = {
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "pdf": ("application/pdf", to_pdf),
    "json": (tables_out.JSON_TYPE, to_json),
}
