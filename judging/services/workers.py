"""Workers: what each can run, and which are alive."""

import os
import socket
from datetime import timedelta

from django.utils import timezone

from contest.models import Submission
from judging.models import Worker
from judging.models.benchmark import DATA
from judging.runners.container import engine
from judging.sandbox import confinement

TELL_EVERY_S = 20
SILENT_AFTER_S = 75


def runnable_kinds() -> list[str]:
    """The kinds of files that this machine may run."""
    from django.conf import settings

    kinds = []
    if confinement().bwrap:
        kinds = [*DATA, Submission.Kind.CODE]
    elif settings.SANDBOX != "required":
        kinds = list(DATA)
    if engine()[0]:
        kinds.append(Submission.Kind.CONTAINER)
    return kinds


def process_name() -> str:
    """This process, as runs remember it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def problems() -> list[str]:
    """What this machine lacks, in words for its operator."""
    found = []
    if confinement().bwrap is None:
        refused = "code is refused"
        if Submission.Kind.ONNX not in runnable_kinds():
            refused = "everything is refused"
        found.append(f"no sandbox ({confinement().problem}): {refused}")
    path, problem = engine()
    if path is None:
        found.append(f"no container engine ({problem}): container images are refused")
    return found


def tell(name: str, resource_classes: list[str], processes: int, started_at) -> Worker:
    """Say that this worker is alive and what it can do."""
    path, version = engine()
    worker, _created = Worker.objects.update_or_create(
        name=name[:150],
        defaults={
            "resource_classes": resource_classes,
            "kinds": runnable_kinds(),
            "processes": processes,
            "sandbox": str(confinement())[:100],
            "problem": "\n".join(problems()),
            "container_engine": version[:100] if path else "",
            "started_at": started_at,
            "seen_at": timezone.now(),
        },
    )
    return worker


def alive():
    return Worker.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=SILENT_AFTER_S))


def slots(resource_class: str, needs: str = "") -> int:
    """How many runs of a class (that need this) can run at once, on the workers that are alive."""
    return sum(
        worker.processes
        for worker in alive()
        if resource_class in worker.resource_classes and (not needs or needs in worker.kinds)
    )
