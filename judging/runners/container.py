"""Container images: run by Docker or Podman, where the operator has set one up.

The image is the file that ``docker save`` or ``podman save`` writes. It finds ``/app/input_data``
and leaves ``/app/output/predictions.csv``, as code does; its entry point is the command.
"""

import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from judging.faults import SubmissionFault
from judging.models.benchmark import IMAGE_S, TOOL_S
from judging.runners.base import Answer, Job, run_tool
from judging.runners.code import predictions_left, require_success
from judging.sandbox import Box, End, Limits, files
from judging.sandbox.process import supervise

LOAD_S, LARGEST_MB = IMAGE_S, 20 * 1024
LOOKING = Limits(wall_s=TOOL_S, memory_mb=1024, processes=16)
LOADED = re.compile(r"Loaded image(?: ID)?: ?(\S+)")
# A user that no image has an account for.
USER = "65534:65534"


class EngineUnavailable(RuntimeError):
    """No container engine is set up on this machine; it must not take container images."""


@functools.cache
def engine() -> tuple[str | None, str]:
    """(path of the engine or None, its version or why there is none). Asked once a process."""
    if not settings.CONTAINER_ENGINE:
        return None, "CONTAINER_ENGINE is not set"
    path = shutil.which(settings.CONTAINER_ENGINE)
    if path is None:
        return None, f"CONTAINER_ENGINE={settings.CONTAINER_ENGINE} was not found"
    try:
        asked = subprocess.run(  # noqa: S603
            [path, "info", "--format", "{{json .}}"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{path}: {error}"
    if asked.returncode:
        return None, f"{path} does not answer: {asked.stderr.strip()[:300]}"
    with suppress(ValueError):
        told = json.loads(asked.stdout)
        version = told.get("ServerVersion") or told.get("version", {}).get("Version")
        return path, f"{Path(path).name} {version}"
    return path, Path(path).name


def _require_engine() -> str:
    path, problem = engine()
    if path is None:
        raise EngineUnavailable(problem)
    return path


def run_options(job: Job, name: str, input_data: Path, output: Path) -> list[str]:
    """What every engine is told: no network, no rights, nothing writable but the output."""
    limits, megabytes = job.limits, job.benchmark.memory_mb
    return [
        "run", "--rm", "--name", name, "--pull", "never", "--network", "none", "--read-only",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", USER,
        "--pids-limit", str(limits.processes), "--memory", f"{megabytes}m",
        "--memory-swap", f"{megabytes}m", "--cpus", "1", "--ulimit", "core=0",
        "--ulimit", f"fsize={limits.file_mb << 20}", "--ulimit", "nofile=512",
        "--tmpfs", "/tmp:rw,nosuid,nodev,size=256m",  # noqa: S108 - inside the container
        "--volume", f"{input_data}:/app/input_data:ro", "--volume", f"{output}:/app/output:rw",
        "--env", "HOME=/tmp", *settings.CONTAINER_OPTIONS,
    ]  # fmt: skip


class ContainerRunner:
    def check(self, job: Job) -> None:
        """Whether the file is one image that does not grow beyond what may be loaded."""
        with Box() as box:
            box.lend("/app/image", job.path)
            box.folder("/app/report")
            run_tool(
                box,
                "check_image.py",
                [box.seen("/app/image"), box.seen("/app/report/image.json"),
                 str(LARGEST_MB << 20)],
                limits=job.bounded(LOOKING),
                read_only=("/app/image",),
                writable=("/app/report",),
                report="/app/report/image.json",
                file=job.name,
                alive=job.alive,
            )  # fmt: skip

    def run(self, job: Job) -> Answer:
        path = _require_engine()
        self.check(job)
        name = f"wuzhen-{os.getpid()}-{os.urandom(6).hex()}"
        try:
            image = self._load(path, job, name)
            with Box() as box:
                given, out = box.folder("/app/input_data"), box.folder("/app/output")
                (given / "inputs.csv").write_bytes(job.hidden.inputs_csv)
                files.publish(given)
                if os.geteuid() == 0:
                    files.hand_over(out, 65534)
                else:
                    out.chmod(0o777)  # the box's own folder keeps everybody else out
                # The engine counts memory and processes itself; time, disk and output are ours.
                watched = replace(job.limits, memory_mb=1 << 20, cpu_s=1e9)
                finished = supervise(
                    [path, *run_options(job, name, given, out), image], limits=watched,
                    watched=[out], alive=job.alive, env=_environment(),
                )  # fmt: skip
                if finished.code == 125:
                    raise RuntimeError(f"the container engine failed: {finished.log[-2000:]}")
                if finished.code == 137 and finished.end == End.EXITED:
                    raise SubmissionFault(
                        "out_of_memory", file=job.name, megabytes=job.benchmark.memory_mb
                    )
                require_success(finished, job.limits, job.name)
                answer = predictions_left(out, Path(box.root), job, finished)
        finally:
            for command in (["rm", "--force", name], ["rmi", "--force", f"{name}:run"]):
                self._quietly(path, command)
        answer.sandbox = engine()[1]
        # Of the engine's client; what the container itself took is not told by it.
        answer.measured = {"wall_s": finished.wall_s}
        return answer

    def _load(self, path: str, job: Job, name: str) -> str:
        """Load the image under a name of this run's own; the name.

        The file names its image as it likes, another team's the same: from loading to naming, one
        worker at a time has the engine.
        """
        limits = replace(job.limits, wall_s=LOAD_S, memory_mb=1 << 20, cpu_s=1e9)
        with (settings.DATA_DIR / "engine.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            loaded = supervise(
                [path, "load", "--input", str(job.path)], limits=limits, watched=[],
                alive=job.alive, env=_environment(),
            )  # fmt: skip
            if loaded.end != End.EXITED:
                raise SubmissionFault("timeout", file=job.name, seconds=LOAD_S)
            found = LOADED.findall(loaded.log)
            if loaded.code or not found:
                detail = loaded.log.strip()[-300:]
                raise SubmissionFault("not_an_image", file=job.name, detail=detail)
            named = self._quietly(path, ["tag", found[-1], f"{name}:run"])
            for other in found:
                self._quietly(path, ["rmi", other])
        if not named:
            raise RuntimeError(f"the engine could not name the image {found[-1]}")
        return f"{name}:run"

    def _quietly(self, path: str, command: list[str]) -> bool:
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(  # noqa: S603
                [path, *command], capture_output=True, timeout=120, env=_environment()
            )
            return done.returncode == 0
        return False


def _environment() -> dict[str, str]:
    """What the engine's client needs to find its daemon or its store, and nothing of ours."""
    names = ("HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "CONTAINER_HOST", "TMPDIR")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
