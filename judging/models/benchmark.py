import uuid
from pathlib import PurePath

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from contest.models import Submission
from contest.states import HasStates
from judging.metrics import LABELS, MEASURES, METRICS, NEEDS, Metric
from judging.states import BENCHMARK_MOVES, ON_TRIAL, RUN_MOVES, BenchmarkStatus, RunStatus

# Fetching and storing around the steps that have limits of their own; each unpacking, reading and
# own metric; loading a container image.
OVERHEAD_S, TOOL_S, IMAGE_S = 120, 120, 600
# Read as data, so that limits alone will do where a worker has no sandbox.
DATA = (Submission.Kind.PREDICTIONS, Submission.Kind.ONNX)


def hidden_path(owner, filename: str) -> str:
    """Where a hidden file lies; its suffix is kept for who looks into the store by hand."""
    return f"hidden/{uuid.uuid4()}{PurePath(filename).suffix.lower()[:10]}"


def sample_path(owner, filename: str) -> str:
    return f"samples/{uuid.uuid4()}{PurePath(filename).suffix.lower()[:10]}"


class ResourceClass(models.TextChoices):
    """What kind of worker a run needs; each class is a queue of its own."""

    CPU = "cpu", _("ordinary")
    LARGE = "large", _("much memory")
    GPU = "gpu", _("graphics processor")


