from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LogEntry(models.Model):
    """What was decided in an event: who, when, what, why. Only ever added to."""

    # The words for each action; apps that build on this one add their own when they are ready.
    ACTIONS = {
        "status": _("status changed"),
        "created": _("created"),
        "saved": _("saved"),
        "deleted": _("deleted"),
        "edited": _("changed"),
        "registered": _("registered"),
        "entry_edited": _("project changed"),
        "file_added": _("file added"),
        "file_removed": _("file removed"),
        "imported": _("table imported"),
        "member_joined": _("member joined"),
        "member_removed": _("member removed"),
        "captain": _("captain changed"),
        "organizer_added": _("organizer added"),
        "organizer_removed": _("organizer removed"),
        "running_order": _("running order set"),
        "final_chosen": _("submission that counts chosen"),
        "baseline": _("baseline submitted"),
    }

    event = models.ForeignKey(
        "contest.Event", models.CASCADE, related_name="log", verbose_name=_("event"), null=True
    )
    at = models.DateTimeField(_("time"), auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    action = models.CharField(_("action"), max_length=50)
    model = models.CharField(_("kind of object"), max_length=50)
    object_id = models.CharField(_("object id"), max_length=40)
    object_name = models.CharField(_("object"), max_length=255)
    before = models.TextField(_("before"), blank=True)
    after = models.TextField(_("after"), blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("log entry")
        verbose_name_plural = _("log")
        indexes = [models.Index(fields=["model", "object_id"])]

    def __str__(self) -> str:
        return f"{self.object_name}: {self.action} {self.before} → {self.after}"

    @property
    def action_label(self) -> str:
        return str(self.ACTIONS.get(self.action, self.action))

    def _worded(self, text: str) -> str:
        """A status in the reader's language; anything else as it was written."""
        if self.action not in ("status", "registered"):
            return text
        for model in apps.get_models():
            if model._meta.model_name == self.model and hasattr(model, "MOVES"):
                return str(dict(model._meta.get_field("status").flatchoices).get(text, text))
        return text

    @property
    def before_label(self) -> str:
        return self._worded(self.before)

    @property
    def after_label(self) -> str:
        return self._worded(self.after)

    @classmethod
    def write(cls, obj, action: str, *, by=None, reason="", before="", after="") -> "LogEntry":
        """Record ``action`` on ``obj``, whose ``audit_event()`` names the event."""
        entry = cls.about(obj, action, by=by, reason=reason, before=before, after=after)
        entry.save()
        return entry

    @classmethod
    def about(cls, obj, action: str, *, by=None, reason="", before="", after="") -> "LogEntry":
        """What ``write`` records, not stored yet: for many at once."""
        return cls(
            event=obj.audit_event(),
            by=by if by is not None and by.is_authenticated else None,
            action=action,
            model=obj._meta.model_name,
            object_id=str(obj.pk),
            object_name=str(obj)[:255],
            before=str(before),
            after=str(after),
            reason=reason,
        )
