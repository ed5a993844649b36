"""Tables for spreadsheets, safe to open: text in them is never taken for a formula."""

import csv
import io

import xlsxwriter

# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}


def neutral(value):
    """Text that a spreadsheet cannot take for a formula; other values as they are."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def width(value) -> int:
    """Width in cells: a Chinese character takes two."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in str(value))


def table_file(fmt: str, headings: list[str], rows: list[list[str]]) -> bytes:
    """Rows of text as ``csv`` (UTF-8 with the byte-order mark that Excel needs) or ``xlsx``."""
    if fmt == "csv":
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(headings)
        writer.writerows([[neutral(cell) for cell in row] for row in rows])
        return b"\xef\xbb\xbf" + out.getvalue().encode()
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "bg_color": "#DFE9EF"})
        sheet.freeze_panes(1, 0)
        for x, heading in enumerate(headings):
            sheet.write_string(0, x, heading, bold)
            widest = max([width(heading), *(width(row[x]) for row in rows)])
            sheet.set_column(x, x, min(50, max(12, widest + 2)))
        for y, row in enumerate(rows, start=1):
            for x, cell in enumerate(row):
                sheet.write_string(y, x, neutral(cell))
    return out.getvalue()
