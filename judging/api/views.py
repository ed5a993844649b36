"""Judging's endpoints. Each queryset holds what its reader may know of; the rest is 404."""

import io
from uuid import uuid4

from django.conf import settings
from django.db.models import Case, F, Prefetch, Q, When
from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.response import Response

from contest.api.base import REFUSED, ReasonSerializer, WithServices
from contest.api.parsers import JSONParser
from contest.api.permissions import (
    IsSignedIn,
    OrganizersAlone,
    OrganizersWrite,
    SignedInReadOrganizersWrite,
    insider_teams,
)
from contest.errors import Refused
from contest.models import Round, SignInLink, Submission
from contest.numbers import round_half_up
from contest.roles import is_member, is_organizer, is_organizer_anywhere, organized_events
from contest.services.baselines import submit_baseline
from contest.services.signin import link_url, make_link, revoke_link
from contest.services.submissions import choose_final, receive, withdraw_submission
from contest.uploads import UploadTooLarge
from judging import faults
from judging.api import filters, serializers
from judging.faults import SubmissionFault
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
from judging.roles import assignments_of, hidden_from, hidden_recusals
from judging.services import designs, rescoring, ties
from judging.services import panels as panel_services
from judging.services import rubrics as rubric_services
from judging.services import scoresheets as sheet_services
from judging.services.benchmarks import (
    current_benchmark,
    define_from_upload,
    sample_submission,
)
from judging.services.checks import check_file
from judging.services.logs import scoring_log, team_log
from judging.services.runs import cancel, rescore
from judging.services.substitutes import readmit, substitute
from judging.states import ON_TRIAL


def _described(proposal: designs.Proposal, *, applied: bool) -> dict:
    made = proposal.design
    low, mean, high = made.overlap_range
    answer = {
        "applied": applied,
        "digest": proposal.digest,
        "seed": proposal.wish.seed,
        "assignments": [{"judge": j, "participation": p} for j, p in sorted(made.pairs)],
        "added": len(proposal.added),
        "removed": len(proposal.removed),
        "loads": [{"judge": judge, "teams": teams} for judge, teams in made.loads.items()],
        "load_min": made.load_range[0],
        "load_max": made.load_range[1],
        "overlaps": [{"judges": pair, "teams": n} for pair, n in made.overlaps.items()],
        "overlap_min": low,
        "overlap_mean": mean,
        "overlap_max": high,
        "connected": made.is_connected,
        "short": [
            {"participation": p.pk, "judges": got, "kept_from": [judge.pk for judge in judges]}
            for p, got, judges in proposal.short
        ],
    }
    return serializers.DesignSerializer(answer).data


def _shown_runs():
    return ScoringRun.objects.shown().select_related("benchmark__round", "submission")


class _Judging(WithServices):
    """Adds to each serializer which events its reader organizes."""

    def get_serializer_context(self):
        context = super().get_serializer_context()
        if not hasattr(self, "_organized"):
            user = getattr(self.request, "user", None)
            self._organized = (
                set(organized_events(user).values_list("pk", flat=True)) if user else set()
            )
        context["organized_event_ids"] = self._organized
        return context

    # Parameters that narrow a list by who the team is.
    names_team: tuple[str, ...] = ()

    def without_hidden(self, queryset, panel: str):
        """Without the rows of anonymous teams where the request asks for somebody by name: what is
        not told must not be found either."""
        if not set(self.names_team) & set(self.request.query_params):
            return queryset
        return queryset.exclude(hidden_from(self.request.user, panel))

    def require_organizer(self, event) -> None:
        if not is_organizer(self.request.user, event):
            raise PermissionDenied


