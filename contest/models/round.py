from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest import live
from contest.bilingual import Named
from contest.errors import Refused
from contest.models.event import Event, slug_validator
from contest.states import (
    PARTICIPATION_MOVES,
    ROUND_MOVES,
    EventStatus,
    HasStates,
    ParticipationStatus,
    RoundStatus,
)


class RoundQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Rounds of events that ``user`` may know of; those in preparation to organizers alone."""
        hidden = models.Q(status=RoundStatus.DRAFT) & ~models.Q(
            event__in=Event.objects.organized_by(user)
        )
        return self.filter(event__in=Event.objects.visible_to(user)).exclude(hidden)

    def with_public_board(self):
        """Rounds whose leaderboard everybody may see; the same rule as ``is_board_public``."""
        live = models.Q(board=Round.Board.LIVE) & ~models.Q(status=RoundStatus.DRAFT)
        return self.filter(live | models.Q(status=RoundStatus.PUBLISHED)).exclude(
            event__status=EventStatus.DRAFT
        )

    def with_teams_board(self):
        """Rounds whose leaderboard their own teams may see; the same as ``is_board_for_teams``."""
        return (
            self.filter(board=Round.Board.TEAMS)
            .exclude(status__in=[RoundStatus.DRAFT, RoundStatus.PUBLISHED])
            .exclude(event__status=EventStatus.DRAFT)
        )

    def taken_part_in_by(self, user):
        """Rounds in which a team of ``user`` takes part now."""
        if not user.is_authenticated:
            return self.none()
        taking_part = Participation.objects.filter(
            team__memberships__user=user, status=ParticipationStatus.ACTIVE
        )
        return self.filter(pk__in=taking_part.values("round"))


class Round(HasStates, Named):
    """One stage of a track: preliminary, semifinal or final."""

    MOVES = ROUND_MOVES

    class Kind(models.TextChoices):
        PRELIMINARY = "preliminary", _("preliminary")
        SEMIFINAL = "semifinal", _("semifinal")
        FINAL = "final", _("final")

    class Format(models.TextChoices):
        AUTOMATED = "automated", _("automated scoring")
        REVIEW = "review", _("online review")
        ROADSHOW = "roadshow", _("roadshow")

    class Board(models.TextChoices):
        LIVE = "live", _("live while the round runs")
        TEAMS = "teams", _("live for the round's teams, for everybody after publication")
        AFTER = "after", _("only after publication")

    track = models.ForeignKey(
        "contest.Track", models.CASCADE, related_name="rounds", verbose_name=_("track")
    )
    event = models.ForeignKey(
        "contest.Event",
        models.CASCADE,
        related_name="rounds",
        verbose_name=_("event"),
        editable=False,  # always the track's
    )
    slug = models.SlugField(_("short name in addresses"), validators=[slug_validator])
    ordinal = models.PositiveSmallIntegerField(_("order within the track"), default=1)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    format = models.CharField(_("format"), max_length=20, choices=Format)
    status = models.CharField(
        _("status"), max_length=20, choices=RoundStatus, default=RoundStatus.DRAFT, editable=False
    )
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    freeze_at = models.DateTimeField(
        _("public leaderboard freezes"),
        null=True,
        blank=True,
        help_text=_("From then until publication the public sees the standing of that moment."),
    )
    board = models.CharField(
        _("public leaderboard"), max_length=10, choices=Board, default=Board.AFTER
    )
    quota_per_day = models.PositiveSmallIntegerField(
        _("submissions a day"), default=5, help_text=_("Days are those of the event's time zone.")
    )
    quota_total = models.PositiveSmallIntegerField(_("submissions in all"), default=50)
    quota_total_mb = models.PositiveIntegerField(
        _("size of all submissions (MB)"),
        default=0,
        help_text=_("What a team may send in all in this round; 0: no limit beyond the number."),
    )
    max_upload_mb = models.PositiveSmallIntegerField(_("largest file (MB)"), default=20)

    objects = RoundQuerySet.as_manager()

    class Meta:
        ordering = ["track__ordinal", "track", "ordinal"]
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "slug"],
                name="round_slug_once",
                violation_error_message=_("This event already has a round with this short name."),
            ),
            models.UniqueConstraint(
                fields=["track", "ordinal"],
                name="round_ordinal_once",
                violation_error_message=_("This track already has a round at this place."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.track.name} · {self.name}"

    def clean(self):
        super().clean()
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise ValidationError({"closes_at": _("The round must close after it opens.")})
        if self.freeze_at and self.opens_at and self.freeze_at < self.opens_at:
            raise ValidationError({"freeze_at": _("The freeze must come after the round opens.")})

    def save(self, *args, **kwargs):
        self.event_id = self.track.event_id
        super().save(*args, **kwargs)

    def audit_event(self):
        return self.event

    def move_to(self, status: str, **kwargs) -> None:
        """Make the move and tell open pages and tablets of it."""
        super().move_to(status, **kwargs)
        live.publish(live.channel("round", self.pk))

    def get_absolute_url(self) -> str:
        return reverse("round", args=[self.event.slug, self.slug])

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1024 * 1024

    def accepts_at(self, moment: datetime) -> bool:
        """Whether a submission received at ``moment`` is in time; the closing second is out."""
        return (
            self.status == RoundStatus.OPEN
            and (self.opens_at is None or self.opens_at <= moment)
            and (self.closes_at is None or moment < self.closes_at)
        )

    @property
    def is_accepting(self) -> bool:
        return self.accepts_at(timezone.now())

    @property
    def is_frozen(self) -> bool:
        return (
            self.freeze_at is not None
            and self.freeze_at <= timezone.now()
            and self.status != RoundStatus.PUBLISHED
        )

    @property
    def is_board_public(self) -> bool:
        """Whether the public may see a leaderboard of this round at all."""
        if self.event.status == EventStatus.DRAFT:
            return False
        if self.status == RoundStatus.PUBLISHED:
            return True
        return self.board == self.Board.LIVE and self.status != RoundStatus.DRAFT

    @property
    def is_board_for_teams(self) -> bool:
        """Whether the round's teams may see its leaderboard, and the public not yet."""
        return (
            self.board == self.Board.TEAMS
            and self.event.status != EventStatus.DRAFT
            and self.status not in (RoundStatus.DRAFT, RoundStatus.PUBLISHED)
        )

    @property
    def is_decided(self) -> bool:
        """Whether the ranking is signed off, and so stands."""
        return self.status in (RoundStatus.DECIDED, RoundStatus.PUBLISHED)

    def require_undecided(self) -> None:
        """Raise Refused once the ranking is signed off."""
        if self.is_decided:
            raise Refused(
                _("The ranking of “%(round)s” is signed off; revoke that first."),
                code="round_decided",
                params={"round": self.name},
            )

    def next(self) -> "Round | None":
        return self.track.rounds.filter(ordinal__gt=self.ordinal).order_by("ordinal").first()

    def previous(self) -> "Round | None":
        return self.track.rounds.filter(ordinal__lt=self.ordinal).order_by("-ordinal").first()


class Participation(HasStates):
    """A team in a round."""

    MOVES = PARTICIPATION_MOVES

    round = models.ForeignKey(
        Round, models.CASCADE, related_name="participations", verbose_name=_("round")
    )
    team = models.ForeignKey(
        "contest.Team", models.CASCADE, related_name="participations", verbose_name=_("team")
    )
    running_order = models.PositiveSmallIntegerField(_("running order"), null=True, blank=True)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=ParticipationStatus,
        default=ParticipationStatus.ACTIVE,
        editable=False,
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    final_submission = models.ForeignKey(
        "contest.Submission",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("chosen submission"),
        help_text=_("The one that counts; where none is chosen, the best public score does."),
    )
    final_chosen_at = models.DateTimeField(_("chosen"), null=True, blank=True, editable=False)

    class Meta:
        ordering = [models.F("running_order").asc(nulls_last=True), "team__code"]
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        constraints = [
            models.UniqueConstraint(fields=["round", "team"], name="team_once_in_round"),
            models.UniqueConstraint(
                fields=["round", "running_order"],
                name="running_order_once",
                condition=models.Q(running_order__isnull=False),
                violation_error_message=_("Two teams cannot share a place in the running order."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} · {self.round.name}"

    def audit_event(self):
        return self.round.event
