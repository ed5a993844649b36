"""What a leaderboard shows of a standing: pages of it, whole answers, and ranks over time.

A standing never changes, so what is made of it is kept in the cache by its number; names and
projects of its teams may change, so not for long. Nothing here asks who is reading: whoever calls
it has been allowed to see the standing, and all of those are given the same.
"""

import hashlib
import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil
from threading import Lock, local
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.db.models import Max
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django_countries import countries

from contest.for_everybody import Body
from contest.models import Round
from contest.models.team import team_search
from contest.numbers import whole
from contest.states import EventStatus, ParticipationStatus, RoundStatus
from leaderboard.models import Standing, StandingRow
from leaderboard.services.awards import prizes
from leaderboard.services.schemes import ensure_scheme
from leaderboard.services.standings import public_standing
from leaderboard.services.unranked import barred

PAGE = 100
PICTURE_ROWS = 20
CACHE_S = 60
# A search that finds more than this says so: nobody reads on, they narrow it.
SEARCH_MOST = 500
EMBEDDED_MOST = 50
THEMES = ("auto", "light", "dark")
# Ranks over time: of so many teams, at so many moments.
HISTORY_TEAMS = 10
HISTORY_POINTS = 30

# Of those who ask at once for what is not in the cache, one makes it and the others wait. Whoever
# makes something waits for nothing else, so that no two wait for each other.
_locks = [Lock() for _n in range(32)]
_thread = local()


def _cached(parts: Sequence, make: Callable, seconds: int = CACHE_S):
    text = json.dumps(parts, default=str, ensure_ascii=False)
    key = f"board-{hashlib.sha256(text.encode()).hexdigest()}"
    found = cache.get(key)
    if found is not None:
        return found
    if getattr(_thread, "is_making", False):
        return _make(key, make, seconds)
    with _locks[int(key[-8:], 16) % len(_locks)]:
        found = cache.get(key)
        if found is not None:
            return found
        _thread.is_making = True
        try:
            return _make(key, make, seconds)
        finally:
            _thread.is_making = False


def _make(key: str, make: Callable, seconds: int):
    made = make()
    cache.set(key, made, seconds)
    return made


# A process asks the database so often what everybody may see; a thousand readers ask in between.
KEPT_S = 1.0
KEPT_MOST = 1000
_kept: dict[tuple, tuple[float, Round | None, Standing | None]] = {}


def public_board(**which) -> tuple[Round | None, Standing | None]:
    """The round, and what everybody may see of its ranking, as of the last second.

    ``which`` names the round by its fields. None for one that the public may not know of.
    """
    key, now = tuple(which.items()), time.monotonic()
    until, round, standing = _kept.get(key, (0.0, None, None))
    if now < until:
        return round, standing
    round = (
        Round.objects.select_related("event")
        .filter(**which)
        .exclude(status=RoundStatus.DRAFT)
        .exclude(event__status=EventStatus.DRAFT)
        .first()
    )
    standing = public_standing(round) if round is not None else None
    if len(_kept) >= KEPT_MOST:
        _kept.clear()
    _kept[key] = (now + KEPT_S, round, standing)
    return round, standing


# --- Pages ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """What part of a standing is asked for."""

    q: str = ""
    track: str = ""
    country: str = ""
    page: int = 1

    @classmethod
    def of(cls, parameters) -> "Query":
        text = {name: parameters.get(name, "").strip()[:100] for name in ("q", "track", "country")}
        return cls(**text, page=whole(parameters.get("page", "1")[:6]) or 1)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.track or self.country)

    def address(self, page: int) -> str:
        """The query string of another page of the same."""
        fields = {name: value for name, value in asdict(self).items() if value}
        return f"?{urlencode({**fields, 'page': page})}"


@dataclass(frozen=True)
class Page:
    number: int
    pages: int
    count: int
    rows: list[dict]
    is_cut: bool = False  # the search found more than it shows


def page_of(position: int) -> int:
    return ceil(position / PAGE)


