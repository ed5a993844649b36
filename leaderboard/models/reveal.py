from django.db import models
from django.utils.translation import gettext_lazy as _


class Reveal(models.Model):
    """What the stage screen of a round shows, and how far each reveal on it has come.

    What is not revealed yet is not here but in the standings: the screen is sent what the services
    take from them step by step.
    """

    class Scene(models.TextChoices):
        STAGE = "stage", _("on stage")
        SHEETS = "sheets", _("judges' scores of a team")
        BOARD = "board", _("teams so far")
        RANKING = "ranking", _("ranking")
        BLANK = "blank", _("nothing")

    round = models.OneToOneField(
        "contest.Round", models.CASCADE, related_name="reveal", verbose_name=_("round")
    )
    scene = models.CharField(_("scene"), max_length=10, choices=Scene, default=Scene.STAGE)
    # What was shown before the screen was blanked, to go back to.
    scene_before = models.CharField(
        _("scene before"), max_length=10, choices=Scene, default=Scene.STAGE
    )
    show_judges = models.BooleanField(
        _("show the judges' names"),
        default=False,
        help_text=_("Otherwise the screen says “Judge 1”, “Judge 2”, …"),
    )
    # Sheet by sheet: the team, and the standing whose explanation is followed to the end.
    participation = models.ForeignKey(
        "contest.Participation",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("team in the round"),
    )
    sheets_standing = models.ForeignKey(
        "leaderboard.Standing",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("standing of the judges' scores"),
    )
    sheets_step = models.PositiveSmallIntegerField(_("step of the judges' scores"), default=0)
    # {participation: judges' score as a decimal text, or null after a veto}.
    revealed = models.JSONField(_("revealed so far"), default=dict)
    # The ranking that was current when its reveal began.
    standing = models.ForeignKey(
        "leaderboard.Standing",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("standing"),
    )
    # What was asked for, 0 for as many as advance or all; and what that came to when it began.
    places_asked = models.PositiveSmallIntegerField(_("places asked for"), default=0)
    places = models.PositiveSmallIntegerField(_("places that are revealed"), default=0)
    drumroll = models.PositiveSmallIntegerField(
        _("first places announced before they are shown"), default=3
    )
    ranking_step = models.PositiveSmallIntegerField(_("step of the ranking"), default=0)
    # When something was last disclosed: a second press of a key comes too soon after it.
    stepped_at = models.DateTimeField(_("last step"), null=True, editable=False)
    # What the screen showed when it was frozen; null while it follows the desk.
    frozen = models.JSONField(_("frozen"), null=True)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")

    def __str__(self) -> str:
        return str(self.round)

    def audit_event(self):
        return self.round.event
