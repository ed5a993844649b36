"""Tables that people fill in and upload: CSV and XLSX, as rows of text under known headings.

Knows nothing of what a table is for: an importer says which columns it takes, and names the row
and the column of whatever it finds wrong afterwards. Encoding, delimiter and headings are found
out; a formula is refused rather than guessed at.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import openpyxl
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.utils import get_column_letter

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 5000
MAX_LINES = 20_000  # with blank ones
MAX_CELL = 2000
MAX_COLUMNS = 200
# An XLSX is a ZIP archive; one that unpacks to more is no list of people or teams.
MAX_UNPACKED = 64 * 1024 * 1024
# So many faults are told at once; whoever has more corrects these first.
MAX_FAULTS = 50
OLE_MAGIC = b"\xd0\xcf\x11\xe0"
DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
}
# “+86 571 …” and “-3” are what they look like; other text after these signs would be a formula.
NUMBER = re.compile(r"[+-][\d\s().,-]+")
TEXT_SIGN = re.compile(r"'[=+\-@]")


@dataclass(frozen=True)
class Column:
    """A column that an importer takes: its name, and other headings by which people call it."""

    name: str
    labels: tuple[str, ...] = ()
    is_required: bool = False  # its heading must be there, and no cell may be empty

    def answers_to(self, heading: str) -> bool:
        return _plain(heading) in {_plain(name) for name in (self.name, *self.labels)}

    @property
    def described(self) -> str:
        """The name as files have it, with the first other heading: ``email (邮箱)``."""
        return f"{self.name} ({self.labels[0]})" if self.labels else self.name


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, and what was expected. ``row`` as a spreadsheet counts; 0: the file."""

    file: str
    row: int
    column: str
    said: str

    def __str__(self) -> str:
        if not self.row:
            return f"{self.file}: {self.said}"
        place = _("row %(row)s") % {"row": self.row}
        if self.column:
            place = _("row %(row)s, column “%(column)s”") % {
                "row": self.row,
                "column": self.column,
            }
        return f"{self.file}, {place}: {self.said}"


class BadTable(ValidationError):
    """The table cannot be taken; ``faults`` says why, place by place."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = list(faults)
        super().__init__([str(fault) for fault in self.faults[:MAX_FAULTS]], code="bad_table")


@dataclass(frozen=True)
class Row:
    """One row: its number, and every known column's text; empty where the file has none."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells[name]


@dataclass(frozen=True)
class Table:
    file: str
    columns: tuple[Column, ...]
    headings: dict[str, str]  # by the column's name, as the file writes it
    rows: list[Row]
    form: str  # how it was read, in words
    unread: tuple[str, ...] = ()  # headings that nobody knows; told, so that a typing error shows
    faults: list[Fault] = field(default_factory=list)

    def fault(self, row: Row, column: str, said) -> None:
        """Note what an importer finds wrong; ``require_none`` raises it."""
        self.faults.append(
            Fault(self.file, row.number, self.headings.get(column, column), str(said))
        )

    def require_none(self) -> None:
        """Raise BadTable, in the order of the file, if anything was found wrong."""
        if self.faults:
            raise BadTable(sorted(self.faults, key=lambda fault: fault.row))


