"""The archive of results: pages whose addresses stay."""

import json
from decimal import Decimal

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render

from contest import tables_out
from contest.access import visible_event, visible_round
from contest.models import Membership, Round
from contest.numbers import round_half_up
from contest.roles import is_organizer
from contest.states import ParticipationStatus, RoundStatus
from leaderboard.exports.finalists import records
from leaderboard.services import advancement as services
from leaderboard.services import scheme_words, unranked
from leaderboard.services.awards import prizes
from leaderboard.services.certificates import certificates
from leaderboard.services.outcomes import Words
from leaderboard.services.schemes import ensure_scheme, rules_of
from leaderboard.services.standings import public_standing
from leaderboard.states import ADVANCING, AdvancementStatus, Outcome

PAGE = 100
FORMATS = ("csv", "json")


def event_results(request, slug):
    """Every published result of an event."""
    event = visible_event(request, slug)
    rounds = event.rounds.filter(status=RoundStatus.PUBLISHED).select_related("track", "event")
    return render(request, "leaderboard/event_results.html", {"event": event, "rounds": rounds})


def _published(round: Round):
    """(standing, signed list, prizes by participation) of a published round; Nones before."""
    standing = public_standing(round) if round.status == RoundStatus.PUBLISHED else None
    advancement = services.in_force(round) if standing is not None else None
    if advancement is None or advancement.status != AdvancementStatus.SIGNED:
        return None, None, {}
    return standing, advancement, prizes(round)


def _with_outcomes(rows, advancement, won):
    rows = list(rows.select_related("participation__team__track", "participation__team__entry"))
    items = {
        item.row.participation_id: item
        for item in advancement.rows.filter(
            row__participation__in=[row.participation_id for row in rows]
        ).select_related("row__participation__team")
    }
    for row in rows:
        item = items.get(row.participation_id)
        row.outcome, row.number = (item.outcome, item.number) if item else ("", None)
        if item and item.outcome in ADVANCING and (left := services.has_left(item)):
            row.outcome = left
        row.outcome_label = Outcome(row.outcome).label if row.outcome else ""
        row.awards = won.get(row.participation_id, [])
        row.barred = unranked.barred(row)
        row.baseline = row.explanation.get("status") == ParticipationStatus.BASELINE
    return rows


def round_results(request, slug, round_slug):
    """The final ranking, who advanced, the prizes, how it was made, and how its record ends."""
    round = visible_round(request, slug, round_slug)
    standing, advancement, won = _published(round)
    context = {"event": round.event, "round": round, "standing": standing}
    if standing is not None:
        page = Paginator(standing.rows.all(), PAGE).get_page(request.GET.get("page", "1")[:6])
        rules = rules_of(round)
        mine = []
        if request.user.is_authenticated:
            memberships = Membership.objects.filter(
                user=request.user, team__participations__round=round
            ).select_related("team")
            mine = [m.team for m in memberships if certificates(round, m.team_id)]
        context |= {
            "page": page,
            "rows": _with_outcomes(page.object_list, advancement, won),
            "scheme": rules.scheme,
            **scheme_words.of(rules),
            "rule": Words(round).rule(services.kept_rule(advancement)),
            "anybody": services.kept_rule(advancement)["count"] > 0,
            "advancement": advancement,
            "signatures": advancement.signatures.select_related("by"),
            "awards": round.awards.prefetch_related("winners__participation__team"),
            "records": records(round),
            "formats": FORMATS,
            "mine": mine,
            "organizes": is_organizer(request.user, round.event),
        }
    return render(request, "leaderboard/round_results.html", context)


def round_results_file(request, slug, round_slug, fmt):
    """The published list as a file; there is none before."""
    round = visible_round(request, slug, round_slug)
    standing, advancement, won = _published(round)
    if standing is None or fmt not in FORMATS:
        raise Http404
    decimals = ensure_scheme(round).decimals
    rows = [
        {
            "rank": row.rank,
            "team_code": row.participation.team.code,
            "team_name_zh": row.participation.team.name_zh,
            "team_name_en": row.participation.team.name_en,
            "organisation_zh": row.participation.team.organisation_zh,
            "organisation_en": row.participation.team.organisation_en,
            "country": row.participation.team.country.code,
            "track": row.participation.team.track.slug,
            "total": None if row.total is None else round_half_up(row.total, decimals),
            "outcome": row.outcome,
            "reserve": row.number if row.outcome == Outcome.RESERVE else None,
            "awards": ", ".join(row.awards),
        }
        for row in _with_outcomes(standing.rows.all(), advancement, won)
        if not row.baseline
    ]
    name = f"{round.event.slug}-{round.slug}-results.{fmt}"
    if fmt == "csv":
        content, content_type = (
            tables_out.to_csv(list(rows[0]) if rows else ["rank"], rows),
            tables_out.CSV_TYPE,
        )
    else:
        document = {
            "event": round.event.slug,
            "round": round.slug,
            "signed_at": advancement.signed_at.isoformat(),
            "input_digest": standing.input_digest,
            "judging_records": records(round),
            "results": [
                {k: str(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows
            ],
        }
        content = json.dumps(document, ensure_ascii=False, indent=2).encode()
        content_type = tables_out.JSON_TYPE
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
