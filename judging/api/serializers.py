"""What judging's endpoints take and give. Hidden data and their digests are never among it."""

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contest.api.base import ScopedField
from contest.models import Participation, Round, Submission, Team
from contest.roles import organized_events
from judging import faults
from judging.models import (
    Assignment,
    Benchmark,
    Criterion,
    Judge,
    Mark,
    Panel,
    Recusal,
    Rubric,
    Scoresheet,
    ScoringRun,
    Tie,
)
from judging.roles import declarable_teams
from judging.services.benchmarks import has_sample
from judging.services.designs import MOST_K
from judging.services.queue import expected_wait
from judging.services.tablet import pseudonym
from judging.services.totals import exact_total, fraction_to_decimal


def organized_rounds(user):
    return Round.objects.filter(event__in=organized_events(user)).select_related("event")


def _organized(model, path: str):
    """The objects of ``model`` whose event, found by ``path``, the user organizes."""
    return lambda user: model.objects.filter(**{f"{path}__in": organized_events(user)})


def is_hidden(panel: Panel, context: dict) -> bool:
    """Whether the panel's teams are anonymous to the reader: to judges, never to organizers."""
    return panel.is_anonymous and panel.round.event_id not in context["organized_event_ids"]


def own_participations(user):
    """Those of the teams that the user belongs to."""
    own = Team.objects.filter(memberships__user=user.pk)
    return Participation.objects.filter(team__in=own).select_related("round__event", "team")


class ColumnSerializer(serializers.Serializer):
    """A metric that the organizers' own programs come up with."""

    key = serializers.CharField(max_length=100)
    label_zh = serializers.CharField(max_length=100, required=False, allow_blank=True)
    label_en = serializers.CharField(max_length=100, required=False, allow_blank=True)
    greater_is_better = serializers.BooleanField(required=False, default=True)
    worst = serializers.FloatField(required=False, default=0.0)
    best = serializers.FloatField(required=False, default=1.0)
    hidden = serializers.BooleanField(
        required=False, default=False, help_text="Shown to teams only once results are published."
    )


class CostSerializer(serializers.Serializer):
    """What scoring everything by a version takes."""

    runs = serializers.IntegerField()
    teams = serializers.IntegerField()
    work_seconds = serializers.IntegerField()
    seconds = serializers.IntegerField(
        allow_null=True, help_text="On the workers that are alive; null if none is."
    )


class ProgressSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    scored = serializers.IntegerField()
    faults = serializers.IntegerField()
    failed = serializers.IntegerField()
    waiting = serializers.IntegerField()
    percent = serializers.IntegerField()


class LogSerializer(serializers.Serializer):
    log = serializers.CharField()
    scoring_log = serializers.CharField(help_text="For organizers alone.")


class BenchmarkSerializer(serializers.ModelSerializer):
    round = ScopedField(organized_rounds)
    metric = serializers.CharField(
        max_length=100, help_text="A metric of the catalogue, or a key of `columns`."
    )
    extra_metrics = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=50
    )
    columns = ColumnSerializer(many=True, required=False)
    greater_is_better = serializers.BooleanField(source="main.greater_is_better", read_only=True)
    label = serializers.CharField(source="main.label", read_only=True)
    has_sample = serializers.SerializerMethodField()
    reference = serializers.FileField(write_only=True, required=False)
    inputs = serializers.FileField(write_only=True, required=False)
    metric_program = serializers.FileField(write_only=True, required=False)
    scoring_program = serializers.FileField(write_only=True, required=False)
    ingestion_program = serializers.FileField(write_only=True, required=False)
    sample = serializers.FileField(write_only=True, required=False)

    class Meta:
        model = Benchmark
        fields = [
            "id",
            "round",
            "version",
            "status",
            "protocol",
            "metric",
            "label",
            "greater_is_better",
            "extra_metrics",
            "columns",
            "answers",
            "accepts_predictions",
            "accepts_onnx",
            "accepts_code",
            "accepts_container",
            "reference",
            "inputs",
            "metric_program",
            "scoring_program",
            "ingestion_program",
            "sample",
            "has_sample",
            "id_column",
            "target_column",
            "public_percent",
            "split_seed",
            "wall_seconds",
            "memory_mb",
            "disk_mb",
            "resource_class",
            "logs_for",
            "created_at",
        ]
        read_only_fields = ["version", "status", "created_at"]
        validators = []

    def get_has_sample(self, benchmark) -> bool:
        return has_sample(benchmark)

    def to_representation(self, benchmark):
        shown = super().to_representation(benchmark)
        if benchmark.round.event_id not in self.context["organized_event_ids"]:
            shown["split_seed"] = None  # with the ids it would tell which rows are public
        return shown


