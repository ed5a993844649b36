"""What an import makes: an event in preparation with a track, and a round for each phase."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils.text import slugify

from contest.models import Event, Round, Track, User
from contest.services.events import create_event, save_track
from contest.services.rounds import save_round
from judging.models import BenchmarkTask
from judging.services.benchmarks import define_benchmark
from judging.services.imports.bundle import BUNDLE_MB, Bundle, unpacked, wrong
from judging.services.imports.report import Report
from judging.services.imports.section import Section
from judging.services.imports.texts import language_of

NAME_LENGTH = 200
SLUG_LENGTH = 50
MOST_SUBMISSIONS = 32767
LONGEST_S = 3600
# Codabench's own limit where a phase states none; EvalAI's configuration knows no limit.
USUAL_LIMIT_S = 600
UPLOAD_MB = min(settings.MAX_UPLOAD_BYTES >> 20, 32767)

# Files are read when their round is made, so that one round's are in memory at a time.
MakeFile = Callable[[], ContentFile]


@dataclass
class RoundPlan:
    """A phase. ``where`` names it in messages; ``tasks`` are those of ``define_benchmark``."""

    where: str
    name: str
    opens_at: datetime | None
    closes_at: datetime | None
    quota_per_day: int
    quota_total: int
    board: str
    benchmark: dict
    tasks: list[dict[str, str | MakeFile]]
    sample: MakeFile | None = None


@dataclass
class EventPlan:
    title: str
    description: str
    time_zone: str
    rounds: list[RoundPlan] = field(default_factory=list)
    registration_opens: datetime | None = None
    registration_closes: datetime | None = None


def carry_over(
    path: Path,
    by: User,
    configs: tuple[str, ...],
    reader: Callable,
    *,
    slug: str,
    time_zone: str,
    dry_run: bool,
) -> Report:
    """Read a bundle with ``reader(bundle, section, report, zone).plan()`` and make what it plans.

    ``configs`` are the names its configuration may have. Raises ValidationError, then nothing was
    made.
    """
    report = Report(path.name, dry_run=dry_run)
    with unpacked(path, path.name, BUNDLE_MB) as root:
        bundle = Bundle(root, path.name)
        config = bundle.first_of(configs)
        section = Section(bundle.load(config), config, "", report)
        plan = reader(bundle, section, report, ZoneInfo(time_zone)).plan()
        report.slug = choose_slug(slug, plan.title)
        tell_what_differs(report, len(plan.rounds))
        make(plan, by, report)
    return report


def choose_slug(slug: str, title: str) -> str:
    """The event's short name: as given, or made of the title. Raises ValidationError."""
    chosen = slug or as_slug(title)
    if not chosen:
        raise wrong("--slug", f"give a short name; none can be made of the title “{title}”")
    if Event.objects.filter(slug=chosen).exists():
        raise wrong("--slug", f"the short name “{chosen}” is taken; give another one")
    return chosen


def as_slug(text: str) -> str:
    return slugify(text).replace("_", "-")[:SLUG_LENGTH].strip("-")


def make(plan: EventPlan, by: User, report: Report) -> None:
    """Make everything or, where anything is at fault, nothing. Raises ValidationError.

    A dry run makes everything, too, and takes it back: it finds what a real one would.
    """
    stored: list = []
    try:
        with transaction.atomic():
            _allow_pauses()
            event = _event(plan, by, report.slug)
            track = Track(event=event, slug="main", **named(plan.title))
            save_track(track, by)
            slugs: set[str] = set()
            for n, each in enumerate(plan.rounds):
                round = _round(track, each, n, len(plan.rounds), slugs, by)
                stored += _benchmark(round, each, by)
            if report.dry_run:
                transaction.set_rollback(True)
    except BaseException:
        _forget(stored)
        raise
    if report.dry_run:
        _forget(stored)
    else:
        report.event = event


def _event(plan: EventPlan, by: User, slug: str) -> Event:
    return create_event(
        by,
        slug=slug,
        time_zone=plan.time_zone,
        registration_opens=plan.registration_opens,
        registration_closes=plan.registration_closes,
        **{f"description_{language_of(plan.description)}": plan.description},
        **named(plan.title),
    )


def named(name: str) -> dict[str, str]:
    """A name in the column of its language; readers of the other one see it, too."""
    return {f"name_{language_of(name)}": name}


def _round(track: Track, plan: RoundPlan, n: int, count: int, slugs: set[str], by: User) -> Round:
    return _with_place(
        plan.where,
        lambda: save_round(
            Round(
                track=track,
                slug=_free_slug(plan.name, n + 1, slugs),
                ordinal=n + 1,
                kind=_kind(n, count),
                format=Round.Format.AUTOMATED,
                opens_at=plan.opens_at,
                closes_at=plan.closes_at,
                board=plan.board,
                quota_per_day=plan.quota_per_day,
                quota_total=plan.quota_total,
                max_upload_mb=UPLOAD_MB,
                **named(plan.name),
            ),
            by,
        ),
    )


