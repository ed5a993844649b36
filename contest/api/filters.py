"""What lists of contest's endpoints can be narrowed by."""

import django_filters as filters

from contest.api.permissions import insider_teams
from contest.models import Entry, Event, Invitation, Participation, Round, Team, Track
from contest.states import TeamStatus


class EventFilter(filters.FilterSet):
    class Meta:
        model = Event
        fields = ["status"]


class TrackFilter(filters.FilterSet):
    event = filters.CharFilter("event__slug")

    class Meta:
        model = Track
        fields = ["event", "parent"]


class RoundFilter(filters.FilterSet):
    event = filters.CharFilter("event__slug")

    class Meta:
        model = Round
        fields = ["event", "track", "kind", "format", "status"]


class TeamFilter(filters.FilterSet):
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


class EntryFilter(filters.FilterSet):
    event = filters.CharFilter("team__event__slug")

    class Meta:
        model = Entry
        fields = ["event", "team", "licence"]


class ParticipationFilter(filters.FilterSet):
    event = filters.CharFilter("round__event__slug")

    class Meta:
        model = Participation
        fields = ["event", "round", "team", "status"]


class InvitationFilter(filters.FilterSet):
    open = filters.BooleanFilter("accepted_at", lookup_expr="isnull")

    class Meta:
        model = Invitation
        fields = ["team", "open"]
