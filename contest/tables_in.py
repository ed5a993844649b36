"""Tables that people fill in and upload: CSV and XLSX, as rows of text under known headings.

Knows nothing of what a table is for: an importer says which columns it takes, and names the row
and the column of whatever it finds wrong afterwards. Encoding, delimiter and headings are found
out; a formula is refused rather than guessed at. Where a heading is nobody's, a mapping says which
column it is.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import openpyxl
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.utils import get_column_letter

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 10_000  # a season has 5,503 teams
MAX_LINES = 40_000  # with blank ones
MAX_CELL = 2000
MAX_COLUMNS = 200
MAX_HEADING = 200
# An XLSX is a ZIP archive; one that unpacks to more is no list of people or teams.
MAX_UNPACKED = 64 * 1024 * 1024
# So many faults are told at once; whoever has more corrects these first.
MAX_FAULTS = 50
# A column is shown with the first cell that is found in so many rows, cut to so many characters.
EXAMPLE_ROWS = 50
EXAMPLE_LENGTH = 60
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
    most: int = MAX_CELL  # characters of a cell

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


@dataclass(frozen=True)
class Heading:
    """A column of the file: what it is called there, a cell of it, and what it was read as."""

    text: str  # no two are the same; one that is empty, or there twice, is told by its place
    example: str
    column: str  # a Column's name; empty where it is not read


class BadTable(ValidationError):
    """The table cannot be taken; ``faults`` says why, place by place.

    ``found`` are the file's columns, where it could be read that far: another mapping may help.
    """

    def __init__(self, faults: Sequence[Fault], found: Sequence[Heading] = ()):
        self.faults, self.found = list(faults), tuple(found)
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
    found: tuple[Heading, ...] = ()  # all columns of the file
    faults: list[Fault] = field(default_factory=list)

    def fault(self, row: Row, column: str, said) -> None:
        """Note what an importer finds wrong; ``require_none`` raises it."""
        self.faults.append(
            Fault(self.file, row.number, self.headings.get(column, column), str(said))
        )

    def refuse(self, row: Row, error: ValidationError) -> None:
        """Note what a model finds wrong with a row's fields, each sentence once."""
        seen = set()
        for name, messages in error.message_dict.items():
            said = " ".join(messages)
            if said not in seen:
                self.fault(row, name, said)
            seen.add(said)

    def require_none(self) -> None:
        """Raise BadTable, in the order of the file, if anything was found wrong."""
        if self.faults:
            raise BadTable(sorted(self.faults, key=lambda fault: fault.row), self.found)


