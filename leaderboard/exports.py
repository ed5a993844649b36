"""Files of the result: the finalist list as CSV, XLSX, PDF and JSON, all from the same rows, and
how every total came about."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from contest import tables_out
from contest.models import Round
from contest.numbers import round_half_up
from contest.templatetags.wuzhen import event_time
from judging.models import Record
from judging.services.totals import fraction_to_decimal
from leaderboard.models import Advancement, AwardWinner
from leaderboard.services.explanation import (
    Explanation,
    MarkExplained,
    SheetExplained,
    explain_all,
)
from leaderboard.services.schemes import ensure_scheme
from leaderboard.states import ADVANCING, AdvancementStatus

FONT = settings.BASE_DIR / "static/vendor/noto-sans-sc/NotoSansSC_400Regular.ttf"


@dataclass(frozen=True)
class FinalistRow:
    """One team of the list. The field names are the columns, and stay the same."""

    rank: int
    team_code: str
    team_name_zh: str
    team_name_en: str
    project_zh: str
    project_en: str
    organisation_zh: str
    organisation_en: str
    country: str
    country_name: str
    track: str
    total: Decimal
    components: dict[str, Decimal]
    awards: str

    def flat(self) -> dict:
        """Column by column, components in columns of their own."""
        values = asdict(self)
        components = values.pop("components")
        awards = values.pop("awards")
        return {**values, **components, "awards": awards}


def finalist_rows(advancement: Advancement) -> list[FinalistRow]:
    """Who advances, best first; of a round from which nobody advances, its whole ranking.

    Totals are rounded half up to the decimals of the round's scheme. Four queries.
    """
    scheme = ensure_scheme(advancement.round)
    rows = advancement.rows.select_related(
        "row__participation__team__entry", "row__participation__team__track"
    ).exclude(row__rank=None)
    if scheme.advance_count:
        rows = rows.filter(outcome__in=ADVANCING)
    won: dict[int, list[str]] = {}
    for winner in AwardWinner.objects.filter(award__round=advancement.round).select_related(
        "award"
    ):
        won.setdefault(winner.participation_id, []).append(winner.award.name)
    finalists = []
    for row in (item.row for item in rows):
        team = row.participation.team
        finalists.append(
            FinalistRow(
                rank=row.rank,
                team_code=team.code,
                team_name_zh=team.name_zh,
                team_name_en=team.name_en,
                project_zh=team.entry.title_zh,
                project_en=team.entry.title_en,
                organisation_zh=team.organisation_zh,
                organisation_en=team.organisation_en,
                country=team.country.code,
                country_name=str(team.country.name),
                track=team.track.name,
                total=round_half_up(row.total, scheme.decimals),
                components={
                    component["name"].replace("-", "_"): round_half_up(
                        component["scaled"], scheme.decimals
                    )
                    for component in row.explanation["components"]
                    if component["scaled"] is not None
                },
                awards=", ".join(won.get(row.participation_id, [])),
            )
        )
    return finalists


def records(round: Round) -> list[dict]:
    """Length and head of every judging record that the round's ranking rests on.

    Written down here they are outside of the database: whoever changes a record later cannot
    change what was printed, and ``verify_audit --head`` compares.
    """
    sources = ensure_scheme(round).components.values("source")
    found = Record.objects.filter(Q(round=round) | Q(round__in=sources), length__gt=0)
    return [
        {"round": record.round.slug, "entries": record.length, "head": record.head}
        for record in found.select_related("round").order_by("round__ordinal")
    ]


def to_csv(rows: list[dict], advancement: Advancement) -> bytes:
    return tables_out.to_csv(list(rows[0]) if rows else ["rank"], rows)


def to_xlsx(rows: list[dict], advancement: Advancement) -> bytes:
    columns = list(rows[0]) if rows else ["rank"]
    decimals = ensure_scheme(advancement.round).decimals
    return tables_out.to_xlsx({"finalists": (columns, rows)}, decimals)


def to_json(rows: list[dict], advancement: Advancement) -> bytes:
    round = advancement.round
    document = {
        "event": round.event.slug,
        "round": round.slug,
        "status": advancement.status,
        "signed_at": advancement.signed_at.isoformat() if advancement.signed_at else None,
        "signatures": [
            {"name": item.by.name, "at": item.at.isoformat()}
            for item in advancement.signatures.select_related("by")
        ],
        "input_digest": advancement.standing.input_digest,
        "judging_records": records(round),
        "finalists": [
            {k: str(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


class _Document(FPDF):
    def footer(self) -> None:
        self.set_y(-12)
        self.set_font("noto", size=8)
        self.cell(0, 6, f"{self.page_no()} / {{nb}}", align="C")


def to_pdf(rows: list[dict], advancement: Advancement) -> bytes:
    """A4 landscape with the Chinese font embedded (only the glyphs that are used)."""
    round, event = advancement.round, advancement.round.event
    pdf = _Document(orientation="landscape", format="A4")
    pdf.set_title(f"{event.name} {round}")
    pdf.add_font("noto", fname=FONT)
    pdf.set_font("noto", size=16)
    pdf.add_page()
    pdf.multi_cell(0, 9, event.name, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("noto", size=11)
    pdf.multi_cell(0, 7, f"{round} · {_('Finalist list')}", new_x="LMARGIN", new_y="NEXT")
    if advancement.status == AdvancementStatus.SIGNED:
        signed = "\n".join(
            _("Signed off by %(name)s at %(when)s")
            % {"name": item.by.name, "when": event_time(item.at, event)}
            for item in advancement.signatures.select_related("by")
        )
    else:
        signed = _("Not signed off; made at %(when)s") % {"when": event_time(timezone.now(), event)}
    pdf.set_font("noto", size=9)
    pdf.multi_cell(0, 6, signed, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    heads = [_("Rank"), _("Code"), _("Team"), _("Project"), _("Organisation"),
             _("Country or region"), _("Total"), _("Awards")]  # fmt: skip
    with pdf.table(
        col_widths=(10, 16, 42, 52, 56, 30, 18, 32),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        line_height=5.5,
        repeat_headings=1,
        # The font has one weight; the heading is told by its ground.
        headings_style=FontFace(emphasis="", fill_color=(223, 233, 239)),
    ) as table:
        table.row(heads)
        for row in rows:
            table.row(
                [
                    str(row["rank"]),
                    row["team_code"],
                    _both(row["team_name_zh"], row["team_name_en"]),
                    _both(row["project_zh"], row["project_en"]),
                    _both(row["organisation_zh"], row["organisation_en"]),
                    row["country_name"],
                    str(row["total"]),
                    row["awards"],
                ]
            )
    pdf.ln(4)
    pdf.set_font("noto", size=8)
    for record in records(round):
        pdf.multi_cell(
            0, 5,
            _("Judging record of “%(round)s”: %(entries)s entries, head %(head)s") % record,
            new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
    return bytes(pdf.output())


def _both(zh: str, en: str) -> str:
    return "\n".join(text for text in (zh, en) if text)


FORMATS: dict[str, tuple[str, Callable]] = {
    "csv": (tables_out.CSV_TYPE, to_csv),
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "pdf": ("application/pdf", to_pdf),
    "json": (tables_out.JSON_TYPE, to_json),
}


def export(advancement: Advancement, fmt: str) -> tuple[str, str, bytes]:
    """(file name, content type, content) of the finalist list. Raises Refused for a format
    that is none of FORMATS."""
    content_type, write = tables_out.choose(FORMATS, fmt)
    rows = [row.flat() for row in finalist_rows(advancement)]
    name = f"{advancement.round.event.slug}-{advancement.round.slug}-finalists.{fmt}"
    return name, content_type, write(rows, advancement)


# --- How every total came about ------------------------------------------------------------

TOTALS = (
    "rank", "team_code", "team_name_zh", "team_name_en", "total", "component", "kind", "round",
    "weight", "value", "points", "aggregation", "metric", "raw", "worst", "best", "submission",
    "received_at", "lacks", "tie_breaks", "status", "agrees_with_ranking",
)  # fmt: skip
SHEETS = (
    "rank", "team_code", "component", "sheet", "judge", "organisation_zh", "organisation_en",
    "state", "total", "in_mean", "veto", "submitted_at",
)  # fmt: skip
MARKS = (
    "rank", "team_code", "component", "sheet", "judge", "criterion", "criterion_zh", "criterion_en",
    "kind", "weight", "lowest", "highest", "mark", "points", "changes", "last_changed_at",
)  # fmt: skip


def explanations(round: Round) -> tuple[str, str, bytes]:
    """(file name, content type, content) of a workbook: one row a component, a sheet, a mark.

    Numbers have four decimals more than the round shows, so that they add up when looked at.
    Empty content where there is no ranking.
    """
    given = explain_all(round)
    decimals = ensure_scheme(round).decimals + 4
    totals, sheets, marks = [], [], []
    for one in given:
        team = {"rank": one.rank, "team_code": one.code}
        totals += _totals(one, decimals)
        for part in one.components:
            for sheet in part.judges.sheets if part.judges else ():
                place = {**team, "component": part.name, "sheet": sheet.sheet, "judge": sheet.judge}
                sheets.append({**place, **_sheet(sheet, decimals)})
                marks += [{**place, **_mark(mark, decimals)} for mark in sheet.marks]
    content = tables_out.to_xlsx(
        {"totals": (TOTALS, totals), "sheets": (SHEETS, sheets), "marks": (MARKS, marks)}, decimals
    )
    name = f"{round.event.slug}-{round.slug}-explained.xlsx"
    return name, tables_out.XLSX_TYPE, content if given else b""


def _rounded(value: Fraction | None, decimals: int) -> Decimal | None:
    return None if value is None else round_half_up(value, decimals)


def _totals(one: Explanation, decimals: int) -> list[dict]:
    """A row for each component; one without any for a team that has none."""
    of_team = {
        **dict.fromkeys(TOTALS),
        "rank": one.rank,
        "team_code": one.code,
        "team_name_zh": one.name_zh,
        "team_name_en": one.name_en,
        "total": _rounded(one.total, decimals),
        "lacks": "; ".join(one.lacks),
        "tie_breaks": ", ".join(tie.name for tie in one.tie_breaks),
        "status": one.status,
        "agrees_with_ranking": one.matches,
    }
    rows = []
    for part in one.components:
        metric = part.metric
        rows.append(
            {
                **of_team,
                "component": part.name,
                "kind": part.kind,
                "round": part.source,
                "weight": fraction_to_decimal(part.weight),
                "value": _rounded(part.value, decimals),
                "points": _rounded(part.points, decimals),
                "aggregation": part.judges.aggregation if part.judges else None,
                "metric": metric.metric if metric else None,
                "raw": metric.raw if metric else None,
                "worst": metric.worst if metric else None,
                "best": metric.best if metric else None,
                "submission": metric.submission if metric else None,
                "received_at": metric.received_at.isoformat() if metric else None,
            }
        )
    return rows or [of_team]


def _sheet(sheet: SheetExplained, decimals: int) -> dict:
    return {
        "organisation_zh": sheet.organisation_zh,
        "organisation_en": sheet.organisation_en,
        "state": str(sheet.state),
        "total": _rounded(sheet.total, decimals),
        "in_mean": sheet.in_mean,
        "veto": sheet.veto,
        "submitted_at": sheet.submitted_at.isoformat() if sheet.submitted_at else None,
    }


def _mark(mark: MarkExplained, decimals: int) -> dict:
    return {
        "criterion": mark.code,
        "criterion_zh": mark.name_zh,
        "criterion_en": mark.name_en,
        "kind": str(mark.kind),
        "weight": mark.weight,
        "lowest": mark.minimum,
        "highest": mark.maximum,
        "mark": mark.value,
        "points": _rounded(mark.points, decimals),
        "changes": len(mark.revisions),
        "last_changed_at": mark.revisions[-1].at.isoformat() if mark.revisions else None,
    }
