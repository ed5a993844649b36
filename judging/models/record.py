"""The judging record: everything that makes or changes a round's result, one entry after another.

Each entry holds the digest of the one before, so that none can be changed, taken out or put in
without every later digest being wrong. What cannot be seen from inside, an end that was cut off, is
seen by comparing with the heads that were written down earlier: in the event's log, in exports, on
paper. Neither this code nor (see judging/keeping.py) the database changes an entry.
"""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

# Differences between a tablet's time and ours up to this many seconds say nothing.
CLOCKS_DIFFER_S = 60


def secret_keys() -> list[str]:
    """Our secret key, then those that were ours before."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


class Record(models.Model):
    """The head of a round's record; its row is the lock under which entries are added."""

    round = models.OneToOneField(
        "contest.Round", models.PROTECT, related_name="judging_record", verbose_name=_("round")
    )
    length = models.PositiveIntegerField(_("entries"), default=0)
    head = models.CharField(_("digest of the last entry"), max_length=64, blank=True)
    # By our secret key: who can write to the database, but does not have that, cannot add entries.
    seal = models.CharField(_("seal"), max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("judging record")
        verbose_name_plural = _("judging records")

    def __str__(self) -> str:
        return f"{self.round}: {self.length}"

    def seal_now(self, secret: str | None = None) -> str:
        """The seal (HMAC-SHA-256) of where the record ends now, by our key or an earlier one."""
        ends = f"{self.round_id} {self.length} {self.head}"
        return salted_hmac("judging record", ends, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_sealed(self) -> bool:
        """Whether nobody but us added the last entry."""
        if not self.length:
            return True
        return any(constant_time_compare(self.seal, self.seal_now(key)) for key in secret_keys())


class AppendOnlyError(Exception):
    """Code tried to change or remove an entry of a judging record."""


class RecordEntryQuerySet(models.QuerySet):
    """Reads and adds; what is in the record stays as it is."""

    def _refuse(self, *args, **kwargs):
        raise AppendOnlyError("Entries of a judging record are only ever added.")

    update = bulk_update = update_or_create = delete = _raw_delete = _refuse

    def bulk_create(self, objs, batch_size=None, ignore_conflicts=False, update_conflicts=False,
                    update_fields=None, unique_fields=None):  # fmt: skip
        if update_conflicts:
            self._refuse()
        return super().bulk_create(objs, batch_size, ignore_conflicts)


class RecordEntry(models.Model):
    """One entry. Only ever added to; ``key`` makes a repeated request of a sheet harmless."""

    class Kind(models.TextChoices):
        MARK = "mark", _("mark")
        COMMENT = "comment", _("comment to the team")
        NOTE = "note", _("private note")
        SUBMITTED = "submitted", _("sheet submitted")
        RETURNED = "returned", _("sheet returned")
        RELEASED = "released", _("judge released from a team")
        RECUSED = "recused", _("conflict of interest declared")
        RECUSAL_LIFTED = "recusal_lifted", _("conflict of interest lifted")
        DRAW = "draw", _("running order drawn")
        RUBRIC = "rubric", _("version of the rubric put in force")
        CRITERIA = "criteria", _("rubric that marks are given by")
        TIE = "tie", _("tie decided by the chair")
        TIE_DROPPED = "tie_dropped", _("chair's decision taken back")
        READMITTED = "readmitted", _("judge readmitted to a team")
        SCHEME = "scheme", _("rules of the ranking changed")
        SIGNED = "signed", _("ranking signed off")
        REVOKED = "revoked", _("signature revoked")
        PROMOTED = "promoted", _("reserve promoted")

    record = models.ForeignKey(
        Record, models.PROTECT, related_name="entries", verbose_name=_("judging record")
    )
    number = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    judge = models.ForeignKey(
        "judging.Judge", models.PROTECT, null=True, related_name="+", verbose_name=_("judge")
    )
    participation = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        null=True,
        related_name="record_entries",
        verbose_name=_("team in the round"),
    )
    scoresheet = models.ForeignKey(
        "judging.Scoresheet",
        models.PROTECT,
        null=True,
        related_name="entries",
        verbose_name=_("score sheet"),
    )
    criterion = models.ForeignKey(
        "judging.Criterion",
        models.PROTECT,
        null=True,
        related_name="entries",
        verbose_name=_("criterion"),
    )
    value = models.DecimalField(_("mark"), max_digits=6, decimal_places=2, null=True)
    previous = models.DecimalField(_("previous mark"), max_digits=6, decimal_places=2, null=True)
    # A comment; of a private note its digest alone; of a draw or decision, what came of it; of a
    # rubric its content as JSON.
    text = models.TextField(_("text"), blank=True)
    key = models.CharField(_("key of the request"), max_length=64, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("received"))
    device_at = models.DateTimeField(_("time on the tablet"), null=True, blank=True)
    device = models.CharField(_("tablet"), max_length=64, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    digest = models.CharField(_("digest"), max_length=64)

    objects = RecordEntryQuerySet.as_manager()

    class Meta:
        ordering = ["record", "number"]
        verbose_name = _("entry of a judging record")
        verbose_name_plural = _("entries of judging records")
        constraints = [
            models.UniqueConstraint(fields=["record", "number"], name="record_number_once"),
            models.UniqueConstraint(
                fields=["scoresheet", "key"],
                condition=~models.Q(key=""),
                name="record_key_once",
            ),
        ]
        indexes = [models.Index(fields=["scoresheet", "kind", "criterion"])]

    def __str__(self) -> str:
        return f"{self.number} {self.get_kind_display()}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise AppendOnlyError("Entries of a judging record are only ever added.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise AppendOnlyError("Entries of a judging record stay.")

    @property
    def criterion_code(self) -> str:
        """The criterion in whatever version of the rubric; empty where there is none."""
        return self.criterion.code if self.criterion_id else ""

    @property
    def rubric_content(self) -> dict | None:
        """Of a rubric that marks are given by, Rubric.content(); None for other entries, and where
        somebody wrote something else there."""
        try:
            content = json.loads(self.text) if self.kind == self.Kind.CRITERIA else None
        except ValueError:
            return None
        return content if isinstance(content, dict) and "rubric" in content else None

    @property
    def late_s(self) -> float:
        """Seconds from the tablet's time to ours: the change waited there, or its clock is slow.

        0 within a minute, as clocks differ by so much.
        """
        late = (self.at - self.device_at).total_seconds() if self.device_at else 0
        return late if late > CLOCKS_DIFFER_S else 0

    @property
    def ahead_s(self) -> float:
        """Seconds by which the tablet's clock was ahead of ours; 0 within a minute."""
        ahead = (self.device_at - self.at).total_seconds() if self.device_at else 0
        return ahead if ahead > CLOCKS_DIFFER_S else 0

    def content(self) -> dict:
        """What the digest covers, in one form whatever the database. Keys are stable columns."""
        return {
            "number": self.number,
            "kind": self.kind,
            "judge": self.judge_id,
            "participation": self.participation_id,
            "scoresheet": str(self.scoresheet_id) if self.scoresheet_id else None,
            "criterion": self.criterion_id,
            "value": _two(self.value),
            "previous": _two(self.previous),
            "text": self.text,
            "key": self.key,
            "by": self.by_id,
            "at": _utc(self.at),
            "device_at": _utc(self.device_at),
            "device": self.device,
            "reason": self.reason,
        }

    def digest_after(self, before: str) -> str:
        """SHA-256 of the digest before and this entry's content as canonical JSON."""
        canonical = json.dumps(
            [before, self.content()], sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def _two(value: Decimal | None) -> str | None:
    """With two decimals, and zero without a sign: no database keeps that of −0."""
    return None if value is None else f"{value + 0:.2f}"


def _utc(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
