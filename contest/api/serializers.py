"""What contest's endpoints take and give. Texts come as two columns, ``…_zh`` and ``…_en``.

Rules are the services'; a serializer checks types only. What a reader may not see is null.
"""

from django_countries.serializer_fields import CountryField
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contest.api.permissions import insider_teams
from contest.models import (
    Entry,
    EntryFile,
    Event,
    Invitation,
    Membership,
    Participation,
    Round,
    Team,
    Track,
    User,
)
from contest.states import TeamStatus


class VisibleEvent(serializers.SlugRelatedField):
    """An event by its short name; one that the sender may not know of does not exist."""

    def __init__(self, **kwargs):
        super().__init__("slug", queryset=Event.objects.all(), **kwargs)

    def get_queryset(self):
        return super().get_queryset().visible_to(self.context["request"].user)


class VisibleTrack(serializers.PrimaryKeyRelatedField):
    """A track by its id, of an event that the sender may know of."""

    def __init__(self, **kwargs):
        kwargs.setdefault("queryset", Track.objects.select_related("event"))
        super().__init__(**kwargs)

    def get_queryset(self):
        visible = Event.objects.visible_to(self.context["request"].user)
        return super().get_queryset().filter(event__in=visible)


class InsiderTeam(serializers.PrimaryKeyRelatedField):
    """A team by its id, of those that the sender may know everything about."""

    def __init__(self, **kwargs):
        kwargs.setdefault("queryset", Team.objects.select_related("event"))
        super().__init__(**kwargs)

    def get_queryset(self):
        insider = insider_teams(self.context["request"].user)
        return super().get_queryset().filter(pk__in=insider.values("pk"))


class TokenRequestSerializer(serializers.Serializer):
    email = serializers.EmailField()
    password = serializers.CharField(
        style={"input_type": "password"}, trim_whitespace=False, write_only=True
    )


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class MyTeamSerializer(serializers.ModelSerializer):
    team = serializers.IntegerField(source="team_id")
    code = serializers.CharField(source="team.code")
    event = serializers.CharField(source="team.event.slug")

    class Meta:
        model = Membership
        fields = ["team", "code", "event", "role"]


class MeSerializer(serializers.ModelSerializer):
    teams = MyTeamSerializer(source="memberships", many=True, read_only=True)
    organizes = serializers.SerializerMethodField()
    is_judge = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "email", "name", "language", "is_staff", "is_judge", "organizes", "teams"]
        read_only_fields = fields

    def get_organizes(self, user) -> list[str]:
        """Short names of the events this person organizes by a role of their own."""
        return sorted({role.event.slug for role in user.event_roles.all()})

    def get_is_judge(self, user) -> bool:
        return hasattr(user, "judge")


class EventSerializer(serializers.ModelSerializer):
    is_registration_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Event
        fields = [
            "id",
            "slug",
            "name_zh",
            "name_en",
            "organiser_zh",
            "organiser_en",
            "description_zh",
            "description_en",
            "time_zone",
            "status",
            "registration_opens",
            "registration_closes",
            "is_registration_open",
            "max_members",
            "signatures",
        ]
        read_only_fields = ["status"]


class TrackSerializer(serializers.ModelSerializer):
    event = VisibleEvent()
    parent = VisibleTrack(required=False, allow_null=True)

    class Meta:
        model = Track
        fields = [
            "id",
            "event",
            "parent",
            "slug",
            "name_zh",
            "name_en",
            "description_zh",
            "description_en",
            "code_prefix",
            "ordinal",
        ]
        # Uniqueness within the event is checked by the model, in the reader's language.
        validators = []


