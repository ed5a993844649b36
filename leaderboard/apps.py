from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

LOG_ACTIONS = {
    "scheme": _("scheme changed"),
    "tie_decided": _("tie decided"),
    "tie_undone": _("decisions on ties taken back"),
    "advancement_rule": _("rule of advancement changed"),
    "wildcard_given": _("wildcard given"),
    "wildcard_taken_back": _("wildcard taken back"),
    "reserve_promoted": _("reserve promoted"),
    "publish_at": _("time of publication set"),
    "publish_refused": _("could not be published in time"),
    "award_saved": _("award saved"),
    "award_deleted": _("award deleted"),
    "award_given": _("award given"),
    "award_taken_back": _("award taken back"),
    "awards_allocated": _("awards given by rank"),
    "reveal_begun": _("scores of a team revealed on the stage screen, sheet by sheet"),
    "score_revealed": _("score of a team revealed on the stage screen"),
    "rank_revealed": _("rank revealed on the stage screen"),
    "reveal_taken_back": _("team taken off the board of the stage screen"),
    "reveal_judges": _("judges' names on the stage screen"),
}


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    verbose_name = _("Leaderboard")

    def ready(self):
        from contest.models import LogEntry
        from leaderboard import receivers  # noqa: F401 - connects them

        LogEntry.ACTIONS.update(LOG_ACTIONS)
