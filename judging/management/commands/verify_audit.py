import time

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from contest.models import Event, Round
from judging.services import record
from judging.services.record_check import verify

# How often a long record says how far it is.
EVERY_S = 1


class Command(BaseCommand):
    help = (
        "Check that nobody meddled with the judging records: digests, heads in the log, and that "
        "marks, comments, sheets, conflicts of interest and decisions are what the records say. "
        "Ends with 1 if anything is off."
    )

    def add_arguments(self, parser):
        parser.add_argument("--event", metavar="SLUG", help="check this event alone")
        parser.add_argument("--round", metavar="SLUG", help="check this round alone")
        parser.add_argument(
            "--head",
            metavar="DIGEST",
            default="",
            help="a head from an export or from paper (16 characters or more), which must be in "
            "one of the records",
        )

    def handle(self, *args, event, round, head, **options):
        rounds = self.rounds(event, round)
        try:
            wanted = record.anchor_of(head).head if head else ""
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        # With one round the head must be in it, and its absence is a fault of it.
        alone = wanted if len(rounds) == 1 else ""
        found = not wanted or bool(alone)
        bad = 0
        for number, item in enumerate(rounds, start=1):
            bad += not self.report(item, alone, f"{number}/{len(rounds)}")
            found = found or record.holds(item, wanted)
        if not found:
            raise CommandError(f"No record that was checked has the head {wanted}.")
        if bad:
            raise CommandError(f"Something is off in {bad} of {len(rounds)} rounds.")
        self.stdout.write(self.style.SUCCESS(f"Everything fits: {len(rounds)} rounds."))

    def rounds(self, event: str | None, slug: str | None) -> list[Round]:
        rounds = Round.objects.select_related("event", "track").order_by("event", "pk")
        if event:
            if not Event.objects.filter(slug=event).exists():
                raise CommandError(f"There is no event {event}.")
            rounds = rounds.filter(event__slug=event)
        if slug:
            rounds = rounds.filter(slug=slug)
            if not rounds:
                raise CommandError(f"There is no round {slug}.")
            if len(rounds) > 1:
                events = ", ".join(round.event.slug for round in rounds)
                raise CommandError(f"Several events have a round {slug}; add --event: {events}.")
        return list(rounds)

    def report(self, round: Round, head: str, place: str) -> bool:
        said = [time.monotonic()]
        kept = record.of_round(round)
        count = kept.length if kept else 0

        def progress(done: int) -> None:
            if done % 100 == 0 and time.monotonic() - said[0] > EVERY_S:
                said[0] = time.monotonic()
                self.stderr.write(f"  {done} of {count} entries")

        name = f"[{place}] {round.event.slug}/{round.slug}"
        faults = verify(round, head, progress)
        ending = f"{count} entries" + (f", head {kept.head}" if kept else "")
        if not faults:
            self.stdout.write(f"{name}: fits; {ending}")
            return True
        self.stdout.write(self.style.ERROR(f"{name}: DOES NOT FIT; {ending}"))
        for fault in faults:
            where = f"entry {fault.number}: " if fault.number else ""
            self.stdout.write(f"  {where}{fault.what}")
        return False