class RoundSerializer(serializers.ModelSerializer):
    event = serializers.SlugRelatedField("slug", read_only=True)
    track = VisibleTrack()
    is_accepting = serializers.BooleanField(read_only=True)

    class Meta:
        model = Round
        fields = [
            "id",
            "event",
            "track",
            "slug",
            "name_zh",
            "name_en",
            "ordinal",
            "kind",
            "format",
            "status",
            "opens_at",
            "closes_at",
            "freeze_at",
            "board",
            "is_accepting",
            "quota_per_day",
            "quota_total",
            "quota_total_mb",
            "max_upload_mb",
        ]
        read_only_fields = ["status"]
        validators = []


class MemberSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="user.name", read_only=True)
    email = serializers.EmailField(source="user.email", read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = ["id", "name", "email", "role", "joined_at"]
        read_only_fields = fields


class EntryFileSerializer(serializers.ModelSerializer):
    class Meta:
        model = EntryFile
        fields = ["id", "original_name", "size", "sha256", "uploaded_at"]
        read_only_fields = fields


ENTRY_FIELDS = [
    "title_zh",
    "title_en",
    "abstract_zh",
    "abstract_en",
    "repository",
    "licence",
    "base_model",
    "demo_url",
    "video_url",
]


class EntrySerializer(serializers.ModelSerializer):
    files = EntryFileSerializer(many=True, read_only=True)

    class Meta:
        model = Entry
        fields = ["id", "team", *ENTRY_FIELDS, "files", "updated_at"]
        read_only_fields = ["team", "updated_at"]


class NewEntrySerializer(serializers.ModelSerializer):
    class Meta:
        model = Entry
        fields = ENTRY_FIELDS


class TeamSerializer(serializers.ModelSerializer):
    event = serializers.SlugRelatedField("slug", read_only=True)
    country = CountryField(help_text="ISO 3166-1 code of two letters.")
    status = serializers.SerializerMethodField(
        help_text="Null unless you belong to the team or organize its event."
    )
    members = serializers.SerializerMethodField(
        help_text="Null unless you belong to the team or organize its event."
    )

    class Meta:
        model = Team
        fields = [
            "id",
            "event",
            "track",
            "code",
            "name_zh",
            "name_en",
            "organisation_zh",
            "organisation_en",
            "country",
            "status",
            "members",
        ]
        read_only_fields = ["track", "code"]

    def _is_insider(self, team: Team) -> bool:
        return team.pk in self.context["insider_team_ids"]

    @extend_schema_field(serializers.ChoiceField(TeamStatus.choices, allow_null=True))
    def get_status(self, team):
        return team.status if self._is_insider(team) else None

    @extend_schema_field(MemberSerializer(many=True, allow_null=True))
    def get_members(self, team):
        if not self._is_insider(team):
            return None
        return MemberSerializer(team.memberships.all(), many=True).data


class NewTeamSerializer(serializers.ModelSerializer):
    track = VisibleTrack()
    country = CountryField()
    entry = NewEntrySerializer()

    class Meta:
        model = Team
        fields = [
            "track",
            "name_zh",
            "name_en",
            "organisation_zh",
            "organisation_en",
            "country",
            "entry",
        ]


class ParticipationSerializer(serializers.ModelSerializer):
    event = serializers.CharField(source="round.event.slug", read_only=True)
    code = serializers.CharField(source="team.code", read_only=True)
    name_zh = serializers.CharField(source="team.name_zh", read_only=True)
    name_en = serializers.CharField(source="team.name_en", read_only=True)

    class Meta:
        model = Participation
        fields = [
            "id",
            "event",
            "round",
            "team",
            "code",
            "name_zh",
            "name_en",
            "running_order",
            "status",
        ]
        read_only_fields = fields


class InvitationSerializer(serializers.ModelSerializer):
    """An invitation. Its address is in the mail alone and never given here."""

    team = InsiderTeam()
    is_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "team", "email", "created_at", "expires_at", "accepted_at", "is_open"]
        read_only_fields = ["created_at", "expires_at", "accepted_at"]
        validators = []


class AcceptSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=64, help_text="The last part of the mailed address.")
