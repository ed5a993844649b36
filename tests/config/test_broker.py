"""The embedded broker: every message arrives once and whole, however many write and read."""

import subprocess
import sys
import threading
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

from config import broker

QUEUE = Queue("celery", Exchange("celery"), routing_key="celery")
WRITER = """
import sys
from kombu import Connection
from tests.config.test_broker import QUEUE, options
with Connection("embedded://localhost/", transport_options=options(sys.argv[1])) as connection:
    queue = connection.SimpleQueue(QUEUE)
    for n in range(150):
        queue.put({"from": sys.argv[2], "n": n, "padding": "x" * 5000})
"""


def options(folder):
    return {"data_folder_in": str(folder), "data_folder_out": str(folder), "polling_interval": 0.01}


def test_messages_arrive_once_and_whole_while_many_write(tmp_path):
    folder = tmp_path / "messages"
    folder.mkdir()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(n)]) for n in range(3)
    ]
    got, lock = [], threading.Lock()

    def read():
        with Connection("embedded://localhost/", transport_options=options(folder)) as connection:
            queue = connection.SimpleQueue(QUEUE)
            while True:
                try:
                    message = queue.get(timeout=5)
                except Empty:
                    return
                message.ack()
                with lock:
                    got.append((message.payload["from"], message.payload["n"]))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for writer in writers:
        assert writer.wait(60) == 0
    for thread in readers:
        thread.join(60)
    assert sorted(got) == sorted((str(w), n) for w in range(3) for n in range(150))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_a_message_that_was_cut_off_is_dropped(tmp_path, content):
    with Connection("embedded://localhost/", transport_options=options(tmp_path)) as connection:
        queue = connection.SimpleQueue(QUEUE)
        (tmp_path / "1_x.celery.msg").write_bytes(content)
        queue.put("whole")
        assert queue.get(timeout=5).payload == "whole"
    assert broker.Transport.Channel is broker.Channel
