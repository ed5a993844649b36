"""The finalist list as CSV, XLSX, PDF and JSON, all from the same rows."""

import io
import json
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest import tables_out
from contest.models import Round
from contest.numbers import round_half_up
from contest.templatetags.wuzhen import event_time
from judging.models import Record
from leaderboard.exports.columns import COLUMNS, both, explained
from leaderboard.exports.pdf import Paper, both_names
from leaderboard.models import Advancement, AdvancementRow
from leaderboard.services.awards import prizes
from leaderboard.services.schemes import ensure_scheme
from leaderboard.states import ADVANCING, AdvancementStatus

SCORE_OF = gettext_lazy("Score of the component %(kind)s of the round “%(round)s”, 0 to 100")


@dataclass(frozen=True)
class FinalistRow:
    """One team of the list. The field names are the columns, and stay the same."""

    rank: int | None
    team_code: str
    team_name_zh: str
    team_name_en: str
    project_zh: str
    project_en: str
    organisation_zh: str
    organisation_en: str
    country: str
    country_name: str
    track: str
    total: Decimal | None
    components: dict[str, Decimal | None]
    awards: str

    def flat(self) -> dict:
        """Column by column, components in columns of their own."""
        values = asdict(self)
        components = values.pop("components")
        awards = values.pop("awards")
        return {**values, **components, "awards": awards}


def listed(advancement: Advancement) -> QuerySet[AdvancementRow]:
    """The rows of the list: of those who advance; of all that are ranked, where nobody does."""
    if ensure_scheme(advancement.round).advance_count:
        return advancement.rows.filter(outcome__in=ADVANCING)
    return advancement.rows.exclude(row__rank=None)


def finalist_rows(advancement: Advancement) -> list[FinalistRow]:
    """Who advances, best first; of a round from which nobody advances, its whole ranking.

    Totals are rounded half up to the decimals of the round's scheme. Who advances by a wildcard may
    have no rank, or no total. Four queries.
    """
    scheme = ensure_scheme(advancement.round)
    rows = listed(advancement).select_related(
        "row__participation__team__entry", "row__participation__team__track"
    )
    won = prizes(advancement.round)
    finalists = []
    for row in (item.row for item in rows):
        team = row.participation.team
        finalists.append(
            FinalistRow(
                rank=row.rank,
                team_code=team.code,
                team_name_zh=team.name_zh,
                team_name_en=team.name_en,
                project_zh=team.entry.title_zh,
                project_en=team.entry.title_en,
                organisation_zh=team.organisation_zh,
                organisation_en=team.organisation_en,
                country=team.country.code,
                country_name=str(team.country.name),
                track=team.track.name,
                total=_shown(row.total, scheme.decimals),
                components={
                    component["name"].replace("-", "_"): _shown(
                        component["scaled"], scheme.decimals
                    )
                    for component in row.explanation["components"]
                },
                awards=", ".join(won.get(row.participation_id, [])),
            )
        )
    return finalists


def _shown(score, decimals: int) -> Decimal | None:
    return None if score is None else round_half_up(score, decimals)


def records(round: Round) -> list[dict]:
    """Length and head of every judging record that the round's ranking rests on.

    Written down here they are outside of the database: whoever changes a record later cannot
    change what was printed, and ``verify_audit --head`` compares.
    """
    sources = ensure_scheme(round).components.values("source")
    found = Record.objects.filter(Q(round=round) | Q(round__in=sources), length__gt=0)
    return [
        {"round": record.round.slug, "entries": record.length, "head": record.head}
        for record in found.select_related("round").order_by("round__ordinal")
    ]


def _table(advancement: Advancement) -> tuple[list[str], list[dict]]:
    rows = [row.flat() for row in finalist_rows(advancement)]
    return (list(rows[0]) if rows else ["rank", "team_code"]), rows


def to_csv(advancement: Advancement, out) -> None:
    tables_out.write_csv(out, *_table(advancement))


