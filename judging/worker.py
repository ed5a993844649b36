"""What a Celery worker says of itself: at its start, and every few seconds while it lives."""

import logging
import threading

from celery.signals import worker_ready, worker_shutting_down
from django.db import connection
from django.utils import timezone

from judging.models import ResourceClass, Worker
from judging.services import workers

log = logging.getLogger(__name__)
_stop = threading.Event()


@worker_ready.connect
def _announce(sender, **kwargs):
    """Say what this machine lacks, and keep telling that the worker is alive."""
    served = set(sender.app.amqp.queues.consume_from)
    classes = [name for name in ResourceClass.values if name in served]
    name, processes, started_at = sender.hostname, sender.controller.concurrency, timezone.now()
    for problem in workers.problems():
        log.warning("worker %s: %s", name, problem)

    def keep_telling() -> None:
        while True:
            try:
                workers.tell(name, classes, processes, started_at)
            except Exception:
                log.warning("worker %s could not tell that it is alive", name, exc_info=True)
            finally:
                # Processes of the pool are forked at any time; none may inherit a connection.
                connection.close()
            if _stop.wait(workers.TELL_EVERY_S):
                break
        try:
            Worker.objects.filter(name=name).delete()
        finally:
            connection.close()

    threading.Thread(target=keep_telling, daemon=True).start()


@worker_shutting_down.connect
def _leave(**kwargs):
    _stop.set()
