import resource
import sys
import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_countries import countries

from contest.models import Event
from leaderboard.simulated import Season, Size

WIDTH = 30
# Without a terminal a line is written this often.
EVERY_S = 10


class Progress:
    """A bar on a terminal, a line now and then elsewhere; on stderr."""

    def __init__(self, total: int, out):
        self.total, self.out = max(1, total), out
        self.is_terminal = out.isatty()
        self.started = time.monotonic()
        self.said_at = None

    def __call__(self, done: int, text: str) -> None:
        now = time.monotonic()
        passed = now - self.started
        share = min(1, done / self.total)
        left = f", {passed / share - passed:.0f} s left" if 0.02 < share < 1 else ""
        line = f"{share:4.0%} {passed:6.1f} s{left}  {text}"
        if self.is_terminal:
            bar = ("#" * round(WIDTH * share)).ljust(WIDTH, ".")
            self.out.write(f"\r[{bar}] {line}\x1b[K")
        elif self.said_at is None or now - self.said_at >= EVERY_S or share == 1:
            self.out.write(line + "\n")
            self.said_at = now
        self.out.flush()

    def end(self) -> float:
        if self.is_terminal:
            self.out.write("\n")
        return time.monotonic() - self.started


class Command(BaseCommand):
    help = (
        "Play a season of invented teams from entries to final lists: a preliminary of automated "
        "scores (or judged, with --review), then rounds of judges' sheets. Same numbers and seed, "
        "same lists. Into the database in use, so only into one without events, unless --yes."
    )

    def add_arguments(self, parser):
        for name, default, text in (
            ("teams", 5503, "teams of all tracks together"),
            ("countries", 44, "countries and regions they come from"),
            ("tracks", 6, "tracks, each with rounds of its own"),
            ("rounds", 3, "rounds of each track"),
            ("judges-per-team", 7, "judges who score each team of a round with judges"),
            ("seed", 1, "where chance begins"),
        ):
            parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
        parser.add_argument(
            "--review", action="store_true", help="judges score every team in the preliminary, too"
        )
        parser.add_argument("--out", type=Path, help="folder of the lists (in DATA_DIR)")
        parser.add_argument(
            "--yes", action="store_true", help="also into a database that has events"
        )

    def handle(self, *args, teams, tracks, rounds, judges_per_team, seed, review, out, yes, **more):
        size = Size(teams, more["countries"], tracks, rounds, judges_per_team, review)
        self._check(size)
        if Event.objects.exists() and not yes:
            raise CommandError("There are events in this database. Give --yes to add to it.")
        folder = out or settings.DATA_DIR / f"simulated-{seed}"
        progress = Progress(size.work(), getattr(self.stderr, "_out", sys.stderr))
        lists = Season(size, seed, folder, progress).play()
        took = progress.end()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.stdout.write(
            f"{teams} teams, {tracks} tracks, {rounds} rounds in {took:.0f} s, "
            f"at most {peak:.0f} MiB; {len(lists)} files in {folder}"
        )

    def _check(self, size: Size) -> None:
        known = len(list(countries))
        for name, value, most in (
            ("teams", size.teams, 200_000),
            ("countries", size.countries, known),
            ("tracks", size.tracks, 100),
            ("rounds", size.rounds, 5),
            ("judges-per-team", size.judges_per_team, 50),
        ):
            if not 1 <= value <= most:
                raise CommandError(f"--{name} must be 1 to {most}.")
        if min(size.teams_of(n) for n in range(size.tracks)) < 2 ** (size.rounds - 1):
            raise CommandError("Too few teams for so many tracks and rounds.")