def page(standing: Standing, query: Query) -> Page:
    """A page of the standing. Rows have numbers, so that the last page costs what the first does:
    a range of numbers, or the numbers of what was asked for, found once for all pages."""
    is_cut = False
    if query.is_narrowed:
        found = _positions(standing, query)
        is_cut = bool(query.q) and len(found) > SEARCH_MOST
        found = found[:SEARCH_MOST] if is_cut else found
        count = len(found)
    else:
        count = _size(standing)
    pages = max(1, ceil(count / PAGE))
    number = min(query.page, pages)
    first, last = (number - 1) * PAGE, number * PAGE
    if query.is_narrowed:
        rows = _rows(standing).filter(position__in=found[first:last])
    else:
        rows = _rows(standing).filter(position__gt=first, position__lte=last)
    return Page(number, pages, count, [_row(row) for row in rows], is_cut)


def _rows(standing: Standing):
    return standing.rows.select_related(
        "participation__team__track", "participation__team__entry"
    ).order_by("position")


def _size(standing: Standing) -> int:
    """Rows are numbered from 1 without gaps."""
    return _cached(
        ["size", standing.pk],
        lambda: standing.rows.aggregate(last=Max("position"))["last"] or 0,
        3600,
    )


def _positions(standing: Standing, query: Query) -> list[int]:
    """Where in the standing those are that were asked for; of a search one more than it shows."""

    def find() -> list[int]:
        chosen = standing.rows.order_by("position")
        if query.track:
            chosen = chosen.filter(participation__team__track__slug=query.track)
        if query.country:
            chosen = chosen.filter(participation__team__country=query.country)
        if query.q:
            chosen = chosen.filter(team_search(query.q, "participation__team__"))
            return list(chosen.values_list("position", flat=True)[: SEARCH_MOST + 1])
        return list(chosen.values_list("position", flat=True))

    return _cached(["positions", standing.pk, query.q, query.track, query.country], find)


def _row(row: StandingRow) -> dict:
    team = row.participation.team
    baseline = row.explanation.get("status") == ParticipationStatus.BASELINE
    return {
        "rank": row.rank,
        "position": row.position,
        "page": page_of(row.position),
        "baseline": baseline,
        "team_id": team.pk,
        "participation_id": row.participation_id,
        "code": team.code,
        "team": team.name,
        "organisation": team.organisation,
        "country": "" if baseline else str(team.country.name),
        "project": "" if baseline else team.entry.title,
        "track": team.track.name,
        "total": row.total,
        # Who has no scores yet is told nothing by that: most of a list may be so.
        "barred": [] if baseline else barred(row),
        "parts": [component["scaled"] for component in row.explanation["components"]],
        "values": [component.get("value") for component in row.explanation["components"]],
    }


def _choices(round: Round) -> dict:
    """The tracks and countries of a round's teams, by name in the reader's language."""

    def find() -> dict:
        facts = (
            round.participations.order_by()
            .values_list(
                "team__track__slug", "team__track__name_zh", "team__track__name_en", "team__country"
            )
            .distinct()
        )
        chinese = _is_chinese()
        tracks, codes = {}, set()
        for track, zh, en, country in facts:
            tracks[track] = (zh or en) if chinese else (en or zh)
            codes.add(country)
        named = ((code, str(countries.name(code))) for code in codes)
        return {
            "tracks": sorted(tracks.items()),
            "countries": sorted(named, key=lambda country: country[1]),
        }

    return _cached(["choices", round.pk, get_language()], find)


def _awards(round: Round) -> dict[int, list[str]]:
    """Once the result is public."""
    return prizes(round) if round.status == RoundStatus.PUBLISHED else {}


def component_labels(components: list[dict]) -> list[str]:
    """The name of each component of a standing's method in the reader's language."""
    first, second = ("zh", "en") if _is_chinese() else ("en", "zh")
    return [part[f"source_{first}"] or part[f"source_{second}"] for part in components]


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def picture(rows, components) -> dict:
    """What the chart shows: each component's share of the total, stacked, best team first."""
    total_weight = sum(float(component["weight"]) for component in components)
    teams, series = [], [{"name": label, "data": []} for label in component_labels(components)]
    for row in rows:
        teams.append(f"{row.rank}. {row.participation.team.name}")
        for n, component in enumerate(row.explanation["components"]):
            share = float(component["scaled"]) * float(component["weight"]) / total_weight
            series[n]["data"].append(round(share, 3))
    return {"teams": teams, "series": series}


