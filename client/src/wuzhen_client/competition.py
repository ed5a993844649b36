"""Finding events, rounds and one's own teams by the names that people use, and counting quotas."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from wuzhen_client import show
from wuzhen_client.api import Api
from wuzhen_client.errors import Problem
from wuzhen_client.texts import named, text


def find_event(api: Api, slug: str) -> dict:
    try:
        return api.get(f"events/{quote(slug, safe='')}/")
    except Problem as problem:
        if problem.status == 404:
            raise Problem(text("no_event", slug=slug), 404) from None
        raise


def find_round(api: Api, event: dict, slug: str) -> dict:
    rounds = list(api.pages("rounds/", event=event["slug"]))
    for found in rounds:
        if found["slug"] == slug:
            return found
    known = ", ".join(r["slug"] for r in rounds) or text("none")
    raise Problem(text("no_round", event=event["slug"], slug=slug, rounds=known))


def current_benchmark(api: Api, round: dict) -> dict | None:
    """The task in force; None for a round of judges, or before it is defined."""
    for version in api.pages("benchmarks/", round=round["id"]):
        if version.get("status") == "current":
            return version
    return None


def accepted_kinds(benchmark: dict | None) -> list[str]:
    """Kinds of files, by the benchmark's fields ``accepts_…``; kinds to come are named alike."""
    if benchmark is None:
        return []
    prefix = "accepts_"
    return [name.removeprefix(prefix) for name in benchmark
            if name.startswith(prefix) and benchmark[name] is True]  # fmt: skip


def own_participations(api: Api, event: dict, round: dict) -> list[dict]:
    """Those of the teams that one belongs to; without a token there are none."""
    if not api.has_token:
        return []
    teams = [t["team"] for t in api.get("me/")["teams"] if t["event"] == event["slug"]]
    return [
        participation
        for team in teams
        for participation in api.pages("participations/", round=round["id"], team=team)
    ]


def choose_participation(found: list[dict], round: dict, code: str | None) -> dict:
    """The one of team ``code``, or the only one."""
    codes = ", ".join(p["code"] for p in found)
    if not found:
        raise Problem(text("not_in_round", round=named(round)))
    if code is None:
        if len(found) > 1:
            raise Problem(text("which_team", teams=codes))
        return found[0]
    for participation in found:
        if participation["code"].lower() == code.lower():
            return participation
    raise Problem(text("not_your_team", team=code, round=named(round), teams=codes))


@dataclass(frozen=True)
class Quota:
    used_today: int
    per_day: int
    used_total: int
    total: int
    resets_at: datetime  # the next midnight of the event's zone
    used_bytes: int
    total_bytes: int  # 0: no limit

    @property
    def left(self) -> int:
        return max(0, min(self.per_day - self.used_today, self.total - self.used_total))


def count_quota(api: Api, event: dict, round: dict, participation: dict) -> Quota:
    """Counted from the team's submissions; those that the platform failed to score do not count."""
    counted = [
        submission
        for submission in api.pages("submissions/", participation=participation["id"])
        if submission["status"] != "failed"
    ]
    moments = [datetime.fromisoformat(submission["received_at"]) for submission in counted]
    local = api.now().astimezone(show.zone(event))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = midnight + timedelta(days=1)  # of the wall clock: days may have 23 or 25 hours
    return Quota(
        used_today=sum(midnight <= moment < tomorrow for moment in moments),
        per_day=round["quota_per_day"],
        used_total=len(counted),
        total=round["quota_total"],
        resets_at=tomorrow,
        used_bytes=sum(submission["size"] for submission in counted),
        # Not every server limits it.
        total_bytes=round.get("quota_total_mb", 0) * 1024 * 1024,
    )