def read_table(content: bytes, file: str, columns: Iterable[Column]) -> Table:
    """The table in an uploaded file: CSV in UTF-8, UTF-16 or GB18030, or XLSX. Raises BadTable.

    Columns may stand in any order, under any of their headings; blank rows are passed over.
    """
    columns = tuple(columns)
    if len(content) > MAX_BYTES:
        _refuse(file, _("The file is larger than %(most)s MB.") % {"most": MAX_BYTES // 1024**2})
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        _refuse(file, _("The file is empty."))
    if content.startswith(OLE_MAGIC):
        _refuse(file, _("This is an old Excel file (.xls). Save it as .xlsx or CSV."))
    if content.startswith(b"PK\x03\x04"):
        records, form = _xlsx(content, file), "XLSX"
    else:
        records, form = _csv(content, file, columns)
    return _table(file, form, records, columns)


def _refuse(file: str, said: str, row: int = 0, column: str = "") -> None:
    raise BadTable([Fault(file, row, column, said)])


def _plain(heading: str) -> str:
    """A heading without what people write differently: case, spaces, underscores, marks."""
    return re.sub(r"[\s_\-*()（）:：]", "", heading).casefold()


def _decode(content: bytes, file: str) -> tuple[str, str]:
    """The text and the name of its encoding. Excel in China writes GB18030 unless told not to."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tries = [("utf-16", "UTF-16")]
    else:
        tries = [("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")]
    for codec, name in tries:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, name
    _refuse(file, _("This is no text in UTF-8 or GB18030. Save it as CSV (UTF-8) or XLSX."))


def _csv(content: bytes, file: str, columns) -> tuple[Iterator[list], str]:
    text, encoding = _decode(content, file)
    text = text.lstrip("\ufeff")  # a program that marks the byte order twice
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        _refuse(file, _("The file is empty."))

    def known(delimiter: str) -> int:
        try:
            headings = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:  # told where the rows are read
            return 0
        return sum(column.answers_to(heading) for heading in headings for column in columns)

    delimiter = max(DELIMITERS, key=lambda d: (known(d), first.count(d)))
    form = _("CSV in %(encoding)s, separated by %(delimiter)s") % {
        "encoding": encoding,
        "delimiter": DELIMITERS[delimiter],
    }
    return _csv_rows(text, file, delimiter), form


def _too_long() -> str:
    return _("The cell has more than %(most)s characters.") % {"most": MAX_CELL}


def _csv_rows(text: str, file: str, delimiter: str) -> Iterator[list]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" in str(error):
                _refuse(file, _too_long() + " " + _("Is a quotation mark missing?"), number)
            _refuse(file, _("The quotation marks do not match."), number)


def _xlsx(content: bytes, file: str) -> Iterator[list]:
    """The cells of the first sheet. A cell with a formula is yielded as its ``=…`` text."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
                _refuse(file, _("The file unpacks to more than a table of this kind can hold."))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its own size need not be so
        for cells in sheet.iter_rows(max_col=MAX_COLUMNS + 1):
            yield [_cell(cell) for cell in cells]
    except BadTable:
        raise
    except Exception:  # openpyxl raises whatever a broken part of the file led to
        _refuse(file, _("The file cannot be read as XLSX. Save it again, or as CSV."))


def _cell(cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return "=" + str(getattr(value, "text", None) or value).lstrip("=")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(file: str, form: str, records: Iterable[list], columns) -> Table:
    headings: dict[str, int] = {}
    written: list[str] = []
    rows, faults = [], []
    for number, record in enumerate(records, start=1):
        if number > MAX_LINES:
            _refuse(file, _("The table has more than %(most)s rows.") % {"most": MAX_ROWS})
        cells = [str(cell).strip() for cell in record]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if not written:
            written = cells
            headings = _headings(file, number, cells, columns)
            continue
        if len(rows) == MAX_ROWS:
            _refuse(file, _("The table has more than %(most)s rows.") % {"most": MAX_ROWS})
        faults += _cell_faults(file, number, cells, written, headings)
        row = Row(
            number,
            {
                column.name: _text(cells, headings.get(column.name))
                for column in columns
            },
        )  # fmt: skip
        faults += [
            Fault(file, number, written[headings[column.name]], _("Nothing is here."))
            for column in columns
            if column.is_required and not row[column.name]
        ]
        rows.append(row)
    if faults:
        raise BadTable(sorted(faults, key=lambda fault: fault.row))
    if not written:
        _refuse(file, _("The file is empty."))
    if not rows:
        _refuse(file, _("The table has headings and no row."))
    return Table(
        file,
        tuple(columns),
        {name: written[n] for name, n in headings.items()},
        rows,
        form,
        tuple(h for n, h in enumerate(written) if h and n not in headings.values()),
    )


def _text(cells: list[str], n: int | None) -> str:
    text = cells[n] if n is not None and n < len(cells) else ""
    # What our own files put before text that begins like a formula.
    return text[1:] if TEXT_SIGN.match(text) else text


def _headings(file: str, number: int, cells: list[str], columns) -> dict[str, int]:
    """Where each known column stands, from the heading row."""
    if len(cells) > MAX_COLUMNS:
        _refuse(file, _("The table has more than %(most)s columns.") % {"most": MAX_COLUMNS})
    found: dict[str, int] = {}
    for n, heading in enumerate(cells):
        for column in columns:
            if not column.answers_to(heading):
                continue
            if column.name in found:
                _refuse(
                    file,
                    _("This column is there twice: “%(first)s” is the same.")
                    % {"first": cells[found[column.name]]},
                    number,
                    heading,
                )
            found[column.name] = n
    missing = [c.described for c in columns if c.is_required and c.name not in found]
    if missing:
        _refuse(
            file,
            _(
                "Columns are missing: %(missing)s. The first row has: %(found)s. "
                "Known are: %(known)s."
            )
            % {
                "missing": ", ".join(missing),
                "found": ", ".join(filter(None, cells))[:300],
                "known": ", ".join(column.described for column in columns),
            },
            number,
        )
    return found


def _cell_faults(file, number, cells, written, headings) -> Iterator[Fault]:
    read = set(headings.values())
    for n, cell in enumerate(cells):
        heading = written[n] if n < len(written) and written[n] else get_column_letter(n + 1)
        if cell and n >= len(written):
            yield Fault(file, number, heading, _("This cell stands beyond the headings."))
        if n not in read:
            continue
        if len(cell) > MAX_CELL:
            yield Fault(file, number, heading, _too_long())
        elif cell.startswith(("=", "@")) or (
            cell.startswith(("+", "-")) and not NUMBER.fullmatch(cell)
        ):
            said = _("Expected a value, found the formula “%(found)s”.") % {"found": cell[:60]}
            yield Fault(file, number, heading, said)
        elif any(ord(char) < 32 and char not in "\t\r\n" for char in cell):
            yield Fault(file, number, heading, _("The cell holds characters that cannot be shown."))
