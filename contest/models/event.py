from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual, Named
from contest.states import EVENT_MOVES, EventStatus, HasStates

slug_validator = RegexValidator(
    r"^[a-z0-9]+(-[a-z0-9]+)*$", _("Use small letters a–z, digits and single hyphens.")
)


def timezone_choices():
    return [(name, name) for name in sorted(available_timezones())]


class EventQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Published and archived events, and drafts to their organizers and to staff."""
        published = ~models.Q(status=EventStatus.DRAFT)
        return self.filter(published | models.Q(pk__in=Event.objects.organized_by(user)))

    def organized_by(self, user):
        """Events that ``user`` organizes; all of them for staff."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self.all()
        organizing = EventRole.objects.filter(user=user, role=EventRole.Role.ORGANIZER)
        return self.filter(pk__in=organizing.values("event"))


class Event(HasStates, Named):
    """One edition of a competition."""

    MOVES = EVENT_MOVES

    class Signatures(models.TextChoices):
        AUTO = "auto", _("two where two or more people organize the event, else one")
        ONE = "one", _("one")
        TWO = "two", _("two, of different people")

    slug = models.SlugField(_("short name in addresses"), unique=True, validators=[slug_validator])
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    organiser_zh = models.CharField(_("organised by (Chinese)"), max_length=300, blank=True)
    organiser_en = models.CharField(_("organised by (English)"), max_length=300, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=50, choices=timezone_choices, default="Asia/Shanghai"
    )
    status = models.CharField(
        _("status"), max_length=20, choices=EventStatus, default=EventStatus.DRAFT, editable=False
    )
    registration_opens = models.DateTimeField(_("registration opens"), null=True, blank=True)
    registration_closes = models.DateTimeField(_("registration closes"), null=True, blank=True)
    max_members = models.PositiveSmallIntegerField(_("most members of a team"), default=10)
    signatures = models.CharField(
        _("signatures under a result"),
        max_length=4,
        choices=Signatures,
        default=Signatures.AUTO,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    description = Bilingual("description")
    organiser = Bilingual("organiser")
    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def clean(self):
        super().clean()
        if (
            self.registration_opens
            and self.registration_closes
            and self.registration_opens >= self.registration_closes
        ):
            raise ValidationError(
                {"registration_closes": _("Registration must close after it opens.")}
            )

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.slug])

    def audit_event(self):
        return self

    @property
    def tzinfo(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def needs_two_signatures(self) -> bool:
        """Whether a result is signed off by two people."""
        if self.signatures == self.Signatures.AUTO:
            return self.roles.count() >= 2
        return self.signatures == self.Signatures.TWO

    @property
    def is_registration_open(self) -> bool:
        now = timezone.now()
        return (
            self.status == EventStatus.PUBLISHED
            and (self.registration_opens is None or self.registration_opens <= now)
            and (self.registration_closes is None or now < self.registration_closes)
        )


class EventRole(models.Model):
    """A person's standing right in one event, beside those of judges and team members."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("organizer")

    event = models.ForeignKey(Event, models.CASCADE, related_name="roles", verbose_name=_("event"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="event_roles",
        verbose_name=_("user"),
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.ORGANIZER)

    class Meta:
        verbose_name = _("role in an event")
        verbose_name_plural = _("roles in events")
        constraints = [
            models.UniqueConstraint(fields=["event", "user", "role"], name="one_role_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} ({self.event})"


class Track(Named):
    """A line of competition; tracks nest, and teams enter those that have no sub-tracks."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="tracks", verbose_name=_("event"))
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    slug = models.SlugField(_("short name in addresses"), validators=[slug_validator])
    code_prefix = models.CharField(
        _("prefix of team codes"),
        max_length=6,
        validators=[RegexValidator(r"^[A-Z]{1,6}$", _("Use one to six capital letters A–Z."))],
        default="T",
    )
    ordinal = models.PositiveSmallIntegerField(_("order"), default=0)
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)

    description = Bilingual("description")

    class Meta:
        ordering = ["ordinal", "pk"]
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "slug"],
                name="track_slug_once",
                violation_error_message=_("This event already has a track with this short name."),
            )
        ]

    def clean(self):
        super().clean()
        if self.parent is None:
            return
        if self.parent.event_id != self.event_id:
            raise ValidationError({"parent": _("The track above belongs to another event.")})
        if self.pk and self.pk in {track.pk for track in self.parent.path()}:
            raise ValidationError({"parent": _("A track cannot be part of itself.")})
        if self.parent.teams.exists():
            raise ValidationError(
                {"parent": _("Teams have entered this track; it cannot have sub-tracks.")}
            )

    def audit_event(self):
        return self.event

    def path(self) -> list["Track"]:
        """From the outermost track to this one."""
        path, track = [self], self.parent
        while track is not None and track not in path:
            path.insert(0, track)
            track = track.parent
        return path

    def with_descendants(self) -> list["Track"]:
        """This track and all below it, in order; one query whatever the depth."""
        children: dict[int | None, list[Track]] = {}
        for track in Track.objects.filter(event=self.event_id):
            children.setdefault(track.parent_id, []).append(track)
        found, waiting = [], [self]
        while waiting:
            track = waiting.pop(0)
            found.append(track)
            waiting = children.get(track.pk, []) + waiting
        return found
