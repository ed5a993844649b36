import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from contest.bilingual import Bilingual, Named
from contest.states import TEAM_MOVES, HasStates, TeamStatus


def team_search(text: str, prefix: str = "") -> models.Q:
    """Teams whose code, name, organisation or project holds ``text``; ``prefix`` leads to them."""
    fields = ("code", "name_zh", "name_en", "organisation_zh", "organisation_en",
              "entry__title_zh", "entry__title_en")  # fmt: skip
    found = models.Q()
    for field in fields:
        found |= models.Q(**{f"{prefix}{field}__icontains": text})
    return found


class Team(HasStates, Named):
    """A team that competes in one track of one event."""

    MOVES = TEAM_MOVES

    event = models.ForeignKey(
        "contest.Event",
        models.CASCADE,
        related_name="teams",
        verbose_name=_("event"),
        editable=False,  # always the track's
    )
    track = models.ForeignKey(
        "contest.Track", models.PROTECT, related_name="teams", verbose_name=_("track")
    )
    code = models.CharField(_("code"), max_length=16, editable=False)
    organisation_zh = models.CharField(_("organisation (Chinese)"), max_length=200, blank=True)
    organisation_en = models.CharField(_("organisation (English)"), max_length=200, blank=True)
    country = CountryField(_("country or region"))
    status = models.CharField(
        _("status"), max_length=20, choices=TeamStatus, default=TeamStatus.DRAFT, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    organisation = Bilingual("organisation")

    class Meta:
        ordering = ["code"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [models.UniqueConstraint(fields=["event", "code"], name="team_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *args, **kwargs):
        self.event_id = self.track.event_id
        super().save(*args, **kwargs)

    def audit_event(self):
        return self.event

    def get_absolute_url(self) -> str:
        return reverse("team", args=[self.event.slug, self.code])


class Membership(models.Model):
    """A person in a team."""

    class Role(models.TextChoices):
        CAPTAIN = "captain", _("captain")
        MEMBER = "member", _("member")

    team = models.ForeignKey(
        Team, models.CASCADE, related_name="memberships", verbose_name=_("team")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="memberships",
        verbose_name=_("user"),
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    class Meta:
        ordering = ["role", "joined_at"]
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="member_once"),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(role="captain"), name="one_captain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.team})"


def invitation_token() -> str:
    return secrets.token_urlsafe(24)


def invitation_expiry():
    return timezone.now() + timedelta(days=14)


class Invitation(models.Model):
    """A captain's invitation; the address in the mail lets one person join the team."""

    team = models.ForeignKey(
        Team, models.CASCADE, related_name="invitations", verbose_name=_("team")
    )
    email = models.EmailField(_("e-mail"))
    token = models.CharField(max_length=64, unique=True, default=invitation_token, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), default=invitation_expiry)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("accepted by"),
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["team", "email"],
                condition=models.Q(accepted_at__isnull=True),
                name="one_open_invitation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.team}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and timezone.now() < self.expires_at
