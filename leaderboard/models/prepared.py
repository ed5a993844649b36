import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.states import HasStates
from leaderboard.states import PREPARED_MOVES, PreparedStatus

ACTIVE = (PreparedStatus.WAITING, PreparedStatus.PREPARING)


def unguessable_path() -> str:
    """Where a file lies: a name that nothing else is derived from, and that nobody is told."""
    return f"downloads/{secrets.token_urlsafe(32)}"


class PreparedFile(HasStates):
    """A download too large to be written within a request, as a worker prepares it.

    Each is prepared once, by one worker. It holds unpublished scores: its file is in the private
    store, and organizers of the event alone get it, by a page that checks who asks.
    """

    MOVES = PREPARED_MOVES

    class Fault(models.TextChoices):
        FAILED = "failed", _("It could not be written. The operator’s log says why.")
        LOST = "lost", _("The worker that prepared it was stopped.")
        NO_WORKER = "no_worker", _("No worker has taken it. Ask the operator whether workers run.")
        EMPTY = "empty", _("There is nothing in it any more.")
        GONE = "gone", _("The file is no longer in the store.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(
        "contest.Round", models.PROTECT, related_name="prepared_files", verbose_name=_("round")
    )
    document = models.CharField(_("document"), max_length=20)
    fmt = models.CharField(_("file format"), max_length=10)
    language = models.CharField(_("language"), max_length=10)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=PreparedStatus,
        default=PreparedStatus.WAITING,
        editable=False,
    )
    fault = models.CharField(_("fault"), max_length=10, choices=Fault, blank=True)
    # What it is made of, as it was when writing began.
    inputs = models.CharField(_("digest of the inputs"), max_length=64, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    started_at = models.DateTimeField(_("begun"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # Teams or entries; the total is null where it is not known.
    done = models.PositiveIntegerField(_("written"), default=0)
    total = models.PositiveIntegerField(_("to be written"), null=True, blank=True)
    # Known from the start, so that whatever a worker that dies leaves behind can be removed.
    file = models.FileField(_("file"), default=unguessable_path, max_length=200)
    size = models.PositiveBigIntegerField(_("size (bytes)"), null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("prepared download")
        verbose_name_plural = _("prepared downloads")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "document", "fmt", "language"],
                condition=Q(status__in=ACTIVE),
                name="one_preparation",
            ),
            # Others wait their turn: rankings and submissions need workers, too.
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status=PreparedStatus.PREPARING),
                name="one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round} · {self.document}.{self.fmt}"

    def audit_event(self):
        return self.round.event

    def move(self, status: str, **fields) -> None:
        """Make one move by a conditional update: of several workers the database lets one do it.

        Raises WrongMove, for the state that already holds as well, and IntegrityError where another
        one is being prepared.
        """
        before = [state for state, following in self.MOVES.items() if status in following]
        here = type(self).objects.filter(pk=self.pk, status__in=before)
        with transaction.atomic():
            while not here.update(status=status, **fields):
                self.refresh_from_db(fields=["status"])
                self.require_move(status)
        self.refresh_from_db(fields=["status", *fields])

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def percent(self) -> int | None:
        return min(99, 100 * self.done // self.total) if self.total else None

    @property
    def is_all_read(self) -> bool:
        """Whether what is left is to put the file together, which may take a while."""
        return self.total is not None and self.done >= self.total - 1

    @property
    def kept_until(self) -> datetime | None:
        if self.ended_at is None:
            return None
        return self.ended_at + timedelta(days=settings.DOWNLOADS_KEPT_DAYS)
