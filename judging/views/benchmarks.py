from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from judging.forms.benchmark import BenchmarkForm
from judging.metrics import METRICS
from judging.models import Benchmark, ScoringRun
from judging.services.benchmarks import current_benchmark, define_benchmark, rescore


def _add_errors(form, error: ValidationError) -> None:
    """A service's errors at their fields; those of fields that are not asked for, on top."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for field, messages_ in error.message_dict.items():
        form.add_error(field if field in form.fields else None, messages_)


@round_organizer_required
def desk_benchmark(request, round):
    """Define what an automated round is scored by."""
    benchmark = current_benchmark(round)
    form = BenchmarkForm(
        request.POST or None, request.FILES or None, instance=benchmark or Benchmark(round=round)
    )
    if request.method == "POST" and form.is_valid():
        try:
            defined = define_benchmark(round, request.user, **form.cleaned_data)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            said = (
                _("Nothing was changed.")
                if benchmark is not None and defined == benchmark and defined.runs.exists()
                else _("Saved as version %(n)s.") % {"n": defined.version}
            )
            messages.success(request, said)
            return redirect("desk-benchmark", round.event.slug, round.slug)
    benchmark = current_benchmark(round)
    runs = (
        ScoringRun.objects.filter(benchmark=benchmark)
        .values("status")
        .annotate(count=Count("pk"))
        .order_by("status")
        if benchmark
        else []
    )
    return render(
        request,
        "judging/desk_benchmark.html",
        {
            "event": round.event,
            "round": round,
            "benchmark": benchmark,
            "metric": METRICS[benchmark.metric].label if benchmark else "",
            "form": form,
            "runs": [
                (dict(ScoringRun._meta.get_field("status").choices)[row["status"]], row["count"])
                for row in runs
            ],
            "versions": round.benchmarks.count(),
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
