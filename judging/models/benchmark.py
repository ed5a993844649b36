import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.models import Submission
from contest.states import HasStates
from judging.states import RUN_MOVES, RunStatus


def hidden_path(benchmark: "Benchmark", filename: str) -> str:
    return f"hidden/{uuid.uuid4()}.csv"


class Benchmark(models.Model):
    """The task of an automated round: hidden data, metrics, limits.

    Once a submission was scored by it nothing of it changes; a change makes a new version.
    """

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="benchmarks", verbose_name=_("round")
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    is_current = models.BooleanField(_("in force"), default=True, editable=False)
    accepts_predictions = models.BooleanField(_("accepts predictions (CSV)"), default=True)
    accepts_onnx = models.BooleanField(_("accepts models (ONNX)"), default=False)
    metric = models.CharField(_("metric"), max_length=40)
    extra_metrics = models.JSONField(
        _("further metrics"),
        default=list,
        blank=True,
        help_text=_("Shown beside the metric; they do not rank."),
    )
    reference = models.FileField(
        _("hidden reference (CSV)"),
        upload_to=hidden_path,
        help_text=_("One row an example: an id column and the true label or value."),
    )
    reference_sha256 = models.CharField(max_length=64, editable=False)
    id_column = models.CharField(_("id column"), max_length=60, default="id")
    target_column = models.CharField(_("column of the true value"), max_length=60, default="label")
    inputs = models.FileField(
        _("hidden inputs (CSV)"),
        upload_to=hidden_path,
        blank=True,
        help_text=_("For ONNX models: the id column and one column a feature, all numbers."),
    )
    inputs_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    public_percent = models.PositiveSmallIntegerField(
        _("public part (%)"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("The rest decides the ranking and stays hidden until publication."),
    )
    split_seed = models.PositiveIntegerField(_("seed of the split"), default=2026)
    wall_seconds = models.PositiveSmallIntegerField(
        _("time limit (s)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    memory_mb = models.PositiveIntegerField(
        _("memory limit (MB)"),
        default=2048,
        validators=[MinValueValidator(256), MaxValueValidator(65536)],
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["round", "-version"]
        verbose_name = _("benchmark")
        verbose_name_plural = _("benchmarks")
        constraints = [
            models.UniqueConstraint(fields=["round", "version"], name="benchmark_version_once"),
            models.UniqueConstraint(
                fields=["round"],
                condition=models.Q(is_current=True),
                name="one_current_benchmark",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round} v{self.version}"

    def audit_event(self):
        return self.round.event

    def accepted_kinds(self) -> list[str]:
        kinds = []
        if self.accepts_predictions:
            kinds.append(Submission.Kind.PREDICTIONS)
        if self.accepts_onnx:
            kinds.append(Submission.Kind.ONNX)
        return kinds


class ScoringRun(HasStates):
    """One attempt to score one submission by one benchmark version."""

    MOVES = RUN_MOVES

    class Cause(models.TextChoices):
        SUBMISSION = "submission", _("fault of the submission")
        INFRASTRUCTURE = "infrastructure", _("fault of the platform")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(
        "contest.Submission",
        models.CASCADE,
        related_name="runs",
        verbose_name=_("submission"),
    )
    benchmark = models.ForeignKey(
        Benchmark, models.PROTECT, related_name="runs", verbose_name=_("benchmark")
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    status = models.CharField(
        _("status"), max_length=20, choices=RunStatus, default=RunStatus.QUEUED, editable=False
    )
    cause = models.CharField(_("cause"), max_length=20, choices=Cause, blank=True)
    error_code = models.CharField(_("error"), max_length=50, blank=True)
    error_params = models.JSONField(_("details of the error"), default=dict, blank=True)
    # {"public": {"accuracy": 0.91, …}, "private": {…}, "all": {…}}
    metrics = models.JSONField(_("metrics"), default=dict, blank=True)
    public_score = models.FloatField(_("public score"), null=True, blank=True)
    private_score = models.FloatField(_("private score"), null=True, blank=True)
    queued_at = models.DateTimeField(_("queued"), auto_now_add=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_s = models.FloatField(_("duration (s)"), null=True, blank=True)
    peak_memory_mb = models.FloatField(_("peak memory (MB)"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    # What was used: digests of submission, reference and inputs, versions of packages.
    provenance = models.JSONField(_("provenance"), default=dict, blank=True)

    class Meta:
        ordering = ["-queued_at"]
        verbose_name = _("scoring run")
        verbose_name_plural = _("scoring runs")
        indexes = [models.Index(fields=["status", "queued_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "benchmark", "attempt"], name="run_attempt_once"
            ),
            models.UniqueConstraint(
                fields=["submission", "benchmark"],
                condition=models.Q(status="succeeded"),
                name="one_result",
            ),
            models.UniqueConstraint(
                fields=["submission", "benchmark"],
                condition=models.Q(status__in=["queued", "running"]),
                name="one_active_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.submission} v{self.benchmark.version} ({self.attempt})"

    def audit_event(self):
        return self.benchmark.round.event

    @property
    def is_active(self) -> bool:
        return self.status in (RunStatus.QUEUED, RunStatus.RUNNING)
