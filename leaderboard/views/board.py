"""The leaderboard of a round: as a page, as what a page fetches anew, and for other sites."""

import hashlib
import json

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags, urlencode
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from contest.access import visible_round
from contest.for_everybody import answer, for_everybody, refuse
from contest.numbers import whole
from leaderboard.services import boards
from leaderboard.services.schemes import ensure_scheme
from leaderboard.services.standings import board_standing

LANGUAGES = dict(settings.LANGUAGES)


def leaderboard(request, slug, round_slug):
    """What the reader may see of a round's ranking; organizers see the same here as everybody.

    The page is the reader's own. Its parts are the same for everybody and come from the cache; of
    a public leaderboard pages fetch them by an address of their own, see ``leaderboard_table``.
    """
    round = visible_round(request, slug, round_slug)
    standing = board_standing(round, request.user)
    query = boards.Query.of(request.GET)
    table = boards.table(round, standing, query)
    head = boards.head(round, standing, query) if standing else None
    own = boards.own_rows(standing, request.user) if standing else []
    shown = [table.digest, head.digest if head else "", own, translation.get_language(),
             request.user.pk, bool(request.htmx), request.get_full_path(), round.board,
             round.status]  # fmt: skip
    # Weak: two pages that say the same differ in what protects their forms.
    etag = f'W/"{hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:32]}"'
    if etag.removeprefix("W/") in {
        tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))
    }:
        response = HttpResponseNotModified()
    elif request.htmx:
        response = HttpResponse(table.content)
    else:
        response = _page(request, round, standing, query, table, head, own)
    response.headers["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _page(request, round, standing, query, table, head, own):
    language = translation.get_language()
    here = [round.event.slug, round.slug]
    address = request.get_full_path()
    if round.is_board_public:
        fields = {"lang": language, **{k: v for k, v in vars(query).items() if v}}
        address = f"{reverse('leaderboard-table', args=here)}?{urlencode(fields)}"
    embed = f"{reverse('leaderboard-embed', args=here)}?{urlencode({'top': 10, 'lang': language})}"
    context = {
        "event": round.event,
        "round": round,
        "standing": standing,
        "own": own,
        "own_ids": [row["team_id"] for row in own],
        "head": mark_safe(head.content.decode()) if head else "",
        "table": mark_safe(_marked(table.content.decode(), own)),
        "address": address,
        "embed_url": f"{settings.SITE_URL}{embed}",
    }
    return render(request, "leaderboard/board.html", context)


def _marked(table: str, own: list[dict]) -> str:
    """The table that everybody gets, with the reader's teams marked; board.js does so later on."""
    for row in own:
        here = f'<tr id="t-{row["team_id"]}"'
        table = table.replace(here, f'{here} class="mine"', 1)
    return table


def leaderboard_team(request, slug, round_slug, code):
    """One team's place on a leaderboard, and how it came there."""
    round = visible_round(request, slug, round_slug)
    standing = board_standing(round, request.user)
    row = boards.team_row(standing, code) if standing else None
    if row is None:
        raise Http404
    history = boards.team_history(round, standing, row["participation_id"])
    components = standing.method["components"]
    context = {
        "event": round.event,
        "round": round,
        "standing": standing,
        "row": row,
        "decimals": ensure_scheme(round).decimals,
        "parts": list(zip(boards.component_labels(components), row["parts"], strict=True)),
        "history": history,
        "line": {
            "times": [point["at"] for point in reversed(history)],
            "zone": round.event.time_zone,
            "teams": [
                {"name": row["team"], "ranks": [point["rank"] for point in reversed(history)]}
            ],
        },
    }
    response = render(request, "leaderboard/board_team.html", context)
    patch_cache_control(response, private=True, no_cache=True)
    return response


# --- For everybody -------------------------------------------------------------------------------


def _language(request) -> str | None:
    """The language that the address names; None for one that there is not."""
    language = request.GET.get("lang") or settings.LANGUAGE_CODE
    return language if language in LANGUAGES else None


@for_everybody
@require_safe
def leaderboard_table(request, slug, round_slug):
    """The table of a public leaderboard in the language of the address."""
    round, standing = boards.public_board(event__slug=slug, slug=round_slug)
    language = _language(request)
    if round is None:
        return refuse(404, "not found")
    if language is None:
        return refuse(400, "lang: " + ", ".join(LANGUAGES))
    with translation.override(language):
        body = boards.table(round, standing, boards.Query.of(request.GET))
    return answer(request, body)


@for_everybody
@require_safe
def leaderboard_embed(request, slug, round_slug):
    """A small leaderboard that any site may show in a frame."""
    round, standing = boards.public_board(event__slug=slug, slug=round_slug)
    language = _language(request)
    if round is None:
        return refuse(404, "not found")
    top = whole(request.GET.get("top", "10"))
    theme = request.GET.get("theme", "auto")
    if language is None:
        return refuse(400, "lang: " + ", ".join(LANGUAGES))
    if top is None or not 1 <= top <= boards.EMBEDDED_MOST:
        return refuse(400, f"top: 1–{boards.EMBEDDED_MOST}")
    if theme not in boards.THEMES:
        return refuse(400, "theme: " + ", ".join(boards.THEMES))
    with translation.override(language):
        body = boards.embedded(round, standing, top, theme)
    return answer(request, body, framed=True)
