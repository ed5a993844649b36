"""Staff's view of everything. Organizers work at the desk; here is what support needs."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField, SetPasswordMixin
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin

from contest.models import (
    Entry,
    EntryFile,
    Event,
    EventRole,
    Invitation,
    LogEntry,
    Membership,
    Participation,
    Round,
    SignInLink,
    Submission,
    Team,
    Track,
    User,
)


class RecordAdmin(ExportMixin, admin.ModelAdmin):
    """What the platform recorded: to search, read and export, never to change by hand."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class RecordInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class NewUserForm(SetPasswordMixin, forms.ModelForm):
    password1, password2 = SetPasswordMixin.create_password_fields()

    class Meta:
        model = User
        fields = ["email", "name", "language"]

    def clean(self):
        self.validate_passwords()
        return super().clean()

    def _post_clean(self):
        super()._post_clean()
        self.validate_password_for_user(self.instance)

    def save(self, commit=True):
        return self.set_password_and_save(super().save(commit=False), commit=commit)


class ChangeUserForm(forms.ModelForm):
    password = ReadOnlyPasswordHashField()

    class Meta:
        model = User
        fields = ["email", "password", "name", "language", "is_active", "is_staff", "is_superuser"]


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form = ChangeUserForm
    add_form = NewUserForm
    list_display = ["name", "email", "language", "is_active", "is_staff", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "language"]
    search_fields = ["name", "email"]
    ordering = ["-date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "language"]}),
        (
            _("Permissions"),
            {
                "fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"],
                "classes": ["collapse"],
            },
        ),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "language", "password1", "password2"]})]
    readonly_fields = ["last_login", "date_joined"]


class EventRoleInline(admin.TabularInline):
    model = EventRole
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ["slug", "name_zh", "name_en", "status", "registration_closes", "created_at"]
    list_filter = ["status", "time_zone"]
    search_fields = ["slug", "name_zh", "name_en", "organiser_zh", "organiser_en"]
    readonly_fields = ["status", "created_at"]
    inlines = [EventRoleInline]


@admin.register(EventRole)
class EventRoleAdmin(admin.ModelAdmin):
    list_display = ["user", "event", "role"]
    list_filter = ["role", "event"]
    list_select_related = ["user", "event"]
    search_fields = ["user__name", "user__email", "event__slug"]
    autocomplete_fields = ["user", "event"]


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin):
    list_display = ["slug", "name_zh", "name_en", "event", "parent", "code_prefix", "ordinal"]
    list_filter = ["event"]
    list_select_related = ["event", "parent"]
    search_fields = ["slug", "name_zh", "name_en", "event__slug"]
    autocomplete_fields = ["event", "parent"]


@admin.register(Round)
class RoundAdmin(admin.ModelAdmin):
    list_display = ["slug", "name_zh", "track", "event", "kind", "format", "status", "closes_at"]
    list_filter = ["status", "kind", "format", "event"]
    list_select_related = ["track", "event"]
    search_fields = ["slug", "name_zh", "name_en", "event__slug"]
    autocomplete_fields = ["track"]
    readonly_fields = ["event", "status"]


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Team)
class TeamAdmin(ExportMixin, admin.ModelAdmin):
    list_display = ["code", "name_zh", "name_en", "track", "event", "country", "status"]
    list_filter = ["status", "event", "track", "country"]
    list_select_related = ["track", "event"]
    search_fields = ["code", "name_zh", "name_en", "organisation_zh", "organisation_en"]
    autocomplete_fields = ["track"]
    readonly_fields = ["event", "code", "status", "created_at"]
    inlines = [MembershipInline]

    def has_add_permission(self, request):
        return False  # registering gives the code, the captain and the entry


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "team", "role", "joined_at"]
    list_filter = ["role", "team__event"]
    list_select_related = ["user", "team"]
    search_fields = ["user__name", "user__email", "team__code", "team__name_zh", "team__name_en"]
    autocomplete_fields = ["user", "team"]


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    list_display = ["email", "team", "invited_by", "created_at", "expires_at", "accepted_at"]
    list_filter = ["team__event"]
    list_select_related = ["team", "invited_by"]
    search_fields = ["email", "team__code"]
    exclude = ["token"]


class EntryFileInline(RecordInline):
    model = EntryFile
    fields = readonly_fields = ["original_name", "size", "sha256", "uploaded_at"]


@admin.register(Entry)
class EntryAdmin(ExportMixin, admin.ModelAdmin):
    list_display = ["team", "title_zh", "title_en", "licence", "base_model", "updated_at"]
    list_filter = ["licence", "team__event"]
    list_select_related = ["team"]
    search_fields = ["title_zh", "title_en", "team__code", "repository"]
    autocomplete_fields = ["team"]
    inlines = [EntryFileInline]

    def has_add_permission(self, request):
        return False


@admin.register(EntryFile)
class EntryFileAdmin(RecordAdmin):
    list_display = ["original_name", "entry", "size", "uploaded_at"]
    list_filter = ["entry__team__event"]
    list_select_related = ["entry__team"]
    search_fields = ["original_name", "sha256", "entry__team__code"]
    exclude = ["file"]


@admin.register(Participation)
class ParticipationAdmin(RecordAdmin):
    list_display = ["team", "round", "running_order", "status", "joined_at"]
    list_filter = ["status", "round__event", "round__kind"]
    list_select_related = ["team", "round__track"]
    search_fields = ["team__code", "team__name_zh", "team__name_en", "round__slug"]


@admin.register(Submission)
class SubmissionAdmin(RecordAdmin):
    list_display = ["__str__", "round", "kind", "status", "size", "submitted_by", "received_at"]
    list_filter = ["status", "kind", "participation__round__event"]
    list_select_related = ["participation__team", "participation__round__track", "submitted_by"]
    search_fields = ["participation__team__code", "original_name", "sha256", "submitted_by__name"]
    date_hierarchy = "received_at"
    exclude = ["file"]  # the page of the submission checks who asks

    @admin.display(description=_("round"))
    def round(self, submission):
        return submission.participation.round


@admin.register(SignInLink)
class SignInLinkAdmin(RecordAdmin):
    list_display = ["user", "event", "created_at", "expires_at", "used_at", "revoked_at"]
    list_filter = ["event"]
    list_select_related = ["user", "event"]
    search_fields = ["user__name", "event__slug"]
    exclude = ["token_sha256"]


@admin.register(LogEntry)
class LogEntryAdmin(RecordAdmin):
    list_display = ["at", "event", "by", "action", "object_name", "before", "after", "reason"]
    list_filter = ["action", "model", "event"]
    list_select_related = ["event", "by"]
    search_fields = ["object_name", "reason", "by__name", "object_id"]
    date_hierarchy = "at"
