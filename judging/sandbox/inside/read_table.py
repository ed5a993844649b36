"""Reads a table that somebody made: CSV, JSON Lines or Parquet, as rows of text.

A program of its own, run inside the sandbox on what teams send: ``python read_table.py TABLE
REPORT MAX_ROWS EXPECTED``, where EXPECTED is a JSON list of the columns. REPORT gets JSON:
``{"columns": […], "rows": [[row, cell, …], …], "more": bool}``, or ``{"fault", "params"}``. It is
imported, too, to read what organizers upload. Knows nothing of the platform and needs, but for
Parquet, the standard library alone.

Rows are numbered as their maker counts them: lines of a CSV, its header being row 1; lines of JSON
Lines; records of Parquet, from 1.
"""

import csv
import io
import json
import sys

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET_MAGIC = b"PAR1"
# Longer cells are no ids, labels or numbers; they would be held in memory whole.
MAX_CELL = 10_000
MAX_COLUMNS = 2_000


class Fault(Exception):
    """The table is at fault; ``code`` and ``params`` are those of judging.faults."""

    def __init__(self, code, **params):
        super().__init__(code)
        self.code, self.params = code, params


def read_text(content):
    """Decode UTF-8 with or without byte-order mark; what else it might be is said."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Fault("empty_file")
    if content.startswith(ZIP_MAGIC):
        raise Fault("looks_like_zip")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        if b"\x00" in content[:1000]:
            raise Fault("binary", row=row) from None
        try:
            content.decode("gb18030")
        except UnicodeDecodeError:
            raise Fault("not_utf8", row=row) from None
        raise Fault("not_utf8_gbk", row=row) from None
    if (position := text.find("\x00")) >= 0:
        raise Fault("binary", row=text.count("\n", 0, position) + 1)
    return text


def _require_columns(columns, row=1):
    seen = set()
    for column in columns:
        if column in seen:
            raise Fault("duplicate_column", column=column[:100])
        seen.add(column)
    if len(columns) > MAX_COLUMNS:
        raise Fault("too_many_columns", expected=MAX_COLUMNS, found=len(columns))


def _csv(text):
    reader = csv.reader(io.StringIO(text, newline=""))
    csv.field_size_limit(MAX_CELL)
    columns = None
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            raise Fault("binary", row=start) from None
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if columns is None:
            _require_columns(cells)
            columns = cells
            yield columns
            continue
        if len(cells) != len(columns):
            raise Fault("wrong_cells", row=start, expected=len(columns), found=len(cells))
        yield [start, *cells]
    if columns is None:
        raise Fault("empty_file")


def _cell(value, row, column):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (str, int, float)):
        text = value.strip() if isinstance(value, str) else repr(value)
        if len(text) > MAX_CELL:
            raise Fault("binary", row=row)
        return text
    raise Fault("not_a_cell", row=row, column=column[:100])


def _once(pairs):
    found = {}
    for name, value in pairs:
        if name in found:
            raise Fault("duplicate_column", column=name[:100])
        found[name] = value
    return found


def _json_lines(text):
    columns = None
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            raise Fault("not_json", row=row) from None
        if not isinstance(record, dict):
            raise Fault("not_json", row=row)
        if columns is None:
            columns = list(record)
            _require_columns(columns)
            yield columns
        if set(record) != set(columns):
            raise Fault(
                "wrong_keys", row=row, expected=", ".join(columns)[:500],
                found=", ".join(record)[:500],
            )  # fmt: skip
        yield [row, *(_cell(record[column], row, column) for column in columns)]


def _parquet(path):
    import pyarrow
    import pyarrow.parquet

    try:
        # Neither memory-mapped nor prefetched: a broken file must fail here, as an exception.
        table = pyarrow.parquet.ParquetFile(path, memory_map=False, pre_buffer=False)
        columns = [str(name) for name in table.schema_arrow.names]
        _require_columns(columns)
        yield columns
        row = 0
        for batch in table.iter_batches(batch_size=4096, use_threads=False):
            for record in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                row += 1
                yield [row, *(_cell(v, row, c) for v, c in zip(record, columns, strict=True))]
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Fault("corrupt_parquet", detail=str(error)[:200]) from None


def rows_of(path):
    """The columns first, then ``[row, cell, …]`` for each record. Raises Fault."""
    with open(path, "rb") as file:
        if file.read(4) == PARQUET_MAGIC:
            return _parquet(path)
        file.seek(0)
        text = read_text(file.read())
    return _json_lines(text) if text.lstrip()[:1] == "{" else _csv(text)


def read(path, max_rows=None, expected=None):
    """``(columns, rows, more)``; ``more`` says that there are more than ``max_rows``.

    A table of other columns than those ``expected`` is not read: it can be small and its rows huge.
    """
    found = rows_of(path)
    columns, rows = next(found, None), []
    if columns is None:
        raise Fault("empty_file")
    if expected is not None and set(columns) != set(expected):
        raise Fault(
            "wrong_columns", expected=", ".join(expected)[:500], found=", ".join(columns)[:500]
        )
    for row in found:
        if max_rows is not None and len(rows) >= max_rows:
            return columns, rows, True
        rows.append(row)
    if not rows:
        raise Fault("empty_file")
    return columns, rows, False


def main(table, report, max_rows, expected):
    try:
        columns, rows, more = read(table, int(max_rows) or None, json.loads(expected))
        told = {"columns": columns, "rows": rows, "more": more}
    except Fault as fault:
        told = {"fault": fault.code, "params": fault.params}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
