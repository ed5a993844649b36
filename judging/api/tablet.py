"""What a judge's tablet talks to. See judging/services/tablet.py for what it says."""

import contextlib
import hashlib
import json

from django.middleware.csrf import get_token
from django.utils import translation
from django.utils.http import quote_etag
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import parse_accept_lang_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from contest import live
from contest.api.base import REFUSED
from contest.errors import Refused
from contest.models import Round
from contest.services.signin import CODE_MINUTES, code_shown, make_code
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Judge
from judging.roles import judge_of
from judging.services import tablet


def _language(request) -> str:
    """That of the app, which is not the one that the browser chose for the site's pages."""
    for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        with contextlib.suppress(LookupError):
            return translation.get_supported_language_variant(code)
    return translation.get_language()


class IsJudge(BasePermission):
    def has_permission(self, request, view):
        return judge_of(request.user) is not None


class MarksField(serializers.DictField):
    """Marks by the criterion's id, as decimal texts."""

    child = serializers.DecimalField(max_digits=6, decimal_places=2)

    def to_internal_value(self, data):
        marks = super().to_internal_value(data)
        if wrong := [name for name in marks if not (name.isascii() and name.isdecimal())]:
            raise serializers.ValidationError({wrong[0]: "expected the id of a criterion"})
        return {int(name): value for name, value in marks.items()}


class OperationSerializer(serializers.Serializer):
    """One thing that the judge did. ``kind`` says which of the other fields count."""

    kind = serializers.ChoiceField(
        ["mark", "comment", "private_note", "submit", "recuse", "tie"],
        help_text="mark: criterion, value. comment, private_note: text. submit: marks, those that "
        "the judge confirmed. recuse: text, the reason. tie: tie, order, text, the reason.",
    )
    key = serializers.CharField(
        max_length=64, help_text="Names the operation; sent again it is the same operation."
    )
    assignment = serializers.IntegerField(required=False, allow_null=True, default=None)
    criterion = serializers.IntegerField(required=False, allow_null=True, default=None)
    value = serializers.DecimalField(
        max_digits=6, decimal_places=2, required=False, allow_null=True, default=None,
        help_text="Null clears the mark.",
    )  # fmt: skip
    text = serializers.CharField(
        required=False, allow_blank=True, default="", trim_whitespace=False, max_length=20000
    )
    marks = MarksField(required=False, allow_null=True, default=None)
    tie = serializers.IntegerField(required=False, allow_null=True, default=None)
    order = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list, max_length=200
    )
    base = serializers.IntegerField(
        required=False, default=0, min_value=0,
        help_text="Number of the newest entry of this mark or text that the tablet knew; of a "
        "submission the sheet's turn, of a recusal its recusal_number. 0: none.",
    )  # fmt: skip
    device_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="The time on the tablet."
    )
    imported = serializers.BooleanField(
        required=False, default=False, help_text="Whether it was read in from a file."
    )


class OutboxSerializer(serializers.Serializer):
    judge = serializers.IntegerField(
        required=False, allow_null=True, default=None,
        help_text="Whose operations these are; refused if somebody else has signed in since.",
    )  # fmt: skip
    device = serializers.CharField(
        max_length=64, help_text="A name that the tablet gave itself and keeps."
    )
    # Each operation is checked by itself, so that a bad one does not hold up the others.
    operations = serializers.ListField(
        child=serializers.DictField(), max_length=tablet.MOST_OPERATIONS
    )


class OutcomeSerializer(serializers.Serializer):
    key = serializers.CharField()
    outcome = serializers.ChoiceField(["saved", "conflict", "refused"])
    number = serializers.IntegerField(help_text="Of the entry in the judging record.")
    code = serializers.CharField()
    detail = serializers.CharField()
    current = serializers.DictField(help_text="On a conflict: what holds now.")


class LiveSerializer(serializers.Serializer):
    url = serializers.CharField()


