"""Laws, on many small fields."""

import random
from dataclasses import replace
from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.ranking import Method, combine
from leaderboard.ranking.reliability import places
from tests.ranking.fields import EVERY, MONOTONE, field, label, sheet, tables

every = pytest.mark.parametrize("method", EVERY, ids=label)
few = settings(max_examples=40, deadline=None)


@every
@given(table=tables(), chance=st.randoms())
@few
def test_order_of_input_does_not_matter(method, table, chance: random.Random):
    sheets = field(*table)
    shuffled = sheets[:]
    chance.shuffle(shuffled)
    one, other = combine(sheets, method), combine(shuffled, method)
    assert one == other
    assert list(one.scores.items()) == list(other.scores.items())
    assert one.notes == other.notes


@pytest.mark.parametrize("method", MONOTONE, ids=label)
@given(table=tables(low=15, high=35), data=st.data())
@settings(max_examples=80, deadline=None)
def test_raising_one_mark_never_lowers_the_team(method, table, data):
    sheets = field(*table)
    if not sheets:
        return
    n = data.draw(st.integers(0, len(sheets) - 1))
    raised = sheets[:]
    points = list(sheets[n].parts.values())
    points[data.draw(st.integers(0, 1))] += data.draw(st.integers(1, 15))
    raised[n] = sheet(sheets[n].team, sheets[n].judge, *points)
    before, after = combine(sheets, method).scores, combine(raised, method).scores
    team = sheets[n].team
    assert after[team] >= before[team]
    assert places(after)[team] <= places(before)[team]


@given(table=tables(), factor=st.integers(1, 50))
@few
def test_scaling_the_weights_of_judges_changes_nothing(table, factor):
    sheets = field(*table)
    weights = {f"j{n}": F(n + 1, 3) for n in range(5)}
    weights_more = {f"j{n}": weights.get(f"j{n}", F(1)) * factor for n in range(6)}
    one = combine(sheets, Method("mean", judge_weights=weights))
    assert one == combine(sheets, Method("mean", judge_weights=weights_more))


@every
@given(table=tables(), data=st.data())
@few
def test_a_recused_sheet_is_an_absent_one(method, table, data):
    """What is not given leaves no trace: neither the judge, nor the team, nor the numbers."""
    sheets = field(*table)
    out = data.draw(st.sets(st.sampled_from([s.key for s in sheets]))) if sheets else set()
    kept = [s for s in sheets if s.key not in out]
    found = combine(kept, method)
    assert found.scores.keys() == {s.team for s in kept}
    assert found.sheets.keys() == {s.key for s in kept}
    holed = [[None if f"t{t}/j{j}" in out else c for j, c in enumerate(row)]
             for t, row in enumerate(table)]  # fmt: skip
    assert found == combine(field(*holed), method)


@pytest.mark.parametrize(
    "method", [m for m in EVERY if m.name in ("mean", "median", "trimmed")], ids=label
)
@given(table=tables())
@few
def test_what_others_get_does_not_matter(method, table):
    sheets = field(*table)
    together = combine(sheets, method)
    for team, score in together.scores.items():
        alone = combine([s for s in sheets if s.team == team], method)
        assert alone.scores == {team: score}


@every
@given(table=tables())
@few
def test_teams_with_the_same_sheets_get_the_same(method, table):
    sheets = field(*table)
    twins = [replace(s, team=f"{s.team}'", key=f"{s.key}'") for s in sheets]
    scores = combine(sheets + twins, method).scores
    for team in {s.team for s in sheets}:
        assert scores[team] == scores[f"{team}'"]


@every
@given(table=tables(), data=st.data())
@few
def test_names_do_not_matter(method, table, data):
    if method.judge_weights:
        return
    sheets = field(*table)
    names = data.draw(st.permutations([f"j{n}" for n in range(6)]))
    renamed = [replace(s, judge=names[int(s.judge[1:])]) for s in sheets]
    one, other = combine(sheets, method).scores, combine(renamed, method).scores
    assert {team: float(score) for team, score in other.items()} == pytest.approx(
        {team: float(score) for team, score in one.items()}, abs=2e-9
    )


@every
@given(table=tables())
@few
def test_scores_stay_on_the_scale(method, table):
    combined = combine(field(*table), method)
    assert all(0 <= score <= 100 for score in combined.scores.values())
    assert "not_converged" not in {note.code for note in combined.notes}


@given(table=tables())
@few
def test_dropped_sheets_are_as_many_as_the_rule_says(table):
    sheets = field(*table)
    effects = combine(sheets, Method("trimmed")).sheets
    for team in {s.team for s in sheets}:
        mine = [s for s in sheets if s.team == team]
        dropped = [effects[s.key].dropped for s in mine]
        assert sum(dropped) == (2 if len(mine) > 3 else 0)


@given(table=tables(gaps=False))
@few
def test_severity_is_the_mean_in_a_crossed_design(table):
    sheets = field(*table)
    assert combine(sheets, Method("severity")).scores == combine(sheets, Method("mean")).scores
