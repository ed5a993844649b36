"""Runs one ONNX model; a program of its own, started by judging.runners.onnx with limits.

Usage: ``python onnx_child.py WORK``. WORK holds ``model.onnx`` and ``inputs.npy`` (float64,
(n, features)). Writes ``out-<k>.npy`` for each output and ``result.json``; every fault that is the
model's is an entry in ``result.json``. Knows nothing of the platform and imports nothing of it.
"""

import json
import os
import sys

BATCH = 4096


def fail(code: str, **params) -> None:
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump({"fault": code, "params": params}, file)
    sys.exit(0)


def main(work: str) -> None:
    os.chdir(work)
    import numpy as np
    import onnxruntime as ort

    inputs = np.load("inputs.npy", allow_pickle=False)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
    except MemoryError:
        raise
    except Exception as error:
        fail("corrupt_onnx", detail=str(error)[:300])
    described = [f"{i.name}: {i.type} {i.shape}" for i in session.get_inputs()]
    first = session.get_inputs()[0] if session.get_inputs() else None
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    features = inputs.shape[1]
    if (
        len(described) != 1
        or first.type not in kinds
        or len(first.shape) != 2
        or (isinstance(first.shape[1], int) and first.shape[1] != features)
    ):
        fail("onnx_inputs", features=features, found="; ".join(described)[:300] or "none")
    # A model whose first dimension is fixed takes that many rows at a time.
    fixed = first.shape[0] if isinstance(first.shape[0], int) and first.shape[0] > 0 else None
    batch = fixed or BATCH
    parts: list[list] = []
    rows = len(inputs)
    for start in range(0, rows, batch):
        chunk = inputs[start : start + batch].astype(kinds[first.type])
        real = len(chunk)
        if fixed and real < fixed:
            chunk = np.concatenate([chunk, np.repeat(chunk[-1:], fixed - real, axis=0)])
        try:
            outputs = session.run(None, {first.name: chunk})
        except MemoryError:
            raise
        except Exception as error:
            fail("onnx_failed", detail=str(error)[:300])
        parts.append([take(np, output, real) for output in outputs])
    names = []
    for k, output in enumerate(session.get_outputs()):
        columns = [part[k] for part in parts]
        if any(column is None for column in columns):
            continue
        joined = np.concatenate(columns)
        if joined.dtype == object:
            joined = joined.astype(str)
        if joined.dtype.kind not in "biufU" or len(joined) != rows or joined.nbytes > 2**29:
            continue
        np.save(f"out-{k}.npy", joined, allow_pickle=False)
        names.append({"file": f"out-{k}.npy", "name": output.name, "shape": list(joined.shape)})
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump({"outputs": names}, file)


def take(np, output, rows: int):
    """An output's first ``rows`` rows as an array; scikit-learn's list of dicts becomes columns."""
    if isinstance(output, list) and output and isinstance(output[0], dict):
        keys = list(output[0])
        return np.array([[row[key] for key in keys] for row in output[:rows]])
    try:
        array = np.asarray(output)
    except ValueError:
        return None
    return array[:rows] if array.ndim >= 1 and len(array) >= rows else None


if __name__ == "__main__":
    main(sys.argv[1])
