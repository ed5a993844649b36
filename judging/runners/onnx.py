"""ONNX models: run in a process of their own, with limits, on inputs without answers."""

import contextlib
import functools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from judging.faults import SubmissionFault
from judging.metrics import LABELS, METRICS, PROBABILITIES, class_name
from judging.runners.predictions import SUM_TOLERANCE

CHILD = Path(__file__).with_name("onnx_child.py")
# Names that no checkout or interpreter lies under, so that nothing is hidden by them.
SANDBOX_DIR = "/sandbox-work"
CHILD_IN_SANDBOX = "/sandbox-child.py"
MAX_OUTPUT_BYTES = 1 << 30
POLL_S = 0.05
# What Python and onnxruntime map before the model has asked for anything.
RUNTIME_MB = 1024


@dataclass(frozen=True)
class OnnxRun:
    """What a model answered, in the order of the inputs, and what it took."""

    predictions: np.ndarray
    peak_memory_mb: float
    sandbox: str


@functools.cache
def bubblewrap() -> str | None:
    """The path of bwrap where it works on this machine, else None. Asked once a process."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    probe = [path, *_bwrap_options(Path("/tmp")), "--", sys.executable, "-I", "-c", ""]  # noqa: S108 - nothing is written
    try:
        done = subprocess.run(probe, capture_output=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if done.returncode == 0 else None


def _bwrap_options(work: Path) -> list[str]:
    """No network, nothing of the host but what the interpreter needs, only ``work`` writable."""
    readable = {"/usr", "/bin", "/lib", "/lib64", sys.prefix, sys.base_prefix}
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    for path in sorted(readable):
        if os.path.exists(path):
            options += ["--ro-bind", path, path]
    return [
        *options,
        "--proc", "/proc",
        "--dev", "/dev",
        "--tmpfs", "/tmp",  # noqa: S108 - inside the sandbox
        "--ro-bind", str(CHILD), CHILD_IN_SANDBOX,
        "--bind", str(work), SANDBOX_DIR,
        "--chdir", SANDBOX_DIR,
        "--setenv", "PATH", "/usr/bin:/bin",
        "--setenv", "HOME", SANDBOX_DIR,
        "--setenv", "OMP_NUM_THREADS", "1",
    ]  # fmt: skip


def _limits(memory_mb: int, wall_seconds: int) -> Callable[[], None]:
    def apply() -> None:
        megabyte = 1024 * 1024
        space = (memory_mb + RUNTIME_MB) * megabyte
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_CPU, (wall_seconds + 1, wall_seconds + 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    return apply


def run_onnx(
    model: bytes,
    name: str,
    *,
    inputs: np.ndarray,
    metric: str,
    classes: list[str],
    wall_seconds: int,
    memory_mb: int,
    alive: Callable[[], None] = lambda: None,
) -> OnnxRun:
    """Run a model on ``inputs`` (n, features); ``alive`` is called about once a second meanwhile.

    The process sees the model and the inputs, never the answers, no network and an empty
    environment. Raises SubmissionFault; anything else is a fault of the platform.
    """
    with tempfile.TemporaryDirectory(prefix="onnx-") as folder:
        work = Path(folder)
        (work / "model.onnx").write_bytes(model)
        np.save(work / "inputs.npy", inputs, allow_pickle=False)
        bwrap = bubblewrap()
        if bwrap:
            command = [bwrap, *_bwrap_options(work), "--"]
            command += [sys.executable, "-I", CHILD_IN_SANDBOX, SANDBOX_DIR]
        else:
            command = [sys.executable, "-I", str(CHILD), str(work)]
        peak = _run(command, work, name, wall_seconds, memory_mb, alive)
        return OnnxRun(
            predictions=_predictions(work, name, len(inputs), metric, classes),
            peak_memory_mb=peak,
            sandbox="bubblewrap" if bwrap else "process limits",
        )


def _run(command, work: Path, name: str, wall_seconds: int, memory_mb: int, alive) -> float:
    """Run to the end or the time limit; peak memory in MB. Raises SubmissionFault."""
    with (work / "stderr").open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - the command is ours; the model is data to it
            command,
            cwd=work,
            env={"PATH": "/usr/bin:/bin", "HOME": str(work), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=_limits(memory_mb, wall_seconds),
        )
        deadline, last_sign = time.monotonic() + wall_seconds, time.monotonic()
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline:
                    raise SubmissionFault("timeout", file=name, seconds=wall_seconds)
                if time.monotonic() - last_sign > 1:
                    alive()
                    last_sign = time.monotonic()
                time.sleep(POLL_S)
        finally:
            # Whatever ends this, nothing of the model's process group goes on.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    code = os.waitstatus_to_exitcode(status)
    if not (work / "result.json").exists():
        log = (work / "stderr").read_bytes()[-20_000:].decode(errors="replace")
        if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            raise SubmissionFault("timeout", file=name, seconds=wall_seconds)
        if "MemoryError" in log or "bad_alloc" in log or "Cannot allocate memory" in log:
            raise SubmissionFault("out_of_memory", file=name, megabytes=memory_mb)
        if code > 0 and "child.py" not in log:
            raise RuntimeError(f"the ONNX runner could not start ({code}): {log[-2000:]}")
        raise SubmissionFault("crashed", file=name)
    return usage.ru_maxrss / 1024


def _predictions(work: Path, name: str, rows: int, metric: str, classes: list[str]) -> np.ndarray:
    result = json.loads((work / "result.json").read_text(encoding="utf-8"))
    if fault := result.get("fault"):
        raise SubmissionFault(fault, file=name, **result["params"])
    outputs = []
    for output in result["outputs"]:
        # The name is ours (out-<k>.npy); a model can't choose where this reads.
        path = work / Path(output["file"]).name
        outputs.append(np.load(path, allow_pickle=False))
    needs = METRICS[metric].needs
    found = "; ".join(f"{o['name']} {o['shape']}" for o in result["outputs"]) or "nothing usable"
    if needs == PROBABILITIES:
        wanted = f"shape (rows, {len(classes)})"
        usable = [o for o in outputs if o.dtype.kind == "f" and o.shape == (rows, len(classes))]
        if not usable:
            raise SubmissionFault("onnx_outputs", file=name, expected=wanted, found=found)
        values = usable[0].astype(float)
        _require_finite(values, name)
        if values.min() < -SUM_TOLERANCE or np.abs(values.sum(axis=1) - 1).max() > SUM_TOLERANCE:
            expected = "probabilities that add up to 1 in each row"
            raise SubmissionFault("onnx_outputs", file=name, expected=expected, found=found)
        return values.clip(0, 1)
    usable = [o.reshape(rows) for o in outputs if o.size == rows]
    if needs == LABELS:
        for values in usable:
            labels = np.array([class_name(value) for value in values])
            if set(labels) <= set(classes):
                return labels
        expected = f"shape (rows,) of the classes {', '.join(classes[:20])}"
        raise SubmissionFault("onnx_outputs", file=name, expected=expected, found=found)
    numeric = [o for o in usable if o.dtype.kind in "iuf"]
    if not numeric:
        raise SubmissionFault("onnx_outputs", file=name, expected="shape (rows,)", found=found)
    values = numeric[0].astype(float)
    _require_finite(values, name)
    return values


def _require_finite(values: np.ndarray, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        raise SubmissionFault("onnx_not_finite", file=name, row=int(bad[0]) + 2)
