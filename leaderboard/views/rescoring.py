"""A new version of the benchmark: its cost, its progress, whom it moves, whether it is taken."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required
from contest.errors import Refused
from judging.models import Benchmark
from judging.services import rescoring
from judging.services.benchmarks import candidate_benchmark, current_benchmark
from leaderboard.services.schemes import ensure_scheme
from leaderboard.services.trials import Move, moves

ACTIONS = ("start", "adopt", "drop", "try_again")


@round_organizer_required
def desk_rescoring(request, round):
    """Every version, and the one on trial beside the one in force."""
    candidate, current = candidate_benchmark(round), current_benchmark(round)
    progress = rescoring.progress(candidate) if candidate else None
    begun = candidate is not None and candidate.runs.exists()
    listed = moves(round, candidate) if candidate and begun and progress.is_complete else None
    context = {
        "event": round.event,
        "round": round,
        "candidate": candidate,
        "current": current,
        "differences": _differences(current, candidate) if candidate and current else [],
        "cost": rescoring.cost(candidate) if candidate else None,
        "progress": progress,
        "begun": begun,
        "moves": listed,
        "moved": [move for move in listed if move.is_move] if listed is not None else [],
        "entering": [move for move in listed or [] if move.enters],
        "leaving": [move for move in listed or [] if move.leaves],
        "picture": moves_picture(listed) if listed else None,
        "decimals": ensure_scheme(round).decimals,
    }
    if request.htmx:
        return render(request, "leaderboard/_rescoring.html", context)
    context["versions"] = round.benchmarks.order_by("-version")
    return render(request, "leaderboard/desk_rescoring.html", context)


@require_POST
@round_organizer_required
def desk_rescoring_act(request, round):
    """Score by the version on trial, put it in force, drop it, or try an older one again."""
    action, reason = request.POST.get("action"), request.POST.get("reason", "")
    if action not in ACTIONS:
        raise Refused(_("Nothing was chosen."), code="no_action")
    number = request.POST.get("version", "")
    versions = Benchmark.objects.filter(round=round)
    benchmark = get_object_or_404(versions, version=number if number.isdecimal() else 0)
    if action == "start":
        count = rescoring.start(benchmark, request.user)
        said = _("%(count)s submissions were queued for scoring.") % {"count": count}
    elif action == "adopt":
        rescoring.adopt(benchmark, request.user, reason)
        said = _("Version %(n)s is in force.") % {"n": benchmark.version}
    elif action == "drop":
        rescoring.drop(benchmark, request.user, reason)
        said = _("Version %(n)s was dropped.") % {"n": benchmark.version}
    else:
        rescoring.try_again(benchmark, request.user)
        said = _("Version %(n)s is on trial.") % {"n": benchmark.version}
    messages.success(request, said)
    return redirect("desk-rescoring", round.event.slug, round.slug)


def _differences(old: Benchmark, new: Benchmark) -> list[tuple[str, str, str]]:
    """(setting, before, after) of what differs; files by the beginning of their digests."""
    ignored = {"id", "version", "status", "created_at", "reference", "inputs", "metric_program",
               "sample", "sample_name"}  # fmt: skip
    found = []
    for field in Benchmark._meta.concrete_fields:
        if field.name in ignored:
            continue
        before, after = getattr(old, field.attname), getattr(new, field.attname)
        if before != after:
            label = str(field.verbose_name)
            if field.name.endswith("_sha256"):
                label = str(Benchmark._meta.get_field(field.name[:-7]).verbose_name)
                before, after = (before[:12] or "–"), (after[:12] or "–")
            found.append((label, _said(field, old, before), _said(field, new, after)))
    pairs = zip(old.tasks.all(), new.tasks.all(), strict=False)
    for before, after in pairs:
        for name in after.FILES:
            digests = [getattr(task, f"{name}_sha256")[:12] or "–" for task in (before, after)]
            if digests[0] != digests[1]:
                found.append((str(after._meta.get_field(name).verbose_name), *digests))
    return found


def _said(field, benchmark: Benchmark, value) -> str:
    """A setting's value in words."""
    if field.name == "metric":
        return str(benchmark.main.label)
    if field.name == "extra_metrics":
        return ", ".join(str(benchmark.describe(name).label) for name in value) or "–"
    if field.name == "columns":
        return ", ".join(str(metric.label) for metric in benchmark.own_metrics().values()) or "–"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value) or "–"


def moves_picture(listed: list[Move]) -> dict:
    """Ranks before and after, for the chart; the first teams of either."""
    shown = [
        m
        for m in listed
        if m.rank_after and m.rank_before and min(m.rank_after, m.rank_before) <= 20
    ]
    return {
        "labels": [_("in force"), _("on trial")],
        "teams": [
            {
                "name": m.participation.team.name,
                "ranks": [m.rank_before, m.rank_after],
                "moved": m.rank_before != m.rank_after,
            }
            for m in shown
        ],
    }
