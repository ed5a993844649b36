from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from contest.bilingual import Named
from contest.errors import WrongMove
from contest.states import HasStates
from leaderboard.ranking.selection import Ties
from leaderboard.states import ADVANCEMENT_MOVES, OUTCOME_MOVES, AdvancementStatus, Outcome


class AdvancementRule(models.Model):
    """How places in the next round are given, beside the number in the round's scheme."""

    class Tie(models.TextChoices):
        ASK = Ties.ASK.value, _("the organizers decide, with a reason")
        ALL_IN = Ties.ALL_IN.value, _("all who tie for the last places advance")
        ALL_OUT = Ties.ALL_OUT.value, _("none of those who tie advances")
        RUN_OFF = Ties.RUN_OFF.value, _("a run-off decides; the organizers enter how it ended")

    round = models.OneToOneField(
        "contest.Round",
        models.CASCADE,
        related_name="advancement_rule",
        verbose_name=_("round"),
    )
    wildcards = models.PositiveSmallIntegerField(
        _("wildcards"),
        default=0,
        help_text=_(
            "Places beside the others that organizers give by name, with a reason. "
            "Quotas do not count them."
        ),
    )
    reserves = models.PositiveSmallIntegerField(
        _("reserves"),
        default=0,
        help_text=_("The best of those who do not advance, who follow when a team leaves."),
    )
    ties = models.CharField(
        _("teams that tie for more places than there are"),
        max_length=10,
        choices=Tie,
        default=Tie.ASK,
        help_text=_("No quota is exceeded: where teams tie for its last place, you are asked."),
    )

    class Meta:
        verbose_name = _("rule of advancement")
        verbose_name_plural = _("rules of advancement")

    def __str__(self) -> str:
        return str(self.round)

    def audit_event(self):
        return self.round.event


