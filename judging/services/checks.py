"""Checking a file before it is sent: nothing is kept, nothing counts."""

import tempfile
from pathlib import Path

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Participation
from contest.uploads import UploadTooLarge, safe_name
from judging.models import Benchmark
from judging.runners import RUNNERS, programs
from judging.runners.base import Job
from judging.services.benchmarks import load_hidden

CHECKS_A_MINUTE = 10


def check_file(participation: Participation, benchmark: Benchmark, file, kind: str) -> None:
    """Whether a file has the form that the task asks for.

    Tells no more than the sample and the rules do, never how good the answers would be. A model is
    run on a few of the hidden inputs, code is unpacked and not run. Raises SubmissionFault with row
    and column, Refused beyond ten checks a minute.
    """
    round, name = participation.round, safe_name(file.name)
    if not round.is_accepting or kind not in benchmark.accepted_kinds():
        raise Refused(
            _("“%(round)s” takes no files of this kind now."),
            code="round_not_open",
            params={"round": round.name},
        )
    if file.size > round.max_upload_bytes:
        raise UploadTooLarge(round.max_upload_bytes, name)
    key = f"checks-{participation.pk}"
    cache.add(key, 0, 60)
    if cache.incr(key) > CHECKS_A_MINUTE:
        raise Refused(
            _("At most %(count)s checks a minute; wait a moment."),
            code="too_many_checks",
            params={"count": CHECKS_A_MINUTE},
        )
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        path.chmod(0o644)
        if benchmark.is_table:
            RUNNERS[kind].check(Job(path, name, benchmark, load_hidden(benchmark)))
        else:
            programs.check(Job(path, name, benchmark), kind)
