"""What the commands that import have in common."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from contest.models import User
from judging.services.imports.plan import sentence
from judging.services.imports.report import Report


class ImportCommand(BaseCommand):
    """Prints the report; what is wrong with a bundle is one sentence and no traceback."""

    service: Callable[..., Report]

    def add_arguments(self, parser):
        parser.add_argument("bundle", type=Path, help="the zip file")
        parser.add_argument(
            "--organizer", required=True, metavar="EMAIL", help="account that organizes the event"
        )
        parser.add_argument("--slug", default="", help="short name in addresses; else of the title")
        parser.add_argument("--dry-run", action="store_true", help="report only, make nothing")
        parser.add_argument(
            "--time-zone", default="UTC", help="of dates that name none, and of the event (UTC)"
        )

    def handle(self, *args, bundle, organizer, slug, dry_run, time_zone, **options):
        with translation.override("en"):
            user = self.organizer(organizer)
            if time_zone not in available_timezones():
                raise CommandError(f"--time-zone: there is no time zone “{time_zone}”")
            if not bundle.is_file():
                raise CommandError(f"{bundle}: there is no such file")
            try:
                report = type(self).service(
                    bundle, user, slug=slug, time_zone=time_zone, dry_run=dry_run
                )
            except ValidationError as error:
                raise CommandError(sentence(error)) from None
        for line in report.lines():
            self.stdout.write(line)

    def organizer(self, email: str) -> User:
        user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"--organizer: nobody has an account with {email}")
        return user
