"""Tables as files: CSV that spreadsheets open right, XLSX, and text that is never a formula.

Rows are dicts; their keys are the names of the columns, which stay the same.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name

from contest.errors import Refused

# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON_TYPE = "application/json"
# The most characters that a cell of XLSX holds.
CELL = 32767
# Rows of which the widest cell makes the column's width.
MEASURED = 500
# What is made of so many sheets, marks or entries is written while somebody waits for it, in a few
# seconds; a larger file is prepared by a worker (leaderboard/services/downloads.py).
AT_ONCE = 5000


def is_large(count: int) -> bool:
    """Whether a file made of so much takes longer than somebody should wait for a page."""
    return count > AT_ONCE


# Whoever writes long says how many teams or entries are written.
Progress = Callable[[int], None]


def quiet(count: int) -> None:
    """Nobody asked how far it is."""


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


def to_csv(columns: Sequence[str], rows: Iterable[Mapping]) -> bytes:
    """UTF-8 with a byte-order mark, which makes Excel read Chinese right."""
    out = io.BytesIO()
    write_csv(out, columns, rows)
    return out.getvalue()


def write_csv(
    out, columns: Sequence[str], rows: Iterable[Mapping], heads: Sequence[str] = ()
) -> None:
    """The same into a binary file, row by row. ``heads`` are a second row of heads."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns)
    if heads:
        writer.writerow([neutral(head) for head in heads])
    writer.writerows([neutral(row[name]) for name in columns] for row in rows)
    text.detach()


def write_json(
    out, head: Mapping, name: str, rows: Iterable[Mapping], tail: Mapping | None = None
) -> None:
    """An object with ``head``, the rows under ``name``, one a line, and ``tail``; into a binary
    file, row by row. What is in ``tail`` may come about while rows are written."""
    text = json.dumps(head, ensure_ascii=False, indent=1)
    out.write(text.removesuffix("\n}").encode())
    out.write(f",\n {json.dumps(name)}: [".encode())
    for n, row in enumerate(rows):
        out.write((",\n" if n else "\n").encode())
        out.write(json.dumps(row, ensure_ascii=False).encode())
    out.write(b"\n ]")
    for key, value in (tail or {}).items():
        out.write(f",\n {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}".encode())
    out.write(b"\n}\n")


def to_xlsx(
    sheets: Mapping[str, tuple[Sequence[str], Iterable[Mapping]]], decimals: int = 2
) -> bytes:
    """A workbook with one sheet for each ``{name: (columns, rows)}``; see Book."""
    out = io.BytesIO()
    with Book(out, decimals) as book:
        for name, (columns, rows) in sheets.items():
            tab = book.tab(name, columns)
            for row in rows:
                tab.add(row)
    return out.getvalue()


@dataclass(frozen=True)
class Formula:
    """A formula and what it comes to, for viewers that do not compute. It may name rows and
    columns and numbers of ours, and never text that somebody entered."""

    text: str
    value: float | str


@dataclass(frozen=True)
class Styled:
    """A value with the name of one of Book's looks."""

    value: object
    look: str


LOOKS = {
    "dropped": {"font_strikeout": True, "font_color": "#5F6B73"},
    "out": {"font_strikeout": True, "font_color": "#A3231F", "bg_color": "#F9E9E8"},
}


class Book:
    """A workbook that is written row by row, so that a large one takes no more memory.

    Decimals and fractions become numbers that show ``decimals`` places and hold all of them; texts
    stay texts, whatever they begin with. Rows of several sheets may be added in turns.
    """

    def __init__(self, out, decimals: int = 2, optional: int = 0):
        """``optional`` places more are shown where they are not 0."""
        # Where rows lie until the book is closed; gone with it, also where it is never finished.
        self.folder = tempfile.TemporaryDirectory()
        self.book = xlsxwriter.Workbook(
            out,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "tmpdir": self.folder.name,
            },
        )
        places = "0" * decimals + "#" * optional
        number = {"num_format": f"0.{places}" if places else "0"}
        self.head = self.book.add_format({"bold": True, "bg_color": "#DFE9EF"})
        self.number = self.book.add_format(number)
        self.looks = {name: self.book.add_format(number | look) for name, look in LOOKS.items()}
        self.tabs: list[Tab] = []

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, kind, *_error) -> None:
        with self.folder:
            if kind is None:
                for tab in self.tabs:
                    tab.set_widths()
                self.book.close()

    def tab(
        self, name: str, columns: Sequence[str], heads: Sequence[str] = (), frozen: int = 0
    ) -> "Tab":
        """A sheet; ``heads`` are a second row of heads, ``frozen`` columns stay in sight."""
        self.tabs.append(Tab(self, name, columns, heads, frozen))
        return self.tabs[-1]


class Tab:
    """One sheet of a Book, with its heads written and in sight."""

    def __init__(self, book: Book, name: str, columns, heads, frozen: int):
        self.book, self.name, self.columns = book, name, list(columns)
        self.sheet = book.book.add_worksheet(name)
        self.letters = {name: xl_col_to_name(x) for x, name in enumerate(self.columns)}
        self.widths = [max(len(each), 6) for each in self.columns]
        self.next = 0  # as the writer counts, from 0
        for row in [self.columns] + ([heads] if heads else []):
            for x, text in enumerate(row):
                self.sheet.write_string(self.next, x, neutral(str(text)), book.head)
                self._widen(x, text)
            self.next += 1
        self.sheet.freeze_panes(self.next, frozen)

    @property
    def row(self) -> int:
        """The next row to be written, as spreadsheets count."""
        return self.next + 1

    def cell(self, column: str, row: int) -> str:
        return f"{self.letters[column]}{row}"

    def range(self, column: str, first: int, last: int, *, here: bool = False) -> str:
        """``marks!$M$2:$M$6``; ``here`` is for formulas of this very sheet."""
        letter = self.letters[column]
        return f"{'' if here else self.name + '!'}${letter}${first}:${letter}${last}"

    def add(self, row: Mapping) -> None:
        for x, name in enumerate(self.columns):
            self._write(x, row[name])
        self.next += 1

    def _write(self, x: int, value) -> None:
        look = self.book.number
        if isinstance(value, Styled):
            value, look = value.value, self.book.looks[value.look]
        if value is None:
            return
        y, sheet = self.next, self.sheet
        if isinstance(value, Formula):
            sheet.write_formula(y, x, value.text, look, value.value)
        elif isinstance(value, (Decimal, Fraction)):
            sheet.write_number(y, x, float(value), look)
        elif isinstance(value, bool):
            sheet.write_boolean(y, x, value)
        elif isinstance(value, (int, float)):
            sheet.write_number(y, x, value)
        else:
            sheet.write_string(y, x, neutral(str(value))[:CELL])
        self._widen(x, value)

    def _widen(self, x: int, value) -> None:
        if self.next < MEASURED and isinstance(value, (str, int)):
            self.widths[x] = max(self.widths[x], _width(value))

    def set_widths(self) -> None:
        for x, width in enumerate(self.widths):
            self.sheet.set_column(x, x, min(50, width + 2))


def _width(value) -> int:
    """Width in cells: a Chinese character takes two."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in str(value)[:60])
