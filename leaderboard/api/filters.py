"""What lists of leaderboard's endpoints can be narrowed by."""

import django_filters as filters

from contest.api.filters import ApiFilterSet
from leaderboard.models import Advancement, Award, Scheme, Standing, StandingRow


class StandingFilter(ApiFilterSet):
    event = filters.CharFilter("round__event__slug")

    class Meta:
        model = Standing
        fields = ["event", "round", "audience"]


class StandingRowFilter(ApiFilterSet):
    track = filters.CharFilter("participation__team__track__slug")
    country = filters.CharFilter("participation__team__country")

    class Meta:
        model = StandingRow
        fields = ["standing", "rank", "track", "country"]


class AdvancementFilter(ApiFilterSet):
    class Meta:
        model = Advancement
        fields = ["round", "status"]


class AwardFilter(ApiFilterSet):
    class Meta:
        model = Award
        fields = ["round"]


class SchemeFilter(ApiFilterSet):
    event = filters.CharFilter("round__event__slug")

    class Meta:
        model = Scheme
        fields = ["event", "round"]
