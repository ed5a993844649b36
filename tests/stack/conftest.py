"""The whole platform as its own processes, as `make run` starts it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


class Stack:
    """A running platform on a database, a broker and a folder of its own."""

    def __init__(self, folder: Path, *, database="", redis="", store: dict | None = None):
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
            "DATA_DIR": str(folder / "data"),
            "SITE_URL": self.url,
            "WORKER_PROCESSES": "2",
            "PYTHONUNBUFFERED": "1",
        }
        if database:
            self.env["DATABASE_URL"] = database
        if redis:
            self.env["REDIS_URL"] = redis
        self.env |= store or {}
        self.log_path = folder / "serve.log"
        self.process: subprocess.Popen | None = None

    def start(self, *arguments: str) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), *arguments],
                cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.3)
        pytest.fail(f"the platform did not start:\n{self.log()}")

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return -9

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_log(self, text: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in (log := self.log()):
                return log
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        pytest.fail(f"“{text}” did not appear:\n{self.log()}")

    def manage(self, *arguments: str, script: str | None = None) -> str:
        """Output of a management command; ``script`` is given to it as its input."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env, input=script, text=True, capture_output=True, timeout=180,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mail_link(self, email: str, pattern: str) -> str:
        """The newest address matching ``pattern`` that was mailed to ``email``."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            mails = sorted(
                (self.folder / "data" / "mail").glob("*"), key=lambda p: p.stat().st_mtime
            )
            for mail in reversed(mails):
                text = mail.read_text(errors="replace").replace("=\n", "").replace("=3D", "=")
                found = re.findall(pattern, text)
                if f"To: {email}" in text and found:
                    return found[-1]
            time.sleep(0.2)
        pytest.fail(f"no mail to {email} with {pattern}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _own_services(name: str) -> dict:
    """A database and a Redis of one stack's own, where this test run has servers for them."""
    services = {}
    if server := os.environ.get("DATABASE_URL"):
        import psycopg

        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        services["database"] = f"{server.rsplit('/', 1)[0]}/{name}"
    if redis := os.environ.get("REDIS_URL"):
        number = 1 + sum(map(ord, name)) % 15
        services["redis"] = f"{redis.rsplit('/', 1)[0]}/{number}"
    return services


@contextlib.contextmanager
def object_store(address="127.0.0.1"):
    """An S3-compatible store in memory, with an empty bucket; yields its settings."""
    from botocore.session import get_session
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "S3_BUCKET": "wuzhen",
        "S3_ENDPOINT_URL": f"http://{host}:{port}",
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": "test",
        "S3_SECRET_KEY": "test",
        "S3_ADDRESSING_STYLE": "path",
    }
    client = get_session().create_client(
        "s3", region_name="us-east-1", endpoint_url=settings["S3_ENDPOINT_URL"],
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    client.create_bucket(Bucket="wuzhen")
    try:
        yield settings
    finally:
        server.stop()


@pytest.fixture
def stack(request, tmp_path):
    """A platform that is not started yet: embedded, or where this run has servers, on PostgreSQL,
    Redis and an object store."""
    name = re.sub(r"\W", "_", request.node.name)[:40].lower()
    services = _own_services(f"stack_{name}")
    with contextlib.ExitStack() as stores:
        if services:
            services["store"] = stores.enter_context(object_store())
        stack = Stack(tmp_path, **services)
        yield stack
        if stack.process is not None and stack.process.poll() is None:
            stack.stop()