class CodeSerializer(serializers.Serializer):
    code = serializers.CharField()
    minutes = serializers.IntegerField(help_text="For how long it can be used, once.")


class OutcomesSerializer(serializers.Serializer):
    outcomes = OutcomeSerializer(many=True)


def _take(judge: Judge, operations: list[dict], device: str) -> list[tablet.Outcome]:
    """Each is checked and done by itself."""
    outcomes = []
    for given in operations:
        operation = OperationSerializer(data=given)
        if operation.is_valid():
            fields = dict(operation.validated_data)
            fields["order"] = tuple(fields["order"])
            outcomes.append(tablet.take(judge, tablet.Operation(**fields), device))
        else:
            outcomes.append(
                tablet.Outcome(
                    str(given.get("key", ""))[:64],
                    "refused",
                    code="invalid",
                    detail=" ".join(
                        f"{name}: {json.dumps(said, ensure_ascii=False)}"
                        for name, said in operation.errors.items()
                    ),
                )
            )
    return outcomes


class TabletViewSet(ViewSet):
    """Everything a judge's tablet needs without a network, and what it sends back."""

    permission_classes = [IsJudge]

    @extend_schema(
        operation_id="tablet_retrieve",
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, "Rounds, teams, rubrics and own sheets."),
            304: None,
        },
    )
    def list(self, request):
        """The package; with If-None-Match only what has changed is sent."""
        get_token(request)  # a tablet that lost its cookie gets a new one with the package
        package = tablet.package(judge_of(request.user))
        same = {name: part for name, part in package.items() if name != "server_time"}
        for round in same["rounds"]:
            if round["stage"]:
                round["stage"].pop("server_time")
        etag = quote_etag(hashlib.sha256(json.dumps(same, default=str).encode()).hexdigest())
        headers = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            # Tablets set their clocks by it, also when nothing changed.
            "Server-Time": package["server_time"],
        }
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers=headers)
        return Response(package, headers=headers)

    @extend_schema(operation_id="tablet_live", responses=LiveSerializer)
    @action(detail=False)
    def live(self, request):
        """Where the tablet listens for changes; good for some days.

        Of a round that is a draft it hears that it opens, and nothing of its stage.
        """
        judge = judge_of(request.user)
        rounds = (
            Round.objects.filter(
                participations__assignments__judge=judge,
                participations__status=ParticipationStatus.ACTIVE,
            )
            .distinct()
            .order_by("-pk")
        )
        channels = [live.channel("judge", judge.pk)]
        for round in rounds[: (live.MAX_CHANNELS - 1) // 2]:
            channels.append(live.channel("round", round.pk))
            if round.status != RoundStatus.DRAFT:
                channels.append(live.channel("stage", round.pk))
        return Response(LiveSerializer({"url": live.url(*channels)}).data)

    @extend_schema(request=None, responses={201: CodeSerializer, 409: REFUSED})
    @action(detail=False, methods=["post"])
    def code(self, request):
        """A code that signs the judge in in the app installed beside this browser."""
        _link, code = make_code(request)
        answer = CodeSerializer({"code": code_shown(code), "minutes": CODE_MINUTES})
        return Response(answer.data, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(request=OutboxSerializer, responses={200: OutcomesSerializer, 409: REFUSED})
    @action(detail=False, methods=["post"])
    def outbox(self, request):
        """Take operations in their order; say of each what became of it."""
        outbox = OutboxSerializer(data=request.data)
        outbox.is_valid(raise_exception=True)
        judge, device = judge_of(request.user), outbox.validated_data["device"]
        if outbox.validated_data["judge"] not in (None, judge.pk):
            raise Refused(_("Another judge has signed in on this tablet."), code="other_judge")
        with translation.override(_language(request)):
            outcomes = _take(judge, outbox.validated_data["operations"], device)
        return Response(OutcomesSerializer({"outcomes": outcomes}).data)
