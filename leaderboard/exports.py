"""The finalist list as CSV, XLSX, PDF and JSON, all from the same rows."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal

import xlsxwriter
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from contest.errors import Refused
from contest.numbers import round_half_up
from contest.tables_out import XLSX, neutral, width
from contest.templatetags.wuzhen import event_time
from leaderboard.models import Advancement, AdvancementRow, AwardWinner
from leaderboard.services.schemes import ensure_scheme
from leaderboard.states import AdvancementStatus

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
        rows = rows.filter(outcome=AdvancementRow.Outcome.IN)
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


def to_csv(rows: list[dict], advancement: Advancement) -> bytes:
    """UTF-8 with a byte-order mark, which makes Excel read Chinese right."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["rank"])
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutral(value) for name, value in row.items()})
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def to_xlsx(rows: list[dict], advancement: Advancement) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("finalists")
        bold = book.add_format({"bold": True, "bg_color": "#DFE9EF"})
        places = ensure_scheme(advancement.round).decimals
        number = book.add_format({"num_format": f"0.{'0' * places}" if places else "0"})
        columns = list(rows[0]) if rows else ["rank"]
        sheet.freeze_panes(1, 0)
        for x, name in enumerate(columns):
            sheet.write_string(0, x, name, bold)
            widest = max([len(name)] + [width(row[name]) for row in rows])
            sheet.set_column(x, x, min(50, widest + 2))
        for y, row in enumerate(rows, start=1):
            for x, name in enumerate(columns):
                value = row[name]
                if isinstance(value, Decimal):
                    sheet.write_number(y, x, float(value), number)
                elif isinstance(value, int):
                    sheet.write_number(y, x, value)
                else:
                    sheet.write_string(y, x, neutral(value))
    return out.getvalue()


def to_json(rows: list[dict], advancement: Advancement) -> bytes:
    round = advancement.round
    document = {
        "event": round.event.slug,
        "round": round.slug,
        "status": advancement.status,
        "signed_at": advancement.signed_at.isoformat() if advancement.signed_at else None,
        "input_digest": advancement.standing.input_digest,
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
        signed = _("Signed off by %(name)s at %(when)s") % {
            "name": advancement.signed_by.name,
            "when": event_time(advancement.signed_at, event),
        }
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
    return bytes(pdf.output())


def _both(zh: str, en: str) -> str:
    return "\n".join(text for text in (zh, en) if text)


FORMATS: dict[str, tuple[str, Callable]] = {
    "csv": ("text/csv; charset=utf-8", to_csv),
    "xlsx": (XLSX, to_xlsx),
    "pdf": ("application/pdf", to_pdf),
    "json": ("application/json", to_json),
}


def export(advancement: Advancement, fmt: str) -> tuple[str, str, bytes]:
    """(file name, content type, content) of the finalist list. Raises Refused for a format
    that is none of FORMATS."""
    if fmt not in FORMATS:
        raise Refused(
            _("Choose one of the formats %(formats)s."),
            code="unknown_format",
            params={"formats": ", ".join(FORMATS)},
        )
    content_type, write = FORMATS[fmt]
    rows = [row.flat() for row in finalist_rows(advancement)]
    name = f"{advancement.round.event.slug}-{advancement.round.slug}-finalists.{fmt}"
    return name, content_type, write(rows, advancement)
