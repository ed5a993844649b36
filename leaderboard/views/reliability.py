"""The organizer's page on how far a round's ranking can be relied on."""

from django.shortcuts import render

from contest.access import round_organizer_required
from leaderboard.services.reliability import Report, label_of, report
from leaderboard.services.reliability_words import findings, is_open, is_sure, note_text


@round_organizer_required
def desk_reliability(request, round):
    """Agreement of the judges, each rank's interval, and what would change under other rules."""
    found = report(round)
    context = {"event": round.event, "round": round, "report": found}
    if found is not None:
        context |= {
            "findings": findings(found),
            "notes": [note_text(note, found) for note in found.notes],
            "teams": _teams(found),
            "judges": _judges(found),
            "others": [
                {"label": label_of(method), **_shift(shift, found)}
                for method, shift in found.others
            ],
            "pictures": {"ranks": _ranks_picture(found), "judges": _judges_picture(found)},
        }
    return render(request, "leaderboard/desk_reliability.html", context)


def _teams(found: Report) -> list[dict]:
    return [
        {
            "participation": found.teams[row.team],
            "row": row,
            "percent": 100 * row.in_top,
            "sure": is_sure(row),
            "open": is_open(row),
        }
        for row in found.intervals.intervals
    ]


def _judges(found: Report) -> list[dict]:
    return [
        {
            "name": found.judge_names[row.judge],
            "row": row,
            "without": _shift(found.without[row.judge], found) if found.without else None,
        }
        for row in found.judges
    ]


def _shift(shift, found: Report) -> dict:
    def codes(keys):
        return [found.teams[key].team for key in keys]

    return {
        "entering": codes(shift.entering),
        "leaving": codes(shift.leaving),
        "moved": len(shift.moved),
        "furthest": shift.furthest,
    }


def _ranks_picture(found: Report) -> dict:
    return {
        "top": found.top,
        "teams": [
            {
                "name": found.teams[row.team].team.name,
                "rank": row.rank,
                "low": row.low,
                "high": row.high,
            }
            for row in found.intervals.intervals[:60]
        ],
    }


def _judges_picture(found: Report) -> dict:
    return {
        "judges": [
            {
                "name": found.judge_names[row.judge],
                "low": round(row.lowest, 2),
                "high": round(row.highest, 2),
                "mean": round(row.mean, 2),
                "spread": round(row.spread, 2),
            }
            for row in found.judges[:60]
        ]
    }
