"""Contest's endpoints. Each queryset holds what its reader may know of; the rest is 404."""

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from knox.auth import TokenAuthentication
from knox.models import get_token_model
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.viewsets import ViewSet

from contest.api import filters, serializers
from contest.api.base import (
    REFUSED,
    CloseSerializer,
    ProblemSerializer,
    ReasonSerializer,
    WithServices,
    assign_fields,
)
from contest.api.permissions import (
    EventOrganizerWrites,
    IsSignedIn,
    PublicToRead,
    insider_teams,
)
from contest.models import (
    Entry,
    Event,
    Invitation,
    Membership,
    Participation,
    Round,
    Team,
    Track,
    User,
)
from contest.roles import is_captain, is_member, is_organizer, may_create_events, organized_events
from contest.services import entries as entry_services
from contest.services import events as event_services
from contest.services import rounds as round_services
from contest.services import teams as team_services
from contest.states import ParticipationStatus


class AuthViewSet(ViewSet):
    throttle_scope = "token"

    @extend_schema(
        operation_id="auth_token_create",
        request=serializers.TokenRequestSerializer,
        responses={
            200: serializers.TokenSerializer,
            400: OpenApiResponse(ProblemSerializer, "Wrong e-mail or password."),
            403: OpenApiResponse(ProblemSerializer, "The e-mail is not verified."),
        },
        auth=[],
    )
    @action(
        detail=False,
        methods=["post"],
        authentication_classes=[],
        permission_classes=[AllowAny],
        throttle_classes=[ScopedRateThrottle],
    )
    def token(self, request):
        """Exchange e-mail and password for a token that is good for 90 days."""
        asked = serializers.TokenRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data["email"].lower()
        # Through allauth, so that failures count against the same limit as those of the page.
        try:
            user = get_adapter(request._request).authenticate(
                request._request, email=email, password=asked.validated_data["password"]
            )
        except ValidationError as error:
            return Response(
                {"code": "too_many_attempts", "detail": " ".join(error.messages)},
                status=status.HTTP_429_TOO_MANY_REQUESTS,
            )
        # An account that signs in by link has no e-mail; it never comes this far, but is named.
        if user is None or not user.is_active or hasattr(user, "judge"):
            return Response(
                {"code": "wrong_credentials", "detail": _("The e-mail or the password is wrong.")},
                status=status.HTTP_400_BAD_REQUEST,
            )
        if not EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists():
            return Response(
                {
                    "code": "email_not_verified",
                    "detail": _("Confirm your e-mail first; the link is in the mail you received."),
                },
                status=status.HTTP_403_FORBIDDEN,
            )
        instance, token = get_token_model().objects.create(user=user)
        answer = serializers.TokenSerializer({"token": token, "expiry": instance.expiry})
        return Response(answer.data)

    @extend_schema(operation_id="auth_logout_create", request=None, responses={204: None})
    @action(
        detail=False,
        methods=["post"],
        authentication_classes=[TokenAuthentication],
        permission_classes=[IsSignedIn],
    )
    def logout(self, request):
        """End the token that this request was sent with."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeViewSet(ViewSet):
    permission_classes = [IsSignedIn]

    @extend_schema(operation_id="me_retrieve", responses=serializers.MeSerializer)
    def list(self, request):
        """Who you are, your teams, and the events you organize."""
        me = User.objects.prefetch_related(
            "event_roles__event",
            Prefetch("memberships", Membership.objects.select_related("team__event")),
        ).get(pk=request.user.pk)
        return Response(serializers.MeSerializer(me).data)


@extend_schema_view(
    create=extend_schema(responses={201: serializers.EventSerializer}),
    partial_update=extend_schema(responses=serializers.EventSerializer),
)
class EventViewSet(WithServices):
    """Editions of the competition. Drafts are seen by their organizers alone."""

    queryset = Event.objects.none()
    serializer_class = serializers.EventSerializer
    permission_classes = [EventOrganizerWrites]
    filterset_class = filters.EventFilter
    lookup_field = "slug"
    search_fields = ["slug", "name_zh", "name_en"]
    ordering_fields = ["created_at", "registration_closes", "slug"]

    def get_queryset(self):
        return Event.objects.visible_to(self.request.user)

    def create(self, request):
        """Staff, and whoever staff gave the permission to add events."""
        if not may_create_events(request.user):
            raise PermissionDenied
        event = event_services.create_event(request.user, **self.valid(request.data))
        return self.answer(event, status.HTTP_201_CREATED)

    def partial_update(self, request, slug=None):
        event = self.get_object()
        data = self.valid(request.data, partial=True, instance=event)
        return self.answer(event_services.save_event(assign_fields(event, data), request.user))


@extend_schema_view(
    create=extend_schema(responses={201: serializers.TrackSerializer}),
    partial_update=extend_schema(responses=serializers.TrackSerializer),
    destroy=extend_schema(responses={204: None, 409: REFUSED}),
)
class TrackViewSet(WithServices):
    """Lines of competition; teams enter those without sub-tracks."""

    queryset = Track.objects.none()
    serializer_class = serializers.TrackSerializer
    permission_classes = [EventOrganizerWrites]
    filterset_class = filters.TrackFilter
    search_fields = ["slug", "name_zh", "name_en"]
    ordering_fields = ["ordinal", "slug"]

    def get_queryset(self):
        visible = Event.objects.visible_to(self.request.user)
        return Track.objects.filter(event__in=visible).select_related("event")

    def create(self, request):
        track = Track(**self.valid(request.data))
        self.check_object_permissions(request, track)
        event_services.save_track(track, request.user)
        return self.answer(track, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        track = self.get_object()
        data = self.valid(request.data, partial=True, instance=track)
        data.pop("event", None)  # a track stays in its event
        return self.answer(event_services.save_track(assign_fields(track, data), request.user))

    def destroy(self, request, pk=None):
        event_services.delete_track(self.get_object(), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


MOVE = {"responses": {200: serializers.RoundSerializer, 409: REFUSED}}


@extend_schema_view(
    create=extend_schema(responses={201: serializers.RoundSerializer}),
    partial_update=extend_schema(responses={200: serializers.RoundSerializer, 409: REFUSED}),
)
class RoundViewSet(WithServices):
    """Stages of a track. Rounds in preparation are seen by organizers alone."""

    queryset = Round.objects.none()
    serializer_class = serializers.RoundSerializer
    permission_classes = [EventOrganizerWrites]
    filterset_class = filters.RoundFilter
    search_fields = ["slug", "name_zh", "name_en"]
    ordering_fields = ["ordinal", "opens_at", "closes_at"]

    def get_queryset(self):
        return Round.objects.visible_to(self.request.user).select_related("event", "track")

    def create(self, request):
        round = Round(**self.valid(request.data))
        if not is_organizer(request.user, round.track.event):
            raise PermissionDenied
        round_services.save_round(round, request.user)
        return self.answer(round, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        round = self.get_object()
        data = self.valid(request.data, partial=True, instance=round)
        if data.get("track", round.track).event_id != round.event_id:
            raise PermissionDenied
        return self.answer(round_services.save_round(assign_fields(round, data), request.user))

    @extend_schema(request=None, **MOVE)
    @action(detail=True, methods=["post"])
    def open(self, request, pk=None):
        """Open the round; a track's first round takes in its competing teams."""
        return self.answer(round_services.open_round(self.get_object(), request.user))

    @extend_schema(request=CloseSerializer, **MOVE)
    @action(detail=True, methods=["post"])
    def close(self, request, pk=None):
        """No more submissions or marks.

        `missing` is how many score sheets you know to be missing; refused where more are.
        """
        round = self.get_object()
        told = self.valid(request.data, CloseSerializer)["missing"]
        return self.answer(round_services.close_round(round, request.user, told))

    @extend_schema(request=ReasonSerializer, **MOVE)
    @action(detail=True, methods=["post"])
    def reopen(self, request, pk=None):
        """Open a closed round again; a reason is required and kept in the log."""
        round = self.get_object()
        return self.answer(round_services.reopen_round(round, request.user, self.reason()))

    @extend_schema(request=None, **MOVE)
    @action(detail=True, methods=["post"])
    def publish(self, request, pk=None):
        """Show the decided result to the public."""
        return self.answer(round_services.publish_round(self.get_object(), request.user))

    @extend_schema(request=ReasonSerializer, **MOVE)
    @action(detail=True, methods=["post"])
    def unpublish(self, request, pk=None):
        """Take a published result back; a reason is required and kept in the log."""
        round = self.get_object()
        return self.answer(round_services.unpublish_round(round, request.user, self.reason()))


