"""Adding to a round's judging record, and where its heads were written down.

Whether anybody meddled with one, record_check.py says.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from contest.models import LogEntry, Round, User
from judging.models import Record, RecordEntry, Rubric
from judging.services.telling import tell_desk, tell_judges

Kind = RecordEntry.Kind
# The log's action for a head, and how it is written: the number of entries and the last digest.
HEAD = "record_head"
WRITTEN = re.compile(r"(\d{1,9}) ([0-9a-f]{64})")


# What a ranking is made of: nothing of it comes in once the ranking is signed.
DECIDED_BY = frozenset(
    (
        Kind.SUBMITTED,
        Kind.RETURNED,
        Kind.READMITTED,
        Kind.RUBRIC,
        Kind.SCHEME,
        Kind.TIE,
        Kind.TIE_DROPPED,
    )
)


def hold(round: Round) -> Record:
    """The round's record, ours until the transaction ends: nothing comes in meanwhile."""
    locked = Record.objects.select_for_update()
    record = locked.filter(round=round).first()
    if record is None:  # the round's first entry
        Record.objects.get_or_create(round=round)
        record = locked.get(round=round)
    return record


def append(round: Round, kind: str, **fields) -> RecordEntry:
    """Add one entry; the caller's transaction holds the record until it ends.

    ``fields`` are those of RecordEntry. Take the record last: whoever holds it asks for no other
    lock, so that two writers never wait for each other. Raises Refused for what would change a
    ranking that was signed meanwhile.
    """
    (entry,) = append_all(round, [{"kind": kind, **fields}])
    return entry


def append_all(round: Round, entries: Iterable[Mapping]) -> list[RecordEntry]:
    """Add entries one after another, as ``append`` does, in as few queries as one of them."""
    entries = list(entries)
    record = hold(round)
    if any(fields["kind"] in DECIDED_BY for fields in entries):
        Round.objects.get(pk=round.pk).require_undecided()
    sealed, head, added = record.is_sealed, record.head, []
    for number, fields in enumerate(entries, start=record.length + 1):
        entry = RecordEntry(record=record, number=number, at=timezone.now(), **fields)
        head = entry.digest = entry.digest_after(head)
        added.append(entry)
    RecordEntry.objects.bulk_create(added)
    record.length, record.head = record.length + len(added), head
    if sealed:  # a seal that somebody broke stays broken
        record.seal = record.seal_now()
    record.save(update_fields=["length", "head", "seal"])
    tell_desk(round.pk)
    for device in {entry.device for entry in added}:
        tell_judges(
            (entry.judge_id for entry in added if entry.judge_id and entry.device == device), device
        )
    return added


def tell_criteria(round: Round, rubric: Rubric) -> None:
    """Keep what the rubric asks and weighs, once a record: the marks that follow rest on it.

    Call it where ``append`` could be called; it takes the record too.
    """
    record = hold(round)
    text = json.dumps(rubric.content(), sort_keys=True, ensure_ascii=False)
    if not record.entries.filter(kind=Kind.CRITERIA, text=text).exists():
        append(round, Kind.CRITERIA, text=text)


def of_round(round: Round) -> Record | None:
    """The round's record; None where nothing was entered yet."""
    return Record.objects.filter(round=round, length__gt=0).first()


# --- Heads that were written down ------------------------------------------------------------


@dataclass(frozen=True)
class Anchor:
    """A head as somebody wrote it down: after ``number`` entries the digest was ``head``.

    ``number`` is None where only the head is known; ``head`` may be its beginning.
    """

    head: str
    number: int | None = None
    at: datetime | None = None


def write_head_down(round: Round, by: User | None = None) -> LogEntry | None:
    """Keep in the event's log how the round's record ends now; nothing where it is empty."""
    record = of_round(round)
    if record is None:
        return None
    return LogEntry.write(round, HEAD, by=by, after=f"{record.length} {record.head}")


def anchors(round: Round) -> list[Anchor]:
    """The heads that the log holds, oldest first. One that cannot be read has an empty head."""
    kept = LogEntry.objects.filter(model="round", object_id=str(round.pk), action=HEAD)
    found = []
    for entry in kept.order_by("at", "pk"):
        match = WRITTEN.fullmatch(entry.after)
        number, head = (int(match[1]), match[2]) if match else (None, "")
        found.append(Anchor(head, number, entry.at))
    return found


def anchor_of(text: str) -> Anchor:
    """A head from paper: its digest, or at least the first 16 characters of it; case and spaces do
    not matter. Raises ValidationError."""
    head = "".join(text.split()).lower()
    if not re.fullmatch(r"[0-9a-f]{16,64}", head):
        raise ValidationError(
            _("A head is 64 characters of 0–9 and a–f, of which at least the first 16 are needed.")
        )
    return Anchor(head)


def holds(round: Round, head: str) -> bool:
    """Whether some entry's digest begins with ``head``."""
    return RecordEntry.objects.filter(record__round=round, digest__startswith=head).exists()
