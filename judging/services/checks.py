"""Checking a file before it is sent: nothing is kept, nothing counts."""

import logging
import tempfile
import threading
from pathlib import Path

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Participation
from contest.states import ParticipationStatus
from contest.uploads import UploadTooLarge, safe_name
from judging.models import Benchmark
from judging.runners import RUNNERS, programs
from judging.runners.base import Job
from judging.services.benchmarks import load_hidden

log = logging.getLogger(__name__)

CHECKS_A_MINUTE = 10
_at_once = threading.BoundedSemaphore(2)


def check_file(participation: Participation, benchmark: Benchmark, file, kind: str) -> None:
    """Whether a file has the form that the task asks for.

    Tells no more than the sample and the rules do, never how good the answers would be. A model is
    run on a few rows that are made up, code is unpacked and not run. Raises SubmissionFault with
    row and column, Refused beyond ten checks a minute.
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
    if participation.status != ParticipationStatus.ACTIVE:
        raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
    key = f"checks-{participation.pk}"
    cache.add(key, 0, 60)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out in this very moment
        count = 1
    if count > CHECKS_A_MINUTE:
        raise Refused(
            _("At most %(count)s checks a minute; wait a moment."),
            code="too_many_checks",
            params={"count": CHECKS_A_MINUTE},
        )
    # The web server has other things to do: a few checks at once, each within narrow limits.
    if not _at_once.acquire(blocking=False):
        raise Refused(_("Others are checking their files; wait a moment."), code="busy")
    try:
        _check(participation, benchmark, file, kind, name)
    except (RuntimeError, OSError):
        log.exception("a file could not be checked")
        raise Refused(
            _("The file can't be checked now; it can be sent."), code="no_check"
        ) from None
    finally:
        _at_once.release()


def _check(participation, benchmark: Benchmark, file, kind: str, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        path.chmod(0o644)
        if benchmark.is_table:
            hidden = load_hidden(benchmark)
            RUNNERS[kind].check(Job(path, name, benchmark, hidden, is_check=True))
        else:
            programs.check(Job(path, name, benchmark, is_check=True), kind)
