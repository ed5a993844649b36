"""Leaderboard's endpoints. Each queryset holds what its reader may know of; the rest is 404."""

from django.db.models import Prefetch, Q
from django.http import Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from contest.api.base import REFUSED, ReasonSerializer, WithServices
from contest.api.permissions import OrganizersAlone, OrganizersWrite
from contest.for_everybody import answer
from contest.models import Event, Round
from contest.numbers import whole
from contest.roles import is_organizer, organized_events
from contest.states import RoundStatus
from leaderboard.api import filters, serializers
from leaderboard.exports.documents import DOCUMENTS, Document, attachment, download
from leaderboard.exports.finalists import FORMATS, export
from leaderboard.models import (
    Advancement,
    AdvancementRow,
    Award,
    AwardWinner,
    PreparedFile,
    Scheme,
    Signature,
    Standing,
    StandingRow,
)
from leaderboard.services import advancement as advancement_services
from leaderboard.services import awards as award_services
from leaderboard.services import boards, downloads
from leaderboard.services.explained import as_data
from leaderboard.services.explanation import explain_row
from leaderboard.services.schemes import rules_of, save_scheme
from leaderboard.services.standings import visible_standings
from leaderboard.states import PreparedStatus

# Those that come from a ranking.
RANKING_DOCUMENTS = ("scores", "matrix", "reliability")
FILES = {(200, content_type): OpenApiTypes.BINARY for content_type, _ in FORMATS.values()}


class StandingViewSet(WithServices):
    """Newest rankings: public ones of public boards, and to organizers the full ones as well."""

    queryset = Standing.objects.none()
    serializer_class = serializers.StandingSerializer
    permission_classes = [AllowAny]
    filterset_class = filters.StandingFilter
    ordering_fields = ["computed_at"]
    http_method_names = ["get", "head", "options"]
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self):
        return visible_standings(self.request.user).select_related("round__event")

    @extend_schema(
        parameters=[
            OpenApiParameter("document", str, OpenApiParameter.PATH, enum=list(RANKING_DOCUMENTS)),
            OpenApiParameter(
                "fmt",
                str,
                OpenApiParameter.PATH,
                enum=["csv", "json", "pdf", "xlsx"],
                description="The matrix has all; score sheets have no PDF, the report no CSV.",
            ),
        ],
        responses=FILES
        | {
            202: OpenApiResponse(
                serializers.PreparedFileSerializer,
                "The file is large, and a worker prepares it: ask at `Location` how far it is.",
            )
        },
    )
    @action(
        detail=True,
        url_path=rf"(?P<document>{'|'.join(RANKING_DOCUMENTS)})\.(?P<fmt>[a-z]+)",
        permission_classes=[OrganizersAlone],
        pagination_class=None,
        filterset_class=None,
    )
    def file(self, request, document, fmt, pk=None):
        """Score sheets, matrix of judges or reliability report of a round, as a file; by the
        ranking that its organizers see. Asked again while a large one is prepared, it is the same.
        """
        inside = Standing.objects.filter(
            audience=Standing.Audience.FULL,
            is_current=True,
            round__event__in=organized_events(request.user),
        ).select_related("round__event")
        round = get_object_or_404(inside, pk=pk).round
        found = DOCUMENTS[document]
        if fmt not in found.formats:
            raise Http404
        return _file(found, round, fmt, request.user)


def _file(document: Document, round: Round, fmt: str, user):
    """The document; where it is large, the file that is ready, or where to ask for it."""
    if not document.is_large(round):
        return download(document, round, fmt)
    prepared = downloads.ask(document, round, fmt, user)
    if prepared.status == PreparedStatus.READY:
        return attachment(downloads.open_file(prepared), round, document, fmt)
    return Response(
        serializers.PreparedFileSerializer(prepared).data,
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": reverse("api-prepared-file-detail", args=[prepared.pk])},
    )


