"""Which standings are kept: a busy round makes thousands of them, with thousands of rows each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from leaderboard.models import Standing, StandingRow

# The newest are kept whatever their age: somebody may just be deciding on one.
NEWEST = 10
# Of standings up to so old, the last of each step is kept; of those that are older, of each day.
STEPS = (
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta(days=7), timedelta(hours=1)),
)
DAY = timedelta(days=1)
START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    pk: int
    at: datetime


def superfluous(standings: Iterable[Kept], now: datetime) -> list[int]:
    """Which of one round's standings for one audience need not be kept, by age alone. Pure.

    The last of each step of time stays, so that the history of ranks shows what held there.
    """
    newest_first = sorted(standings, key=lambda kept: (kept.at, kept.pk), reverse=True)
    seen, found = set(), []
    for n, kept in enumerate(newest_first):
        step = next((step for upto, step in STEPS if now - kept.at < upto), DAY)
        place = (step, (kept.at - START) // step)
        if n >= NEWEST and place in seen:
            found.append(kept.pk)
        seen.add(place)
    return found


def referred_to() -> set[int]:
    """Standings that anything but their own rows refers to: proposals, signatures, reveals, and
    whatever else comes to do so."""
    found: set[int] = set()
    for relation in Standing._meta.related_objects:
        if relation.related_model is not StandingRow:
            found.update(_values(relation, relation.field.attname))
    for relation in StandingRow._meta.related_objects:
        found.update(_values(relation, f"{relation.field.name}__standing_id"))
    return found - {None}


def _values(relation, name: str):
    return relation.related_model._base_manager.values_list(name, flat=True).distinct()


def thin_out(now: datetime | None = None) -> int:
    """Remove standings that need not be kept; how many. What is current, a published result, or
    referred to by anything is never removed."""
    now = now or timezone.now()
    by_round: dict[tuple[int, str], list[Kept]] = {}
    for round_id, audience, pk, at in Standing.objects.values_list(
        "round", "audience", "pk", "computed_at"
    ):
        by_round.setdefault((round_id, audience), []).append(Kept(pk, at))
    candidates = {pk for kept in by_round.values() for pk in superfluous(kept, now)}
    if not candidates:
        return 0
    candidates -= referred_to()
    return sum(_remove(pk) for pk in sorted(candidates))


def _remove(pk: int) -> bool:
    """One at a time, so that nobody waits long for the database."""
    try:
        with transaction.atomic():
            old = Standing.objects.filter(pk=pk, is_current=False, is_result=False)
            return bool(old.delete()[0])
    except ProtectedError:  # something has come to refer to it meanwhile
        return False
