"""The embedded broker: messages are files in a folder, for one machine without Redis.

kombu's filesystem transport opens a message's file in the folder that readers watch and writes it
afterwards, and keeps its table of bindings in a file that it rewrites in place; a worker that looks
in between reads nothing, and dies of it. Here a message appears whole or not at all, and the one
binding that Celery's default queue needs is known without a file.
"""

import json
import logging
import os
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def get_table(self, exchange):
        """One queue an exchange, of the same name: what Celery declares by default."""
        return [filesystem.exchange_queue_t(exchange, "", exchange)]

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        """Known already; see ``get_table``."""

    def _put(self, queue, payload, **kwargs):
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        # Readers take names that end in the queue's; this one does not yet.
        unfinished = Path(self.data_folder_out) / f"{name}.part"
        unfinished.write_bytes(str_to_bytes(dumps(payload)))
        os.replace(unfinished, Path(self.data_folder_out) / name)

    def _get(self, queue):
        try:
            return super()._get(queue)
        except json.JSONDecodeError:
            # Cut off by a full disk, say. It only wakes a worker; the sweep does so again.
            log.warning("a message could not be read and was dropped")
            raise Empty from None


class Transport(filesystem.Transport):
    Channel = Channel


TRANSPORT_ALIASES["embedded"] = "config.broker:Transport"
