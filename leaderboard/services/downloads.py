"""Large downloads: asked for by an organizer, prepared by a worker, kept for some days.

A preparation is a row before it is a message (docs/decisions/0004-queue.md): what a lost message or
a dead worker leaves behind is seen by whoever looks, and by ``tidy``. Whoever asks for a document
that is under way in the same format and language is shown that. One file at a time is written; the
others wait their turn.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from contest import tables_out
from contest.errors import Refused, WrongMove
from contest.heartbeat import heartbeat
from contest.models import Round, User
from contest.tables_out import Progress
from leaderboard.exports.documents import DOCUMENTS, Document
from leaderboard.models import PreparedFile
from leaderboard.models.prepared import ACTIVE
from leaderboard.states import PreparedStatus

log = logging.getLogger(__name__)

# How often a worker says that it is alive and how far it is, and when it is given up.
BEAT_S = 2.0
LOST_AFTER = timedelta(seconds=60)
# One that takes longer hangs; Celery ends its process then.
LONGEST = timedelta(hours=1)
# The message of one that nobody took is sent again.
WAKE_AFTER = timedelta(seconds=45)
# Those that wait are given up where for so long no worker has prepared anything.
WAITS_AT_MOST = timedelta(hours=1)

Fault = PreparedFile.Fault


class GivenUp(Exception):
    """Somebody gave the preparation up for lost while it was still written."""


# --- What there is ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Download:
    """One format of a document, as a page shows it: the file that can be had, and what became of
    the latest preparation where that is not the same."""

    document: Document
    fmt: str
    ready: PreparedFile | None = None
    latest: PreparedFile | None = None
    is_older: bool = False  # the file is of an older state than the round has now

    @property
    def active(self) -> PreparedFile | None:
        return self.latest if self.latest and self.latest.is_active else None

    @property
    def failed(self) -> PreparedFile | None:
        return self.latest if self.latest and not self.latest.is_active else None

    @property
    def can_be_asked_for(self) -> bool:
        """Also where the file is of this very state: names in it may be other ones by now."""
        return self.active is None


@dataclass(frozen=True)
class Offer:
    """A document as a page offers it; with ``downloads`` where it is large."""

    document: Document
    is_there: bool
    downloads: list[Download]


def offers(round: Round) -> list[Offer]:
    """Every document of the round, in the reader's language."""
    answer = cache(lambda question: question(round))  # several documents ask the same
    files, found = _files(round), []
    for document in DOCUMENTS.values():
        is_there, prepared = answer(document.is_there), []
        if is_there and tables_out.is_large(answer(document.size)):
            prepared = [_download(document, fmt, files, answer) for fmt in document.formats]
        found.append(Offer(document, is_there, prepared))
    return found


def download(document: Document, round: Round, fmt: str) -> Download:
    """What has become of one format of a large document, in the reader's language."""
    return _download(document, fmt, _files(round), lambda question: question(round))


def _files(round: Round) -> list[PreparedFile]:
    """Newest first."""
    kept = PreparedFile.objects.filter(round=round, language=translation.get_language())
    give_up_lost(kept)
    return list(kept)


def _download(document: Document, fmt: str, files: list[PreparedFile], answer) -> Download:
    mine = [file for file in files if (file.document, file.fmt) == (document.name, fmt)]
    ready = next((file for file in mine if file.status == PreparedStatus.READY), None)
    return Download(
        document,
        fmt,
        ready=ready,
        latest=mine[0] if mine and mine[0] is not ready else None,
        is_older=ready is not None and ready.inputs != _digest(answer(document.inputs)),
    )


def _digest(inputs: list) -> str:
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


# --- Asking ----------------------------------------------------------------------------------


def ask(
    document: Document, round: Round, fmt: str, by: User, *, anew: bool = False
) -> PreparedFile:
    """Have the document prepared in the reader's language; asked again it is the same preparation.

    That is the one that is under way, whatever has changed since it began (the page says so when it
    is there), or the file of this very state, unless it is wanted ``anew``. Raises Refused where
    there is nothing in it yet.
    """
    tables_out.choose(document.formats, fmt)
    if not document.is_there(round):
        raise Refused(document.not_yet, code="nothing_yet")
    kind = {
        "round": round,
        "document": document.name,
        "fmt": fmt,
        "language": translation.get_language(),
    }
    same = PreparedFile.objects.filter(**kind)
    give_up_lost(same)
    current = Q(status=PreparedStatus.READY, inputs=_digest(document.inputs(round)))
    usable = same.filter(Q(status__in=ACTIVE) if anew else Q(status__in=ACTIVE) | current)
    if found := usable.first():
        return found
    try:
        with transaction.atomic():
            file = PreparedFile.objects.create(**kind, asked_by=by)
    except IntegrityError:  # somebody else asked in the same moment
        return same.filter(status__in=ACTIVE).first() or same.latest("asked_at")
    transaction.on_commit(wake)
    return file


def wake() -> None:
    """Send a worker the message that one waits. A broker that is down loses nothing."""
    from leaderboard.tasks import prepare_download

    try:
        prepare_download.apply_async(retry=False)
    except Exception:
        log.warning("could not reach the broker; downloads wait")


# --- Preparing -------------------------------------------------------------------------------


def prepare_next() -> PreparedFile | None:
    """Write the file whose turn it is, and send the word on; None where none waits, or another is
    being written."""
    give_up_lost(PreparedFile.objects.all())
    file = _take()
    if file is not None:
        _prepare(file)
        if PreparedFile.objects.filter(status=PreparedStatus.WAITING).exists():
            wake()
    return file


