"""What lists of judging's endpoints can be narrowed by."""

import django_filters as filters

from contest.api.filters import ApiFilterSet, IdFilter
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
    Tie,
)
from judging.states import BenchmarkStatus, RunStatus, ScoresheetStatus, TieStatus


class BenchmarkFilter(ApiFilterSet):
    status = filters.ChoiceFilter(choices=BenchmarkStatus.choices)

    class Meta:
        model = Benchmark
        fields = ["round", "status"]


class SubmissionFilter(ApiFilterSet):
    event = filters.CharFilter("participation__round__event__slug")
    round = IdFilter("participation__round")
    team = IdFilter("participation__team")
    status = filters.ChoiceFilter(choices=SubmissionStatus.choices)

    class Meta:
        model = Submission
        fields = ["event", "round", "team", "participation", "kind", "status"]


class RunFilter(ApiFilterSet):
    round = IdFilter("benchmark__round")
    status = filters.ChoiceFilter(choices=RunStatus.choices)

    class Meta:
        model = ScoringRun
        fields = ["round", "submission", "status", "cause"]


class RubricFilter(ApiFilterSet):
    class Meta:
        model = Rubric
        fields = ["event"]


class JudgeFilter(ApiFilterSet):
    class Meta:
        model = Judge
        fields = ["event"]


class PanelFilter(ApiFilterSet):
    class Meta:
        model = Panel
        fields = ["round", "rubric"]


class AssignmentFilter(ApiFilterSet):
    round = IdFilter("participation__round")

    class Meta:
        model = Assignment
        fields = ["round", "panel", "judge", "participation"]


class ScoresheetFilter(ApiFilterSet):
    round = IdFilter("assignment__participation__round")
    team = IdFilter("assignment__participation__team")
    judge = IdFilter("assignment__judge")
    status = filters.ChoiceFilter(choices=ScoresheetStatus.choices)

    class Meta:
        model = Scoresheet
        fields = ["round", "team", "judge", "status"]


class RecusalFilter(ApiFilterSet):
    class Meta:
        model = Recusal
        fields = ["judge", "team"]


class TieFilter(ApiFilterSet):
    round = IdFilter("panel__round")
    status = filters.ChoiceFilter(choices=TieStatus.choices)

    class Meta:
        model = Tie
        fields = ["round", "panel", "status"]
