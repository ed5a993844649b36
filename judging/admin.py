"""Staff's view of judging. Scores and what made them are records here, not forms."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from contest.admin import RecordAdmin, RecordInline
from judging.models import (
    Appearance,
    Assignment,
    Benchmark,
    BenchmarkTask,
    Criterion,
    Judge,
    Mark,
    Panel,
    Record,
    RecordEntry,
    Recusal,
    Reminder,
    Rubric,
    Scoresheet,
    ScoringRun,
    Stage,
    Tie,
    TiedTeam,
    Worker,
)


@admin.register(Benchmark)
class BenchmarkAdmin(RecordAdmin):
    list_display = ["round", "version", "status", "metric", "public_percent", "created_at"]
    list_filter = ["status", "protocol", "round__event"]
    list_select_related = ["round__track"]
    search_fields = ["round__slug", "round__event__slug", "metric"]
    exclude = ["reference", "inputs", "metric_program"]  # hidden data leave by no page


@admin.register(BenchmarkTask)
class BenchmarkTaskAdmin(RecordAdmin):
    list_display = ["benchmark", "ordinal", "name"]
    list_filter = ["benchmark__round__event"]
    list_select_related = ["benchmark__round__track"]
    search_fields = ["name", "benchmark__round__slug"]
    exclude = list(BenchmarkTask.FILES)


@admin.register(Worker)
class WorkerAdmin(RecordAdmin):
    list_display = ["name", "resource_classes", "processes", "sandbox", "container_engine",
                    "seen_at"]  # fmt: skip
    list_filter = ["sandbox", "container_engine"]
    search_fields = ["name"]


@admin.register(ScoringRun)
class ScoringRunAdmin(RecordAdmin):
    list_display = [
        "__str__", "status", "cause", "error_code", "public_score", "private_score",
        "queued_at", "duration_s", "worker",
    ]  # fmt: skip
    list_filter = ["status", "cause", "error_code", "benchmark__round__event"]
    list_select_related = ["submission__participation__team", "benchmark__round"]
    search_fields = ["submission__participation__team__code", "id", "worker"]
    date_hierarchy = "queued_at"


class CriterionInline(RecordInline):
    model = Criterion
    fields = ["kind", "name_zh", "name_en", "weight", "minimum", "maximum", "step"]


@admin.register(Rubric)
class RubricAdmin(RecordAdmin):
    """Changed at the desk alone, which checks all of it together and tells what it would change."""

    list_display = ["name_zh", "name_en", "version", "event", "created_at"]
    list_filter = ["event"]
    list_select_related = ["event"]
    search_fields = ["name_zh", "name_en", "event__slug"]
    inlines = [CriterionInline]


@admin.register(Criterion)
class CriterionAdmin(RecordAdmin):
    list_display = ["name_zh", "name_en", "rubric", "weight", "minimum", "maximum", "step"]
    list_filter = ["rubric__event"]
    list_select_related = ["rubric"]
    search_fields = ["name_zh", "name_en", "rubric__name_zh", "rubric__name_en"]


@admin.register(Judge)
class JudgeAdmin(RecordAdmin):
    """Changed at the desk alone, which names the account with the judge and logs who it was."""

    list_display = ["name", "organisation_zh", "organisation_en", "event", "email"]
    list_filter = ["event"]
    list_select_related = ["event"]
    search_fields = ["name", "organisation_zh", "organisation_en", "email"]


@admin.register(Panel)
class PanelAdmin(RecordAdmin):
    list_display = ["name_zh", "name_en", "round", "rubric"]
    list_filter = ["round__event"]
    list_select_related = ["round__track", "rubric"]
    search_fields = ["name_zh", "name_en", "round__slug"]


@admin.register(Assignment)
class AssignmentAdmin(RecordAdmin):
    list_display = ["judge", "team", "round", "panel"]
    list_filter = ["participation__round__event"]
    list_select_related = ["judge", "panel", "participation__team", "participation__round__track"]
    search_fields = ["judge__name", "participation__team__code"]

    @admin.display(description=_("team"))
    def team(self, assignment):
        return assignment.participation.team

    @admin.display(description=_("round"))
    def round(self, assignment):
        return assignment.participation.round


@admin.register(Recusal)
class RecusalAdmin(RecordAdmin):
    list_display = ["judge", "team", "reason", "declared_by", "declared_at"]
    list_filter = ["judge__event"]
    list_select_related = ["judge", "team", "declared_by"]
    search_fields = ["judge__name", "team__code", "reason"]


class MarkInline(RecordInline):
    model = Mark
    fields = ["criterion", "value"]


class RecordEntryInline(RecordInline):
    model = RecordEntry
    fields = readonly_fields = [
        "number", "kind", "criterion", "previous", "value", "by", "at", "device_at", "reason",
    ]  # fmt: skip


@admin.register(Scoresheet)
class ScoresheetAdmin(RecordAdmin):
    list_display = ["judge", "team", "round", "status", "submitted_at", "updated_at"]
    list_filter = ["status", "assignment__participation__round__event"]
    list_select_related = [
        "assignment__judge",
        "assignment__participation__team",
        "assignment__participation__round__track",
    ]
    search_fields = ["assignment__judge__name", "assignment__participation__team__code"]
    inlines = [MarkInline, RecordEntryInline]
    exclude = ["private_note"]  # for its judge alone

    @admin.display(description=_("judge"))
    def judge(self, sheet):
        return sheet.assignment.judge

    @admin.display(description=_("team"))
    def team(self, sheet):
        return sheet.assignment.participation.team

    @admin.display(description=_("round"))
    def round(self, sheet):
        return sheet.assignment.participation.round


@admin.register(Mark)
class MarkAdmin(RecordAdmin):
    list_display = ["scoresheet", "criterion", "value"]
    list_filter = ["scoresheet__assignment__participation__round__event"]
    list_select_related = [
        "criterion",
        "scoresheet__assignment__judge",
        "scoresheet__assignment__participation__team",
        "scoresheet__assignment__participation__round",
    ]
    search_fields = [
        "scoresheet__assignment__judge__name",
        "scoresheet__assignment__participation__team__code",
    ]


@admin.register(RecordEntry)
class RecordEntryAdmin(RecordAdmin):
    list_display = [
        "number", "record", "kind", "judge", "participation", "criterion", "previous", "value",
        "by", "at", "device_at",
    ]  # fmt: skip
    list_filter = ["kind", "record__round__event"]
    list_select_related = [
        "record__round__track", "judge", "participation__team", "participation__round",
        "criterion", "by",
    ]  # fmt: skip
    search_fields = ["judge__name", "participation__team__code", "record__round__slug"]
    date_hierarchy = "at"


@admin.register(Record)
class JudgingRecordAdmin(RecordAdmin):
    list_display = ["round", "length", "head"]
    list_filter = ["round__event"]
    list_select_related = ["round__track"]
    search_fields = ["round__slug", "head"]


@admin.register(Stage)
class StageAdmin(RecordAdmin):
    list_display = ["round", "phase", "current", "drawn_at", "draw_seed"]
    list_filter = ["round__event"]
    list_select_related = ["round__track", "current__team", "current__round"]
    search_fields = ["round__slug"]


@admin.register(Appearance)
class AppearanceAdmin(RecordAdmin):
    list_display = ["participation", "status", "began_at", "ended_at"]
    list_filter = ["status", "participation__round__event"]
    list_select_related = ["participation__team", "participation__round"]
    search_fields = ["participation__team__code"]


@admin.register(Reminder)
class ReminderAdmin(RecordAdmin):
    list_display = ["at", "judge", "round", "text", "by"]
    list_filter = ["round__event"]
    list_select_related = ["judge", "round__track", "by"]
    search_fields = ["judge__name", "text"]


class TiedTeamInline(RecordInline):
    model = TiedTeam
    fields = ["place", "participation"]


@admin.register(Tie)
class TieAdmin(RecordAdmin):
    list_display = ["panel", "status", "asked_at", "decided_by", "decided_at"]
    list_filter = ["status", "panel__round__event"]
    list_select_related = ["panel", "decided_by"]
    search_fields = ["panel__name_zh", "panel__name_en", "reason"]
    inlines = [TiedTeamInline]


@admin.register(TiedTeam)
class TiedTeamAdmin(RecordAdmin):
    list_display = ["tie", "place", "participation"]
    list_filter = ["tie__panel__round__event"]
    list_select_related = ["tie__panel", "participation__team", "participation__round"]
    search_fields = ["participation__team__code"]
