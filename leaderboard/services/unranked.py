"""Why a team has no rank."""

from django.utils.translation import gettext_lazy as _

from contest.states import TeamStatus
from leaderboard.models import Scheme, SchemeComponent, StandingRow
from leaderboard.ranking.standing import TOTAL

MISSING = {
    SchemeComponent.Kind.METRIC: _("no scored submission"),
    SchemeComponent.Kind.JUDGES: _("no counted score sheet"),
}
VETOED = _("excluded by the judges' veto")


def unmet_conditions(scheme: Scheme, team) -> list[str]:
    """The conditions of the scheme that the team does not meet, in their order."""
    if not scheme.conditions:
        return []
    entry = getattr(team, "entry", None)
    meets = {
        Scheme.Condition.CONFIRMED: team.status == TeamStatus.CONFIRMED,
        Scheme.Condition.REPOSITORY: bool(entry and entry.repository),
        Scheme.Condition.LICENCE: bool(entry and entry.licence),
    }
    return [name for name in scheme.conditions if not meets[name]]


BELOW = {
    SchemeComponent.Kind.METRIC: _("less than %(least)s for the automated score (%(metric)s)"),
    SchemeComponent.Kind.JUDGES: _("less than %(least)s for the judges' scores"),
    TOTAL: _("a total of less than %(least)s"),
}
UNMET = {
    Scheme.Condition.CONFIRMED: _("team not confirmed"),
    Scheme.Condition.REPOSITORY: _("no source repository"),
    Scheme.Condition.LICENCE: _("no licence"),
}


def why_unranked(row: StandingRow) -> list[str]:
    """Why a team has no rank, in words: what it lacks, component by component; where it is below
    a minimum; which conditions it does not meet."""
    return _lacking(row) + barred(row)


def _lacking(row: StandingRow) -> list[str]:
    parts = {part["name"]: part for part in row.explanation["components"]}
    return [
        str(VETOED if parts[name].get("vetoed") else MISSING[parts[name]["kind"]])
        for name in row.explanation["missing"]
    ]


def barred(row: StandingRow) -> list[str]:
    """Why a team has no rank although it may have a total, in words."""
    said = []
    if below := row.explanation.get("below"):
        # In the order of the scheme: databases keep keys in one of their own.
        for part in [*row.explanation["components"], {"name": TOTAL, "kind": TOTAL}]:
            if least := below.get(part["name"]):
                words = {"least": least, "metric": part.get("metric")}
                said.append(str(BELOW[part["kind"]] % words))
    return said + [str(UNMET[name]) for name in row.explanation.get("unmet", [])]
