"""What is said of a ranking's reliability, on tables small enough to follow."""

from fractions import Fraction as F
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from leaderboard.ranking import Method, combine
from leaderboard.ranking.pairwise import Comparison, bradley_terry
from leaderboard.ranking.reliability import (
    Shift,
    bootstrap,
    complete_part,
    icc,
    judges,
    kendall_w,
    krippendorff_alpha,
    leave_one_judge_out,
    other_methods,
    places,
    table,
)
from tests.ranking.fields import EVERY, field, label


def chance(seed=1):
    return np.random.default_rng(seed)


def test_the_table_has_judges_in_rows_and_gaps():
    found = table(field([80, None], [70, 60]))
    assert list(found.index) == ["j0", "j1"]
    assert list(found.columns) == ["t0", "t1"]
    assert found.loc["j0"].tolist() == [80, 70]
    assert np.isnan(found.loc["j1", "t0"])
    assert table([]).shape == (0, 0)


def test_the_complete_part_leaves_out_whoever_lacks_most():
    # j2 scored one team only: with it one team would be complete, without it three.
    totals = table(field([1, 2, 3], [4, 5, None], [7, 8, None], [10, None, None]))
    part = complete_part(totals)
    assert (list(part.index), list(part.columns)) == (["j0", "j1"], ["t0", "t1", "t2"])
    # One recusal of many sheets takes the team out, not the judge.
    totals = table(field([1, 2, None], *[[n, n + 1, n + 2] for n in range(5)]))
    assert complete_part(totals).shape == (3, 5)
    assert complete_part(table(field([1], [2]))).size == 0


def test_icc_leaves_out_what_is_incomplete_and_says_so():
    rows = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    complete, gap = icc(table(field(*rows))), icc(table(field(*rows, [5, None, 5, 5])))
    assert gap.forms == complete.forms
    assert (gap.judges, gap.teams, gap.left_out, gap.reason) == (4, 6, 3, "")


def test_icc_of_panels_that_differ_is_the_one_way_kind():
    rows = [[n if (t + j) % 6 < 2 else None for j, n in enumerate(range(t, t + 6))]
            for t in range(12)]  # fmt: skip
    found = icc(table(field(*rows)))
    assert found.reason == "one_way_only"
    assert [form.name for form in found.forms] == ["ICC(1,1)", "ICC(1,k)"]
    assert (found.judges, found.teams, found.left_out) == (2, 12, 0)
    ratings = pd.DataFrame([[x for x in row if x is not None] for row in rows], dtype=float)
    assert found.forms == icc(ratings.T).forms[:2]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "too_few"),
        ([[70]], "too_few"),
        ([[70], [80]], "too_few"),
        ([[70, 80]], "too_few"),
        ([[70, 70], [70, 70]], "no_variance"),
    ],
)
def test_where_no_coefficient_can_be_had_a_reason_is(rows, reason):
    totals = table(field(*rows))
    assert (icc(totals).forms, icc(totals).reason) == ((), reason)
    assert (kendall_w(totals).w, kendall_w(totals).reason) == (None, reason)
    if rows != [[70, 80]]:
        alpha = krippendorff_alpha(totals)
        assert (alpha.value, alpha.reason) == (None, reason)


def test_a_single_team_has_an_alpha_that_says_nothing():
    # As much disagreement about the one team as there is between all values.
    assert krippendorff_alpha(table(field([70, 80]))).value == 0


def test_perfect_agreement():
    totals = table(field([10, 10, 10], [20, 20, 20], [30, 30, 30]))
    found = icc(totals)
    assert {(form.value, form.low, form.high) for form in found.forms} == {(1, 1, 1)}
    assert kendall_w(totals).w == 1
    assert krippendorff_alpha(totals).value == krippendorff_alpha(totals, "ordinal").value == 1


def test_judges_who_differ_by_constants_are_consistent_and_do_not_agree():
    forms = {form.name: form for form in icc(table(field([10, 20], [20, 30], [30, 40]))).forms}
    assert forms["ICC(3,1)"].value == forms["ICC(3,k)"].low == 1
    # MSR = 200, MSC = 150, MSE = 0: 200 / (200 + 2·150/3)
    assert forms["ICC(2,1)"].value == pytest.approx(2 / 3)
    assert forms["ICC(2,1)"].low < 2 / 3 < forms["ICC(2,1)"].high <= 1


def test_kendalls_w_of_incomplete_panels_is_not_to_be_had():
    rows = [[t + j if (t + j) % 6 < 2 else None for j in range(6)] for t in range(12)]
    assert kendall_w(table(field(*rows))).reason == "incomplete"


def test_severity_and_spread_of_judges():
    first, second, third = judges(table(field([80, 70, 9], [60, 60, 9], [70, 50, 9])))
    assert (first.judge, first.sheets, first.mean) == ("j0", 3, 70)
    assert (first.lowest, first.highest) == (60, 80)
    assert first.spread == pytest.approx((200 / 3) ** 0.5)
    # 139/3 in the mean of all, 70 in the mean of j0.
    assert first.severity == pytest.approx(139 / 3 - 70)
    assert first.agreement == pytest.approx(np.corrcoef([80, 60, 70], [39.5, 34.5, 29.5])[0, 1])
    assert third.spread == 0
    assert third.agreement is None
    assert {first.group, second.group, third.group} == {0}
    assert judges(table([])) == ()


def test_judges_of_teams_that_nobody_links_are_in_groups_of_their_own():
    rows = judges(table(field([80, 70, None], [None, None, 50])))
    assert [row.group for row in rows] == [0, 0, 1]
    assert [row.severity for row in rows] == [-5, 5, 0]