class PreparedFileViewSet(RetrieveModelMixin, GenericViewSet):
    """Large files, as workers prepare them. For organizers."""

    queryset = PreparedFile.objects.none()
    serializer_class = serializers.PreparedFileSerializer
    permission_classes = [OrganizersAlone]
    filterset_class = pagination_class = None
    http_method_names = ["get", "head", "options"]
    lookup_value_regex = "[0-9a-f-]{36}"

    def get_queryset(self):
        files = PreparedFile.objects.filter(round__event__in=organized_events(self.request.user))
        return files.select_related("round__event")

    def get_object(self):
        prepared = super().get_object()
        if downloads.give_up_lost(PreparedFile.objects.filter(pk=prepared.pk)):
            prepared.refresh_from_db()
        return prepared

    @extend_schema(responses=FILES | {409: REFUSED})
    @action(detail=True)
    def file(self, request, pk=None):
        """The file; refused while it is not ready."""
        prepared = self.get_object()
        document = DOCUMENTS[prepared.document]
        return attachment(downloads.open_file(prepared), prepared.round, document, prepared.fmt)


class BoardViewSet(GenericViewSet):
    """Public leaderboards for other sites and programs, by the round's id.

    The answer is the same for everybody, may be asked for by pages of any site, and names itself by
    an ETag: send it back as If-None-Match, and what has not changed is not sent again.
    """

    queryset = Round.objects.none()
    serializer_class = serializers.BoardSerializer
    authentication_classes = []
    permission_classes = [AllowAny]
    # An answer from the cache costs less than counting who asked.
    throttle_classes = []
    pagination_class = filterset_class = None
    filter_backends = []
    http_method_names = ["get", "head", "options"]
    lookup_value_regex = r"\d{1,18}"
    for_everybody = True
    LARGEST_PAGE = 1000

    def _board(self) -> tuple[Round, Standing | None]:
        round, standing = boards.public_board(pk=self.kwargs["pk"])
        if round is None or not round.is_board_public:
            raise Http404
        return round, standing

    @extend_schema(
        parameters=[
            OpenApiParameter("page", int, description="1 and up"),
            OpenApiParameter("page_size", int, description="1 to 1000; 100 if not given"),
        ]
    )
    def retrieve(self, request, pk=None):
        """A page of the leaderboard; 404 while the public sees none."""
        asked = {name: request.GET.get(name, "") for name in ("page", "page_size")}
        number = whole(asked["page"] or "1")
        size = whole(asked["page_size"] or "100")
        if not number or number > 10**9 or not size or size > self.LARGEST_PAGE:
            raise ValidationError({"page_size": f"1–{self.LARGEST_PAGE}"})
        response = answer(request, boards.as_json(*self._board(), number, size))
        return _for_other_sites(response)

    @extend_schema(exclude=True)
    def options(self, request, *args, **kwargs):
        """What a browser asks before a script of another site may send If-None-Match."""
        self._board()
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = "GET, HEAD"
        response["Access-Control-Allow-Headers"] = "If-None-Match"
        response["Access-Control-Max-Age"] = "86400"
        return _for_other_sites(response)