class Benchmark(HasStates):
    """The task of an automated round: hidden data, metrics, limits.

    Once a submission was scored by it nothing of it changes; a change makes a new version. Which
    files it has depends on the protocol: ``table`` has a reference and metrics; the other two have
    programs, in ``tasks``.
    """

    MOVES = BENCHMARK_MOVES

    class Protocol(models.TextChoices):
        TABLE = "table", _("table against reference")
        CODABENCH = "codabench", _("scoring program (Codabench)")
        EVALAI = "evalai", _("evaluation script (EvalAI)")

    class Logs(models.TextChoices):
        ORGANIZERS = "organizers", _("organizers alone")
        ERRORS = "errors", _("the team, when its program fails")
        TEAM = "team", _("the team, always")

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="benchmarks", verbose_name=_("round")
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=BenchmarkStatus,
        default=BenchmarkStatus.CURRENT,
        editable=False,
    )
    protocol = models.CharField(
        _("scored by"), max_length=20, choices=Protocol, default=Protocol.TABLE
    )
    accepts_predictions = models.BooleanField(_("accepts predictions"), default=True)
    accepts_onnx = models.BooleanField(_("accepts models (ONNX)"), default=False)
    accepts_code = models.BooleanField(
        _("accepts code (zip, tar.gz)"),
        default=False,
        help_text=_("Runs in the sandbox of the workers, without network."),
    )
    accepts_container = models.BooleanField(
        _("accepts container images"),
        default=False,
        help_text=_("Needs workers with Docker or Podman."),
    )
    metric = models.CharField(_("metric"), max_length=100)
    extra_metrics = models.JSONField(
        _("further metrics"),
        default=list,
        blank=True,
        help_text=_("Shown beside the metric; they do not rank."),
    )
    # Of metrics that programs come up with: [{"key", "label_zh", "label_en", "greater_is_better",
    # "worst", "best", "hidden"}].
    columns = models.JSONField(_("columns"), default=list, blank=True)
    answers = models.CharField(
        _("an answer is"),
        max_length=20,
        choices=list(NEEDS.items()),
        default=LABELS,
        help_text=_("For a metric of your own; other metrics know."),
    )
    metric_program = models.FileField(
        _("your own metric (Python)"),
        upload_to=hidden_path,
        blank=True,
        help_text=_("A file with score(truth, predicted); see the documentation."),
    )
    metric_program_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    reference = models.FileField(
        _("hidden reference"),
        upload_to=hidden_path,
        blank=True,
        help_text=_("One row an example: an id column and the true label or value."),
    )
    reference_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    id_column = models.CharField(_("id column"), max_length=60, default="id")
    target_column = models.CharField(_("column of the true value"), max_length=60, default="label")
    inputs = models.FileField(
        _("hidden inputs"),
        upload_to=hidden_path,
        blank=True,
        help_text=_("For models and code: the id column and one column a feature."),
    )
    inputs_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    sample = models.FileField(
        _("sample submission"),
        upload_to=sample_path,
        blank=True,
        help_text=_("What teams may start from. For predictions one is made where this is empty."),
    )
    sample_name = models.CharField(max_length=150, blank=True, editable=False)
    # What a protocol needs beside files; for EvalAI the codename and the names of the splits.
    options = models.JSONField(default=dict, blank=True, editable=False)
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
    disk_mb = models.PositiveIntegerField(
        _("disk limit (MB)"),
        default=1024,
        validators=[MinValueValidator(1), MaxValueValidator(65536)],
    )
    resource_class = models.CharField(
        _("workers"), max_length=10, choices=ResourceClass, default=ResourceClass.CPU
    )
    logs_for = models.CharField(
        _("what programs print is shown to"),
        max_length=20,
        choices=Logs,
        default=Logs.ERRORS,
        help_text=_("A program could print hidden inputs. Scoring programs' logs are never shown."),
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
                condition=models.Q(status="current"),
                name="one_current_benchmark",
            ),
            models.UniqueConstraint(
                fields=["round"],
                condition=models.Q(status="candidate"),
                name="one_candidate_benchmark",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round} v{self.version}"

    def audit_event(self):
        return self.round.event

    @property
    def is_current(self) -> bool:
        return self.status == BenchmarkStatus.CURRENT

    @property
    def is_table(self) -> bool:
        return self.protocol == self.Protocol.TABLE

    def accepted_kinds(self) -> list[str]:
        return [kind for kind in Submission.Kind.values if getattr(self, f"accepts_{kind}")]

    def describe(self, name: str) -> Metric:
        """A metric by its name: of the catalogue, of this benchmark's own, or a measure."""
        if metric := self.own_metrics().get(name):
            return metric
        return METRICS.get(name) or MEASURES.get(name) or Metric(name, name, "", None)

    def own_metrics(self) -> dict[str, Metric]:
        """The metrics that this benchmark's programs come up with."""
        chinese = get_language() in ("zh-hans", "zh")
        return {
            column["key"]: Metric(
                column["key"],
                column.get("label_zh" if chinese else "label_en") or column["key"],
                self.answers,
                None,
                column.get("greater_is_better", True),
                column.get("worst", 0.0),
                column.get("best", 1.0),
            )
            for column in self.columns
        }

    def needed_for(self, kind: str) -> str:
        """What a worker must be able to run to score a submission of this kind."""
        programs = not self.is_table or bool(self.metric_program)
        return Submission.Kind.CODE if programs and kind in DATA else kind

    def known_names(self) -> list[str]:
        """Every metric and measure that a run by this benchmark has and schemes may weigh.

        A program can hide what it uses of processor and memory from whoever watches it; a model
        cannot. Time that passed nobody can hide.
        """
        kinds = set(self.accepted_kinds())
        measured = ["wall_s", "size_mb"] if kinds - {Submission.Kind.PREDICTIONS} else []
        if kinds == {Submission.Kind.ONNX}:
            measured = list(MEASURES)
        return list(
            dict.fromkeys([self.metric, *self.extra_metrics, *self.own_metrics(), *measured])
        )

    @property
    def main(self) -> Metric:
        """The metric that ranks."""
        return self.describe(self.metric)

    @property
    def needs(self) -> str:
        """What an answer to one row is; see judging.metrics.NEEDS."""
        return METRICS[self.metric].needs if self.metric in METRICS else self.answers

    def hidden_columns(self) -> set[str]:
        return {column["key"] for column in self.columns if column.get("hidden")}

    @property
    def longest_run_s(self) -> int:
        """What a run can take at most before it is given up: every step of it at its limit."""
        if self.is_table:
            loading = IMAGE_S if self.accepts_container else 0
            return self.wall_seconds + loading + 3 * TOOL_S + OVERHEAD_S
        each = 2 * self.wall_seconds + 5 * TOOL_S
        return max(1, len(self.tasks.all())) * each + OVERHEAD_S


