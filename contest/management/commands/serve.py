"""The whole platform on one machine: web server, Celery worker and beat under one manager."""

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho import manager as honcho_manager

PARTS = ("web", "worker", "beat")
READY_TIMEOUT_S = 60
STOP_WAIT_S = 20


class Command(BaseCommand):
    help = (
        "Bring the database up to date and run web server, Celery worker and beat until Ctrl-C. "
        "On an empty database the demo competition is played first."
    )
    # The checks run within migrate; before it there may be no database yet.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--only",
            default=",".join(PARTS),
            help="parts to run on this machine, such as web,worker; one machine in all runs beat",
        )
        parser.add_argument("--no-demo", action="store_true", help="never play the demo")

    def handle(self, *args, host, port, only, no_demo, **options):
        parts = [part.strip() for part in only.split(",")]
        if unknown := set(parts) - set(PARTS):
            raise CommandError(f"--only takes {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
        if "web" in parts:
            self.require_free(host, port)
        self.address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.environment.setdefault("SITE_URL", self.address)
        self.say("Compiling translations")
        call_command("compile_translations", stdout=self.stdout)
        self.say("Bringing the database up to date")
        call_command("migrate", interactive=False, verbosity=0)
        if "web" in parts:
            self.say("Collecting static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        # A worker that was told to stop finishes what it scores before it goes.
        honcho_manager.KILL_WAIT = STOP_WAIT_S
        manager = honcho_manager.Manager()
        for name in parts:
            manager.add_process(
                name, shlex.join(self.command(name, host, port)), env=self.environment
            )
        self.stopping = threading.Event()
        self.helper: subprocess.Popen | None = None
        if "web" in parts:
            threading.Thread(
                target=self.welcome, args=(host, port, not no_demo), daemon=True
            ).start()
        manager.loop()
        self.stopping.set()
        if self.helper is not None and self.helper.poll() is None:
            self.helper.terminate()
        # Stopped by Ctrl-C or SIGTERM is a clean end; a part that died by itself is not.
        if manager.returncode not in (0, -2, -15, 130, 143):
            raise CommandError(f"a part ended with status {manager.returncode}; see above")
        self.say("Stopped")

    def say(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"==> {text}"))
        self.stdout.flush()

    def require_free(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} on {host} cannot be used ({error.strerror}). Stop what listens "
                    f"there, or take another port: make run PORT={port + 1}"
                ) from None

    def command(self, name: str, host: str, port: int) -> list[str]:
        celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config"]
        if name == "web":
            # Embedded, one process: its memory holds what requests are throttled by.
            workers = os.environ.get("WEB_WORKERS") or (
                str(2 * (os.cpu_count() or 1)) if settings.REDIS_URL else "1"
            )
            command = [
                sys.executable, "-m", "config.web", "--host", host, "--port", str(port),
                "--workers", workers,
            ]  # fmt: skip
            return [*command, "--behind-proxy"] if settings.SECURE_PROXY_SSL_HEADER else command
        if name == "worker":
            processes = os.environ.get("WORKER_PROCESSES") or str(min(4, os.cpu_count() or 1))
            return [
                *celery, "worker", "--loglevel", "WARNING", "--concurrency", processes,
                "--without-gossip", "--without-mingle",
                "--queues", os.environ.get("WORKER_QUEUES") or "celery,cpu,large",
            ]  # fmt: skip
        return [*celery, "beat", "--loglevel", "WARNING"]

    def welcome(self, host: str, port: int, demo: bool) -> None:
        """Wait for the web server, play the demo where there is nothing yet, print the links."""
        if not self.wait_ready():
            return
        if demo and not self.run_helper("demo", "--if-empty"):
            self.say("The demo competition could not be played; the site runs without it.")
        if self.stopping.is_set():
            return
        self.say(f"Ready: {self.environment['SITE_URL']}/")
        self.run_helper("sign_in_links")
        self.say("Each link works once, for a day; `manage.py sign_in_links` makes more. "
                 "Ctrl-C stops everything.")  # fmt: skip

    def wait_ready(self) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and not self.stopping.is_set():
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=5):  # noqa: S310
                    return True
            except urllib.error.HTTPError:
                return True  # it answers; what it says shows in the log
            except OSError:
                time.sleep(0.2)
        return False

    def run_helper(self, *arguments: str) -> bool:
        """Run a management command as a process of its own, which Ctrl-C ends with the rest."""
        if self.stopping.is_set():
            return False
        self.helper = subprocess.Popen(  # noqa: S603
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
            env=self.environment,
            start_new_session=True,
        )
        return self.helper.wait() == 0
