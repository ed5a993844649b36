"""Reading CSV files that people made: every fault with its row, column and what was expected."""

import csv
import io
from collections.abc import Iterator

from judging.faults import SubmissionFault

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
# Longer cells are no ids, labels or numbers; the csv module would hold them all in memory.
MAX_CELL = 10_000


def read_text(content: bytes, name: str) -> str:
    """Decode a CSV file: UTF-8 with or without byte-order mark. Raises SubmissionFault."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise SubmissionFault("empty_file", file=name)
    if content.startswith(ZIP_MAGIC):
        raise SubmissionFault("looks_like_zip", file=name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        if b"\x00" in content[:1000]:
            raise SubmissionFault("binary", file=name, row=row) from None
        try:
            content.decode("gb18030")
        except UnicodeDecodeError:
            raise SubmissionFault("not_utf8", file=name, row=row) from None
        raise SubmissionFault("not_utf8_gbk", file=name, row=row) from None
    if (position := text.find("\x00")) >= 0:
        raise SubmissionFault("binary", file=name, row=text.count("\n", 0, position) + 1)
    return text


def read_rows(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (row in the file, cells); the header is row 1 and blank lines are skipped."""
    reader = csv.reader(io.StringIO(read_text(content, name), newline=""))
    csv.field_size_limit(MAX_CELL)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise SubmissionFault("binary", file=name, row=start) from None
        if cells and any(cell.strip() for cell in cells):
            yield start, [cell.strip() for cell in cells]


def read_header(rows: Iterator[tuple[int, list[str]]], name: str) -> list[str]:
    """The header's columns, each once. Raises SubmissionFault."""
    first = next(rows, None)
    if first is None:
        raise SubmissionFault("empty_file", file=name)
    columns = first[1]
    seen = set()
    for column in columns:
        if column in seen:
            raise SubmissionFault("duplicate_column", file=name, column=column[:100])
        seen.add(column)
    return columns


def read_keyed(
    content: bytes,
    name: str,
    id_column: str,
    columns: list[str] | None,
    *,
    expected_rows: int | None = None,
) -> dict[str, tuple[int, dict[str, str]]]:
    """Read a file with one row an id: ``{id: (row, {column: cell})}`` in the order of the file.

    ``columns`` are those expected beside the id, in any order; None takes whatever is there.
    A file with more than twice ``expected_rows`` is not read to its end; one that has a few rows
    too many is, so that the caller can name the first id that is wrong. Raises SubmissionFault.
    """
    rows = read_rows(content, name)
    header = read_header(rows, name)
    if columns is None:
        columns = [column for column in header if column != id_column]
    expected = [id_column, *columns]
    if set(header) != set(expected):
        raise SubmissionFault(
            "wrong_columns", file=name, expected=", ".join(expected), found=", ".join(header)[:500]
        )
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for row, cells in rows:
        if len(cells) != len(header):
            raise SubmissionFault(
                "wrong_cells", file=name, row=row, expected=len(header), found=len(cells)
            )
        record = dict(zip(header, cells, strict=True))
        for column in expected:
            if record[column] == "":
                raise SubmissionFault("blank", file=name, row=row, column=column)
        key = record.pop(id_column)
        if key in found:
            raise SubmissionFault(
                "duplicate_id", file=name, row=row, column=id_column, value=key[:100],
                first=found[key][0],
            )  # fmt: skip
        if expected_rows is not None and len(found) > 2 * expected_rows + 100:
            raise SubmissionFault("too_many_rows", file=name, expected=expected_rows)
        found[key] = (row, record)
    if not found:
        raise SubmissionFault("empty_file", file=name)
    return found