class BenchmarkTask(models.Model):
    """One task of a benchmark that programs score: what they read, and the programs."""

    benchmark = models.ForeignKey(
        Benchmark, models.CASCADE, related_name="tasks", verbose_name=_("benchmark")
    )
    ordinal = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("name"), max_length=100, blank=True)
    scoring_program = models.FileField(_("scoring program"), upload_to=hidden_path)
    scoring_program_sha256 = models.CharField(max_length=64)
    ingestion_program = models.FileField(_("ingestion program"), upload_to=hidden_path, blank=True)
    ingestion_program_sha256 = models.CharField(max_length=64, blank=True)
    reference = models.FileField(_("hidden reference"), upload_to=hidden_path, blank=True)
    reference_sha256 = models.CharField(max_length=64, blank=True)
    inputs = models.FileField(_("hidden inputs"), upload_to=hidden_path, blank=True)
    inputs_sha256 = models.CharField(max_length=64, blank=True)

    FILES = ("scoring_program", "ingestion_program", "reference", "inputs")

    class Meta:
        ordering = ["benchmark", "ordinal"]
        verbose_name = _("task of a benchmark")
        verbose_name_plural = _("tasks of benchmarks")
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "ordinal"], name="task_ordinal_once")
        ]

    def __str__(self) -> str:
        return f"{self.benchmark} · {self.name or self.ordinal + 1}"


class ScoringRunQuerySet(models.QuerySet):
    def shown(self):
        """Runs that may show beside a submission, the one that counts first: of the version in
        force, then of those that were before; none of a version that is or was on trial alone."""
        in_force = models.Case(
            models.When(benchmark__status=BenchmarkStatus.CURRENT, then=0), default=1
        )
        return (
            self.exclude(benchmark__status__in=ON_TRIAL)
            .defer("log", "scoring_log")
            .order_by(in_force, "-benchmark__version", "-queued_at")
        )


class ScoringRun(HasStates):
    """One attempt to score one submission by one benchmark version."""

    MOVES = RUN_MOVES

    class Cause(models.TextChoices):
        SUBMISSION = "submission", _("fault of the submission")
        INFRASTRUCTURE = "infrastructure", _("fault of the platform")

    class Priority(models.IntegerChoices):
        SUBMISSION = 0, _("submission")
        RESCORING = 1, _("rescoring")

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
    # Known from the submission and the benchmark, kept here so that the queue is one index.
    participation = models.ForeignKey(
        "contest.Participation", models.CASCADE, related_name="runs", editable=False
    )
    resource_class = models.CharField(
        _("workers"), max_length=10, choices=ResourceClass, default=ResourceClass.CPU
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority, default=Priority.SUBMISSION
    )
    # Start tag of fair queueing: see judging/services/queue.py.
    turn = models.BigIntegerField(default=0)
    # What a worker must be able to run: a kind of submission; "code" where anything of the
    # benchmark's is a program.
    needs = models.CharField(max_length=20, default=Submission.Kind.PREDICTIONS, editable=False)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    status = models.CharField(
        _("status"), max_length=20, choices=RunStatus, default=RunStatus.QUEUED, editable=False
    )
    cause = models.CharField(_("cause"), max_length=20, choices=Cause, blank=True)
    error_code = models.CharField(_("error"), max_length=50, blank=True)
    error_params = models.JSONField(_("details of the error"), default=dict, blank=True)
    # {"public": {"accuracy": 0.91, …}, "private": {…}, "measured": {"cpu_s": 1.5, …}}
    metrics = models.JSONField(_("metrics"), default=dict, blank=True)
    public_score = models.FloatField(_("public score"), null=True, blank=True)
    private_score = models.FloatField(_("private score"), null=True, blank=True)
    queued_at = models.DateTimeField(_("queued"), auto_now_add=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    # From then on it is given up, sign of life or not.
    deadline_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_s = models.FloatField(_("duration (s)"), null=True, blank=True)
    peak_memory_mb = models.FloatField(_("peak memory (MB)"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    log = models.TextField(_("log"), blank=True)  # of the team's program
    scoring_log = models.TextField(_("log of the scoring"), blank=True)
    # What was used: digests of submission, reference and inputs, versions of packages.
    provenance = models.JSONField(_("provenance"), default=dict, blank=True)

    objects = ScoringRunQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at"]
        verbose_name = _("scoring run")
        verbose_name_plural = _("scoring runs")
        indexes = [
            models.Index(fields=["status", "queued_at"]),
            models.Index(fields=["status", "resource_class", "priority", "turn", "queued_at"]),
        ]
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

    def save(self, *args, **kwargs):
        if self._state.adding:
            self.participation_id = self.submission.participation_id
            self.resource_class = self.benchmark.resource_class
            self.needs = self.benchmark.needed_for(self.submission.kind)
        super().save(*args, **kwargs)

    @property
    def is_active(self) -> bool:
        return self.status in (RunStatus.QUEUED, RunStatus.RUNNING)