def read_table(
    content: bytes,
    file: str,
    columns: Iterable[Column],
    mapping: Mapping[str, str] | None = None,
) -> Table:
    """The table in an uploaded file: CSV in UTF-8, UTF-16 or GB18030, or XLSX. Raises BadTable.

    Columns may stand in any order, under any of their headings; blank rows are passed over.
    ``mapping`` says of headings which column they are, by its name, or that they are left out
    (empty); those that it does not name are recognised.
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
    return _table(file, form, records, columns, mapping or {})


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


def _too_long(most: int = MAX_CELL) -> str:
    return _("The cell has more than %(most)s characters.") % {"most": most}


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


def _table(file: str, form: str, records: Iterable[list], columns, mapping) -> Table:
    lines = _lines(file, records)
    if not lines:
        _refuse(file, _("The file is empty."))
    (number, written), *lines = lines
    if len(written) > MAX_COLUMNS:
        _refuse(file, _("The table has more than %(most)s columns.") % {"most": MAX_COLUMNS})
    written = [" ".join(heading.split()) for heading in written]
    texts = _texts(written)
    found = _found(written, texts, lines, columns, mapping)
    places, faults = _places(file, number, written, texts, columns, mapping)
    if faults:
        raise BadTable(faults, found)
    rows = []
    for number, cells in lines:
        faults += _cell_faults(file, number, cells, texts, places, columns)
        row = Row(
            number, {column.name: _text(cells, places.get(column.name)) for column in columns}
        )
        faults += [
            Fault(file, number, texts[places[column.name]], _("Nothing is here."))
            for column in columns
            if column.is_required and not row[column.name]
        ]
        rows.append(row)
    if faults:
        raise BadTable(sorted(faults, key=lambda fault: fault.row), found)
    if not rows:
        _refuse(file, _("The table has headings and no row."))
    read = set(places.values())
    return Table(
        file,
        tuple(columns),
        {name: texts[n] for name, n in places.items()},
        rows,
        form,
        tuple(
            texts[n]
            for n, heading in enumerate(written)
            if heading and n not in read and texts[n] not in mapping
        ),
        found,
    )


def _lines(file: str, records: Iterable[list]) -> list[tuple[int, list[str]]]:
    """Every row that holds something, with its number, without what is empty at its end."""
    lines = []
    for number, record in enumerate(records, start=1):
        cells = [str(cell).strip() for cell in record]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            lines.append((number, cells))
        if number > MAX_LINES or len(lines) > MAX_ROWS + 1:
            _refuse(file, _("The table has more than %(most)s rows.") % {"most": MAX_ROWS})
    return lines


def _text(cells: list[str], n: int | None) -> str:
    text = cells[n] if n is not None and n < len(cells) else ""
    # What our own files put before text that begins like a formula.
    return text[1:] if TEXT_SIGN.match(text) else text


def _texts(written: list[str]) -> list[str]:
    """What each heading is called: itself; by its letter if empty, numbered if there before."""
    texts: list[str] = []
    taken = set()
    for n, heading in enumerate(written):
        text = base = heading or get_column_letter(n + 1)
        count = 1
        while text in taken:
            count += 1
            text = f"{base} ({count})"
        taken.add(text)
        texts.append(text)
    return texts


def _names(heading: str, text: str, columns, mapping) -> list[str]:
    """The columns that a heading stands for: as the mapping says, else as it is recognised."""
    if text in mapping:
        return [mapping[text]] if mapping[text] else []
    said = set(mapping.values())
    return [c.name for c in columns if c.name not in said and c.answers_to(heading)]


def _found(written, texts, lines, columns, mapping) -> tuple[Heading, ...]:
    """The file's columns as whoever sent it is asked about them. One that is empty from its
    heading down is none."""
    found = []
    for n, (heading, text) in enumerate(zip(written, texts, strict=True)):
        below = (cells[n] for _number, cells in lines[:EXAMPLE_ROWS] if n < len(cells) and cells[n])
        example = " ".join(next(below, "").split())
        if len(example) > EXAMPLE_LENGTH:
            example = example[: EXAMPLE_LENGTH - 1] + "…"
        names = _names(heading, text, columns, mapping)
        if heading or example:
            found.append(Heading(text, example, names[0] if names else ""))
    return tuple(found)


def _places(
    file: str, number: int, written: list[str], texts: list[str], columns, mapping
) -> tuple[dict[str, int], list[Fault]]:
    """Where each column stands, from the heading row; and what is wrong with that row."""
    known = ", ".join(column.described for column in columns)
    faults = [
        Fault(file, number, "", _("There is no column “%(heading)s”.") % {"heading": text[:100]})
        for text in mapping
        if text not in texts
    ]
    faults += [
        Fault(
            file,
            number,
            text,
            _("Nothing is called “%(name)s” here. Known are: %(known)s.")
            % {"name": name[:100], "known": known},
        )
        for text, name in mapping.items()
        if name and name not in {column.name for column in columns}
    ]
    faults += [
        Fault(
            file,
            number,
            get_column_letter(n + 1),
            _("The heading has more than %(most)s characters.") % {"most": MAX_HEADING},
        )
        for n, heading in enumerate(written)
        if len(heading) > MAX_HEADING
    ]
    if faults:
        return {}, faults
    places: dict[str, int] = {}
    for n, (heading, text) in enumerate(zip(written, texts, strict=True)):
        for name in _names(heading, text, columns, mapping):
            if name not in places:
                places[name] = n
                continue
            said = _("This column is there twice: “%(first)s” is the same.")
            faults.append(Fault(file, number, text, said % {"first": texts[places[name]]}))
    missing = [c.described for c in columns if c.is_required and c.name not in places]
    if missing and not faults:
        said = _(
            "Columns are missing: %(missing)s. The first row has: %(found)s. Known are: %(known)s."
        ) % {
            "missing": ", ".join(missing),
            "found": ", ".join(filter(None, written))[:300],
            "known": known,
        }
        faults.append(Fault(file, number, "", said))
    return places, faults


def _cell_faults(file, number, cells, texts, places, columns) -> Iterator[Fault]:
    most = {places[column.name]: column.most for column in columns if column.name in places}
    for n, cell in enumerate(cells):
        heading = texts[n] if n < len(texts) else get_column_letter(n + 1)
        if cell and n >= len(texts):
            yield Fault(file, number, heading, _("This cell stands beyond the headings."))
        if n not in most:
            continue
        if len(cell) > most[n]:
            yield Fault(file, number, heading, _too_long(most[n]))
        elif cell.startswith(("=", "@")) or (
            cell.startswith(("+", "-")) and not NUMBER.fullmatch(cell)
        ):
            said = _("Expected a value, found the formula “%(found)s”.") % {"found": cell[:60]}
            yield Fault(file, number, heading, said)
        elif any(ord(char) < 32 and char not in "\t\r\n" for char in cell):
            yield Fault(file, number, heading, _("The cell holds characters that cannot be shown."))
