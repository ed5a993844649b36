"""The public leaderboard of a round."""

import hashlib
import json

from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.utils.http import quote_etag
from django.utils.translation import get_language
from django_countries import countries

from contest.access import visible_event
from contest.models import Membership, Round
from contest.models.team import team_search
from contest.states import ParticipationStatus, RoundStatus
from leaderboard.models import AwardWinner, Standing
from leaderboard.services.standings import public_standing

PAGE = 100
PICTURE_ROWS = 20
# A standing never changes, but the names and projects of its teams may.
CACHE_S = 60


def leaderboard(request, slug, round_slug):
    """What the public may see of a round's ranking; organizers see the same here.

    Its pages are kept in the cache by the standing's number, the language and the query, and the
    browser is told when it has the newest already.
    """
    event = visible_event(request, slug)
    round = get_object_or_404(
        Round.objects.select_related("event", "track").exclude(status=RoundStatus.DRAFT),
        event=event,
        slug=round_slug,
    )
    standing = public_standing(round)
    mine = (
        set(
            Membership.objects.filter(
                user=request.user, team__participations__round=round
            ).values_list("team_id", flat=True)
        )
        if request.user.is_authenticated
        else set()
    )
    query = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "track", "country")}
    page_number = request.GET.get("page", "1")[:6]
    board = _board(standing, query, page_number) if standing else None
    awards = _awards(round)
    shown = [standing.pk if standing else 0, board["digest"] if board else "", round.status,
             round.is_frozen, get_language(), request.user.pk, bool(request.htmx), awards,
             request.get_full_path()]  # fmt: skip
    etag = quote_etag(_digest(shown))
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    context = {
        "event": event,
        "round": round,
        "standing": standing,
        "board": board,
        "awards": awards,
        "mine": mine,
        "query": query,
        "page": board["page"] if board else None,
    }
    template = "leaderboard/_board.html" if request.htmx else "leaderboard/board.html"
    response = render(request, template, context)
    response.headers["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response


class CachedPage:
    """The part of a Django page that the templates use, small enough to keep in a cache."""

    def __init__(self, page):
        self.number = page.number
        self.paginator = {"num_pages": page.paginator.num_pages, "count": page.paginator.count}
        self.has_previous, self.has_next = page.has_previous(), page.has_next()
        self.previous_page_number = page.number - 1
        self.next_page_number = page.number + 1


def _digest(value) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()


def _awards(round: Round) -> dict[int, list[str]]:
    """Names of the prizes by participation, once the result is public."""
    awards: dict[int, list[str]] = {}
    if round.status == RoundStatus.PUBLISHED:
        for winner in AwardWinner.objects.filter(award__round=round).select_related("award"):
            awards.setdefault(winner.participation_id, []).append(winner.award.name)
    return awards


def _board(standing: Standing, query: dict, page_number: str) -> dict:
    key = f"board-{_digest([standing.pk, get_language(), query, page_number])}"
    board = cache.get(key)
    if board is None:
        board = _build(standing, query, page_number)
        board["digest"] = _digest({name: part for name, part in board.items() if name != "page"})
        cache.set(key, board, CACHE_S)
    return board


def _build(standing: Standing, query: dict, page_number: str) -> dict:
    rows = standing.rows.select_related("participation__team__track", "participation__team__entry")
    chosen = rows
    if query["q"]:
        chosen = chosen.filter(team_search(query["q"], "participation__team__"))
    if query["track"]:
        chosen = chosen.filter(participation__team__track__slug=query["track"])
    if query["country"]:
        chosen = chosen.filter(participation__team__country=query["country"])
    page = Paginator(chosen, PAGE).get_page(page_number)
    components = standing.method["components"]
    labels = component_labels(components)
    chinese = _is_chinese()
    facts = standing.round.participations.values_list(
        "team__track__slug", "team__track__name_zh", "team__track__name_en", "team__country"
    ).distinct()
    tracks, countries = {}, set()
    for track, zh, en, country in facts:
        tracks[track] = (zh or en) if chinese else (en or zh)
        countries.add(country)
    return {
        "page": CachedPage(page),
        "components": list(zip(components, labels, strict=True)),
        "rows": [_row(row) for row in page.object_list],
        "tracks": sorted(tracks.items()),
        "countries": _country_names(countries),
        "picture": picture(rows.exclude(rank=None)[:PICTURE_ROWS], components),
    }


def _row(row) -> dict:
    team = row.participation.team
    baseline = row.explanation.get("status") == ParticipationStatus.BASELINE
    return {
        "rank": row.rank,
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
        "parts": [component["scaled"] for component in row.explanation["components"]],
        "values": [component.get("value") for component in row.explanation["components"]],
    }


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def component_labels(components: list[dict]) -> list[str]:
    """The name of each component of a standing's method in the reader's language."""
    first, second = ("zh", "en") if _is_chinese() else ("en", "zh")
    return [part[f"source_{first}"] or part[f"source_{second}"] for part in components]


def _country_names(codes) -> list[tuple[str, str]]:
    return sorted(((code, str(countries.name(code))) for code in codes), key=lambda c: c[1])


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
