"""The list of documents, and one of them as a file."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import FileResponse, Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contest import tables_out
from contest.models import Round
from contest.tables_out import Progress, quiet
from judging import exports as record_exports
from judging.models import Mark, Scoresheet
from judging.services import record
from judging.states import ScoresheetStatus
from leaderboard.exports import finalists, matrix, reliability, scores, workbook
from leaderboard.models import AwardWinner, SchemeComponent
from leaderboard.services import advancement, standings
from leaderboard.services.explanation import standing_of
from leaderboard.services.reliability import judges_component, report
from leaderboard.services.schemes import ensure_scheme

# Larger files are put together on disk.
IN_MEMORY = 4 * 1024 * 1024
# A team's line, on paper the dearest of all, takes as long as so many marks.
A_TEAM = 10


@dataclass(frozen=True)
class Document:
    """One thing to download, in several formats.

    ``source`` gives what its writers write down, None where there is nothing yet; ``is_there`` says
    the same without the work. ``size`` says how much there is to read, ``inputs`` what it would be
    made of now. Where ``total`` says how many teams or entries a source has, writers take a third
    argument, which is told how many they have written.
    """

    name: str
    title: Promise
    holds: Promise
    not_yet: Promise
    formats: Mapping[str, tuple[str, Callable]]
    source: Callable[[Round], object]
    is_there: Callable[[Round], bool]
    size: Callable[[Round], int]
    inputs: Callable[[Round], list]
    total: Callable[[object], int] | None = None

    def is_large(self, round: Round) -> bool:
        return tables_out.is_large(self.size(round))

    def write(self, source, fmt: str, out, progress: Progress = quiet) -> None:
        _type, write = tables_out.choose(self.formats, fmt)
        if self.total is None:
            write(source, out)
        else:
            write(source, out, progress)


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


def _sheets_and_marks(round: Round) -> int:
    """Of the round's teams, in every round by whose judges they are ranked; and the teams."""
    sources = ensure_scheme(round).components.filter(kind=SchemeComponent.Kind.JUDGES)
    here = {
        "participation__round__in": sources.values("source"),
        "participation__team__in": round.participations.values("team"),
    }
    sheets = Scoresheet.objects.filter(**{f"assignment__{n}": v for n, v in here.items()})
    marks = Mark.objects.filter(**{f"scoresheet__assignment__{n}": v for n, v in here.items()})
    return A_TEAM * round.participations.count() + sheets.count() + marks.count()


def _ranking(round: Round) -> list:
    """What documents on a ranking are made of: it, who advances by it, and every record below."""
    standing = standings.signed_standing(round) or standings.current(round, standings.FULL)
    decided: list = []
    if (decision := advancement.in_force(round)) is not None:
        rows = decision.rows.order_by("pk").values_list("row", "outcome", "number")
        won = AwardWinner.objects.filter(award__round=round).order_by("pk").values_list("pk")
        decided = [decision.pk, decision.status, *rows, *won]
    return [standing and standing.pk, decided, finalists.records(round)]


def _finalists(round: Round) -> int:
    decision = advancement.in_force(round)
    return A_TEAM * finalists.listed(decision).count() if decision else 0


def _record(round: Round) -> list:
    kept = record.of_round(round)
    return [kept.length, kept.head] if kept else []


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
            size=_finalists,
            inputs=_ranking,
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
            size=_sheets_and_marks,
            inputs=_ranking,
            total=lambda standing: standing.rows.count(),
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
            size=_sheets_and_marks,
            inputs=_ranking,
            total=lambda standing: standing.rows.count(),
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
            size=_sheets_and_marks,
            inputs=_ranking,
        ),
        Document(
            "record",
            _("Judging record"),
            _(
                "Every mark and whatever else makes the result, in one chain: each entry’s digest "
                "covers the one before. Nothing in it can be changed unnoticed."
            ),
            _("Nothing was entered yet."),
            record_exports.FORMATS,
            lambda round: round if record.of_round(round) else None,
            lambda round: record.of_round(round) is not None,
            size=record_exports.length,
            inputs=_record,
            total=record_exports.length,
        ),
    )
}


def download(document: Document, round: Round, fmt: str) -> FileResponse:
    """The document as an attachment. Raises Http404 where there is nothing in it yet, and Refused
    for a format that it does not have."""
    source = document.source(round)
    if source is None:
        raise Http404
    # Closed by whoever sends it.
    out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    document.write(source, fmt, out)
    out.seek(0)
    return attachment(out, round, document, fmt)


def attachment(file, round: Round, document: Document, fmt: str) -> FileResponse:
    """A file of the document as browsers keep it."""
    content_type, _write = tables_out.choose(document.formats, fmt)
    name = f"{round.event.slug}-{round.slug}-{document.name}.{fmt}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
