"""The organizer's view of a round's judging record: to read, to check, to take away."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from contest.access import round_organizer_required
from contest.numbers import whole
from judging.exports import FORMATS, export, is_large, with_names
from judging.models import Judge, RecordEntry
from judging.services import record
from judging.services.record_check import verify

PAGE = 50
# Records up to this length are checked whenever the page is opened, which takes half a second.
CHECKED_AT_ONCE = 5000


@round_organizer_required
def desk_record(request, round):
    """The record, newest first; with ``check`` whether it fits."""
    kept = record.of_round(round)
    context = {"event": round.event, "round": round, "record": kept}
    if "check" in request.GET:
        context |= {"checked": True, "faults": verify(round)}
        if request.htmx:
            return render(request, "judging/_record_state.html", context)
    entries = with_names(round).reverse()
    chosen = {name: request.GET.get(name, "") for name in ("judge", "team", "kind")}
    if (judge := whole(chosen["judge"])) is not None:
        entries = entries.filter(judge=judge)
    if (team := whole(chosen["team"])) is not None:
        entries = entries.filter(participation=team)
    if chosen["kind"] in RecordEntry.Kind.values:
        entries = entries.filter(kind=chosen["kind"])
    in_it = RecordEntry.objects.filter(record__round=round, judge__isnull=False).values("judge")
    return render(
        request,
        "judging/desk_record.html",
        context
        | {
            "page": Paginator(entries, PAGE).get_page(request.GET.get("page")),
            "chosen": chosen,
            "narrowed": any(chosen.values()),
            "judges": Judge.objects.filter(pk__in=in_it),
            "participations": round.participations.select_related("team"),
            "kinds": RecordEntry.Kind.choices,
            "check_at_once": kept is not None and kept.length <= CHECKED_AT_ONCE,
            "formats": FORMATS,
        },
    )


@round_organizer_required
def desk_record_export(request, round, fmt):
    """The whole record as a file. A large one is prepared, which the page of downloads shows."""
    if fmt not in FORMATS:
        raise Http404
    if is_large(round):
        return redirect("desk-exports", round.event.slug, round.slug)
    name, content_type, content = export(round, fmt)
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
