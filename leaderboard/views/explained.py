"""The organizer's page that explains a team's total."""

from django.shortcuts import get_object_or_404, render

from contest.access import round_organizer_required
from judging.models import Criterion
from leaderboard.services.explained import Explanation, JudgesPart
from leaderboard.services.explanation import explain


@round_organizer_required
def desk_explained(request, round, code):
    """How one team's total came about, down to each mark and each change of it."""
    participation = get_object_or_404(
        round.participations.select_related("team", "round__event"), team__code=code
    )
    explanation = explain(participation)
    return render(
        request,
        "leaderboard/desk_explained.html",
        {
            "event": round.event,
            "round": round,
            "team": participation.team,
            "explanation": explanation,
            "pictures": pictures(explanation) if explanation else {},
        },
    )


def pictures(explanation: Explanation) -> dict[str, dict]:
    """For each component of judges what the chart shows: each sheet's points by criterion."""
    return {
        part.name: _picture(part.judges)
        for part in explanation.components
        if part.judges and any(sheet.total is not None for sheet in part.judges.sheets)
    }


def _picture(judges: JudgesPart) -> dict:
    sheets = [sheet for sheet in judges.sheets if sheet.total is not None]
    names: dict[str, str] = {}
    for sheet in sheets:
        for mark in sheet.marks:
            if mark.kind != Criterion.Kind.VETO:
                names.setdefault(mark.code, mark.name)
    points = [{mark.code: float(mark.points) for mark in sheet.marks} for sheet in sheets]
    return {
        "teams": [
            sheet.judge if sheet.in_mean else f"{sheet.judge} ({sheet.state_label})"
            for sheet in sheets
        ],
        "series": [
            {"name": name, "data": [round(given.get(code, 0), 3) for given in points]}
            for code, name in names.items()
        ],
    }
