from django.db.models import Count
from django.shortcuts import render

from contest.access import organizer_required
from judging.models import ResourceClass, ScoringRun
from judging.services import queue, workers
from judging.states import RunStatus


@organizer_required
def desk_workers(request, event):
    """Which workers are alive, what each can run, and what waits."""
    alive = list(workers.alive())
    counts = {
        (row["resource_class"], row["status"]): row["count"]
        for row in ScoringRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
        .values("resource_class", "status")
        .annotate(count=Count("pk"))
    }
    queues = []
    for name, label in ResourceClass.choices:
        slots = sum(w.processes for w in alive if name in w.resource_classes)
        waiting = counts.get((name, RunStatus.QUEUED), 0)
        each = queue.measured_duration(name)
        queues.append(
            {
                "label": label,
                "slots": slots,
                "waiting": waiting,
                "running": counts.get((name, RunStatus.RUNNING), 0),
                "each": each,
                "seconds": waiting * (each or queue.ASSUMED_S) / slots if slots else None,
            }
        )
    context = {"event": event, "workers": alive, "queues": queues}
    template = "judging/_workers.html" if request.htmx else "judging/desk_workers.html"
    return render(request, template, context)
