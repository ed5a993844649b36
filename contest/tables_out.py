"""Tables as files: CSV that spreadsheets open right, XLSX, and text that is never a formula.

Rows are dicts; their keys are the names of the columns, which stay the same.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import xlsxwriter
from django.utils.translation import gettext as _

from contest.errors import Refused

# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON_TYPE = "application/json"
# The most characters that a cell of XLSX holds.
CELL = 32767


def choose(formats: Mapping[str, tuple[str, Callable]], fmt: str) -> tuple[str, Callable]:
    """(content type, writer) of a format. Raises Refused for one that is none of them."""
    if fmt not in formats:
        raise Refused(
            _("Choose one of the formats %(formats)s."),
            code="unknown_format",
            params={"formats": ", ".join(formats)},
        )
    return formats[fmt]


def neutral(value):
    """Text that a spreadsheet cannot take for a formula; other values as they are."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def table(fmt: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, bytes]:
    """(content type, content) of one table of texts as ``csv`` or ``xlsx``."""
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    if fmt == "csv":
        return CSV_TYPE, to_csv(columns, named)
    return XLSX_TYPE, to_xlsx({"table": (columns, named)})


def to_csv(columns: Sequence[str], rows: Sequence[Mapping]) -> bytes:
    """UTF-8 with a byte-order mark, which makes Excel read Chinese right."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutral(row[name]) for name in columns})
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def to_xlsx(
    sheets: Mapping[str, tuple[Sequence[str], Sequence[Mapping]]], decimals: int = 2
) -> bytes:
    """A workbook with one sheet for each ``{name: (columns, rows)}``.

    Decimals become numbers that show ``decimals`` places; texts stay texts, whatever they begin
    with.
    """
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#DFE9EF"})
        number = book.add_format({"num_format": f"0.{'0' * decimals}" if decimals else "0"})
        for name, (columns, rows) in sheets.items():
            _write(book.add_worksheet(name), columns, rows, bold, number)
    return out.getvalue()


def _write(sheet, columns, rows, bold, number) -> None:
    sheet.freeze_panes(1, 0)
    for x, name in enumerate(columns):
        sheet.write_string(0, x, name, bold)
        widest = max([len(name)] + [_width(row[name]) for row in rows])
        sheet.set_column(x, x, min(50, widest + 2))
    for y, row in enumerate(rows, start=1):
        for x, name in enumerate(columns):
            value = row[name]
            if value is None:
                continue
            if isinstance(value, Decimal):
                sheet.write_number(y, x, float(value), number)
            elif isinstance(value, bool):
                sheet.write_boolean(y, x, value)
            elif isinstance(value, (int, float)):
                sheet.write_number(y, x, value)
            else:
                sheet.write_string(y, x, neutral(str(value))[:CELL])


def _width(value) -> int:
    """Width in cells: a Chinese character takes two."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in str(value)[:60])