class RunSerializer(serializers.ModelSerializer):
    """One attempt to score. Private scores are null until the round's result is published."""

    benchmark_version = serializers.IntegerField(source="benchmark.version", read_only=True)
    error = serializers.SerializerMethodField()
    ahead = serializers.SerializerMethodField()
    wait_seconds = serializers.SerializerMethodField()
    metrics = serializers.SerializerMethodField()
    private_score = serializers.SerializerMethodField()

    class Meta:
        model = ScoringRun
        fields = [
            "id",
            "submission",
            "benchmark_version",
            "attempt",
            "status",
            "cause",
            "error_code",
            "error",
            "public_score",
            "private_score",
            "metrics",
            "ahead",
            "wait_seconds",
            "queued_at",
            "started_at",
            "finished_at",
            "duration_s",
            "peak_memory_mb",
        ]
        read_only_fields = fields

    def _private(self, run: ScoringRun) -> bool:
        round = run.benchmark.round
        published = round.status == "published"
        return published or round.event_id in self.context["organized_event_ids"]

    def get_error(self, run) -> str:
        """The fault in words, in the reader's language."""
        if run.benchmark.round.event_id in self.context["organized_event_ids"]:
            return faults.message(run.error_code, run.error_params) if run.error_code else ""
        return faults.message_for_team(run)

    def get_metrics(self, run) -> dict[str, dict[str, float]]:
        shown = dict(run.metrics)
        if not self._private(run):
            shown.pop("private", None)
        return shown

    def _wait(self, run):
        if self.context["view"].action == "list":
            return None  # asked for one by one: each is a question to the whole queue
        if not hasattr(run, "_wait"):
            run._wait = expected_wait(run)
        return run._wait

    def get_ahead(self, run) -> int | None:
        """How many runs come first; null in lists and once it no longer waits."""
        wait = self._wait(run)
        return wait.ahead if wait else None

    def get_wait_seconds(self, run) -> int | None:
        """About how long it will wait; null where no worker could take it."""
        wait = self._wait(run)
        return wait.seconds if wait else None

    def get_private_score(self, run) -> float | None:
        return run.private_score if self._private(run) else None


class SubmissionSerializer(serializers.ModelSerializer):
    team = serializers.IntegerField(source="participation.team_id", read_only=True)
    code = serializers.CharField(source="participation.team.code", read_only=True)
    round = serializers.IntegerField(source="participation.round_id", read_only=True)
    submitted_by = serializers.CharField(source="submitted_by.name", read_only=True)
    is_final = serializers.SerializerMethodField()
    run = serializers.SerializerMethodField()

    class Meta:
        model = Submission
        fields = [
            "id",
            "participation",
            "round",
            "team",
            "code",
            "number",
            "kind",
            "original_name",
            "size",
            "sha256",
            "note",
            "submitted_by",
            "received_at",
            "status",
            "is_final",
            "run",
        ]
        read_only_fields = fields

    def get_is_final(self, submission) -> bool:
        """Whether its team chose it as the one that counts."""
        return submission.participation.final_submission_id == submission.pk

    @extend_schema_field(RunSerializer(allow_null=True))
    def get_run(self, submission):
        """The newest attempt to score it."""
        runs = list(submission.runs.all())
        return RunSerializer(runs[0], context=self.context).data if runs else None


class NewSubmissionSerializer(serializers.Serializer):
    participation = ScopedField(own_participations)
    file = serializers.FileField(allow_empty_file=True)
    kind = serializers.ChoiceField(Submission.Kind.choices)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    client_key = serializers.CharField(
        max_length=64,
        help_text="A name of your own for this request; sent again it gives the same submission.",
    )


class CheckSerializer(serializers.Serializer):
    participation = ScopedField(own_participations)
    file = serializers.FileField()
    kind = serializers.ChoiceField(Submission.Kind.choices)


class NewBaselineSerializer(serializers.Serializer):
    round = ScopedField(organized_rounds)
    file = serializers.FileField()
    kind = serializers.ChoiceField(Submission.Kind.choices)
    name_zh = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    name_en = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    client_key = serializers.CharField(max_length=64)


