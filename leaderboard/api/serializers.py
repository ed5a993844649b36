"""What leaderboard's endpoints take and give."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contest.api.base import ScopedField
from contest.models import Participation, Round
from contest.roles import is_organizer, organized_events
from contest.states import RoundStatus
from leaderboard.models import (
    Advancement,
    AdvancementRow,
    Award,
    PreparedFile,
    Scheme,
    SchemeComponent,
    Signature,
    Standing,
    StandingRow,
)
from leaderboard.services.schemes import Rules


def organized_rounds(user):
    return Round.objects.filter(event__in=organized_events(user)).select_related("event", "track")


class StandingSerializer(serializers.ModelSerializer):
    """A ranking. `method` is the scheme as it was; `input_digest` names what it was made from."""

    event = serializers.CharField(source="round.event.slug", read_only=True)

    class Meta:
        model = Standing
        fields = ["id", "event", "round", "audience", "computed_at", "input_digest", "method"]
        read_only_fields = fields


class PreparedFileSerializer(serializers.ModelSerializer):
    """A large file that a worker prepares. `done` of `total` teams are written; null: not known.
    Once `status` is `ready` its `file/` can be fetched; `fault` says why it failed."""

    event = serializers.CharField(source="round.event.slug", read_only=True)
    kept_until = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = PreparedFile
        fields = [
            "id", "event", "round", "document", "fmt", "language", "status", "fault", "done",
            "total", "size", "asked_at", "started_at", "ended_at", "kept_until",
        ]  # fmt: skip
        read_only_fields = fields


class BoardComponentSerializer(serializers.Serializer):
    name = serializers.CharField()
    points = serializers.CharField(allow_null=True, help_text="0–100, a decimal as text")
    value = serializers.FloatField(allow_null=True, help_text="of the metric")


class BoardRowSerializer(serializers.Serializer):
    position = serializers.IntegerField()
    rank = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    organisation_zh = serializers.CharField()
    organisation_en = serializers.CharField()
    country = serializers.CharField()
    track = serializers.CharField()
    is_baseline = serializers.BooleanField()
    total = serializers.CharField(allow_null=True, help_text="a decimal as text")
    components = BoardComponentSerializer(many=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="components that the team has no score of"
    )
    below = serializers.DictField(
        child=serializers.CharField(),
        help_text="components, or total, that do not come to their minimum, and the minimum",
    )
    unmet = serializers.ListField(
        child=serializers.CharField(), help_text="conditions of the scheme that are not met"
    )


class BoardSerializer(serializers.Serializer):
    """Describes what leaderboard.services.boards.as_json gives; ``standing`` is null before there
    are scores."""

    event = serializers.CharField()
    round = serializers.IntegerField()
    slug = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    status = serializers.CharField()
    standing = serializers.IntegerField(allow_null=True)
    is_result = serializers.BooleanField()
    computed_at = serializers.DateTimeField(allow_null=True)
    frozen_at = serializers.DateTimeField(allow_null=True)
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    rows = BoardRowSerializer(many=True)


class StandingRowSerializer(serializers.ModelSerializer):
    """A team's place. Rank and total are null where the team is not ranked."""

    team = serializers.IntegerField(source="participation.team_id", read_only=True)
    code = serializers.CharField(source="participation.team.code", read_only=True)
    name_zh = serializers.CharField(source="participation.team.name_zh", read_only=True)
    name_en = serializers.CharField(source="participation.team.name_en", read_only=True)
    country = serializers.CharField(source="participation.team.country.code", read_only=True)
    track = serializers.CharField(source="participation.team.track.slug", read_only=True)

    class Meta:
        model = StandingRow
        fields = [
            "id",
            "standing",
            "position",
            "rank",
            "total",
            "participation",
            "team",
            "code",
            "name_zh",
            "name_en",
            "country",
            "track",
            "explanation",
        ]
        read_only_fields = fields


