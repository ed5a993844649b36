"""Predictions in a table, checked cell by cell against what the task expects."""

from math import isfinite
from pathlib import Path

import numpy as np

from judging.faults import SubmissionFault
from judging.metrics import LABELS, PROBABILITIES, TEXT, VALUES, class_name
from judging.models import Benchmark
from judging.runners.base import Answer, Hidden, Job
from judging.runners.tables import READING, keyed, read_sent
from judging.sandbox import confinement

SUM_TOLERANCE = 1e-3


def columns_for(benchmark: Benchmark, classes: list[str]) -> list[str]:
    """The columns beside the id: the target's, or ``p_<class>`` for each class."""
    if benchmark.needs == PROBABILITIES:
        return [f"p_{label}" for label in classes]
    return [benchmark.target_column]


def number(text: str, name: str, row: int, column: str) -> float:
    """A finite number. Raises SubmissionFault."""
    try:
        value = float(text)
    except ValueError:
        raise SubmissionFault(
            "not_number", file=name, row=row, column=column, value=text[:100]
        ) from None
    if not isfinite(value):
        raise SubmissionFault("not_finite", file=name, row=row, column=column, value=text[:100])
    return value


class PredictionsRunner:
    """CSV, JSON Lines or Parquet with one row for each id."""

    def check(self, job: Job) -> None:
        read_answers(job, job.path, job.name)

    def run(self, job: Job) -> Answer:
        return Answer(read_answers(job, job.path, job.name), sandbox=str(confinement()))


def read_answers(job: Job, path: Path, name: str) -> np.ndarray:
    """A team's table in the order of the hidden ids. Raises SubmissionFault."""
    wanted = [job.benchmark.id_column, *columns_for(job.benchmark, job.hidden.classes)]
    columns, rows = read_sent(
        path, name, wanted, len(job.hidden.ids), job.alive, job.bounded(READING)
    )
    return in_order(job.benchmark, job.hidden, columns, rows, name)


def in_order(
    benchmark: Benchmark, hidden: Hidden, columns: list[str], rows: list[list], name: str
) -> np.ndarray:
    """A table's answers in the order of the hidden ids: (n,), or (n, classes) probabilities.

    Which ids exist is no secret: teams have them from the sample. Raises SubmissionFault with the
    row as it is counted in the file.
    """
    id_column, target, needs = benchmark.id_column, benchmark.target_column, benchmark.needs
    expected = columns_for(benchmark, hidden.classes)
    known = set(hidden.ids)
    parsed = {}
    for key, (row, record) in keyed(columns, rows, name, id_column, expected).items():
        if key not in known:
            raise SubmissionFault(
                "unknown_id", file=name, row=row, column=id_column, value=key[:100]
            )
        if needs == LABELS:
            parsed[key] = _label(record[target], name, row, target, hidden.classes)
        elif needs == PROBABILITIES:
            parsed[key] = _probabilities(record, name, row, expected)
        elif needs == VALUES:
            parsed[key] = number(record[target], name, row, target)
        else:
            parsed[key] = record[target]
    if missing := [key for key in hidden.ids if key not in parsed]:
        raise SubmissionFault(
            "missing_ids", file=name, column=id_column, count=len(missing),
            examples=", ".join(missing[:3]),
        )  # fmt: skip
    # Text as objects: one long cell would make an array of fixed width as wide for all.
    return np.array([parsed[key] for key in hidden.ids], dtype=object if needs == TEXT else None)


def _label(text: str, name: str, row: int, column: str, classes: list[str]) -> str:
    label = class_name(text)
    if label in classes:
        return label
    if text.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        raise SubmissionFault("not_finite", file=name, row=row, column=column, value=text)
    raise SubmissionFault(
        "unknown_class",
        file=name,
        row=row,
        column=column,
        value=text[:100],
        expected=", ".join(classes[:20]),
    )


def _probabilities(record: dict, name: str, row: int, columns: list[str]) -> list[float]:
    values = []
    for column in columns:
        value = number(record[column], name, row, column)
        if not 0 <= value <= 1:
            raise SubmissionFault(
                "bad_probability", file=name, row=row, column=column, value=record[column][:100]
            )
        values.append(value)
    if abs(sum(values) - 1) > SUM_TOLERANCE:
        raise SubmissionFault("bad_sum", file=name, row=row, value=f"{sum(values):.4f}")
    return values
