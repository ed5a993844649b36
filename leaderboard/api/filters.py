"""What lists of leaderboard's endpoints can be narrowed by."""

import django_filters as filters

from leaderboard.models import Advancement, Award, Standing, StandingRow


class StandingFilter(filters.FilterSet):
    event = filters.CharFilter("round__event__slug")

    class Meta:
        model = Standing
        fields = ["event", "round", "audience"]


class StandingRowFilter(filters.FilterSet):
    track = filters.CharFilter("participation__team__track__slug")
    country = filters.CharFilter("participation__team__country")

    class Meta:
        model = StandingRow
        fields = ["standing", "rank", "track", "country"]


class AdvancementFilter(filters.FilterSet):
    class Meta:
        model = Advancement
        fields = ["round", "status"]


class AwardFilter(filters.FilterSet):
    class Meta:
        model = Award
        fields = ["round"]