TEAM_MOVE = {"responses": {200: serializers.TeamSerializer, 409: REFUSED}}


@extend_schema_view(
    create=extend_schema(
        request=serializers.NewTeamSerializer,
        responses={201: serializers.TeamSerializer, 409: REFUSED},
    ),
    partial_update=extend_schema(responses={200: serializers.TeamSerializer, 409: REFUSED}),
)
class TeamViewSet(WithServices):
    """Competing teams, and to members and organizers the others as well."""

    queryset = Team.objects.none()
    serializer_class = serializers.TeamSerializer
    permission_classes = [PublicToRead]
    filterset_class = filters.TeamFilter
    search_fields = ["code", "name_zh", "name_en", "organisation_zh", "organisation_en"]
    ordering_fields = ["code", "name_zh", "name_en", "country"]

    def get_queryset(self):
        user = self.request.user
        seen = Q(status__in=round_services.COMPETING) | Q(pk__in=insider_teams(user).values("pk"))
        return (
            Team.objects.filter(seen, event__in=Event.objects.visible_to(user))
            .select_related("event", "track")
            .prefetch_related(Prefetch("memberships", Membership.objects.select_related("user")))
        )

    def get_serializer_context(self):
        context = super().get_serializer_context()
        if not hasattr(self, "_insider_ids"):
            user = getattr(self.request, "user", None)
            self._insider_ids = (
                set(insider_teams(user).values_list("pk", flat=True)) if user else set()
            )
        context["insider_team_ids"] = self._insider_ids
        return context

    def _fresh(self, team, code=status.HTTP_200_OK):
        """The team as it is after a write, which may have changed what the reader may see."""
        self.__dict__.pop("_insider_ids", None)
        stored = Team.objects.select_related("event", "track").get(pk=team.pk)
        return self.answer(stored, code)

    def _own(self, *, captain: bool = False, organizer_only: bool = False) -> Team:
        """The team, if the asker belongs to it (or captains it) or organizes its event."""
        team, user = self.get_object(), self.request.user
        allowed = is_organizer(user, team.event)
        if not allowed and not organizer_only:
            allowed = (is_captain if captain else is_member)(user, team)
        if not allowed:
            raise PermissionDenied
        return team

    def create(self, request):
        """Register a team; you become its captain. Asked again it gives the same team."""
        if hasattr(request.user, "judge"):
            raise PermissionDenied
        data = dict(self.valid(request.data, serializers.NewTeamSerializer))
        track, entry = data.pop("track"), data.pop("entry")
        team = team_services.register_team(by=request.user, track=track, team=data, entry=entry)
        return self._fresh(team, status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        """Members while registration is open, organizers at any time."""
        team = self._own()
        data = self.valid(request.data, partial=True, instance=team)
        team_services.require_edit(team, request.user)
        return self._fresh(team_services.edit_team(team, request.user, **data))

    @extend_schema(request=ReasonSerializer, **TEAM_MOVE)
    @action(detail=True, methods=["post"])
    def withdraw(self, request, pk=None):
        """The captain takes the team out of the competition."""
        team = self._own(captain=True)
        team_services.withdraw_team(team, request.user, self.reason())
        return self._fresh(team)

    @extend_schema(request=None, **TEAM_MOVE)
    @action(detail=True, methods=["post"])
    def confirm(self, request, pk=None):
        """An organizer has checked the team."""
        team = self._own(organizer_only=True)
        team_services.confirm_team(team, request.user)
        return self._fresh(team)

    @extend_schema(request=ReasonSerializer, **TEAM_MOVE)
    @action(detail=True, methods=["post"])
    def disqualify(self, request, pk=None):
        """An organizer excludes the team; a reason is required."""
        team = self._own(organizer_only=True)
        team_services.disqualify_team(team, request.user, self.reason())
        return self._fresh(team)

    @extend_schema(request=ReasonSerializer, **TEAM_MOVE)
    @action(detail=True, methods=["post"])
    def reinstate(self, request, pk=None):
        """An organizer undoes a disqualification; a reason is required."""
        team = self._own(organizer_only=True)
        team_services.reinstate_team(team, request.user, self.reason())
        return self._fresh(team)


@extend_schema_view(
    partial_update=extend_schema(responses={200: serializers.EntrySerializer, 409: REFUSED})
)
class EntryViewSet(WithServices):
    """Projects of your teams, and of all teams to organizers."""

    queryset = Entry.objects.none()
    serializer_class = serializers.EntrySerializer
    permission_classes = [IsSignedIn]
    filterset_class = filters.EntryFilter
    search_fields = ["title_zh", "title_en", "abstract_zh", "abstract_en", "team__code"]
    ordering_fields = ["updated_at", "team__code"]

    def get_queryset(self):
        user = self.request.user
        return (
            Entry.objects.filter(
                team__in=insider_teams(user), team__event__in=Event.objects.visible_to(user)
            )
            .select_related("team__event")
            .prefetch_related("files")
            .order_by("team__code", "pk")
        )

    def partial_update(self, request, pk=None):
        """Members while registration is open, organizers at any time."""
        entry = self.get_object()
        data = self.valid(request.data, partial=True, instance=entry)
        team_services.require_edit(entry.team, request.user)
        return self.answer(entry_services.save_entry(entry.team, request.user, **data))


class ParticipationViewSet(WithServices):
    """Who takes part in which round. Rounds in preparation are seen by organizers alone.

    Teams that left a round are seen by themselves and by organizers.
    """

    queryset = Participation.objects.none()
    serializer_class = serializers.ParticipationSerializer
    permission_classes = [PublicToRead]
    filterset_class = filters.ParticipationFilter
    search_fields = ["team__code", "team__name_zh", "team__name_en"]
    ordering_fields = ["running_order", "team__code"]
    http_method_names = ["get", "head", "options"]

    def get_queryset(self):
        user = self.request.user
        rounds = Round.objects.visible_to(user)
        seen = Q(status=ParticipationStatus.ACTIVE) | Q(team__in=insider_teams(user))
        return Participation.objects.filter(seen, round__in=rounds).select_related(
            "round__event", "team"
        )


@extend_schema_view(
    create=extend_schema(responses={201: serializers.InvitationSerializer, 409: REFUSED})
)
class InvitationViewSet(WithServices):
    """Invitations of the teams you captain, and of all teams to organizers."""

    queryset = Invitation.objects.none()
    serializer_class = serializers.InvitationSerializer
    permission_classes = [IsSignedIn]
    filterset_class = filters.InvitationFilter
    search_fields = ["email"]
    ordering_fields = ["created_at", "expires_at"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        user = self.request.user
        captained = Membership.objects.filter(user=user, role=Membership.Role.CAPTAIN)
        return Invitation.objects.filter(
            Q(team__in=captained.values("team")) | Q(team__event__in=organized_events(user)),
            team__event__in=Event.objects.visible_to(user),
        )

    def create(self, request):
        """Send an invitation; the same address again gets the same one."""
        data = self.valid(request.data)
        team = data["team"]
        if not (is_captain(request.user, team) or is_organizer(request.user, team.event)):
            raise PermissionDenied
        invitation = team_services.invite(team, data["email"], request.user)
        return self.answer(invitation, status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.AcceptSerializer,
        responses={200: serializers.MyTeamSerializer, 409: REFUSED},
    )
    @action(detail=False, methods=["post"])
    def accept(self, request):
        """Join the team that invited you."""
        token = self.valid(request.data, serializers.AcceptSerializer)["token"]
        invitation = get_object_or_404(Invitation, token=token)
        return Response(
            serializers.MyTeamSerializer(
                team_services.accept_invitation(invitation, request.user)
            ).data
        )
