from datetime import datetime, timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.states import HasStates
from judging.states import APPEARANCE_MOVES, AppearanceStatus

SECONDS = [MinValueValidator(10), MaxValueValidator(4 * 3600)]


class Stage(models.Model):
    """The roadshow of a round as it goes: who is on stage, in which phase, by which clock.

    The clock is not a number that ticks: it is the moment when it was started and the time that
    had run before, from which every screen works out the same remaining seconds.
    """

    class Phase(models.TextChoices):
        IDLE = "idle", _("between teams")
        PRESENTATION = "presentation", _("presentation")
        QUESTIONS = "questions", _("questions")

    round = models.OneToOneField(
        "contest.Round", models.CASCADE, related_name="stage", verbose_name=_("round")
    )
    presentation_s = models.PositiveIntegerField(
        _("presentation (seconds)"), default=480, validators=SECONDS
    )
    questions_s = models.PositiveIntegerField(
        _("questions (seconds)"), default=420, validators=SECONDS
    )
    is_public = models.BooleanField(
        _("everybody may watch"),
        default=False,
        help_text=_("Whoever has the address of the stage screen sees it without signing in."),
    )
    current = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("on stage"),
    )
    phase = models.CharField(
        _("phase"), max_length=20, choices=Phase, default=Phase.IDLE, editable=False
    )
    running_since = models.DateTimeField(_("clock runs since"), null=True, editable=False)
    elapsed_ms = models.PositiveIntegerField(_("run before (ms)"), default=0, editable=False)
    # What was given to the phase, or taken from it, by hand.
    extra_s = models.IntegerField(_("added by hand (seconds)"), default=0, editable=False)
    # {phase: [run (ms), added (s)]} of a phase that was left, for when it is gone back to.
    other_clocks = models.JSONField(default=dict, editable=False)
    # How the stage stood before a team last came or left, to undo that once.
    before = models.JSONField(null=True, editable=False)
    # Of the draw: the seed, and the codes it was drawn from, so that anybody can draw again.
    draw_seed = models.CharField(_("seed of the draw"), max_length=64, blank=True, editable=False)
    draw_codes = models.JSONField(_("codes drawn from"), default=list, editable=False)
    drawn_at = models.DateTimeField(_("drawn"), null=True, editable=False)
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("drawn by"),
    )
    # Counts changes, so that a screen can tell an old message from a new one.
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")

    def __str__(self) -> str:
        return str(self.round)

    def audit_event(self):
        return self.round.event

    @property
    def limit_s(self) -> int:
        """Seconds of the phase; 0 between teams."""
        lengths = {
            self.Phase.PRESENTATION: self.presentation_s,
            self.Phase.QUESTIONS: self.questions_s,
        }
        return max(1, lengths[self.phase] + self.extra_s) if self.phase in lengths else 0

    def elapsed_at(self, moment: datetime) -> int:
        """Milliseconds that the clock of this phase has run by ``moment``."""
        running = moment - self.running_since if self.running_since else timedelta(0)
        return self.elapsed_ms + max(0, running // timedelta(milliseconds=1))

    @property
    def remaining_s(self) -> float:
        """Seconds left of the phase now; below zero once it is over."""
        return self.limit_s - self.elapsed_at(timezone.now()) / 1000


class Appearance(HasStates):
    """A team's turn on stage. No row means that it waits."""

    MOVES = APPEARANCE_MOVES

    participation = models.OneToOneField(
        "contest.Participation",
        models.CASCADE,
        related_name="appearance",
        verbose_name=_("team in the round"),
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=AppearanceStatus,
        default=AppearanceStatus.WAITING,
        editable=False,
    )
    began_at = models.DateTimeField(_("began"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("turn on stage")
        verbose_name_plural = _("turns on stage")

    def __str__(self) -> str:
        return str(self.participation)

    def audit_event(self):
        return self.participation.round.event


class Reminder(models.Model):
    """What an organizer sent to a judge's tablet."""

    judge = models.ForeignKey(
        "judging.Judge", models.CASCADE, related_name="reminders", verbose_name=_("judge")
    )
    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="reminders", verbose_name=_("round")
    )
    text = models.CharField(_("message"), max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("sent"), auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")

    def __str__(self) -> str:
        return f"{self.judge} {self.at:%Y-%m-%d %H:%M}"
