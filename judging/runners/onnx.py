"""ONNX models: run in the sandbox on inputs without answers."""

import io
from dataclasses import replace

import numpy as np

from judging.faults import SubmissionFault
from judging.metrics import LABELS, PROBABILITIES, TEXT, class_name
from judging.runners.base import Answer, Hidden, Job, run_tool
from judging.runners.predictions import SUM_TOLERANCE
from judging.sandbox import Box, confinement, files

OUTPUT_LIMIT = 1 << 29
# A check runs the model on this many rows only.
CHECK_ROWS = 8


class OnnxRunner:
    """One float input of shape (rows, features), run in batches."""

    def check(self, job: Job) -> None:
        # Made-up rows: what a model says of hidden ones would tell of them.
        features = _inputs(job).shape[1]
        self._answer(job, np.random.default_rng(0).normal(size=(CHECK_ROWS, features)))

    def run(self, job: Job) -> Answer:
        return self._answer(job, _inputs(job))

    def _answer(self, job: Job, inputs: np.ndarray) -> Answer:
        hidden, benchmark, rows = job.hidden, job.benchmark, len(inputs)
        with Box() as box:
            box.lend("/app/model.onnx", job.path)
            np.save(box.folder("/app/input_data") / "inputs.npy", inputs, allow_pickle=False)
            out = box.folder("/app/output")
            told, _finished = run_tool(
                box,
                "run_onnx.py",
                [box.seen("/app/model.onnx"), box.seen("/app/input_data/inputs.npy"),
                 box.seen("/app/output")],
                limits=replace(job.limits, processes=16),
                read_only=("/app/model.onnx", "/app/input_data"),
                writable=("/app/output",),
                report="/app/output/report.json",
                file=job.name,
                alive=job.alive,
            )  # fmt: skip
            outputs = [(told_of, _load(out, told_of)) for told_of in told["outputs"]]
        return Answer(
            predictions=_predictions(outputs, job.name, rows, benchmark.needs, hidden),
            measured={name: float(value) for name, value in told["measured"].items()},
            sandbox=str(confinement()),
        )


def _inputs(job: Job) -> np.ndarray:
    if job.hidden.inputs is None:
        raise RuntimeError("the benchmark has no numeric inputs")
    return job.hidden.inputs


def _load(out, told: dict) -> np.ndarray:
    content = files.read_regular(out, str(told["file"]), OUTPUT_LIMIT)
    return np.load(io.BytesIO(content), allow_pickle=False)


def _predictions(found, name: str, rows: int, needs: str, hidden: Hidden) -> np.ndarray:
    outputs = [array for _told, array in found]
    classes = hidden.classes
    shapes = "; ".join(f"{o['name']} {o['shape']}" for o, _array in found) or "nothing usable"
    if needs == PROBABILITIES:
        wanted = f"shape (rows, {len(classes)})"
        usable = [o for o in outputs if o.dtype.kind == "f" and o.shape == (rows, len(classes))]
        if not usable:
            raise SubmissionFault("onnx_outputs", file=name, expected=wanted, found=shapes)
        values = usable[0].astype(float)
        _require_finite(values, name)
        if values.min() < -SUM_TOLERANCE or np.abs(values.sum(axis=1) - 1).max() > SUM_TOLERANCE:
            expected = "probabilities that add up to 1 in each row"
            raise SubmissionFault("onnx_outputs", file=name, expected=expected, found=shapes)
        return values.clip(0, 1)
    usable = [o.reshape(rows) for o in outputs if o.size == rows]
    if needs == LABELS:
        for values in usable:
            labels = np.array([class_name(value) for value in values])
            if set(labels) <= set(classes):
                return labels
        expected = f"shape (rows,) of the classes {', '.join(classes[:20])}"
        raise SubmissionFault("onnx_outputs", file=name, expected=expected, found=shapes)
    if needs == TEXT and usable:
        return np.array([class_name(value) for value in usable[0]])
    numeric = [o for o in usable if o.dtype.kind in "iuf"]
    if not numeric:
        raise SubmissionFault("onnx_outputs", file=name, expected="shape (rows,)", found=shapes)
    values = numeric[0].astype(float)
    _require_finite(values, name)
    return values


def _require_finite(values: np.ndarray, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        raise SubmissionFault("onnx_not_finite", file=name, row=int(bad[0]) + 2)