class CheckedSerializer(serializers.Serializer):
    fine = serializers.BooleanField()
    code = serializers.CharField(help_text="Of the fault; empty if there is none.")
    said = serializers.CharField(help_text="The fault in words.")


class ChooseSerializer(serializers.Serializer):
    chosen = serializers.BooleanField(required=False, default=True)


class CriterionSerializer(serializers.ModelSerializer):
    code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="Names the criterion in every version of the rubric. Sent back it stays the same "
        "criterion; left out, or unknown to the rubric, it is a new one.",
    )

    class Meta:
        model = Criterion
        fields = [
            "id",
            "code",
            "ordinal",
            "kind",
            "name_zh",
            "name_en",
            "guide_zh",
            "guide_en",
            "weight",
            "minimum",
            "maximum",
            "step",
        ]
        read_only_fields = ["ordinal"]


class RubricSerializer(serializers.ModelSerializer):
    event = ScopedField(organized_events)
    criteria = CriterionSerializer(many=True)

    class Meta:
        model = Rubric
        fields = [
            "id",
            "event",
            "name_zh",
            "name_en",
            "veto_rule",
            "version",
            "previous",
            "criteria",
            "created_at",
        ]
        read_only_fields = ["version", "previous", "created_at"]


class JudgeSerializer(serializers.ModelSerializer):
    event = ScopedField(organized_events)

    class Meta:
        model = Judge
        fields = ["id", "event", "name", "email", "organisation_zh", "organisation_en"]


