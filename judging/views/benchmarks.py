from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from judging.forms.benchmark import BenchmarkForm
from judging.metrics import METRIC_CHOICES
from judging.models import Benchmark, ScoringRun
from judging.services import workers
from judging.services.benchmarks import (
    candidate_benchmark,
    current_benchmark,
    define_from_upload,
)
from judging.services.runs import rescore
from judging.states import RunStatus


def _add_errors(form, error: ValidationError) -> None:
    """A service's errors at their fields; those of fields that are not asked for, on top."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for field, messages_ in error.message_dict.items():
        field = "own_columns" if field == "columns" else field
        form.add_error(field if field in form.fields else None, messages_)


@round_organizer_required
def desk_benchmark(request, round):
    """Define what an automated round is scored by."""
    candidate, current = candidate_benchmark(round), current_benchmark(round)
    newest = candidate or current
    form = BenchmarkForm(
        request.POST or None, request.FILES or None, instance=newest or Benchmark(round=round)
    )
    if request.method == "POST" and form.is_valid():
        files, fields = form.for_service()
        try:
            defined = define_from_upload(round, request.user, files, fields)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            unchanged = newest is not None and defined == newest and defined.runs.exists()
            messages.success(
                request,
                _("No score changes by this; what was saved needs no new version.")
                if unchanged
                else _("Saved as version %(n)s.") % {"n": defined.version},
            )
            trial = defined.status == "candidate"
            page = "desk-rescoring" if trial else "desk-benchmark"
            return redirect(page, round.event.slug, round.slug)
    runs = (
        ScoringRun.objects.filter(benchmark=current)
        .values("status")
        .annotate(count=Count("pk"))
        .order_by("status")
        if current
        else []
    )
    return render(
        request,
        "judging/desk_benchmark.html",
        {
            "event": round.event,
            "round": round,
            "benchmark": current,
            "candidate": candidate,
            "newest": newest,
            "tasks": current.tasks.all() if current else [],
            "form": form,
            "metrics": METRIC_CHOICES,
            "runs": [(RunStatus(row["status"]).label, row["count"]) for row in runs],
            "versions": round.benchmarks.count(),
            "nobody": current is not None and not workers.slots(current.resource_class),
        },
    )


@require_POST
@round_organizer_required
def desk_rescore(request, round):
    """Queue every submission for the version in force."""
    count = rescore(round, request.user)
    messages.success(
        request, _("%(count)s submissions were queued for scoring.") % {"count": count}
    )
    return redirect("desk-benchmark", round.event.slug, round.slug)
