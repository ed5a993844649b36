from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JudgingConfig(AppConfig):
    name = "judging"
    verbose_name = _("Judging")

    def ready(self):
        from contest.signals import submission_received

        submission_received.connect(_enqueue, dispatch_uid="judging-enqueue")


def _enqueue(sender, submission, **kwargs):
    """Within the transaction that stores the submission, so that neither is without the other."""
    from judging.services.scoring import enqueue

    enqueue(submission)