def test_places():
    assert places({"a": F(1), "b": F(3), "c": F(3), "d": F(2)}) == {"a": 4, "b": 1, "c": 1, "d": 3}
    assert places({}) == {}


def test_leaving_a_judge_out():
    # Only j2 holds t1 up; t3 has no other sheet than j1's.
    sheets = field([90, 90, 10], [50, 50, 99], [60, 70, 60], [None, 20, None])
    found = leave_one_judge_out(sheets, Method("mean"), top=1)
    assert places(combine(sheets, Method("mean")).scores) == {"t0": 2, "t1": 1, "t2": 2, "t3": 4}
    assert found["j2"] == Shift(
        entering=("t0",),
        leaving=("t1",),
        unranked=(),
        moved={"t0": (2, 1), "t1": (1, 3)},
    )
    assert found["j2"].furthest == 2
    assert found["j1"].unranked == ("t3",)
    assert list(leave_one_judge_out([], Method("mean"), 1)) == []
    assert leave_one_judge_out(field([5]), Method("mean"), 1)["j0"].unranked == ("t0",)


def test_other_methods():
    sheets = field([90, 90, 10], [70, 70, 70])
    others = [Method("median"), Method("mean")]
    found = {m.name: shift for m, shift in other_methods(sheets, Method("mean"), others, top=1)}
    assert (found["median"].entering, found["median"].leaving) == (("t0",), ("t1",))
    assert found["mean"] == Shift((), (), (), {})


def test_bootstrap_gives_the_chances_that_can_be_counted():
    # t0's mean is 80, 70 or 60 with chances of ¼, ½, ¼; t1 always has 70; ties are both first.
    found = bootstrap(field([80, 60], [70, 70]), Method("mean"), 1, chance(), draws=40_000)
    rows = {row.team: row for row in found.intervals}
    assert rows["t0"].in_top == pytest.approx(0.75, abs=0.01)
    assert rows["t1"].in_top == pytest.approx(0.75, abs=0.01)
    assert (rows["t0"].rank, rows["t0"].low, rows["t0"].high) == (1, 1, 2)
    assert (found.draws, found.top) == (40_000, 1)


@pytest.mark.parametrize("method", EVERY, ids=label)
def test_bootstrap_where_judges_agree_is_certain(method):
    rows = [[90] * 6, [50] * 6, [70] * 6]
    found = bootstrap(field(*rows), method, 1, chance(), draws=50)
    assert [(row.team, row.rank, row.low, row.high, row.in_top) for row in found.intervals] == [
        ("t0", 1, 1, 1, 1.0),
        ("t2", 2, 2, 2, 0.0),
        ("t1", 3, 3, 3, 0.0),
    ]


def test_bootstrap_of_one_seed_is_one_result_whatever_the_order():
    sheets = field(*[chance(t).integers(0, 100, 5).tolist() for t in range(8)])
    one = bootstrap(sheets, Method("trimmed"), 3, chance(7), draws=300)
    assert one == bootstrap(sheets[::-1], Method("trimmed"), 3, chance(7), draws=300)
    assert one != bootstrap(sheets, Method("trimmed"), 3, chance(8), draws=300)


def test_bootstrap_draws_what_the_method_would_drop():
    # A median of three drawn from 0, 0, 100 is 100 in 7 of 27; a mean is above 50 as often.
    sheets = field([0, 0, 100], [50, 50, 50])
    found = {
        row.team: row
        for row in bootstrap(sheets, Method("median"), 1, chance(), draws=40_000).intervals
    }
    assert found["t0"].in_top == pytest.approx(7 / 27, abs=0.01)


def test_bootstrap_of_weighted_judges():
    # j0 weighs as much as anybody can: t0 wins unless both draws are j1's.
    method = Method("mean", judge_weights={"j0": F(1000)})
    found = bootstrap(field([100, 0], [50, 50]), method, 1, chance(), draws=40_000).intervals
    assert {row.team: row.in_top for row in found}["t0"] == pytest.approx(0.75, abs=0.01)


def test_bootstrap_of_teams_with_different_numbers_of_sheets():
    found = bootstrap(field([90, None], [80, 95], [70, 60]), Method("mean"), 1, chance())
    assert {row.team: row.sheets for row in found.intervals} == {"t0": 1, "t1": 2, "t2": 2}
    assert bootstrap([], Method("mean"), 1, chance()).intervals == ()


def test_bootstrap_of_a_final_takes_no_time():
    sheets = field(*[chance(t).integers(40, 100, 7).tolist() for t in range(20)])
    begin = perf_counter()
    bootstrap(sheets, Method("trimmed", per="criterion"), 10, chance())
    assert perf_counter() - begin < 2


def test_bradley_terry_of_sessions():
    games = [Comparison("a", "b"), Comparison("a", "b"), Comparison("b", "a")]
    # log 2, around 0, without a prior: two wins of three.
    assert bradley_terry(games, ridge=0).logits == pytest.approx(
        {"a": np.log(2) / 2, "b": -np.log(2) / 2}
    )
    tie = bradley_terry([Comparison("a", "b", share=0.5)], ridge=0)
    assert tie.logits == pytest.approx({"a": 0, "b": 0})
    apart = bradley_terry([Comparison("a", "b"), Comparison("c", "d")])
    assert apart.groups == (("a", "b"), ("c", "d"))
    assert apart.logits["a"] == apart.logits["c"] > 0
    assert bradley_terry([]).logits == {}
    with pytest.raises(ValueError, match="no finite strengths"):
        bradley_terry([Comparison("a", "b")], ridge=0)
    with pytest.raises(ValueError, match="not a comparison"):
        bradley_terry([Comparison("a", "a")])