class AdvancementQuota(models.Model):
    """How many teams of a country, an organisation or a sub-track may, or must, advance."""

    class Kind(models.TextChoices):
        COUNTRY = "country", _("country or region")
        ORGANISATION = "organisation", _("organisation")
        TRACK = "track", _("sub-track")

    rule = models.ForeignKey(
        AdvancementRule, models.CASCADE, related_name="quotas", verbose_name=_("rule")
    )
    kind = models.CharField(_("of each"), max_length=15, choices=Kind)
    country = CountryField(
        _("only this country or region"), blank=True, help_text=_("Empty: each of them.")
    )
    track = models.ForeignKey(
        "contest.Track",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only this sub-track"),
        help_text=_("Empty: each of them."),
    )
    most = models.PositiveSmallIntegerField(
        _("at most"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    least = models.PositiveSmallIntegerField(
        _("at least"),
        default=0,
        blank=True,
        help_text=_("Places that are kept for them while they have ranked teams."),
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.group}".strip()

    @property
    def group(self) -> str:
        """The group that is meant, as the selection names it; empty: each of the kind."""
        if self.kind == self.Kind.COUNTRY:
            return self.country.code or ""
        if self.kind == self.Kind.TRACK and self.track_id:
            return self.track.slug
        return ""

    def clean(self):
        super().clean()
        if self.most is None and not self.least:
            raise ValidationError({"most": _("Say how many at most, or how many at least.")})
        if self.most is not None and self.least > self.most:
            raise ValidationError({"least": _("At least cannot be more than at most.")})
        if self.country and self.kind != self.Kind.COUNTRY:
            raise ValidationError({"country": _("Only a quota of countries names a country.")})
        if self.track_id and self.kind != self.Kind.TRACK:
            raise ValidationError({"track": _("Only a quota of sub-tracks names a sub-track.")})
        if self.least and self.kind == self.Kind.ORGANISATION:
            raise ValidationError({"least": _("Places can be kept for countries and sub-tracks.")})


class Advancement(HasStates):
    """Who goes on from a round, decided on one standing and signed by an organizer."""

    MOVES = ADVANCEMENT_MOVES

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="advancements", verbose_name=_("round")
    )
    standing = models.ForeignKey(
        "leaderboard.Standing",
        models.PROTECT,
        related_name="advancements",
        verbose_name=_("standing"),
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=AdvancementStatus,
        default=AdvancementStatus.DRAFT,
        editable=False,
    )
    # The rule as it was; empty where there was none but the scheme's number.
    rule = models.JSONField(_("rule"), default=dict)
    # Ties that were decided: {"tied": [participations], "chosen": [...], "reason": "…"}.
    decisions = models.JSONField(_("decisions on ties"), default=list)
    # What a proposal before it had and this one could not take over: [team, what].
    dropped = models.JSONField(_("decisions that no longer apply"), default=list)
    reason = models.TextField(_("reason of the decision on a tie"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("signed by"),
    )
    publish_at = models.DateTimeField(_("to be published"), null=True, blank=True)
    publish_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("time set by"),
    )
    publish_refusal = models.TextField(_("why it was not published in time"), blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("advancement")
        verbose_name_plural = _("advancements")
        constraints = [
            models.UniqueConstraint(
                fields=["round"],
                condition=~models.Q(status="revoked"),
                name="one_advancement_in_force",
            )
        ]

    def __str__(self) -> str:
        return str(self.round)

    def audit_event(self):
        return self.round.event


class Signature(models.Model):
    """An organizer's signature under a proposal."""

    advancement = models.ForeignKey(
        Advancement, models.CASCADE, related_name="signatures", verbose_name=_("advancement")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("signed by")
    )
    at = models.DateTimeField(_("signed"))

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        constraints = [models.UniqueConstraint(fields=["advancement", "by"], name="signs_once")]

    def __str__(self) -> str:
        return f"{self.by} {self.advancement}"


class AdvancementRow(models.Model):
    """What becomes of one team: it advances, waits as a reserve or for a decision, or is out."""

    Outcome = Outcome

    advancement = models.ForeignKey(
        Advancement, models.CASCADE, related_name="rows", verbose_name=_("advancement")
    )
    row = models.ForeignKey(
        "leaderboard.StandingRow",
        models.PROTECT,
        related_name="+",
        verbose_name=_("row of the standing"),
    )
    outcome = models.CharField(_("outcome"), max_length=15, choices=Outcome)
    # Of a reserve; reserves that tie share it. It stays when the reserve is promoted.
    number = models.PositiveSmallIntegerField(_("number of the reserve"), null=True, blank=True)
    # What the selection says of the team; services/outcomes.py has the words.
    why = models.JSONField(_("why"), default=dict, blank=True)
    reason = models.TextField(_("reason of the wildcard"), blank=True)

    class Meta:
        ordering = ["row__position"]
        verbose_name = _("row of an advancement")
        verbose_name_plural = _("rows of advancements")
        constraints = [models.UniqueConstraint(fields=["advancement", "row"], name="advances_once")]

    def __str__(self) -> str:
        return f"{self.row} {self.get_outcome_display()}"

    def move_to(self, outcome: str) -> None:
        """Make one move of those that a signed list knows. Raises WrongMove."""
        if outcome not in OUTCOME_MOVES[self.outcome]:
            raise WrongMove(
                _("%(team)s: “%(now)s” cannot become “%(wanted)s”."),
                code="wrong_move",
                params={
                    "team": str(self.row.participation.team),
                    "now": self.get_outcome_display(),
                    "wanted": Outcome(outcome).label,
                },
            )
        self.outcome = outcome
        self.save(update_fields=["outcome"])


class Award(Named):
    """A prize of a round: for a range of ranks, or given by the organizers by name."""

    round = models.ForeignKey(
        "contest.Round", models.CASCADE, related_name="awards", verbose_name=_("round")
    )
    ordinal = models.PositiveSmallIntegerField(_("order"), default=0)
    first_rank = models.PositiveSmallIntegerField(_("from rank"), null=True, blank=True)
    last_rank = models.PositiveSmallIntegerField(_("to rank"), null=True, blank=True)

    class Meta:
        ordering = ["ordinal", "pk"]
        verbose_name = _("award")
        verbose_name_plural = _("awards")

    def clean(self):
        super().clean()
        if (self.first_rank is None) != (self.last_rank is None):
            raise ValidationError(
                {"last_rank": _("Give both ranks, or neither for an award that is given by name.")}
            )
        if self.first_rank is not None and not 1 <= self.first_rank <= self.last_rank:
            raise ValidationError({"last_rank": _("The ranks must count upwards from 1.")})

    def audit_event(self):
        return self.round.event


class AwardWinner(models.Model):
    """A team that won an award."""

    award = models.ForeignKey(
        Award, models.CASCADE, related_name="winners", verbose_name=_("award")
    )
    participation = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        related_name="awards",
        verbose_name=_("team in the round"),
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = _("award winner")
        verbose_name_plural = _("award winners")
        constraints = [models.UniqueConstraint(fields=["award", "participation"], name="won_once")]

    def __str__(self) -> str:
        return f"{self.award}: {self.participation}"