@extend_schema_view(
    create=extend_schema(responses={201: serializers.BenchmarkSerializer}),
    partial_update=extend_schema(responses=serializers.BenchmarkSerializer),
)
class BenchmarkViewSet(_Judging):
    """The tasks of automated rounds. Their hidden data go in and never come out."""

    queryset = Benchmark.objects.none()
    serializer_class = serializers.BenchmarkSerializer
    permission_classes = [OrganizersWrite]
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_class = filters.BenchmarkFilter
    ordering_fields = ["created_at", "version"]

    def get_queryset(self):
        user = self.request.user
        visible = Round.objects.visible_to(user)
        inside = Q(round__event__in=organized_events(user))
        tried = Q(status__in=ON_TRIAL)
        return Benchmark.objects.filter(inside | ~tried, round__in=visible).select_related(
            "round__event", "round__track"
        )

    def _define(self, round, data, code):
        names = ("reference", "inputs", "metric_program", "sample", "scoring_program",
                 "ingestion_program")  # fmt: skip
        files = {name: serializers.file_or_none(data.pop(name, None)) for name in names}
        if "columns" in data:
            data["columns"] = [dict(column) for column in data["columns"]]
        benchmark = define_from_upload(round, self.request.user, files, data)
        return self.answer(self.get_queryset().get(pk=benchmark.pk), code)

    def create(self, request):
        """Define a round's task, or its next version once submissions were scored."""
        data = dict(self.valid(request.data))
        return self._define(data.pop("round"), data, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        """Change the task in force; what was scored stays, as an older version."""
        benchmark = self.get_object()
        self.require_organizer(benchmark.round.event)
        data = dict(self.valid(request.data, partial=True, instance=benchmark))
        data.pop("round", None)
        return self._define(benchmark.round, data, status.HTTP_200_OK)

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def rescore(self, request, pk=None):
        """Queue every submission of the round for the task in force."""
        benchmark = self.get_object()
        self.require_organizer(benchmark.round.event)
        return Response({"queued": rescore(benchmark.round, request.user)})

    def _own(self) -> Benchmark:
        benchmark = self.get_object()
        self.require_organizer(benchmark.round.event)
        return benchmark

    @extend_schema(responses={200: serializers.CostSerializer})
    @action(
        detail=True, pagination_class=None, filterset_class=None, permission_classes=[IsSignedIn]
    )
    def cost(self, request, pk=None):
        """How many runs scoring everything by this version would take, and for how long."""
        return Response(serializers.CostSerializer(rescoring.cost(self._own())).data)

    @extend_schema(responses={200: serializers.ProgressSerializer})
    @action(
        detail=True, pagination_class=None, filterset_class=None, permission_classes=[IsSignedIn]
    )
    def progress(self, request, pk=None):
        """How far the scoring by this version is."""
        return Response(serializers.ProgressSerializer(rescoring.progress(self._own())).data)

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def start(self, request, pk=None):
        """Score every submission by this version on trial, in the background."""
        return Response({"queued": rescoring.start(self._own(), request.user)})

    @extend_schema(
        request=ReasonSerializer, responses={200: serializers.BenchmarkSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def adopt(self, request, pk=None):
        """Put this version on trial in force; its results count from now on."""
        rescoring.adopt(self._own(), request.user, self.reason())
        return self.answer(self.get_object())

    @extend_schema(
        request=ReasonSerializer, responses={200: serializers.BenchmarkSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def drop(self, request, pk=None):
        """Give this version on trial up."""
        rescoring.drop(self._own(), request.user, self.reason())
        return self.answer(self.get_object())

    @extend_schema(request=None, responses={200: serializers.BenchmarkSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"], url_path="try-again")
    def try_again(self, request, pk=None):
        """Put an older version on trial once more."""
        rescoring.try_again(self._own(), request.user)
        return self.answer(self.get_object())

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(
        detail=True, pagination_class=None, filterset_class=None, permission_classes=[IsSignedIn]
    )
    def sample(self, request, pk=None):
        """A submission of the right form that answers nothing; for teams of the round."""
        benchmark = self.get_object()
        taking_part = benchmark.round.participations.filter(team__memberships__user=request.user)
        if not (taking_part.exists() or is_organizer(request.user, benchmark.round.event)):
            raise PermissionDenied
        found = sample_submission(benchmark)
        if found is None:
            raise NotFound
        return FileResponse(
            io.BytesIO(found[0]), as_attachment=True, filename=found[1],
            content_type="application/octet-stream",
        )  # fmt: skip


@extend_schema_view(
    create=extend_schema(
        request={"multipart/form-data": serializers.NewSubmissionSerializer},
        responses={
            200: OpenApiResponse(serializers.SubmissionSerializer, "The same request came before."),
            201: serializers.SubmissionSerializer,
            409: REFUSED,
        },
    )
)
class SubmissionViewSet(_Judging):
    """Files of your teams and what became of them; organizers see those of their events."""

    queryset = Submission.objects.none()
    serializer_class = serializers.SubmissionSerializer
    permission_classes = [IsSignedIn]
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_class = filters.SubmissionFilter
    search_fields = ["participation__team__code", "original_name"]
    ordering_fields = ["received_at", "number"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        user = self.request.user
        return (
            Submission.objects.filter(participation__team__in=insider_teams(user))
            .select_related("participation__team", "participation__round__event", "submitted_by")
            .prefetch_related(Prefetch("runs", _shown_runs()))
        )

    def valid_upload(self, serializer) -> dict:
        """What was sent, once it is known not to be too large: reading the body finds that out."""
        sent = self.request.data
        if name := getattr(self.request._request, "upload_too_large", None):
            raise UploadTooLarge(settings.MAX_UPLOAD_BYTES, name)
        return self.valid(sent, serializer)

    def create(self, request):
        """Send predictions or a model; it is queued for scoring at once."""
        data = self.valid_upload(serializers.NewSubmissionSerializer)
        submission, created = receive(by=request.user, **data)
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return self.answer(self.get_queryset().get(pk=submission.pk), code)

    @extend_schema(request=None, responses={200: serializers.SubmissionSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def withdraw(self, request, pk=None):
        """Take a submission back while the round is open; its quota stays used."""
        submission = self.get_object()
        if not is_member(request.user, submission.participation.team):
            raise PermissionDenied
        withdraw_submission(submission, request.user)
        return self.answer(self.get_object())

    @extend_schema(
        request=serializers.ChooseSerializer,
        responses={200: serializers.SubmissionSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"])
    def choose(self, request, pk=None):
        """Let this submission count for its team, or with `chosen: false` the best one again."""
        submission = self.get_object()
        if not is_member(request.user, submission.participation.team):
            raise PermissionDenied
        chosen = self.valid(request.data, serializers.ChooseSerializer)["chosen"]
        choose_final(submission, request.user, chosen=chosen)
        return self.answer(self.get_object())

    @extend_schema(
        request={"multipart/form-data": serializers.NewBaselineSerializer},
        responses={201: serializers.SubmissionSerializer, 409: REFUSED},
    )
    @action(detail=False, methods=["post"], permission_classes=[OrganizersAlone])
    def baseline(self, request):
        """Send in a baseline: scored and shown, never ranked."""
        data = dict(self.valid_upload(serializers.NewBaselineSerializer))
        submission, created = submit_baseline(data.pop("round"), request.user, **data)
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return self.answer(self.get_queryset().get(pk=submission.pk), code)

    @extend_schema(
        request={"multipart/form-data": serializers.CheckSerializer},
        responses={200: serializers.CheckedSerializer, 409: REFUSED},
    )
    @action(detail=False, methods=["post"])
    def check(self, request):
        """Whether a file has the right form; it is not kept and does not count."""
        data = self.valid_upload(serializers.CheckSerializer)
        participation = data["participation"]
        benchmark = current_benchmark(participation.round)
        if benchmark is None:
            raise Refused(_("The task is not defined yet."), code="no_benchmark")
        try:
            check_file(participation, benchmark, data["file"], data["kind"])
        except SubmissionFault as fault:
            said = faults.message(fault.code, fault.params)
            return Response({"fine": False, "code": fault.code, "said": said})
        return Response({"fine": True, "code": "", "said": ""})

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def file(self, request, pk=None):
        """The file as it was sent."""
        submission = self.get_object()
        return FileResponse(
            submission.file.open("rb"),
            as_attachment=True,
            filename=submission.original_name,
            content_type="application/octet-stream",
        )


class RunViewSet(_Judging):
    """Attempts to score your teams' submissions, or those of the events you organize."""

    queryset = ScoringRun.objects.none()
    serializer_class = serializers.RunSerializer
    permission_classes = [IsSignedIn]
    filterset_class = filters.RunFilter
    ordering_fields = ["queued_at", "finished_at"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        user = self.request.user
        inside = Q(benchmark__round__event__in=organized_events(user))
        tried = Q(benchmark__status__in=ON_TRIAL)
        return (
            ScoringRun.objects.filter(
                inside | ~tried, submission__participation__team__in=insider_teams(user)
            )
            .select_related("benchmark__round", "submission")
            .defer("log", "scoring_log")
        )

    @extend_schema(responses={200: serializers.LogSerializer})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def log(self, request, pk=None):
        """What the team's program printed, for those whom the benchmark lets read it."""
        run = self.get_object()
        log = team_log(run, request.user)
        if log is None:
            raise PermissionDenied(_("The organizers keep this log to themselves."))
        return Response({"log": log, "scoring_log": scoring_log(run, request.user)})

    @extend_schema(
        request=ReasonSerializer, responses={200: serializers.RunSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk=None):
        """End a run that waits or runs; the submission gets its quota back."""
        run = self.get_object()
        self.require_organizer(run.benchmark.round.event)
        cancel(run, request.user, self.reason())
        return self.answer(self.get_object())


@extend_schema_view(
    create=extend_schema(responses={201: serializers.RubricSerializer}),
    partial_update=extend_schema(
        responses={200: serializers.RubricSerializer, 409: REFUSED},
        description="Change a rubric nobody marked by yet; `criteria` are all of them, in order.",
    ),
)
class RubricViewSet(_Judging):
    """Weighted criteria; organizers write them, the judges of their panels read them."""

    queryset = Rubric.objects.none()
    serializer_class = serializers.RubricSerializer
    permission_classes = [SignedInReadOrganizersWrite]
    filterset_class = filters.RubricFilter
    search_fields = ["name_zh", "name_en"]
    ordering_fields = ["created_at"]
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self):
        user = self.request.user
        judged = Panel.objects.filter(
            Q(judges__user=user.pk) | Q(assignments__judge__user=user.pk)
        ).values("rubric")
        return (
            Rubric.objects.filter(Q(event__in=organized_events(user)) | Q(pk__in=judged))
            .select_related("event")
            .prefetch_related("criteria")
        )

    def create(self, request):
        data = dict(self.valid(request.data))
        rubric = rubric_services.save_rubric(
            data.pop("event"), request.user, criteria=data.pop("criteria"), fields=data
        )
        return self.answer(rubric, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        rubric = self.get_object()
        self.require_organizer(rubric.event)
        data = dict(self.valid(request.data, partial=True, instance=rubric))
        data.pop("event", None)
        kept = [
            {name: getattr(c, name) for name in serializers.CriterionSerializer.Meta.fields
             if name not in ("id", "ordinal")}
            for c in rubric.criteria.all()
        ]  # fmt: skip
        criteria = data.pop("criteria", kept)
        rubric_services.save_rubric(
            rubric.event, request.user, rubric, fields=data, criteria=criteria
        )
        return self.answer(self.get_object())

    @extend_schema(request=None, responses={201: serializers.RubricSerializer})
    @action(detail=True, methods=["post"])
    def copy(self, request, pk=None):
        """The same criteria as a new rubric that can be changed."""
        rubric = self.get_object()
        self.require_organizer(rubric.event)
        return self.answer(
            rubric_services.copy_rubric(rubric, request.user), status.HTTP_201_CREATED
        )

    @extend_schema(request=None, responses={201: serializers.RubricSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def new_version(self, request, pk=None):
        """A version after this one, to be changed; again while nobody uses it, the same one."""
        rubric = self.get_object()
        self.require_organizer(rubric.event)
        return self.answer(
            rubric_services.new_version(rubric, request.user), status.HTTP_201_CREATED
        )


@extend_schema_view(
    create=extend_schema(responses={201: serializers.JudgeSerializer}),
    partial_update=extend_schema(responses=serializers.JudgeSerializer),
)
class JudgeViewSet(_Judging):
    """The experts of your events."""

    queryset = Judge.objects.none()
    serializer_class = serializers.JudgeSerializer
    permission_classes = [OrganizersAlone]
    filterset_class = filters.JudgeFilter
    search_fields = ["name", "organisation_zh", "organisation_en"]
    ordering_fields = ["name"]
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self):
        events = organized_events(self.request.user)
        return Judge.objects.filter(event__in=events).select_related("event", "user")

    def create(self, request):
        data = dict(self.valid(request.data))
        judge = panel_services.add_judge(data.pop("event"), request.user, **data)
        return self.answer(judge, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        judge = self.get_object()
        data = dict(self.valid(request.data, partial=True, instance=judge))
        data.pop("event", None)
        return self.answer(panel_services.edit_judge(judge, request.user, **data))

    @extend_schema(request=None, responses={201: serializers.LinkSerializer})
    @action(detail=True, methods=["post"])
    def link(self, request, pk=None):
        """A new one-time sign-in link; earlier unused ones stop working."""
        judge = self.get_object()
        link, token = make_link(judge.user, judge.event, request.user)
        answer = serializers.LinkSerializer({"url": link_url(token), "expires_at": link.expires_at})
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def revoke_links(self, request, pk=None):
        """End every link of the judge and every session they opened."""
        judge = self.get_object()
        for link in SignInLink.objects.filter(user=judge.user, revoked_at=None):
            revoke_link(link, request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    create=extend_schema(responses={201: serializers.PanelSerializer, 409: REFUSED}),
    partial_update=extend_schema(responses={200: serializers.PanelSerializer, 409: REFUSED}),
)
class PanelViewSet(_Judging):
    """Who judges a round, by which rubric."""

    queryset = Panel.objects.none()
    serializer_class = serializers.PanelSerializer
    permission_classes = [OrganizersAlone]
    filterset_class = filters.PanelFilter
    search_fields = ["name_zh", "name_en"]
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self):
        events = organized_events(self.request.user)
        return (
            Panel.objects.filter(round__event__in=events)
            .select_related("round__event", "rubric")
            .prefetch_related("judges")
        )

    def create(self, request):
        data = dict(self.valid(request.data))
        panel = panel_services.save_panel(
            data.pop("round"), request.user, rubric=data.pop("rubric"),
            judges=data.pop("judges"), fields=data,
        )  # fmt: skip
        return self.answer(panel, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        panel = self.get_object()
        data = dict(self.valid(request.data, partial=True, instance=panel))
        data.pop("round", None)
        panel_services.save_panel(
            panel.round, request.user, panel, rubric=data.pop("rubric", panel.rubric),
            judges=data.pop("judges", list(panel.judges.all())), fields=data,
        )  # fmt: skip
        return self.answer(self.get_object())

    @extend_schema(request=None, responses=serializers.AssignedSerializer)
    @action(detail=True, methods=["post"])
    def assign_all(self, request, pk=None):
        """Give every team of the round to every judge, but where interests conflict."""
        added, left_out = panel_services.assign_all(self.get_object(), request.user)
        pairs = [{"judge": judge.pk, "team": team.pk} for judge, team in left_out]
        return Response(serializers.AssignedSerializer({"added": added, "left_out": pairs}).data)

    @extend_schema(
        request=serializers.WishSerializer,
        responses={200: serializers.DesignSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"])
    def design(self, request, pk=None):
        """A balanced assignment: proposed by a dry run, then applied by its digest."""
        panel = self.get_object()
        data = dict(self.valid(request.data, serializers.WishSerializer))
        dry_run, seen = data.pop("dry_run"), data.pop("seen")
        wish = designs.Wish(**{**data, "seed": data["seed"] or designs.new_seed()})
        proposal = (
            designs.propose(panel, wish)
            if dry_run
            else designs.apply(panel, wish, request.user, seen)
        )
        return Response(_described(proposal, applied=not dry_run))

    @extend_schema(
        request=serializers.NewSubstituteSerializer,
        responses={200: serializers.SubstitutionSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"])
    def substitute(self, request, pk=None):
        """Let one judge do what another has not submitted; again it changes nothing."""
        panel = self.get_object()
        data = self.valid(request.data, serializers.NewSubstituteSerializer)
        done = substitute(panel, data["out"], data["successor"], request.user, data["reason"])
        answer = {
            name: [participation.pk for participation in getattr(done, name)]
            for name in ("given", "had", "released", "submitted")
        }
        answer["left"] = [{"participation": p.pk, "why": str(why)} for p, why in done.left]
        return Response(serializers.SubstitutionSerializer(answer).data)


@extend_schema_view(
    create=extend_schema(responses={201: serializers.AssignmentSerializer, 409: REFUSED}),
    destroy=extend_schema(responses={204: None, 409: REFUSED}),
)
class AssignmentViewSet(_Judging):
    """Which judge scores which team: a judge's own, and all to organizers.

    Where a panel's teams are anonymous, its judges can neither search nor narrow by the team.
    """

    queryset = Assignment.objects.none()
    serializer_class = serializers.AssignmentSerializer
    permission_classes = [SignedInReadOrganizersWrite]
    filterset_class = filters.AssignmentFilter
    search_fields = ["participation__team__code", "judge__name"]
    ordering_fields = ["id"]
    http_method_names = ["get", "post", "delete", "head", "options"]
    names_team = ("search", "participation")

    def get_queryset(self):
        user = self.request.user
        own = assignments_of(user).values("pk")
        hidden = hidden_from(user, "panel")
        return (
            Assignment.objects.filter(
                Q(pk__in=own) | Q(panel__round__event__in=organized_events(user))
            )
            .select_related(
                "participation__team", "participation__round__event", "judge",
                "panel__round", "scoresheet",
            )
            # The place in the running order would tell which team it is.
            .order_by(
                Case(When(hidden, then=None), default=F("participation__running_order")),
                Case(When(hidden, then=None), default=F("participation__team__code")),
                "pk",
            )
        )  # fmt: skip

    def filter_queryset(self, queryset):
        return super().filter_queryset(self.without_hidden(queryset, "panel"))

    def create(self, request):
        data = self.valid(request.data)
        assignment = panel_services.assign(
            data["panel"], data["judge"], data["participation"], request.user,
            in_spite=data["reason"],
        )  # fmt: skip
        return self.answer(self.get_queryset().get(pk=assignment.pk), status.HTTP_201_CREATED)

    def destroy(self, request, pk=None):
        """Take a team from a judge; refused once marks were given."""
        assignment = self.get_object()
        self.require_organizer(assignment.participation.round.event)
        panel_services.unassign(assignment, request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=ReasonSerializer, responses={200: serializers.AssignmentSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def readmit(self, request, pk=None):
        """Let a judge who was released from the team go on with it, with a reason."""
        assignment = self.get_object()
        self.require_organizer(assignment.participation.round.event)
        readmit(assignment, request.user, self.reason())
        return self.answer(self.get_object())


SHEET = {"responses": {200: serializers.ScoresheetSerializer, 409: REFUSED}}


@extend_schema_view(
    create=extend_schema(
        request=serializers.OpenSheetSerializer,
        responses={200: serializers.ScoresheetSerializer},
        description="Open the sheet of one of your assignments; again gives the same sheet.",
    ),
    partial_update=extend_schema(
        description="Keep the comment to the team and your private note.", **SHEET
    ),
)
class ScoresheetViewSet(_Judging):
    """Score sheets: a judge's own, and all to organizers. What a tablet talks to."""

    queryset = Scoresheet.objects.none()
    serializer_class = serializers.ScoresheetSerializer
    permission_classes = [IsSignedIn]
    filterset_class = filters.ScoresheetFilter
    ordering_fields = ["updated_at", "submitted_at"]
    http_method_names = ["get", "post", "patch", "head", "options"]
    names_team = ("team",)

    def get_queryset(self):
        user = self.request.user
        own = assignments_of(user).values("pk")
        return (
            Scoresheet.objects.filter(
                Q(assignment__in=own)
                | Q(assignment__panel__round__event__in=organized_events(user))
            )
            .select_related(
                "assignment__judge__event",
                "assignment__panel__round",
                "assignment__participation__round",
                "assignment__participation__team",
            )
            .prefetch_related("marks", "assignment__panel__rubric__criteria")
            .order_by("pk")
        )

    def filter_queryset(self, queryset):
        return super().filter_queryset(self.without_hidden(queryset, "assignment__panel"))

    def create(self, request):
        assignment = self.valid(request.data, serializers.OpenSheetSerializer)["assignment"]
        get_object_or_404(assignments_of(request.user), pk=assignment.pk)
        sheet = sheet_services.open_sheet(assignment)
        return self.answer(self.get_queryset().get(pk=sheet.pk))

    def partial_update(self, request, pk=None):
        sheet = self.get_object()
        texts = self.valid(request.data, partial=True, instance=sheet)
        for name, text in texts.items():
            sent = sheet_services.Sent(uuid4().hex)
            sheet_services.save_text(sheet, name, text, sent=sent, by=request.user)
        return self.answer(self.get_object())

    @extend_schema(
        request=serializers.NewMarkSerializer,
        responses={200: serializers.SavedMarkSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"])
    def marks(self, request, pk=None):
        """Save one tap of the sheet's judge. Sent again under the same key, it is the same tap."""
        sheet = self.get_object()
        data = self.valid(request.data, serializers.NewMarkSerializer)
        entry = sheet_services.save_mark(
            sheet,
            data["criterion"],
            data["value"],
            sent=sheet_services.Sent(data["key"], device_at=data["device_at"]),
            by=request.user,
        )
        total = sheet_services.weighted_total(sheet)
        return Response(
            {
                "number": entry.number,
                "total": None if total is None else str(round_half_up(total, 2)),
            }
        )

    @extend_schema(request=None, **SHEET)
    @action(detail=True, methods=["post"])
    def submit(self, request, pk=None):
        """Hand the sheet in; twice changes nothing."""
        sheet_services.submit_sheet(self.get_object(), request.user)
        return self.answer(self.get_object())

    @extend_schema(request=ReasonSerializer, **SHEET)
    @action(detail=True, methods=["post"], url_path="return")
    def give_back(self, request, pk=None):
        """An organizer gives a submitted sheet back to its judge, with a reason."""
        sheet = self.get_object()
        self.require_organizer(sheet.assignment.judge.event)
        sheet_services.return_sheet(sheet, request.user, self.reason())
        return self.answer(self.get_object())


@extend_schema_view(
    create=extend_schema(responses={201: serializers.RecusalSerializer, 409: REFUSED})
)
class RecusalViewSet(_Judging):
    """Conflicts of interest: a judge's own, and all to organizers."""

    queryset = Recusal.objects.none()
    serializer_class = serializers.RecusalSerializer
    permission_classes = [IsSignedIn]
    filterset_class = filters.RecusalFilter
    ordering_fields = ["declared_at"]
    http_method_names = ["get", "post", "head", "options"]

    def get_serializer_context(self):
        context = super().get_serializer_context()
        user = getattr(self.request, "user", None)
        context["hidden_recusals"] = (
            set(hidden_recusals(user).values_list("pk", flat=True)) if user else set()
        )
        return context

    def filter_queryset(self, queryset):
        if "team" in self.request.query_params:
            queryset = queryset.exclude(pk__in=hidden_recusals(self.request.user).values("pk"))
        return super().filter_queryset(queryset)

    def get_queryset(self):
        user = self.request.user
        return Recusal.objects.filter(
            Q(judge__user=user.pk) | Q(judge__event__in=organized_events(user))
        ).select_related("judge__event", "team", "declared_by")

    def create(self, request):
        """Declare one, as the judge or as an organizer; twice changes nothing."""
        if not (hasattr(request.user, "judge") or is_organizer_anywhere(request.user)):
            raise PermissionDenied
        data = self.valid(request.data)
        recusal = panel_services.recuse(data["judge"], data["team"], request.user, data["reason"])
        return self.answer(recusal, status.HTTP_201_CREATED)

    @extend_schema(request=ReasonSerializer, responses={204: None, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def lift(self, request, pk=None):
        """An organizer takes a conflict back, with a reason; the sheets count again."""
        recusal = self.get_object()
        self.require_organizer(recusal.judge.event)
        panel_services.lift_recusal(recusal, request.user, self.reason())
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(create=extend_schema(responses={201: serializers.TieSerializer, 409: REFUSED}))
class TieViewSet(_Judging):
    """Ties that you put to the chairs of panels, and what these decided."""

    queryset = Tie.objects.none()
    serializer_class = serializers.TieSerializer
    permission_classes = [OrganizersAlone]
    filterset_class = filters.TieFilter
    ordering_fields = ["asked_at", "decided_at"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        return (
            Tie.objects.filter(panel__round__event__in=organized_events(self.request.user))
            .select_related("panel__round__event", "asked_by")
            .prefetch_related("teams")
        )

    def create(self, request):
        """Ask the panel's chair to put these teams in order; asked again it is the same tie."""
        data = self.valid(request.data)
        tie = ties.ask(data["panel"], data["participations"], request.user)
        return self.answer(self.get_queryset().get(pk=tie.pk), status.HTTP_201_CREATED)

    @extend_schema(
        request=ReasonSerializer, responses={200: serializers.TieSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def drop(self, request, pk=None):
        """Take the question, or the decision, back; a reason is required."""
        return self.answer(ties.drop(self.get_object(), request.user, self.reason()))
