import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contest.states import SUBMISSION_MOVES, HasStates, SubmissionStatus


def submission_path(submission: "Submission", filename: str) -> str:
    """Where the file lies. The sender's file name takes no part in it."""
    return f"submissions/{submission.sha256[:2]}/{submission.sha256}-{submission.pk}"


class Submission(HasStates):
    """A file that a team sent to a round."""

    MOVES = SUBMISSION_MOVES

    class Kind(models.TextChoices):
        PREDICTIONS = "predictions", _("predictions")
        ONNX = "onnx", _("model (ONNX)")
        CODE = "code", _("code (zip, tar.gz)")
        CONTAINER = "container", _("container image")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participation = models.ForeignKey(
        "contest.Participation",
        models.CASCADE,
        related_name="submissions",
        verbose_name=_("participation"),
    )
    number = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    file = models.FileField(_("file"), upload_to=submission_path, max_length=200)
    original_name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size (bytes)"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    note = models.CharField(_("note"), max_length=300, blank=True)
    client_key = models.CharField(
        _("key of the request"),
        max_length=64,
        help_text=_("The same key sent twice is the same submission."),
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="submissions",
        verbose_name=_("submitted by"),
    )
    received_at = models.DateTimeField(_("received"))
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=SubmissionStatus,
        default=SubmissionStatus.RECEIVED,
        editable=False,
    )

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        indexes = [models.Index(fields=["participation", "received_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "number"], name="submission_number_once"
            ),
            models.UniqueConstraint(
                fields=["participation", "client_key"], name="submission_key_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation.team.code} #{self.number}"

    def audit_event(self):
        return self.participation.round.event

    def get_absolute_url(self) -> str:
        return reverse("submission", args=[self.pk])
