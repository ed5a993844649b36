import logging

from django.apps import AppConfig
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)
# Changes within this time make one recomputation, not one each.
BURST_S = 2


LOG_ACTIONS = {
    "scheme": _("scheme changed"),
    "tie_decided": _("tie decided"),
    "award_saved": _("award saved"),
    "award_deleted": _("award deleted"),
    "award_given": _("award given"),
    "award_taken_back": _("award taken back"),
    "awards_allocated": _("awards given by rank"),
}


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    verbose_name = _("Leaderboard")

    def ready(self):
        from contest.models import LogEntry
        from contest.signals import ranking_inputs_changed

        LogEntry.ACTIONS.update(LOG_ACTIONS)
        ranking_inputs_changed.connect(_schedule, dispatch_uid="leaderboard-schedule")


def _schedule(sender, round, **kwargs):
    transaction.on_commit(lambda: _send(round.pk))


def _send(round_id: int) -> None:
    """Wake a worker once for a burst of changes; what gets lost, the regular refresh finds."""
    from leaderboard.tasks import refresh_standing

    if not cache.add(f"standing-due-{round_id}", 1, BURST_S):
        return
    try:
        refresh_standing.apply_async([round_id], countdown=BURST_S, retry=False)
    except Exception:
        log.warning("could not reach the broker; standing of round %s waits", round_id)
