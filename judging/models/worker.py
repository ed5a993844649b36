from django.db import models
from django.utils.translation import gettext_lazy as _

from judging.models.benchmark import ResourceClass


class Worker(models.Model):
    """A Celery worker that scores, as it last told of itself."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    resource_classes = models.JSONField(_("queues"), default=list)
    kinds = models.JSONField(_("runs"), default=list)
    processes = models.PositiveSmallIntegerField(_("processes"), default=1)
    sandbox = models.CharField(_("sandbox"), max_length=100)
    # Why it has no sandbox or no container engine; empty where nothing is missing.
    problem = models.TextField(_("what is missing"), blank=True)
    container_engine = models.CharField(_("container engine"), max_length=100, blank=True)
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last sign of life"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name

    @property
    def resource_class_labels(self) -> list:
        """The kinds of work it takes, in words; its other queues (calls, not runs) are no kind."""
        return [label for name, label in ResourceClass.choices if name in self.resource_classes]
