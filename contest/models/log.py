from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LogEntry(models.Model):
    """What was decided in an event: who, when, what, why. Only ever added to."""

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
    before = models.CharField(_("before"), max_length=255, blank=True)
    after = models.CharField(_("after"), max_length=255, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("log entry")
        verbose_name_plural = _("log")
        indexes = [models.Index(fields=["model", "object_id"])]

    def __str__(self) -> str:
        return f"{self.object_name}: {self.action} {self.before} → {self.after}"

    @classmethod
    def write(cls, obj, action: str, *, by=None, reason="", before="", after="") -> "LogEntry":
        """Record ``action`` on ``obj``, whose ``audit_event()`` names the event."""
        return cls.objects.create(
            event=obj.audit_event(),
            by=by if by is not None and by.is_authenticated else None,
            action=action,
            model=obj._meta.model_name,
            object_id=str(obj.pk),
            object_name=str(obj)[:255],
            before=str(before)[:255],
            after=str(after)[:255],
            reason=reason,
        )
