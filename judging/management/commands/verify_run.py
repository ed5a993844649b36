from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from judging.models import ScoringRun
from judging.services.verification import verify


class Command(BaseCommand):
    help = "Run a finished scoring run again and compare: files, packages, and every score."

    def add_arguments(self, parser):
        parser.add_argument("run", help="a run's id, or `all` for every one that counts")

    def handle(self, *args, run, **options):
        bad = 0
        for found in self.runs(run):
            bad += not self.report(found)
        if bad:
            raise CommandError(f"{bad} runs would end differently")

    def runs(self, name: str):
        known = ScoringRun.objects.select_related(
            "submission__participation__team", "benchmark__round"
        ).order_by("queued_at")
        if name == "all":
            return known.filter(status="succeeded").iterator(chunk_size=100)
        try:
            return [known.get(pk=name)]
        except (ScoringRun.DoesNotExist, ValidationError):
            raise CommandError(f"There is no scoring run {name}.") from None

    def report(self, run: ScoringRun) -> bool:
        try:
            found = verify(run)
        except ValueError as error:
            raise CommandError(f"{run.pk}: {error}") from None
        same = found.inputs_are_the_same and found.result_is_the_same
        self.stdout.write(f"{run.pk}  {run}  {'the same' if same else 'DIFFERENT'}")
        for what, then, now in found.inputs:
            self.stdout.write(f"  {what:<12}{then[:16]}…  {'ok' if then == now else now}")
        for name, then, now in found.packages:
            self.stdout.write(f"  {name:<12}{then} then, {now or 'none'} now")
        if found.ends[0] != found.ends[1]:
            self.stdout.write(f"  ended        {found.ends[0]} then, {found.ends[1]} now")
        for part, metric, then, now in found.scores:
            self.stdout.write(f"  {part:<9}{metric:<20}{then!r} then, {now!r} now")
        return same
