import time

from django.core.management.base import BaseCommand, CommandError

from contest.models import Event
from leaderboard.demo.season import SLUG, DemoFailed, Season


class Command(BaseCommand):
    help = (
        "Play the demo season: real data sets, really trained models, scored by the running "
        "Celery worker (or here, with --inline)."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--inline", action="store_true", help="score in this process; needs no worker"
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there is any event"
        )

    def handle(self, *args, inline, if_empty, **options):
        if if_empty and Event.objects.exists():
            return
        if Event.objects.filter(slug=SLUG).exists():
            self.stdout.write("The demo competition is there already; nothing was changed.")
            return
        started = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"[{time.monotonic() - started:5.1f} s] {text}")
            self.stdout.flush()

        try:
            Season(say, inline=inline).play()
        except DemoFailed as error:
            raise CommandError(str(error)) from error
        say("The demo competition is ready")