class LinkSerializer(serializers.Serializer):
    """Shown once: the server keeps only a digest of the secret in the address."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class PanelSerializer(serializers.ModelSerializer):
    round = ScopedField(organized_rounds)
    rubric = ScopedField(_organized(Rubric, "event"))
    judges = ScopedField(_organized(Judge, "event"), many=True)
    chair = ScopedField(
        _organized(Judge, "event"),
        required=False,
        allow_null=True,
        help_text="One of the judges; decides ties that are put to the panel.",
    )

    class Meta:
        model = Panel
        fields = [
            "id",
            "round",
            "name_zh",
            "name_en",
            "rubric",
            "judges",
            "chair",
            "is_anonymous",
        ]


class WishSerializer(serializers.Serializer):
    """What a balanced design is asked for."""

    k = serializers.IntegerField(min_value=1, max_value=MOST_K, help_text="Judges a team.")
    seed = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="The same seed gives the same design. Left out, one is drawn and told.",
    )  # fmt: skip
    keep = serializers.BooleanField(
        default=True, help_text="Whether assignments without marks stay, too."
    )
    skip_others = serializers.BooleanField(
        default=False, help_text="Leave out teams that another panel of the round judges."
    )
    accept_fewer = serializers.BooleanField(
        default=False, help_text="Apply even where some teams are allowed fewer than k judges."
    )
    dry_run = serializers.BooleanField(default=True, help_text="Only say what would be done.")
    seen = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default="",
        help_text="The digest of the dry run that is to be applied; anything else is refused.",
    )  # fmt: skip


class LoadSerializer(serializers.Serializer):
    judge = serializers.IntegerField()
    teams = serializers.IntegerField()


class OverlapSerializer(serializers.Serializer):
    judges = serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2)
    teams = serializers.IntegerField(help_text="That both of them score.")


class ShortSerializer(serializers.Serializer):
    participation = serializers.IntegerField()
    judges = serializers.IntegerField(help_text="How many it gets.")
    kept_from = serializers.ListField(
        child=serializers.IntegerField(), help_text="Judges who may not score it."
    )


class PairSerializer(serializers.Serializer):
    judge = serializers.IntegerField()
    participation = serializers.IntegerField()


class DesignSerializer(serializers.Serializer):
    """The whole assignment as it is or would be, and how balanced it is."""

    applied = serializers.BooleanField()
    digest = serializers.CharField(help_text="Send it as `seen` to apply exactly this.")
    seed = serializers.CharField()
    assignments = PairSerializer(many=True)
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    loads = LoadSerializer(many=True)
    load_min = serializers.IntegerField()
    load_max = serializers.IntegerField()
    overlaps = OverlapSerializer(many=True)
    overlap_min = serializers.IntegerField()
    overlap_mean = serializers.FloatField()
    overlap_max = serializers.IntegerField()
    connected = serializers.BooleanField(
        help_text="Whether the judges' severity can be compared, through teams in common."
    )
    short = ShortSerializer(many=True)


class NewSubstituteSerializer(serializers.Serializer):
    out = ScopedField(_organized(Judge, "event"))
    successor = ScopedField(_organized(Judge, "event"))
    reason = serializers.CharField(max_length=1000)


class LeftSerializer(serializers.Serializer):
    participation = serializers.IntegerField()
    why = serializers.CharField()


class SubstitutionSerializer(serializers.Serializer):
    """Participations, by what became of them."""

    given = serializers.ListField(
        child=serializers.IntegerField(), help_text="Assigned to the successor."
    )
    had = serializers.ListField(
        child=serializers.IntegerField(), help_text="The successor scores them already."
    )
    released = serializers.ListField(
        child=serializers.IntegerField(), help_text="Marks were given; they stay on record."
    )
    submitted = serializers.ListField(
        child=serializers.IntegerField(), help_text="Submitted before; these sheets count."
    )
    left = LeftSerializer(many=True, help_text="Nobody has taken these over.")


class TieSerializer(serializers.ModelSerializer):
    panel = ScopedField(_organized(Panel, "round__event"))
    round = serializers.IntegerField(source="panel.round_id", read_only=True)
    participations = ScopedField(
        _organized(Participation, "round__event"), many=True, write_only=True
    )
    order = serializers.SerializerMethodField()
    asked_by = serializers.CharField(source="asked_by.name", read_only=True)
    decided_by = serializers.IntegerField(
        source="decided_by_id", read_only=True, allow_null=True, help_text="A judge."
    )

    class Meta:
        model = Tie
        fields = [
            "id",
            "panel",
            "round",
            "participations",
            "status",
            "order",
            "asked_by",
            "asked_at",
            "decided_by",
            "decided_at",
            "reason",
        ]
        read_only_fields = ["status", "asked_at", "decided_at", "reason"]

    def get_order(self, tie) -> list[int]:
        """Participations: the best first once the chair has decided."""
        return [team.participation_id for team in tie.teams.all()]


class LeftOutSerializer(serializers.Serializer):
    judge = serializers.IntegerField()
    team = serializers.IntegerField()


class AssignedSerializer(serializers.Serializer):
    added = serializers.IntegerField()
    left_out = LeftOutSerializer(many=True)


class AssignmentSerializer(serializers.ModelSerializer):
    """Who scores which team. Judges of an anonymous panel are not told who the team is."""

    panel = ScopedField(_organized(Panel, "round__event"))
    judge = ScopedField(_organized(Judge, "event"))
    # Null where the team is anonymous to the reader; to assign it must be given.
    participation = ScopedField(_organized(Participation, "round__event"), allow_null=True)
    round = serializers.IntegerField(source="participation.round_id", read_only=True)
    team = serializers.IntegerField(source="participation.team_id", read_only=True, allow_null=True)
    code = serializers.CharField(source="participation.team.code", read_only=True)
    running_order = serializers.IntegerField(
        source="participation.running_order", read_only=True, allow_null=True
    )
    scoresheet = serializers.SerializerMethodField()
    reason = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, default="", write_only=True,
        help_text="To assign a judge of the team's own organisation; kept in the log.",
    )  # fmt: skip

    class Meta:
        model = Assignment
        fields = [
            "id",
            "panel",
            "judge",
            "participation",
            "round",
            "team",
            "code",
            "running_order",
            "scoresheet",
            "released_at",
            "reason",
        ]
        validators = []

    def validate_participation(self, participation):
        if participation is None:
            raise serializers.ValidationError("Name the team's participation.")
        return participation

    def to_representation(self, assignment):
        shown = super().to_representation(assignment)
        if is_hidden(assignment.panel, self.context):
            shown |= {"participation": None, "team": None, "running_order": None}
            shown["code"] = pseudonym(assignment.participation)
        return shown

    def get_scoresheet(self, assignment) -> str | None:
        """The id of its score sheet, once that was opened."""
        sheet = getattr(assignment, "scoresheet", None)
        return str(sheet.pk) if sheet else None


class MarkSerializer(serializers.ModelSerializer):
    class Meta:
        model = Mark
        fields = ["criterion", "value"]
        read_only_fields = fields


class ScoresheetSerializer(serializers.ModelSerializer):
    """A judge's sheet; the private note is for its judge alone."""

    round = serializers.IntegerField(source="assignment.participation.round_id", read_only=True)
    team = serializers.IntegerField(
        source="assignment.participation.team_id",
        read_only=True,
        allow_null=True,
        help_text="Null where the team is anonymous to the reader.",
    )
    judge = serializers.IntegerField(source="assignment.judge_id", read_only=True)
    rubric = serializers.IntegerField(source="assignment.panel.rubric_id", read_only=True)
    marks = MarkSerializer(many=True, read_only=True)
    total = serializers.SerializerMethodField()

    class Meta:
        model = Scoresheet
        fields = [
            "id",
            "assignment",
            "round",
            "team",
            "judge",
            "rubric",
            "status",
            "marks",
            "total",
            "comment",
            "private_note",
            "submitted_at",
            "updated_at",
        ]
        read_only_fields = [name for name in fields if name not in ("comment", "private_note")]

    def get_total(self, sheet) -> str | None:
        """Weighted total from 0 to 100, to twelve decimals; null until every mark is there."""
        marks = {mark.criterion_id: mark.value for mark in sheet.marks.all()}
        total = exact_total(sheet.assignment.panel.rubric.criteria.all(), marks)
        return None if total is None else str(fraction_to_decimal(total))

    def to_representation(self, sheet):
        shown = super().to_representation(sheet)
        if sheet.assignment.judge.user_id != self.context["request"].user.pk:
            shown["private_note"] = None
        if is_hidden(sheet.assignment.panel, self.context):
            shown["team"] = None
        return shown


