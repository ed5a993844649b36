import os

from celery import Celery
from celery.signals import worker_process_init

from config import broker  # noqa: F401 - makes embedded:// known

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("wuzhen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _own_process_group(**kwargs):
    """A manager that stops the worker signals its whole group; what runs is to be finished first.

    The pool's processes then end by the word of their parent, or when it is gone.
    """
    os.setpgid(0, 0)
