"""What lists of contest's endpoints can be narrowed by."""

import django_filters as filters
from django import forms
from django.db import models

from contest.api.permissions import insider_teams
from contest.models import Entry, Event, Invitation, Participation, Round, Team, Track
from contest.states import TeamStatus


class IdField(forms.IntegerField):
    """A whole number that a database can hold."""

    def __init__(self, **kwargs):
        super().__init__(**{"min_value": 0, "max_value": 2**63 - 1, **kwargs})


class IdFilter(filters.NumberFilter):
    """By an id or a rank. One that nothing has finds nothing, so that the answer does not tell
    which hidden objects exist."""

    field_class = IdField

    def get_max_validator(self):
        return None


class ApiFilterSet(filters.FilterSet):
    """Narrows by plain ids where django-filter would ask for an existing object."""

    @classmethod
    def filter_for_lookup(cls, field, lookup_type):
        if isinstance(field, models.ForeignKey):
            by_uuid = isinstance(field.target_field, models.UUIDField)
            return (filters.UUIDFilter if by_uuid else IdFilter), {}
        if isinstance(field, models.IntegerField):
            return IdFilter, {}
        return super().filter_for_lookup(field, lookup_type)


class EventFilter(ApiFilterSet):
    class Meta:
        model = Event
        fields = ["status"]


class TrackFilter(ApiFilterSet):
    event = filters.CharFilter("event__slug")

    class Meta:
        model = Track
        fields = ["event", "parent"]


class RoundFilter(ApiFilterSet):
    event = filters.CharFilter("event__slug")

    class Meta:
        model = Round
        fields = ["event", "track", "kind", "format", "status"]


class TeamFilter(ApiFilterSet):
    event = filters.CharFilter("event__slug")
    mine = filters.BooleanFilter(
        method="filter_mine", label="Only teams that you belong to (true), or only others (false)."
    )
    status = filters.ChoiceFilter(
        choices=TeamStatus.choices,
        method="filter_status",
        label="Status; finds only teams whose status you may see.",
    )
    country = filters.CharFilter(lookup_expr="exact")

    class Meta:
        model = Team
        fields = ["event", "track", "country", "status", "mine"]

    def filter_mine(self, queryset, name, value):
        user = self.request.user
        if not user.is_authenticated:
            return queryset.none() if value else queryset
        mine = Team.objects.filter(memberships__user=user).values("pk")
        return queryset.filter(pk__in=mine) if value else queryset.exclude(pk__in=mine)

    def filter_status(self, queryset, name, value):
        # The filter must not tell what the answer itself keeps back.
        return queryset.filter(status=value, pk__in=insider_teams(self.request.user).values("pk"))


class EntryFilter(ApiFilterSet):
    event = filters.CharFilter("team__event__slug")

    class Meta:
        model = Entry
        fields = ["event", "team", "licence"]


class ParticipationFilter(ApiFilterSet):
    event = filters.CharFilter("round__event__slug")

    class Meta:
        model = Participation
        fields = ["event", "round", "team", "status"]


class InvitationFilter(ApiFilterSet):
    open = filters.BooleanFilter("accepted_at", lookup_expr="isnull")

    class Meta:
        model = Invitation
        fields = ["team", "open"]