class OpenSheetSerializer(serializers.Serializer):
    assignment = ScopedField(
        lambda user: Assignment.objects.filter(judge__user=user.pk).select_related("judge")
    )


class NewMarkSerializer(serializers.Serializer):
    key = serializers.CharField(
        max_length=64, help_text="Names the tap; sent again it is the same tap."
    )
    criterion = ScopedField(
        lambda user: Criterion.objects.filter(
            rubric__panels__assignments__judge__user=user.pk
        ).distinct()
    )
    value = serializers.DecimalField(
        max_digits=6, decimal_places=2, allow_null=True, help_text="Null clears the mark."
    )
    device_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="The time on the tablet."
    )


class SavedMarkSerializer(serializers.Serializer):
    number = serializers.IntegerField(help_text="Of the entry in the round's judging record.")
    total = serializers.CharField(allow_null=True)


class RecusalSerializer(serializers.ModelSerializer):
    """A conflict of interest, of a team, or of whichever team an assignment of yours is.

    A judge may name any team that competes in the tracks of their panels, before it is assigned.
    A judge of an anonymous panel names the assignment and is not told the team.
    """

    judge = ScopedField(
        lambda user: Judge.objects.filter(
            Q(user=user.pk) | Q(event__in=organized_events(user))
        ).select_related("event")
    )
    team = ScopedField(
        lambda user: Team.objects.filter(
            # That a team is among one's anonymous assignments is not to be found out by asking.
            Q(pk__in=declarable_teams(user).values("pk")) | Q(event__in=organized_events(user))
        ),
        required=False,
        allow_null=True,
    )
    assignment = ScopedField(
        lambda user: Assignment.objects.filter(
            Q(judge__user=user.pk) | Q(judge__event__in=organized_events(user))
        ).select_related("participation__team"),
        required=False,
        write_only=True,
        help_text="Instead of the team.",
    )
    declared_by = serializers.CharField(source="declared_by.name", read_only=True, default=None)

    class Meta:
        model = Recusal
        fields = ["id", "judge", "team", "assignment", "reason", "declared_by", "declared_at"]
        read_only_fields = ["declared_at"]
        validators = []

    def validate(self, data):
        assignment = data.pop("assignment", None)
        if assignment is not None:
            if assignment.judge_id != data["judge"].pk:
                raise serializers.ValidationError({"assignment": "It is another judge's."})
            data["team"] = assignment.participation.team
        if data.get("team") is None:
            raise serializers.ValidationError({"team": "Name the team, or an assignment."})
        return data

    def to_representation(self, recusal):
        shown = super().to_representation(recusal)
        if recusal.pk in self.context["hidden_recusals"]:
            shown["team"] = None
        return shown


def file_or_none(value) -> UploadedFile | None:
    return value if isinstance(value, UploadedFile) else None
