"""Predictions in a CSV file, checked cell by cell against what the task expects."""

from math import isfinite

import numpy as np

from judging.faults import SubmissionFault
from judging.metrics import LABELS, METRICS, PROBABILITIES, class_name
from judging.runners.tables import read_keyed

SUM_TOLERANCE = 1e-3


def columns_for(metric: str, target_column: str, classes: list[str]) -> list[str]:
    """The columns beside the id: the target's, or ``p_<class>`` for each class."""
    if METRICS[metric].needs == PROBABILITIES:
        return [f"p_{label}" for label in classes]
    return [target_column]


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


def read_predictions(
    content: bytes,
    name: str,
    *,
    metric: str,
    id_column: str,
    target_column: str,
    ids: list[str],
    classes: list[str],
) -> np.ndarray:
    """Predictions in the order of ``ids``: (n,) labels or numbers, or (n, classes) probabilities.

    Which ids exist is no secret: teams have them from the sample. Raises SubmissionFault with the
    row as counted in the file, its header being row 1.
    """
    needs = METRICS[metric].needs
    columns = columns_for(metric, target_column, classes)
    known = set(ids)
    found = read_keyed(content, name, id_column, columns, expected_rows=len(ids))
    parsed = {}
    for key, (row, record) in found.items():
        if key not in known:
            raise SubmissionFault(
                "unknown_id", file=name, row=row, column=id_column, value=key[:100]
            )
        if needs == LABELS:
            parsed[key] = _label(record[target_column], name, row, target_column, classes)
        elif needs == PROBABILITIES:
            parsed[key] = _probabilities(record, name, row, columns)
        else:
            parsed[key] = number(record[target_column], name, row, target_column)
    missing = [key for key in ids if key not in parsed]
    if missing:
        raise SubmissionFault(
            "missing_ids",
            file=name,
            column=id_column,
            count=len(missing),
            examples=", ".join(missing[:3]),
        )
    return np.array([parsed[key] for key in ids])


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
