from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

LOG_ACTIONS = {
    "benchmark_defined": _("benchmark defined"),
    "rescore": _("submissions queued again"),
    "rubric_saved": _("rubric saved"),
    "rubric_copied": _("rubric copied"),
    "rubric_versioned": _("new version of the rubric made"),
    "rubric_in_force": _("version of the rubric put in force"),
    "judge_added": _("judge added"),
    "judge_edited": _("judge changed"),
    "panel_saved": _("panel saved"),
    "assigned": _("team assigned to a judge"),
    "assigned_all": _("all teams assigned"),
    "unassigned": _("team taken from a judge"),
    "designed": _("balanced assignment applied"),
    "substituted": _("judge substituted"),
    "released": _("judge released from a team"),
    "readmitted": _("judge readmitted to a team"),
    "tie_asked": _("tie put to the chair"),
    "recused": _("conflict of interest declared"),
    "recusal_lifted": _("conflict of interest lifted"),
    "record_head": _("head of the judging record"),
    "drawn": _("running order drawn"),
    "stage_saved": _("settings of the stage changed"),
    "clock_restarted": _("clock of the stage restarted"),
    "clock_changed": _("time of a phase changed"),
}


class JudgingConfig(AppConfig):
    name = "judging"
    verbose_name = _("Judging")

    def ready(self):
        from contest.models import LogEntry
        from judging import receivers  # noqa: F401 - connects them
        from judging.keeping import keep_record

        LogEntry.ACTIONS.update(LOG_ACTIONS)
        post_migrate.connect(keep_record, sender=self)
