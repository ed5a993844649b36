"""What lists of judging's endpoints can be narrowed by."""

import django_filters as filters

from contest.models import Submission
from contest.states import SubmissionStatus
from judging.models import (
    Assignment,
    Benchmark,
    Judge,
    Panel,
    Recusal,
    Rubric,
    Scoresheet,
    ScoringRun,
)
from judging.states import RunStatus, ScoresheetStatus


class BenchmarkFilter(filters.FilterSet):
    class Meta:
        model = Benchmark
        fields = ["round", "is_current"]


class SubmissionFilter(filters.FilterSet):
    event = filters.CharFilter("participation__round__event__slug")
    round = filters.NumberFilter("participation__round")
    team = filters.NumberFilter("participation__team")
    status = filters.ChoiceFilter(choices=SubmissionStatus.choices)

    class Meta:
        model = Submission
        fields = ["event", "round", "team", "participation", "kind", "status"]


class RunFilter(filters.FilterSet):
    round = filters.NumberFilter("benchmark__round")
    status = filters.ChoiceFilter(choices=RunStatus.choices)

    class Meta:
        model = ScoringRun
        fields = ["round", "submission", "status", "cause"]


class RubricFilter(filters.FilterSet):
    class Meta:
        model = Rubric
        fields = ["event"]


class JudgeFilter(filters.FilterSet):
    class Meta:
        model = Judge
        fields = ["event"]


class PanelFilter(filters.FilterSet):
    class Meta:
        model = Panel
        fields = ["round", "rubric"]


class AssignmentFilter(filters.FilterSet):
    round = filters.NumberFilter("participation__round")

    class Meta:
        model = Assignment
        fields = ["round", "panel", "judge", "participation"]


class ScoresheetFilter(filters.FilterSet):
    round = filters.NumberFilter("assignment__participation__round")
    team = filters.NumberFilter("assignment__participation__team")
    judge = filters.NumberFilter("assignment__judge")
    status = filters.ChoiceFilter(choices=ScoresheetStatus.choices)

    class Meta:
        model = Scoresheet
        fields = ["round", "team", "judge", "status"]


class RecusalFilter(filters.FilterSet):
    class Meta:
        model = Recusal
        fields = ["judge", "team"]