# --- Whole answers -------------------------------------------------------------------------------


def _state(round: Round, standing: Standing | None) -> list:
    """What of the round an answer depends on, beside what may change behind it for a minute."""
    return [
        round.pk,
        standing.pk if standing else 0,
        round.status,
        round.board,
        round.is_frozen and round.freeze_at,
        round.event.status,
    ]


def table(round: Round, standing: Standing | None, query: Query) -> Body:
    """The table of a leaderboard, or why there is none, in the active language."""

    def make() -> Body:
        context = {"round": round, "event": round.event, "standing": standing, "query": query}
        if standing is not None:
            components = standing.method["components"]
            shown = page(standing, query)
            context |= {
                "page": shown,
                "decimals": ensure_scheme(round).decimals,
                "awards": _awards(round),
                "components": list(zip(components, component_labels(components), strict=True)),
                "many_tracks": len(_choices(round)["tracks"]) > 1,
                "links": {
                    "first": query.address(1) if shown.number > 2 else "",
                    "previous": query.address(shown.number - 1) if shown.number > 1 else "",
                    "next": query.address(shown.number + 1) if shown.number < shown.pages else "",
                    "last": query.address(shown.pages) if shown.number + 1 < shown.pages else "",
                },
            }
        return Body.of(render_to_string("leaderboard/_board.html", context))

    return _cached(["table", *_state(round, standing), get_language(), asdict(query)], make)


def head(round: Round, standing: Standing, query: Query) -> Body:
    """What stands above the table: the pictures, and what can be asked for."""

    def make() -> Body:
        ranked = _rows(standing).filter(position__lte=2 * PICTURE_ROWS).exclude(rank=None)
        context = {
            "query": query,
            "picture": picture(ranked[:PICTURE_ROWS], standing.method["components"]),
            "history": history(round, standing),
            **_choices(round),
        }
        return Body.of(render_to_string("leaderboard/_board_head.html", context))

    asked = asdict(query) | {"page": 1}
    return _cached(["head", *_state(round, standing), get_language(), asked], make)


def embedded(round: Round, standing: Standing | None, top: int, theme: str) -> Body:
    """A small page of the first ``top`` teams, for frames on other sites."""

    def make() -> Body:
        context = {"round": round, "event": round.event, "standing": standing, "theme": theme,
                   "site_url": settings.SITE_URL, "top": top}  # fmt: skip
        if standing is not None:
            rows = _rows(standing).filter(position__lte=top)
            context |= {
                "rows": [_row(row) for row in rows],
                "count": _size(standing),
                "decimals": ensure_scheme(round).decimals,
            }
        return Body.of(render_to_string("leaderboard/embed.html", context))

    return _cached(["embed", *_state(round, standing), get_language(), top, theme], make)