def _kind(n: int, count: int) -> str:
    if n == count - 1:
        return Round.Kind.FINAL
    return Round.Kind.PRELIMINARY if n == 0 else Round.Kind.SEMIFINAL


def _free_slug(name: str, number: int, taken: set[str]) -> str:
    slug = as_slug(name) or f"phase-{number}"
    if slug in taken:
        slug = f"{slug[: SLUG_LENGTH - 6]}-{number}"
    taken.add(slug)
    return slug


def _benchmark(round: Round, plan: RoundPlan, by: User) -> list:
    """Define a round's benchmark; returns its stored files."""
    tasks = [
        {name: value() if callable(value) else value for name, value in task.items()}
        for task in plan.tasks
    ]
    benchmark = _with_place(
        plan.where,
        lambda: define_benchmark(
            round, by, tasks=tasks, sample=plan.sample() if plan.sample else None, **plan.benchmark
        ),
    )
    files = [getattr(task, name) for task in benchmark.tasks.all() for name in BenchmarkTask.FILES]
    return [file for file in [*files, benchmark.sample] if file]


def _with_place(where: str, make: Callable):
    """Call a service; what it finds wrong is told with the phase that it is about."""
    try:
        return make()
    except ValidationError as error:
        raise wrong(where, sentence(error)) from None


def sentence(error: ValidationError) -> str:
    """A ValidationError on one line, fields named."""
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages)
    parts = [
        f"{field}: {'; '.join(messages)}" if field != "__all__" else "; ".join(messages)
        for field, messages in error.message_dict.items()
    ]
    return "; ".join(parts)


def _forget(stored: list) -> None:
    """Files do not go away with the rows that were rolled back."""
    for file in stored:
        file.storage.delete(file.name)


# --- What both formats read in the same way ---------------------------------------------------


def name_of(section: Section, key: str, fallback: str = "") -> str:
    """A name, cut where it is longer than names here may be."""
    name = " ".join(section.text(key).split()) or fallback
    if not name:
        raise wrong(section.at(key), "this is missing")
    if len(name) > NAME_LENGTH:
        section.adapt(key, f"cut to {NAME_LENGTH} characters")
    return name[:NAME_LENGTH]


def quotas(
    section: Section, day_key: str, total_key: str, day_default: int, total_default: int
) -> tuple[int, int]:
    """(a day, in all). 0 is no limit there; here it is the largest number that can be kept.

    No more can be sent a day than in all.
    """
    given = {
        total_key: section.number(total_key, total_default),
        day_key: section.number(day_key, day_default),
    }
    in_all = min(given[total_key] or MOST_SUBMISSIONS, MOST_SUBMISSIONS)
    per_day = min(given[day_key] or in_all, in_all)
    for key, limit in ((total_key, in_all), (day_key, per_day)):
        if key in section.values and limit != given[key]:
            section.adapt(key, f"{given[key] or 'no limit'} became {limit}")
    return per_day, in_all


def wall_seconds(section: Section, key: str) -> int:
    given = section.number(key, USUAL_LIMIT_S) or USUAL_LIMIT_S
    if given > LONGEST_S:
        section.adapt(key, f"{given} s became {LONGEST_S} s, the longest that a run may take here")
    return min(given, LONGEST_S)


def column(key: str, label: str, greater_is_better: bool, hidden: bool = False) -> dict:
    """A column of Benchmark.columns. The formats know no scale; 0 to 1 is what most scores have."""
    return {
        "key": key[:100],
        "label_zh": label[:100],
        "label_en": label[:100],
        "greater_is_better": greater_is_better,
        "worst": float(not greater_is_better),
        "best": float(greater_is_better),
        "hidden": hidden,
    }


def ranking(columns: list[dict], main: dict, protocol: str) -> dict:
    """The fields of a benchmark that its columns decide; the metric that ranks cannot be hidden."""
    return {
        "protocol": protocol,
        "columns": [{**each, "hidden": each["hidden"] and each is not main} for each in columns],
        "metric": main["key"],
        "extra_metrics": [
            each["key"] for each in columns if each is not main and not each["hidden"]
        ],
    }


def tell_what_differs(report: Report, rounds: int) -> None:
    """What is another way here, whatever the bundle says."""
    report.adapt(
        "scores",
        "columns are taken to lie between 0 and 1, which points of a scheme depend on and ranks do "
        "not; change it in the benchmark's columns",
    )
    report.adapt(
        "runs", "programs run with the Python and the packages of this platform, without network"
    )
    report.adapt("uploads", f"files of up to {UPLOAD_MB} MB are taken; change it on each round")
    report.adapt("quotas", "they count for each team, not for each person")
    if rounds > 1:
        report.adapt(
            "phases",
            "later rounds take the teams that you let advance from the round before, not everybody",
        )


def _allow_pauses() -> None:
    """Programs are unpacked within the transaction, while the database waits for minutes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
