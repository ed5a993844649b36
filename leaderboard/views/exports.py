"""The organizer's page of everything that can be downloaded of a round, and the downloads."""

from django.http import Http404
from django.shortcuts import render

from contest.access import round_organizer_required
from judging.exports import FORMATS as RECORD_FORMATS
from leaderboard.exports.documents import DOCUMENTS, download


@round_organizer_required
def desk_exports(request, round):
    """What there is to download, and what each file holds."""
    documents = [(document, document.is_there(round)) for document in DOCUMENTS.values()]
    return render(
        request,
        "leaderboard/desk_exports.html",
        {
            "event": round.event,
            "round": round,
            "documents": documents,
            "record_formats": RECORD_FORMATS,
        },
    )


@round_organizer_required
def desk_export(request, round, document, fmt):
    """One document as a file."""
    found = DOCUMENTS.get(document)
    if found is None or fmt not in found.formats:
        raise Http404
    return download(found, round, fmt)