class ComponentSerializer(serializers.ModelSerializer):
    source = ScopedField(organized_rounds)

    class Meta:
        model = SchemeComponent
        fields = [
            "kind", "source", "weight", "metric", "aggregation", "trim", "per", "scaling", "worst",
            "best", "minimum",
        ]  # fmt: skip


class SchemeSerializer(serializers.ModelSerializer):
    components = ComponentSerializer(many=True)
    tie_breaks = serializers.ListField(
        child=serializers.CharField(max_length=60),
        help_text=f"In order: {', '.join(Scheme.TieBreak.values)}, or criterion:<code>",
    )
    conditions = serializers.ListField(child=serializers.ChoiceField(Scheme.Condition.choices))
    reason = serializers.CharField(
        write_only=True,
        required=False,
        max_length=1000,
        help_text=_("Needed once the first scores are there; kept with the effect."),
    )

    class Meta:
        model = Scheme
        fields = ["round", *Rules.SCHEME, "components", "reason"]
        read_only_fields = ["round"]

    def to_representation(self, instance):
        """The seed is for organizers until the result is out: teams could choose their lots."""
        data = super().to_representation(instance)
        user = self.context["request"].user
        if instance.round.status != RoundStatus.PUBLISHED and not is_organizer(
            user, instance.round.event
        ):
            data["seed"] = ""
        return data


class AdvancementRowSerializer(serializers.ModelSerializer):
    participation = serializers.IntegerField(source="row.participation_id", read_only=True)
    code = serializers.CharField(source="row.participation.team.code", read_only=True)
    rank = serializers.IntegerField(source="row.rank", read_only=True, allow_null=True)
    total = serializers.DecimalField(
        source="row.total", max_digits=20, decimal_places=12, read_only=True, allow_null=True
    )

    class Meta:
        model = AdvancementRow
        fields = ["participation", "code", "rank", "total", "outcome", "number", "reason"]
        read_only_fields = fields


class SignatureSerializer(serializers.ModelSerializer):
    by = serializers.CharField(source="by.name", read_only=True)

    class Meta:
        model = Signature
        fields = ["by", "at"]
        read_only_fields = fields


class AdvancementSerializer(serializers.ModelSerializer):
    round = ScopedField(organized_rounds)
    rows = AdvancementRowSerializer(many=True, read_only=True)
    signed_by = serializers.CharField(source="signed_by.name", read_only=True, default=None)
    signatures = SignatureSerializer(many=True, read_only=True)

    class Meta:
        model = Advancement
        fields = [
            "id",
            "round",
            "standing",
            "status",
            "reason",
            "created_at",
            "signed_at",
            "signed_by",
            "signatures",
            "publish_at",
            "rows",
        ]
        read_only_fields = [name for name in fields if name != "round"]
        validators = []


class DecideTieSerializer(serializers.Serializer):
    advancing = serializers.ListField(
        child=serializers.IntegerField(), help_text="Participations of tied teams that advance."
    )
    reason = serializers.CharField(max_length=1000)


class OfRoundSerializer(serializers.Serializer):
    round = ScopedField(organized_rounds)


class WinnerSerializer(serializers.Serializer):
    participation = ScopedField(
        lambda user: Participation.objects.filter(
            round__event__in=organized_events(user)
        ).select_related("team")
    )


class AwardWinnerSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    participation = serializers.IntegerField(source="participation_id")
    code = serializers.CharField(source="participation.team.code")


class AwardSerializer(serializers.ModelSerializer):
    round = ScopedField(organized_rounds)
    winners = serializers.SerializerMethodField()

    class Meta:
        model = Award
        fields = [
            "id", "round", "name_zh", "name_en", "ordinal", "first_rank", "last_rank", "winners",
        ]  # fmt: skip

    @extend_schema_field(AwardWinnerSerializer(many=True))
    def get_winners(self, award):
        return AwardWinnerSerializer(award.winners.all(), many=True).data