def as_json(round: Round, standing: Standing | None, number: int, size: int) -> Body:
    """A page of the leaderboard for programs, in no language or in both."""

    def make() -> Body:
        count = _size(standing) if standing else 0
        rows = []
        if standing is not None:
            first = (number - 1) * size
            wanted = _rows(standing).filter(position__gt=first, position__lte=first + size)
            rows = [_row_for_programs(row) for row in wanted]
        data = {
            "event": round.event.slug,
            "round": round.pk,
            "slug": round.slug,
            "name_zh": round.name_zh,
            "name_en": round.name_en,
            "status": round.status,
            "standing": standing.pk if standing else None,
            "is_result": bool(standing and standing.is_result),
            "computed_at": standing.computed_at.isoformat() if standing else None,
            "frozen_at": round.freeze_at.isoformat() if round.is_frozen else None,
            "count": count,
            "page": number,
            "pages": max(1, ceil(count / size)),
            "rows": rows,
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return Body.of(text, "application/json")

    return _cached(["json", *_state(round, standing), number, size], make)


def _row_for_programs(row: StandingRow) -> dict:
    team = row.participation.team
    return {
        "position": row.position,
        "rank": row.rank,
        "code": team.code,
        "name_zh": team.name_zh,
        "name_en": team.name_en,
        "organisation_zh": team.organisation_zh,
        "organisation_en": team.organisation_en,
        "country": team.country.code,
        "track": team.track.slug,
        "is_baseline": row.explanation.get("status") == ParticipationStatus.BASELINE,
        "total": None if row.total is None else str(row.total),
        "components": [
            {"name": part["name"], "points": part["scaled"], "value": part.get("value")}
            for part in row.explanation["components"]
        ],
        "missing": row.explanation["missing"],
        "below": row.explanation.get("below", {}),
        "unmet": row.explanation.get("unmet", []),
    }


# --- One team ------------------------------------------------------------------------------------


def own_rows(standing: Standing, user) -> list[dict]:
    """Where the teams of ``user`` stand."""
    if not user.is_authenticated:
        return []
    rows = _rows(standing).filter(participation__team__memberships__user=user)
    return [_row(row) for row in rows]


def team_row(standing: Standing, code: str) -> dict | None:
    row = _rows(standing).filter(participation__team__code=code).first()
    return _row(row) if row is not None else None


# --- Ranks over time -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    standing: int
    at: datetime


def thin(moments: Sequence[datetime], most: int) -> list[int]:
    """Indices of at most ``most`` of the ascending moments, evenly spread over their time: the
    first, the last, and whichever held at each step between."""
    if len(moments) <= most:
        return list(range(len(moments)))
    start, length = moments[0], moments[-1] - moments[0]
    steps = [start + length * n / (most - 1) for n in range(most - 1)]
    held = {bisect_right(moments, step) - 1 for step in steps}
    return sorted(held | {0, len(moments) - 1})


def moments(round: Round, standing: Standing) -> list[Moment]:
    """When the ranking changed, up to ``standing``, oldest first and not too many.

    Of what a reader of ``standing`` could have seen on the leaderboard then: nothing computed while
    it was closed to them, nothing that a frozen leaderboard holds back, no result that was taken
    back.
    """
    shown = [Standing.ShownTo.ALL]
    if round.is_board_for_teams:
        shown.append(Standing.ShownTo.TEAMS)
    earlier = Standing.objects.filter(
        round=round, audience=Standing.Audience.PUBLIC, is_result=False, shown_to__in=shown,
        is_current=False,
    )  # fmt: skip
    last = standing.read_at
    if round.is_frozen:
        earlier = earlier.filter(read_at__lt=round.freeze_at)
        last = min(last, round.freeze_at)
    found = [Moment(*pair) for pair in earlier.order_by("read_at").values_list("pk", "read_at")]
    found.append(Moment(standing.pk, last))
    return [found[n] for n in thin([moment.at for moment in found], HISTORY_POINTS)]


def _ranks(standings: list[int], participations: list[int]) -> dict[tuple[int, int], tuple]:
    rows = StandingRow.objects.filter(
        standing__in=standings, participation__in=participations
    ).values_list("standing_id", "participation_id", "rank", "total")
    return {(standing, who): (rank, total) for standing, who, rank, total in rows}


def history(round: Round, standing: Standing) -> dict:
    """The ranks over time of the teams that are first now: ``{"times": […], "teams": [{"name",
    "ranks"}]}``; no teams where there is but one moment."""
    times = moments(round, standing)
    if len(times) < 2:
        return {"times": [], "teams": []}
    first = list(_rows(standing).exclude(rank=None)[:HISTORY_TEAMS])
    ranks = _ranks([moment.standing for moment in times], [row.participation_id for row in first])
    return {
        "times": [moment.at for moment in times],
        "zone": round.event.time_zone,
        "teams": [
            {
                "name": row.participation.team.name,
                "ranks": [
                    ranks.get((moment.standing, row.participation_id), (None, None))[0]
                    for moment in times
                ],
            }
            for row in first
        ],
    }


def team_history(round: Round, standing: Standing, participation: int) -> list[dict]:
    """A team's rank and total over time, newest first; the leaderboards it was not on left out."""
    times = moments(round, standing)
    ranks = _ranks([moment.standing for moment in times], [participation])
    found = []
    for moment in reversed(times):
        if (place := ranks.get((moment.standing, participation))) is not None:
            found.append({"at": moment.at, "rank": place[0], "total": place[1]})
    return found
