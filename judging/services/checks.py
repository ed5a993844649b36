"""Checking a file before it is sent: nothing is kept, nothing counts."""

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Participation, Submission
from contest.uploads import UploadTooLarge, safe_name
from judging.models import Benchmark
from judging.services.benchmarks import load_hidden, read_for

CHECKS_A_MINUTE = 10


def check_predictions(participation: Participation, benchmark: Benchmark, file) -> None:
    """Whether a file of predictions has the form that the task asks for.

    Tells no more than the sample does: which ids and columns there are, never how good the answers
    would be. Raises SubmissionFault with row and column, Refused beyond ten checks a minute.
    """
    round, name = participation.round, safe_name(file.name)
    if not round.is_accepting or Submission.Kind.PREDICTIONS not in benchmark.accepted_kinds():
        raise Refused(
            _("“%(round)s” takes no predictions now."),
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
    read_for(benchmark, load_hidden(benchmark), file.read(), name)
