"""Staff's view of rankings. They are computed and signed at the desk, and recorded here."""

from django.contrib import admin

from contest.admin import RecordAdmin, RecordInline
from leaderboard.models import (
    Advancement,
    AdvancementQuota,
    AdvancementRow,
    AdvancementRule,
    Award,
    AwardWinner,
    Notice,
    PreparedFile,
    Reveal,
    Scheme,
    SchemeComponent,
    Signature,
    Standing,
    StandingRow,
)


class SchemeComponentInline(RecordInline):
    model = SchemeComponent
    fields = ["kind", "source", "weight", "aggregation", "trim", "per", "worst", "best"]


@admin.register(Scheme)
class SchemeAdmin(RecordAdmin):
    list_display = ["round", "advance_count", "tie_breaks", "decimals"]
    list_filter = ["round__event", "round__kind"]
    list_select_related = ["round__track"]
    search_fields = ["round__slug", "round__event__slug"]
    inlines = [SchemeComponentInline]


@admin.register(SchemeComponent)
class SchemeComponentAdmin(RecordAdmin):
    list_display = ["scheme", "kind", "source", "weight", "aggregation", "worst", "best"]
    list_filter = ["kind", "aggregation", "source__event"]
    list_select_related = ["scheme__round__track", "source__track"]
    search_fields = ["scheme__round__slug"]


@admin.register(Standing)
class StandingAdmin(RecordAdmin):
    list_display = ["round", "audience", "is_current", "computed_at", "input_digest"]
    list_filter = ["audience", "is_current", "round__event"]
    list_select_related = ["round__track"]
    search_fields = ["round__slug", "input_digest"]
    date_hierarchy = "computed_at"


@admin.register(StandingRow)
class StandingRowAdmin(RecordAdmin):
    list_display = ["standing", "position", "rank", "team", "total"]
    list_filter = ["standing__is_current", "standing__audience", "standing__round__event"]
    list_select_related = ["standing__round__track", "participation__team"]
    search_fields = ["participation__team__code", "standing__round__slug"]

    def team(self, row):
        return row.participation.team


@admin.register(Advancement)
class AdvancementAdmin(RecordAdmin):
    list_display = ["round", "status", "created_at", "signed_at", "signed_by"]
    list_filter = ["status", "round__event"]
    list_select_related = ["round__track", "signed_by"]
    search_fields = ["round__slug", "reason"]


@admin.register(AdvancementRow)
class AdvancementRowAdmin(RecordAdmin):
    list_display = ["advancement", "rank", "team", "outcome"]
    list_filter = ["outcome", "advancement__status", "advancement__round__event"]
    list_select_related = ["advancement__round__track", "row__participation__team"]
    search_fields = ["row__participation__team__code"]

    def rank(self, item):
        return item.row.rank

    def team(self, item):
        return item.row.participation.team


class AwardWinnerInline(RecordInline):
    model = AwardWinner
    fields = ["participation"]


@admin.register(Award)
class AwardAdmin(RecordAdmin):
    list_display = ["name_zh", "name_en", "round", "first_rank", "last_rank"]
    list_filter = ["round__event"]
    list_select_related = ["round__track"]
    search_fields = ["name_zh", "name_en", "round__slug"]
    inlines = [AwardWinnerInline]


@admin.register(AwardWinner)
class AwardWinnerAdmin(RecordAdmin):
    list_display = ["award", "participation"]
    list_filter = ["award__round__event"]
    list_select_related = ["award", "participation__team", "participation__round"]
    search_fields = ["award__name_zh", "award__name_en", "participation__team__code"]


@admin.register(Reveal)
class RevealAdmin(RecordAdmin):
    list_display = ["round", "scene", "participation", "standing", "version"]
    list_filter = ["scene", "round__event"]
    list_select_related = [
        "round__track",
        "participation__team",
        "participation__round",
        "standing__round__track",
    ]
    search_fields = ["round__slug", "round__event__slug"]


class AdvancementQuotaInline(RecordInline):
    model = AdvancementQuota
    fields = ["kind", "country", "track", "most", "least"]


@admin.register(AdvancementRule)
class AdvancementRuleAdmin(RecordAdmin):
    list_display = ["round", "ties", "reserves", "wildcards"]
    list_filter = ["ties", "round__event"]
    list_select_related = ["round__track"]
    search_fields = ["round__slug", "round__event__slug"]
    inlines = [AdvancementQuotaInline]


@admin.register(AdvancementQuota)
class AdvancementQuotaAdmin(RecordAdmin):
    list_display = ["rule", "kind", "country", "track", "most", "least"]
    list_filter = ["kind", "rule__round__event"]
    list_select_related = ["rule__round__track", "track"]
    search_fields = ["rule__round__slug"]


@admin.register(Signature)
class SignatureAdmin(RecordAdmin):
    list_display = ["advancement", "by", "at"]
    list_filter = ["advancement__round__event"]
    list_select_related = ["advancement__round__track", "by"]
    search_fields = ["advancement__round__slug", "by__name"]


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ["participation", "user", "corrects", "sent_at"]
    list_filter = ["corrects", "participation__round__event"]
    list_select_related = ["participation__team", "participation__round", "user"]
    search_fields = ["participation__team__code", "user__email"]


@admin.register(PreparedFile)
class PreparedFileAdmin(RecordAdmin):
    list_display = ["round", "document", "fmt", "language", "status", "asked_by", "asked_at"]
    list_filter = ["status", "document", "round__event"]
    list_select_related = ["round__track", "asked_by"]
    search_fields = ["round__slug", "round__event__slug", "asked_by__name"]
    date_hierarchy = "asked_at"
    # Where it lies in the store is nobody's business: organizers get it by the page of downloads.
    exclude = ["file"]
