"""A round with everything that can happen to a sheet: for tests of what is told of it."""

import random
from decimal import Decimal
from fractions import Fraction

from django.utils import timezone

from contest.services.teams import withdraw_team
from judging.models import Criterion, Mark, Recusal, Rubric, Scoresheet
from judging.services.scoresheets import open_sheet
from leaderboard.services.schemes import save_scheme
from tests.factories import (
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_rubric,
    make_team,
    make_user,
)
from tests.leaderboard.test_explanation import automated_before, rich_rubric

TEAMS, JUDGES, SEED = 16, 7, 1979
# Every method, and every setting that a method has.
METHODS = [
    {"aggregation": "mean"},
    {"aggregation": "trimmed"},
    {"aggregation": "trimmed", "trim": 2},
    {"aggregation": "trimmed", "per": "criterion"},
    {"aggregation": "median"},
    {"aggregation": "median", "per": "criterion"},
    {"aggregation": "zscore"},
    {"aggregation": "borda"},
    {"aggregation": "severity"},
    {"aggregation": "ordinal"},
    {"aggregation": "bradley_terry"},
]


def full_round(track, teams: int = TEAMS, seed: int = SEED):
    """Two rounds, of which the final counts both; the final is returned.

    Missing and half-filled sheets, conflicts of interest, vetoes of one and of many judges,
    bonuses, penalties beyond the scale's end, teams of equal marks, one without any sheet, one that
    has left, a baseline, and a panel that scores by another rubric.
    """
    dice = random.Random(seed)
    all_teams = [make_team(track) for _n in range(teams)]
    values = [dice.randint(40, 95) / 100 for _team in all_teams]
    values[3] = values[2]
    before = automated_before(track, all_teams, values)
    final = make_round(track, format="roadshow", kind="final", ordinal=2)
    seats = [make_participation(final, team, running_order=n) for n, team in enumerate(all_teams)]
    judges = [make_judge(track.event) for _n in range(JUDGES)]
    rubric = rich_rubric(track.event)
    Rubric.objects.filter(pk=rubric.pk).update(veto_rule="majority")
    criteria = list(rubric.criteria.all())
    panel = make_panel(final, judges, rubric)
    drawn: dict = {}
    for assignment in panel.assignments.select_related("participation", "judge"):
        team = seats.index(assignment.participation)
        judge = judges.index(assignment.judge)
        twin = team in (2, 3)  # given the same by everybody
        if team == teams - 1 or (dice.random() < 0.08 and not twin):
            continue  # without a sheet
        given = drawn.setdefault((3 if twin else team, judge), _marks(dice, team))
        sheet = open_sheet(assignment)
        half = dice.random() < 0.06 and not twin
        for criterion, value in list(zip(criteria, given, strict=True))[: 2 if half else 5]:
            if value is not None:
                Mark.objects.create(scoresheet=sheet, criterion=criterion, value=value)
        if not half:
            Scoresheet.objects.filter(pk=sheet.pk).update(
                status="submitted", submitted_at=timezone.now()
            )
    for team, judge in ((1, 2), (5, 0), (5, 1)):
        Recusal.objects.create(judge=judges[judge], team=all_teams[team])
    # One more judge, for the first teams alone, by a rubric with criteria of its own.
    guest, other = make_judge(track.event), make_rubric(track.event, weights=(60, 40))
    Rubric.objects.filter(pk=other.pk).update(veto_rule="any")
    Criterion.objects.create(
        rubric=other, ordinal=9, kind="veto", name_en="legal", minimum=0, maximum=1, step=1
    )
    for assignment in make_panel(final, [guest], other).assignments.all():
        team = seats.index(assignment.participation)
        if team in (2, 3) or team > 6:
            assignment.delete()
            continue
        sheet = open_sheet(assignment)
        marks = (Decimal(dice.randint(8, 20)) / 2, Decimal(dice.randint(8, 20)) / 2, team != 6)
        for criterion, value in zip(other.criteria.all(), marks, strict=True):
            Mark.objects.create(scoresheet=sheet, criterion=criterion, value=value)
        Scoresheet.objects.filter(pk=sheet.pk).update(
            status="submitted", submitted_at=timezone.now()
        )
    type(seats[7]).objects.filter(pk=seats[7].pk).update(status="baseline")
    withdraw_team(all_teams[8], make_user())
    return before, final


def _marks(dice: random.Random, team: int) -> tuple:
    """By the rubric of test_explanation: two scored ones, a bonus, a penalty, a condition."""
    return (
        Decimal(dice.randint(6, 20)) / 2,
        1 + Decimal(dice.randint(8, 28)) / 4,
        dice.choice([None, Decimal(dice.randint(0, 10)) / 2]),
        # One team's penalties lead far below 0.
        Decimal(90) if team == 4 else dice.choice([None, None, Decimal("2.5")]),
        # One team is excluded by most judges, others by some.
        Decimal(0) if (team == 9 and dice.random() < 0.9) or dice.random() < 0.03 else Decimal(1),
    )


# What a scheme may ask beyond weights, with changes of the judged and of the metric component.
TERMS = [
    {"scheme": {"rounding": "totals", "decimals": 0}},
    {"scheme": {"rounding": "all", "decimals": 1}},
    {"scheme": {"rounding": "all", "decimals": 0, "minimum_total": Decimal("55")},
     "judges": {"minimum": Decimal("50")}},
    {"scheme": {"tie_breaks": ["head_to_head", "draw"]},
     "metric": {"scaling": "rank"}},
    {"scheme": {"conditions": ["repository"], "minimum_total": Decimal("40")},
     "metric": {"scaling": "zscore", "minimum": Decimal("45")}},
]  # fmt: skip


def score_by(before, final, organizer, method: dict, metric: dict | None = None, **scheme) -> None:
    save_scheme(
        final,
        organizer,
        **{
            "advance_count": 4,
            "decimals": 2,
            "reason": "test",
            "tie_breaks": ["judges", "metric", "criterion", "earliest"],
            "rounding": "none",
            "minimum_total": None,
            "conditions": [],
            **scheme,
        },
        components=[
            {"kind": "judges", "source": final, "weight": Decimal("62.5"), **method},
            {"kind": "metric", "source": before, "weight": Decimal("37.5"), **(metric or {})},
        ],
    )


def near(a, b) -> bool:
    return abs(Fraction(a) - Fraction(b)) < Fraction(1, 10**8)
