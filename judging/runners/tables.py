"""Tables of answers: read in the sandbox, then checked row by row."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from judging.faults import SubmissionFault
from judging.runners.base import run_tool
from judging.sandbox import Box, Limits
from judging.sandbox.inside import read_table

# For reading alone; what a model or program may use is the benchmark's to say.
READING = Limits(wall_s=60, memory_mb=2048, processes=16, file_mb=1024, disk_mb=1024)


def read_sent(
    path: Path,
    name: str,
    wanted: list[str],
    expected: int,
    alive: Callable[[], None] = lambda: None,
    limits: Limits = READING,
) -> tuple[list[str], list[list]]:
    """Columns and ``[row, cell, …]`` of a file that a team sent. Raises SubmissionFault.

    ``wanted`` are its columns, in any order. A file with more than twice the ``expected`` rows is
    not read to its end; one that has a few rows too many is, so that the first id that is wrong can
    be named.
    """
    with Box() as box:
        box.lend("/app/table", path)
        box.folder("/app/report")
        told, _finished = run_tool(
            box,
            "read_table.py",
            [
                box.seen("/app/table"),
                box.seen("/app/report/table.json"),
                str(2 * expected + 100),
                json.dumps(wanted),
            ],
            limits=limits,
            read_only=("/app/table",),
            writable=("/app/report",),
            report="/app/report/table.json",
            file=name,
            alive=alive,
        )
    if told["more"]:
        raise SubmissionFault("too_many_rows", file=name, expected=expected)
    return [str(column) for column in told["columns"]], told["rows"]


def read_own(content: bytes, name: str) -> tuple[list[str], list[list]]:
    """The same of a file that an organizer uploaded, read in this process."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            columns, rows, _more = read_table.read(file.name)
        except read_table.Fault as fault:
            raise SubmissionFault(fault.code, file=name, **fault.params) from None
    return columns, rows


def keyed(
    columns: list[str],
    rows: list[list],
    name: str,
    id_column: str,
    expected: list[str] | None,
) -> dict[str, tuple[int, dict[str, str]]]:
    """One record an id: ``{id: (row, {column: cell})}`` in the order of the file.

    ``expected`` are the columns beside the id, in any order; None takes whatever is there. Raises
    SubmissionFault.
    """
    if expected is None:
        expected = [column for column in columns if column != id_column]
    wanted = [id_column, *expected]
    if set(columns) != set(wanted):
        raise SubmissionFault(
            "wrong_columns", file=name, expected=", ".join(wanted), found=", ".join(columns)[:500]
        )
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for row, *cells in rows:
        record = dict(zip(columns, cells, strict=True))
        for column in wanted:
            if record[column] == "":
                raise SubmissionFault("blank", file=name, row=row, column=column)
        key = record.pop(id_column)
        if key in found:
            raise SubmissionFault(
                "duplicate_id", file=name, row=row, column=id_column, value=key[:100],
                first=found[key][0],
            )  # fmt: skip
        found[key] = (row, record)
    return found
