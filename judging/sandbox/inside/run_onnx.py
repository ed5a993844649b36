"""Runs one ONNX model; a program of its own, run inside the sandbox.

Usage: ``python run_onnx.py MODEL INPUTS.npy OUT``. INPUTS holds float64 (n, features). Writes to
the folder OUT ``out-<k>.npy`` for each output and ``report.json``: ``{"outputs", "measured"}``, or
``{"fault", "params"}`` for what is the model's fault. Knows nothing of the platform.
"""

import json
import os
import sys
import time

BATCH = 4096
# Operator sets that onnxruntime has on a CPU; others would need libraries of their own.
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
OLDEST_OPSET = 7
MAX_OUTPUT = 2**29


class Fault(Exception):
    def __init__(self, code, **params):
        super().__init__(code)
        self.code, self.params = code, params


def check(path):
    """What the file says of itself, before anything runs it. Raises Fault."""
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except MemoryError:
        raise
    except Exception as error:
        raise Fault("corrupt_onnx", detail=str(error)[:300]) from None
    if not model.graph.node:
        raise Fault("corrupt_onnx", detail="the graph has no nodes")
    tensors = list(model.graph.initializer)
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
        raise Fault("onnx_external")
    newest = onnx.defs.onnx_opset_version()
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for domain, version in versions.items():
        if domain not in DOMAINS:
            raise Fault("onnx_domain", found=domain[:100], expected=", ".join(DOMAINS[1:]))
        if domain in ("", "ai.onnx") and not OLDEST_OPSET <= version <= newest:
            raise Fault("onnx_opset", found=version, oldest=OLDEST_OPSET, newest=newest)
    return {domain or "ai.onnx": version for domain, version in versions.items()}


def load(path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except MemoryError:
        raise
    except Exception as error:
        raise Fault("corrupt_onnx", detail=str(error)[:300]) from None


def input_of(np, session, features):
    """The one input's name, type and fixed number of rows (or None). Raises Fault."""
    given = session.get_inputs()
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    described = "; ".join(f"{i.name}: {i.type} {i.shape}" for i in given)[:300] or "none"
    if (
        len(given) != 1
        or given[0].type not in kinds
        or len(given[0].shape) != 2
        or (isinstance(given[0].shape[1], int) and given[0].shape[1] != features)
    ):
        raise Fault("onnx_inputs", features=features, found=described)
    rows = given[0].shape[0]
    fixed = rows if isinstance(rows, int) and rows > 0 else None
    return given[0].name, kinds[given[0].type], fixed


def answers(np, session, inputs):
    """Outputs for all rows, one list of parts an output, and what running took."""
    name, kind, fixed = input_of(np, session, inputs.shape[1])
    batch, parts = fixed or BATCH, []
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(inputs), batch):
        chunk = inputs[start : start + batch].astype(kind)
        real = len(chunk)
        # A model whose first dimension is fixed takes that many rows at a time.
        if fixed and real < fixed:
            chunk = np.concatenate([chunk, np.repeat(chunk[-1:], fixed - real, axis=0)])
        try:
            outputs = session.run(None, {name: chunk})
        except MemoryError:
            raise
        except Exception as error:
            raise Fault("onnx_failed", detail=str(error)[:300]) from None
        parts.append([take(np, output, real) for output in outputs])
    took = {
        "wall_s": round(time.perf_counter() - wall, 4),
        "cpu_s": round(time.process_time() - cpu, 4),
    }
    return parts, took


def take(np, output, rows):
    """An output's first ``rows`` rows as an array; scikit-learn's list of dicts becomes columns."""
    if isinstance(output, list) and output and isinstance(output[0], dict):
        keys = list(output[0])
        return np.array([[row[key] for key in keys] for row in output[:rows]])
    try:
        array = np.asarray(output)
    except ValueError:
        return None
    return array[:rows] if array.ndim >= 1 and len(array) >= rows else None


def peak_memory_mb():
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def run(model, inputs, out):
    import numpy as np

    opsets = check(model)
    inputs = np.load(inputs, allow_pickle=False)
    session = load(model)
    parts, took = answers(np, session, inputs)
    outputs = []
    for k, output in enumerate(session.get_outputs()):
        columns = [part[k] for part in parts]
        if any(column is None for column in columns):
            continue
        joined = np.concatenate(columns)
        if joined.dtype == object:
            joined = joined.astype(str)
        usable = joined.dtype.kind in "biufU" and len(joined) == len(inputs)
        if not usable or joined.nbytes > MAX_OUTPUT:
            continue
        np.save(os.path.join(out, f"out-{k}.npy"), joined, allow_pickle=False)
        outputs.append({"file": f"out-{k}.npy", "name": output.name, "shape": list(joined.shape)})
    took |= {
        "peak_memory_mb": peak_memory_mb(),
        "size_mb": round(os.path.getsize(model) / 2**20, 4),
    }
    return {"outputs": outputs, "measured": took, "opsets": opsets}


def main(model, inputs, out):
    try:
        told = run(model, inputs, out)
    except Fault as fault:
        told = {"fault": fault.code, "params": fault.params}
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
