"""The list of documents, and one of them as a file."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import FileResponse, Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contest import tables_out
from contest.models import Round
from judging.models import Scoresheet
from judging.states import ScoresheetStatus
from leaderboard.exports import finalists, matrix, reliability, scores, workbook
from leaderboard.services import advancement
from leaderboard.services.explanation import standing_of
from leaderboard.services.reliability import judges_component, report

# Larger files are put together on disk.
IN_MEMORY = 4 * 1024 * 1024


@dataclass(frozen=True)
class Document:
    """One thing to download, in several formats.

    ``source`` gives what its writers write down, None where there is nothing yet; ``is_there`` says
    the same without the work.
    """

    name: str
    title: Promise
    holds: Promise
    not_yet: Promise
    formats: Mapping[str, tuple[str, Callable]]
    source: Callable[[Round], object]
    is_there: Callable[[Round], bool]


def _has_ranking(round: Round) -> bool:
    return standing_of(round) is not None


def _has_sheets(round: Round) -> bool:
    submitted = Scoresheet.objects.filter(
        assignment__participation__round=round, status=ScoresheetStatus.SUBMITTED
    )
    return judges_component(round) is not None and submitted.exists()


def _report(round: Round):
    found = report(round)
    return None if found is None else (round, found)


DOCUMENTS = {
    document.name: document
    for document in (
        Document(
            "finalists",
            _("Finalist list"),
            _(
                "Who advances, best first, with totals, components and prizes; of a round from "
                "which nobody advances, its whole ranking. The PDF has lines for two organizers to "
                "sign on, and the head of the judging record."
            ),
            _("Propose who advances first."),
            finalists.FORMATS,
            advancement.in_force,
            lambda round: advancement.in_force(round) is not None,
        ),
        Document(
            "scores",
            _("Full score sheets"),
            _(
                "Every sheet and every mark, whether it counted and why. The XLSX computes every "
                "total and rank anew by formulas and compares them with the ranking; CSV is one "
                "row a mark; JSON has exact fractions."
            ),
            _("There is no ranking yet."),
            {
                "xlsx": (tables_out.XLSX_TYPE, workbook.to_xlsx),
                "csv": (tables_out.CSV_TYPE, scores.to_csv),
                "json": (tables_out.JSON_TYPE, scores.to_json),
            },
            standing_of,
            _has_ranking,
        ),
        Document(
            "matrix",
            _("Matrix of judges"),
            _(
                "Teams by judges: each sheet’s total, which were dropped or do not count, and the "
                "score they come to. The PDF can be signed."
            ),
            _("There is no ranking yet."),
            matrix.FORMATS,
            standing_of,
            _has_ranking,
        ),
        Document(
            "reliability",
            _("Reliability report"),
            _(
                "How far judges agree, how sure each rank is, each judge’s severity, and what "
                "would change under other methods; in the language that you read now."
            ),
            _("No sheet counts yet."),
            reliability.FORMATS,
            _report,
            _has_sheets,
        ),
    )
}


def download(document: Document, round: Round, fmt: str) -> FileResponse:
    """The document as an attachment. Raises Http404 where there is nothing in it yet, and Refused
    for a format that it does not have."""
    content_type, write = tables_out.choose(document.formats, fmt)
    source = document.source(round)
    if source is None:
        raise Http404
    # Closed by whoever sends it.
    out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    write(source, out)
    out.seek(0)
    name = f"{round.event.slug}-{round.slug}-{document.name}.{fmt}"
    return FileResponse(out, as_attachment=True, filename=name, content_type=content_type)
