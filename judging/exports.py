"""The judging record of a round as CSV, XLSX and JSON. docs/auditors.md explains the columns."""

import io
from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils import timezone

from contest import tables_out
from contest.models import Round
from contest.tables_out import Progress, quiet
from judging.models import RecordEntry
from judging.services import record

# In this order, under these names, in every export; those of the JSON's ``content`` among them.
COLUMNS = (
    "number", "kind", "at", "device_at", "device", "by", "by_name", "judge", "judge_name",
    "participation", "team_code", "scoresheet", "criterion", "criterion_zh", "criterion_en",
    "previous", "value", "text", "reason", "key", "digest",
)  # fmt: skip
# Entries that are read from the database at a time.
HELD = 2000


def with_names(round: Round) -> QuerySet[RecordEntry]:
    """The round's entries with everything that names them, in their order."""
    return (
        RecordEntry.objects.filter(record__round=round)
        .select_related("judge", "participation__team", "criterion", "by")
        .order_by("number")
    )


def row(entry: RecordEntry) -> dict:
    """One entry with the names of what it is about, by today's spelling."""
    values = {
        **entry.content(),
        "by_name": entry.by.name if entry.by else None,
        "judge_name": entry.judge.name if entry.judge else None,
        "team_code": entry.participation.team.code if entry.participation else None,
        "criterion_zh": entry.criterion.name_zh if entry.criterion else None,
        "criterion_en": entry.criterion.name_en if entry.criterion else None,
        "digest": entry.digest,
    }
    return {name: values[name] for name in COLUMNS}


def length(round: Round) -> int:
    """How many entries an export holds."""
    kept = record.of_round(round)
    return kept.length if kept else 0


def is_large(round: Round) -> bool:
    return tables_out.is_large(length(round))


def _read(entries: QuerySet[RecordEntry], progress: Progress) -> Iterator[RecordEntry]:
    """One after another, without holding more than some of them."""
    for done, entry in enumerate(entries.iterator(HELD)):
        progress(done)
        yield entry


def _rows(round: Round, progress: Progress) -> Iterator[dict]:
    return (row(entry) for entry in _read(with_names(round), progress))


def to_csv(round: Round, out, progress: Progress = quiet) -> None:
    tables_out.write_csv(out, COLUMNS, _rows(round, progress))


def to_xlsx(round: Round, out, progress: Progress = quiet) -> None:
    with tables_out.Book(out) as book:
        tab = book.tab("record", COLUMNS)
        for each in _rows(round, progress):
            tab.add(each)


def to_json(round: Round, out, progress: Progress = quiet) -> None:
    """Everything from which the digests can be computed anew, and apart from it the names."""
    # What comes in while we read is in the next export.
    kept = record.of_round(round)
    head = {
        "event": round.event.slug,
        "round": round.slug,
        "exported_at": timezone.now().isoformat(),
        "length": kept.length if kept else 0,
        "head": kept.head if kept else "",
        "heads_in_the_log": [
            {"at": anchor.at.isoformat(), "length": anchor.number, "head": anchor.head}
            for anchor in record.anchors(round)
        ],
    }
    names: dict[str, dict] = {"judge": {}, "participation": {}, "criterion": {}, "by": {}}
    within = with_names(round).filter(number__lte=head["length"])
    said = (_said(entry, names) for entry in _read(within, progress))
    tables_out.write_json(out, head, "entries", said, {"names": names})


def _said(entry: RecordEntry, names: dict[str, dict]) -> dict:
    """What the digest is made of, and it; whom it is about is added to ``names``."""
    if entry.judge:
        names["judge"][entry.judge_id] = entry.judge.name
    if entry.participation:
        names["participation"][entry.participation_id] = entry.participation.team.code
    if entry.criterion:
        names["criterion"][entry.criterion_id] = {
            "zh": entry.criterion.name_zh, "en": entry.criterion.name_en,
        }  # fmt: skip
    if entry.by:
        names["by"][entry.by_id] = entry.by.name
    return {"content": entry.content(), "digest": entry.digest}


FORMATS = {
    "csv": (tables_out.CSV_TYPE, to_csv),
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "json": (tables_out.JSON_TYPE, to_json),
}


def export(round: Round, fmt: str) -> tuple[str, str, bytes]:
    """(file name, content type, content). Raises Refused for a format that is none of FORMATS."""
    content_type, write = tables_out.choose(FORMATS, fmt)
    out = io.BytesIO()
    write(round, out)
    return f"{round.event.slug}-{round.slug}-record.{fmt}", content_type, out.getvalue()