def _for_other_sites(response: HttpResponse) -> HttpResponse:
    """Scripts of any site may read it; browsers send no cookies along, and none is looked at."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = "ETag, Last-Modified"
    return response


class StandingRowViewSet(ListModelMixin, GenericViewSet):
    """The teams of standings, best first, with how each total came about."""

    queryset = StandingRow.objects.none()
    serializer_class = serializers.StandingRowSerializer
    permission_classes = [AllowAny]
    filterset_class = filters.StandingRowFilter
    search_fields = [
        "participation__team__code",
        "participation__team__name_zh",
        "participation__team__name_en",
    ]
    ordering_fields = ["position"]
    http_method_names = ["get", "head", "options"]
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self):
        return (
            StandingRow.objects.filter(standing__in=visible_standings(self.request.user))
            .select_related("participation__team__track")
            .order_by("standing", "position")
        )

    @extend_schema(
        responses={
            200: OpenApiResponse(
                OpenApiTypes.OBJECT,
                "Components, sheets, marks and every change of a mark. Numbers are decimals to "
                "twelve places, and exact fractions under names that end in `_exact`.",
            )
        }
    )
    @action(
        detail=True, permission_classes=[OrganizersAlone], pagination_class=None,
        filterset_class=None,
    )  # fmt: skip
    def explanation(self, request, pk=None):
        """How the total of a row came about, of a standing that its organizers see."""
        rows = StandingRow.objects.filter(
            standing__audience=Standing.Audience.FULL,
            standing__is_current=True,
            standing__round__event__in=organized_events(request.user),
        ).select_related("standing")
        return Response(as_data(explain_row(get_object_or_404(rows, pk=pk))))


class SchemeViewSet(WithServices):
    """How each round's ranking is made, by the round's id. The rules are public."""

    queryset = Scheme.objects.none()
    serializer_class = serializers.SchemeSerializer
    permission_classes = [OrganizersWrite]
    filterset_class = filters.SchemeFilter
    lookup_field = "round"
    lookup_value_regex = r"\d{1,18}"
    http_method_names = ["get", "patch", "head", "options"]

    def get_queryset(self):
        rounds = Round.objects.visible_to(self.request.user)
        return (
            Scheme.objects.filter(round__in=rounds)
            .select_related("round__event")
            .prefetch_related("components")
            .order_by("round")
        )

    @extend_schema(responses={200: serializers.SchemeSerializer, 409: REFUSED})
    def partial_update(self, request, round=None):
        """Change a scheme until the ranking is signed off; the log keeps what it was."""
        organized = serializers.organized_rounds(request.user)
        found = get_object_or_404(organized, pk=round)
        rules = rules_of(found)
        data = self.valid(request.data, partial=True, instance=rules.scheme)
        return self.answer(save_scheme(found, request.user, **(rules.fields | dict(data))))


MOVE = {"responses": {200: serializers.AdvancementSerializer, 409: REFUSED}}


@extend_schema_view(
    create=extend_schema(
        request=serializers.OfRoundSerializer,
        responses={201: serializers.AdvancementSerializer, 409: REFUSED},
    )
)
class AdvancementViewSet(WithServices):
    """Who goes on: proposed, decided where it ties, signed. For organizers."""

    queryset = Advancement.objects.none()
    serializer_class = serializers.AdvancementSerializer
    permission_classes = [OrganizersAlone]
    filterset_class = filters.AdvancementFilter
    ordering_fields = ["created_at"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        return (
            Advancement.objects.filter(round__event__in=organized_events(self.request.user))
            .select_related("round__event", "standing", "signed_by")
            .prefetch_related(
                Prefetch("rows", AdvancementRow.objects.select_related("row__participation__team")),
                Prefetch("signatures", Signature.objects.select_related("by")),
            )
        )

    def create(self, request):
        """Cut the newest full standing of a closed round."""
        round = self.valid(request.data, serializers.OfRoundSerializer)["round"]
        proposal = advancement_services.propose(round, request.user)
        return self.answer(self.get_queryset().get(pk=proposal.pk), status.HTTP_201_CREATED)

    @extend_schema(request=serializers.DecideTieSerializer, **MOVE)
    @action(detail=True, methods=["post"])
    def decide_tie(self, request, pk=None):
        """Say which of the tied teams advance, and why."""
        advancement = self.get_object()
        data = self.valid(request.data, serializers.DecideTieSerializer)
        advancement_services.decide_tie(
            advancement, request.user, data["advancing"], data["reason"]
        )
        return self.answer(self.get_object())

    @extend_schema(request=None, **MOVE)
    @action(detail=True, methods=["post"])
    def sign_off(self, request, pk=None):
        """Sign; with the last signature it is final and the next round's list is made."""
        advancement_services.sign_off(self.get_object(), request.user)
        return self.answer(self.get_object())

    @extend_schema(request=ReasonSerializer, **MOVE)
    @action(detail=True, methods=["post"])
    def revoke(self, request, pk=None):
        """Take a proposal or a signature back, with a reason."""
        advancement_services.revoke(self.get_object(), request.user, self.reason())
        return self.answer(self.get_object())

    @extend_schema(
        parameters=[OpenApiParameter("fmt", str, OpenApiParameter.PATH, enum=list(FORMATS))],
        responses=FILES,
    )
    @action(
        detail=True, url_path=r"finalists\.(?P<fmt>[a-z]+)", pagination_class=None,
        filterset_class=None,
    )  # fmt: skip
    def finalists(self, request, fmt, pk=None):
        """The finalist list as a file, also of a proposal that is in force no longer."""
        advancement = self.get_object()
        if fmt not in FORMATS:
            raise Http404
        round = advancement.round
        if advancement_services.in_force(round) == advancement:
            return _file(DOCUMENTS["finalists"], round, fmt, request.user)
        name, content_type, content = export(advancement, fmt)
        return HttpResponse(
            content,
            content_type=content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


AWARDED = {"responses": {200: serializers.AwardSerializer, 409: REFUSED}}


@extend_schema_view(
    create=extend_schema(responses={201: serializers.AwardSerializer}),
    partial_update=extend_schema(responses=serializers.AwardSerializer),
    destroy=extend_schema(responses={204: None, 409: REFUSED}),
)
class AwardViewSet(WithServices):
    """Prizes: of published results to everybody, all to organizers."""

    queryset = Award.objects.none()
    serializer_class = serializers.AwardSerializer
    permission_classes = [OrganizersWrite]
    filterset_class = filters.AwardFilter
    ordering_fields = ["ordinal"]

    def get_queryset(self):
        user = self.request.user
        public = Q(
            round__status=RoundStatus.PUBLISHED, round__event__in=Event.objects.visible_to(user)
        )
        return (
            Award.objects.filter(public | Q(round__event__in=organized_events(user)))
            .select_related("round__event")
            .prefetch_related(
                Prefetch("winners", AwardWinner.objects.select_related("participation__team"))
            )
        )

    def _organized(self) -> Award:
        """The award, for its organizers; to others a published one is there to read only."""
        award = self.get_object()
        if not is_organizer(self.request.user, award.round.event):
            raise PermissionDenied
        return award

    def create(self, request):
        data = dict(self.valid(request.data))
        award = award_services.save_award(data.pop("round"), request.user, **data)
        return self.answer(award, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        award = self._organized()
        data = dict(self.valid(request.data, partial=True, instance=award))
        data.pop("round", None)
        award_services.save_award(award.round, request.user, award, **data)
        return self.answer(self.get_object())

    def destroy(self, request, pk=None):
        award_services.delete_award(self._organized(), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=serializers.OfRoundSerializer,
        responses={200: serializers.AwardSerializer(many=True), 409: REFUSED},
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def allocate(self, request):
        """Give the prizes of a round that go by rank; again gives the same."""
        round = self.valid(request.data, serializers.OfRoundSerializer)["round"]
        award_services.allocate(round, request.user)
        awards = self.get_queryset().filter(round=round)
        return Response(serializers.AwardSerializer(awards, many=True).data)

    @extend_schema(request=serializers.WinnerSerializer, **AWARDED)
    @action(detail=True, methods=["post"])
    def give(self, request, pk=None):
        """Give a prize by name."""
        award = self._organized()
        data = self.valid(request.data, serializers.WinnerSerializer)
        award_services.give(award, data["participation"], request.user)
        return self.answer(self.get_object())

    @extend_schema(request=serializers.WinnerSerializer, **AWARDED)
    @action(detail=True, methods=["post"])
    def take_back(self, request, pk=None):
        award = self._organized()
        data = self.valid(request.data, serializers.WinnerSerializer)
        winner = get_object_or_404(award.winners, participation=data["participation"])
        award_services.take_back(winner, request.user)
        return self.answer(self.get_object())
