"""The organizer's page of everything that can be downloaded of a round, and the downloads.

Small files are written while one waits; large ones are prepared by a worker, and fetched later.
"""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from contest.access import round_organizer_required
from leaderboard.exports.documents import DOCUMENTS, Document, attachment, download
from leaderboard.models import PreparedFile
from leaderboard.services import downloads
from leaderboard.states import PreparedStatus


def _document(name: str, fmt: str) -> Document:
    found = DOCUMENTS.get(name)
    if found is None or fmt not in found.formats:
        raise Http404
    return found


def _page(round, document: Document):
    """The page of downloads, where it tells of the document."""
    path = reverse("desk-exports", args=[round.event.slug, round.slug])
    return redirect(f"{path}#{document.name}")


@round_organizer_required
def desk_exports(request, round):
    """What there is to download, what each file holds, and what is being prepared."""
    offers = downloads.offers(round)
    return render(
        request,
        "leaderboard/desk_exports.html",
        {
            "event": round.event,
            "round": round,
            "offers": offers,
            "some_are_large": any(offer.downloads for offer in offers),
        },
    )


@round_organizer_required
def desk_export(request, round, document, fmt):
    """One document as a file; where it is large, the page that has it prepared."""
    found = _document(document, fmt)
    if found.is_large(round):
        return _page(round, found)
    return download(found, round, fmt)


@require_http_methods(["GET", "POST"])
@round_organizer_required
def desk_export_prepare(request, round, document, fmt):
    """Have a large file prepared; asked by htmx, how far it is."""
    found = _document(document, fmt)
    if request.method == "POST":
        downloads.ask(found, round, fmt, request.user, anew="anew" in request.POST)
    if request.method == "POST" or not request.htmx:
        return _page(round, found)
    return render(
        request,
        "leaderboard/_download.html",
        {
            "event": round.event,
            "round": round,
            "download": downloads.download(found, round, fmt),
        },
    )


@round_organizer_required
def desk_export_file(request, round, pk):
    """A file that was prepared."""
    ready = PreparedFile.objects.filter(round=round, status=PreparedStatus.READY)
    prepared = get_object_or_404(ready, pk=pk)
    file = downloads.open_file(prepared)
    return attachment(file, round, DOCUMENTS[prepared.document], prepared.fmt)
