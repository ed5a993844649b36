"""Every state machine of judging/, in one place. See contest/states.py for how they work."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ScoresheetStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned")


SCORESHEET_MOVES = {
    ScoresheetStatus.DRAFT: {ScoresheetStatus.SUBMITTED},
    ScoresheetStatus.SUBMITTED: {ScoresheetStatus.RETURNED},
    ScoresheetStatus.RETURNED: {ScoresheetStatus.SUBMITTED},
}


class TieStatus(models.TextChoices):
    OPEN = "open", _("waits for the chair")
    DECIDED = "decided", pgettext_lazy("tie", "decided")
    DROPPED = "dropped", _("taken back")


TIE_MOVES = {
    TieStatus.OPEN: {TieStatus.DECIDED, TieStatus.DROPPED},
    # A decision stands until organizers take it back; then they may ask again.
    TieStatus.DECIDED: {TieStatus.DROPPED},
    TieStatus.DROPPED: set(),
}


class AppearanceStatus(models.TextChoices):
    WAITING = "waiting", _("waits")
    ON_STAGE = "on_stage", _("on stage")
    DONE = "done", _("was on stage")
    SKIPPED = "skipped", _("skipped")


APPEARANCE_MOVES = {
    AppearanceStatus.WAITING: {AppearanceStatus.ON_STAGE, AppearanceStatus.SKIPPED},
    AppearanceStatus.ON_STAGE: {
        AppearanceStatus.DONE,
        AppearanceStatus.SKIPPED,
        AppearanceStatus.WAITING,
    },
    # Both may be called back.
    AppearanceStatus.DONE: {AppearanceStatus.ON_STAGE},
    AppearanceStatus.SKIPPED: {AppearanceStatus.ON_STAGE, AppearanceStatus.WAITING},
}


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("scored")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


RUN_MOVES = {
    RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.CANCELLED},
    # Back to the queue: a worker that must not run it gives it back.
    RunStatus.RUNNING: {
        RunStatus.QUEUED,
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.CANCELLED,
    },
    RunStatus.SUCCEEDED: set(),
    RunStatus.FAILED: set(),
    RunStatus.CANCELLED: set(),
}


class BenchmarkStatus(models.TextChoices):
    CANDIDATE = "candidate", _("on trial")
    CURRENT = "current", _("in force")
    RETIRED = "retired", _("no longer in force")
    DROPPED = "dropped", _("dropped")


# Versions that are organizers' business alone.
ON_TRIAL = (BenchmarkStatus.CANDIDATE, BenchmarkStatus.DROPPED)

BENCHMARK_MOVES = {
    BenchmarkStatus.CANDIDATE: {BenchmarkStatus.CURRENT, BenchmarkStatus.DROPPED},
    BenchmarkStatus.CURRENT: {BenchmarkStatus.RETIRED},
    # An older version is tried and put in force again like any other; its results are there.
    BenchmarkStatus.RETIRED: {BenchmarkStatus.CANDIDATE},
    BenchmarkStatus.DROPPED: {BenchmarkStatus.CANDIDATE},
}