def to_xlsx(advancement: Advancement, out) -> None:
    columns, rows = _table(advancement)
    with tables_out.Book(out, ensure_scheme(advancement.round).decimals) as book:
        tab = book.tab("finalists", columns, frozen=2)
        for row in rows:
            tab.add(row)
        meanings = book.tab("columns", COLUMNS)
        for row in explained({"finalists": columns}, component_meanings(advancement)):
            meanings.add(row)


def component_meanings(advancement: Advancement) -> dict[str, tuple[str, str]]:
    """What the columns mean that are named after components."""
    told = {}
    for part in advancement.standing.method["components"]:
        en, zh = both(SCORE_OF)
        source_zh = part["source_zh"] or part["source_en"]
        source_en = part["source_en"] or part["source_zh"]
        told[part["name"].replace("-", "_")] = (
            en % {"kind": part["kind"], "round": source_en},
            zh % {"kind": part["kind"], "round": source_zh},
        )
    return told


def to_json(advancement: Advancement, out) -> None:
    round, (columns, rows) = advancement.round, _table(advancement)
    document = {
        "event": round.event.slug,
        "round": round.slug,
        "time_zone": round.event.time_zone,
        "status": advancement.status,
        "signed_at": advancement.signed_at.isoformat() if advancement.signed_at else None,
        "signatures": [
            {"name": item.by.name, "at": item.at.isoformat()}
            for item in advancement.signatures.select_related("by")
        ],
        "input_digest": advancement.standing.input_digest,
        "judging_records": records(round),
        "columns": list(explained({"finalists": columns}, component_meanings(advancement))),
        "finalists": [
            {k: str(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows
        ],
    }
    out.write(json.dumps(document, ensure_ascii=False, indent=2).encode())


def to_pdf(advancement: Advancement, out) -> None:
    """With lines for two organizers to sign on, and the head of the judging record."""
    round, event = advancement.round, advancement.round.event
    pdf = Paper(round, _("Finalist list"))
    pdf.made()
    if advancement.status == AdvancementStatus.SIGNED:
        for item in advancement.signatures.select_related("by"):
            pdf.say(
                _("Signed off by %(name)s at %(when)s")
                % {"name": item.by.name, "when": event_time(item.at, event)}
            )
    else:
        pdf.say(_("Not signed off"))
    pdf.ln(3)
    heads = [_("Rank"), _("Code"), _("Team"), _("Project"), _("Organisation"),
             _("Country or region"), _("Total"), _("Awards")]  # fmt: skip
    _columns, rows = _table(advancement)
    pdf.grid(
        heads,
        (
            [
                "–" if row["rank"] is None else str(row["rank"]),
                row["team_code"],
                both_names(row["team_name_zh"], row["team_name_en"]),
                both_names(row["project_zh"], row["project_en"]),
                both_names(row["organisation_zh"], row["organisation_en"]),
                row["country_name"],
                "–" if row["total"] is None else str(row["total"]),
                row["awards"],
            ]
            for row in rows
        ),
        (10, 16, 42, 52, 56, 30, 18, 32),
        aligns=["RIGHT", *["LEFT"] * 5, "RIGHT", "LEFT"],
    )
    pdf.ending(records(round), advancement.standing.input_digest)
    out.write(pdf.output())


FORMATS = {
    "csv": (tables_out.CSV_TYPE, to_csv),
    "xlsx": (tables_out.XLSX_TYPE, to_xlsx),
    "pdf": ("application/pdf", to_pdf),
    "json": (tables_out.JSON_TYPE, to_json),
}


def export(advancement: Advancement, fmt: str) -> tuple[str, str, bytes]:
    """(file name, content type, content) of the finalist list. Raises Refused for a format
    that is none of FORMATS."""
    content_type, write = tables_out.choose(FORMATS, fmt)
    name = f"{advancement.round.event.slug}-{advancement.round.slug}-finalists.{fmt}"
    out = io.BytesIO()
    write(advancement, out)
    return name, content_type, out.getvalue()