def _take() -> PreparedFile | None:
    """The one that has waited longest; nobody else gets it."""
    waiting = PreparedFile.objects.filter(status=PreparedStatus.WAITING).order_by("asked_at")
    for file in waiting.select_related("round__event", "round__track"):
        now = timezone.now()
        try:
            file.move(PreparedStatus.PREPARING, started_at=now, heartbeat_at=now)
        except WrongMove:  # another worker was faster
            continue
        except IntegrityError:  # the constraint one_at_a_time
            return None
        return file
    return None


def _prepare(file: PreparedFile) -> None:
    """Bring it to its end, whatever happens."""
    try:
        with (
            translation.override(file.language),
            timezone.override(file.round.event.tzinfo),
            tempfile.TemporaryFile() as out,
        ):
            if _write(file, out):
                _keep(file, out)
            else:
                _fail(file, Fault.EMPTY)
    except (GivenUp, WrongMove):
        _remove_file(file)
    except Exception:
        log.exception("download %s could not be prepared", file.pk)
        _fail(file, Fault.FAILED)


def _write(file: PreparedFile, out) -> bool:
    """Whether there is anything to be written. What comes in while it is read makes the inputs
    look older than the file is, never newer."""
    document = DOCUMENTS[file.document]
    with _beating(file) as progress:
        if not document.is_there(file.round):
            return False
        file.inputs = _digest(document.inputs(file.round))
        source = document.source(file.round)
        if source is None:
            return False
        file.total = document.total(source) if document.total else None
        file.save(update_fields=["inputs", "total"])
        document.write(source, file.fmt, out, progress)
    return True


def _keep(file: PreparedFile, out) -> None:
    """Put what was written into the store, and say so."""
    with _beating(file):
        size = out.seek(0, 2)
        out.seek(0)
        name = file.file.storage.save(file.file.name, File(out))
    file.move(
        PreparedStatus.READY,
        file=name,
        size=size,
        done=file.total or 0,
        ended_at=timezone.now(),
    )


def _fail(file: PreparedFile, fault: str) -> None:
    with suppress(WrongMove):  # given up already
        file.move(PreparedStatus.FAILED, fault=fault, ended_at=timezone.now())
    _remove_file(file)


@contextmanager
def _beating(file: PreparedFile) -> Iterator[Progress]:
    """Tell the database that this preparation is alive and how far it is. Yields what takes the
    progress; it raises GivenUp once it is in vain."""
    mine = PreparedFile.objects.filter(pk=file.pk, status=PreparedStatus.PREPARING)
    with heartbeat(mine, BEAT_S, done=lambda: file.done) as over:

        def progress(count: int) -> None:
            file.done = count
            if over.is_set():
                raise GivenUp

        yield progress


# --- Fetching --------------------------------------------------------------------------------


def open_file(file: PreparedFile):
    """The prepared file, to be read. Raises Refused where there is none (any more)."""
    if file.status != PreparedStatus.READY:
        raise Refused(_("The file is not there. Have it prepared."), code="not_ready")
    try:
        return file.file.open("rb")
    except FileNotFoundError:
        with suppress(WrongMove):
            file.move(PreparedStatus.FAILED, fault=Fault.GONE)
        raise Refused(
            _("The file is no longer in the store. Have it prepared anew."), code="file_gone"
        ) from None


# --- Tidying up ------------------------------------------------------------------------------


def give_up_lost(files, now: datetime | None = None) -> int:
    """Let those fail whose worker died, or that no worker took; how many. They can be asked for
    again at once."""
    now = now or timezone.now()
    silent = Q(heartbeat_at__lt=now - LOST_AFTER) | Q(started_at__lt=now - LONGEST)
    lost = Q(status=PreparedStatus.PREPARING) & silent
    untaken = Q(status=PreparedStatus.WAITING, asked_at__lt=now - WAITS_AT_MOST)
    if not files.filter(lost | untaken).exists():  # pages that look should not write
        return 0
    ended = {"status": PreparedStatus.FAILED, "ended_at": now}
    count = files.filter(lost).update(**ended, fault=Fault.LOST)
    if not PreparedFile.objects.filter(heartbeat_at__gt=now - WAITS_AT_MOST).exists():
        count += files.filter(untaken).update(**ended, fault=Fault.NO_WORKER)
    return count


def tidy(now: datetime | None = None) -> dict[str, int]:
    """Give up what was lost, wake workers for what waits, remove what need not be kept."""
    now = now or timezone.now()
    files = PreparedFile.objects.all()
    lost = give_up_lost(files, now)
    waiting = files.filter(status=PreparedStatus.WAITING, asked_at__lt=now - WAKE_AFTER).exists()
    if waiting:
        wake()
    removed = sum(map(_remove, superfluous(now)))
    return {"lost": lost, "woken": int(waiting), "removed": removed}


def superfluous(now: datetime):
    """Files that were kept long enough, and those that a newer one of their kind has replaced."""
    ended = PreparedFile.objects.exclude(status__in=ACTIVE)
    newer = ended.filter(
        status=PreparedStatus.READY,
        ended_at__gt=OuterRef("ended_at"),
        **{name: OuterRef(name) for name in ("round", "document", "fmt", "language")},
    )
    old = Q(ended_at__lt=now - timedelta(days=settings.DOWNLOADS_KEPT_DAYS))
    return ended.filter(old | Exists(newer))


def _remove(file: PreparedFile) -> bool:
    """The row goes after its file, so that no file is left without one."""
    if not _remove_file(file):
        return False
    file.delete()
    return True


def _remove_file(file: PreparedFile) -> bool:
    try:
        file.file.storage.delete(file.file.name)
    except Exception:
        log.exception("the file of download %s could not be removed", file.pk)
        return False
    return True
