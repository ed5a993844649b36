from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

LOG_ACTIONS = {
    "benchmark_defined": _("benchmark defined"),
    "rescore": _("submissions queued again"),
    "rubric_saved": _("rubric saved"),
    "rubric_copied": _("rubric copied"),
    "judge_added": _("judge added"),
    "judge_edited": _("judge changed"),
    "panel_saved": _("panel saved"),
    "assigned": _("team assigned to a judge"),
    "assigned_all": _("all teams assigned"),
    "unassigned": _("team taken from a judge"),
    "recused": _("conflict of interest declared"),
    "recusal_lifted": _("conflict of interest lifted"),
    "drawn": _("running order drawn"),
    "stage_saved": _("settings of the stage changed"),
}


class JudgingConfig(AppConfig):
    name = "judging"
    verbose_name = _("Judging")

    def ready(self):
        from contest.models import LogEntry
        from judging import receivers  # noqa: F401 - connects them

        LogEntry.ACTIONS.update(LOG_ACTIONS)
