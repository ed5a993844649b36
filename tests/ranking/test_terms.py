"""Rounding, minimums, tie-breaks among the tied, scales of metrics: by hand, and laws."""

import hashlib
from fractions import Fraction as F
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from leaderboard.ranking import Contender, Terms, rank
from leaderboard.ranking.scaling import Field, Spread, percent_beaten
from leaderboard.ranking.standing import TOTAL, part
from leaderboard.ranking.tie_breaks import MOST, Duel, drawn, head_to_head

WEIGHTS = {"c0": F(1), "c1": F(1)}
FLOATS = st.lists(st.integers(-1000, 1000).map(lambda n: n / 8), min_size=1, max_size=12)


def contender(key, *scores, ties=(), **more):
    return Contender(key, {f"c{n}": s for n, s in enumerate(scores)}, tuple(ties), **more)


def placed(teams, terms):
    return [(p.key, p.rank, p.total) for p in rank(teams, WEIGHTS, terms)]


# --- Rounding ---------------------------------------------------------------------------------


def test_totals_are_rounded_half_up_before_they_are_compared():
    # 80.124 and 80.125 to two decimals are 80.12 and 80.13; 80.1249 and 80.12 tie.
    teams = [
        contender("a", F("80.124"), F("80.124")),
        contender("b", F("80.125"), F("80.125")),
        contender("c", F("80.1249"), F("80.1249")),
    ]
    assert placed(teams, Terms()) == [
        ("b", 1, F("80.125")), ("c", 2, F("80.1249")), ("a", 3, F("80.124")),
    ]  # fmt: skip
    assert placed(teams, Terms(places=2)) == [
        ("b", 1, F("80.13")), ("a", 2, F("80.12")), ("c", 2, F("80.12")),
    ]  # fmt: skip


def test_rounded_components_come_to_another_total():
    # (0.5 + 0.4)/2 = 0.45 → 0; 0.5 → 1 and 0.4 → 0 give 0.5 → 1.
    team = contender("a", F("0.5"), F("0.4"))
    assert Terms(places=0).total(team.scores, WEIGHTS) == 0
    assert Terms(places=0, rounds_components=True).total(team.scores, WEIGHTS) == 1


def test_a_tie_made_by_rounding_is_broken_by_the_tie_breaks():
    teams = [
        contender("a", F("80.001"), F(80), ties=[F(1)]),
        contender("b", F(80), F(80), ties=[F(2)]),
    ]
    assert [p[0] for p in placed(teams, Terms())] == ["a", "b"]
    assert [p[0] for p in placed(teams, Terms(places=2))] == ["b", "a"]


# --- Minimums and eligibility -------------------------------------------------------------------


def test_whoever_is_below_a_minimum_has_a_total_and_no_rank():
    teams = [
        contender("low", F(59), F(100)),
        contender("even", F(60), F(60)),
        contender("poor", F(70), F(48)),
        contender("out", F(90), F(90), is_eligible=False),
        contender("none", F(90), None),
    ]
    terms = Terms(minimums={"c0": F(60)}, minimum_total=F(60))
    found = {p.key: (p.rank, p.total, p.below) for p in rank(teams, WEIGHTS, terms)}
    assert found == {
        "even": (1, F(60), ()),
        "out": (None, F(90), ()),
        "low": (None, F("79.5"), ("c0",)),
        "poor": (None, F(59), (TOTAL,)),
        "none": (None, None, ()),
    }
    assert [p.key for p in rank(teams, WEIGHTS, terms)] == ["even", "out", "low", "poor", "none"]


def test_a_minimum_is_compared_with_what_the_rules_round():
    team = [contender("a", F("59.995"), F("59.995"))]
    least = {"minimums": {"c0": F(60)}, "minimum_total": F(60)}
    assert rank(team, WEIGHTS, Terms(**least))[0].below == ("c0", TOTAL)
    assert rank(team, WEIGHTS, Terms(places=2, **least))[0].below == ("c0",)
    assert rank(team, WEIGHTS, Terms(2, rounds_components=True, **least))[0].below == ()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8), st.integers(0, 20))
def test_a_minimum_takes_teams_out_and_moves_no_other_past_another(scores, least):
    teams = [contender(f"t{n}", F(a), F(b)) for n, (a, b) in enumerate(scores)]
    free = [p.key for p in rank(teams, WEIGHTS) if p.rank]
    kept = rank(teams, WEIGHTS, Terms(minimums={"c0": F(least)}))
    allowed = {f"t{n}" for n, (a, _b) in enumerate(scores) if a >= least}
    assert [p.key for p in kept if p.rank] == [key for key in free if key in allowed]
    assert {p.key for p in kept} == set(free)


# --- Tie-breaks among the tied ------------------------------------------------------------------


def test_head_to_head_by_hand():
    """Judges 1 and 2 put a before b, judge 3 the other way; a and c have one judge, who puts c
    first; b and c have none in common."""
    sheets = {
        "a": {1: F(9), 2: F(8), 3: F(2), 4: F(5)},
        "b": {1: F(7), 2: F(7), 3: F(6)},
        "c": {4: F(6)},
    }
    won, duels = head_to_head(sheets)
    assert duels == [Duel("a", "b", 2, 1), Duel("a", "c", 0, 1)]
    assert won == {"a": 0, "b": -1, "c": 1}


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.dictionaries(st.integers(1, 5), st.integers(0, 5).map(F), max_size=5),
        max_size=4,
    ),
    st.permutations("abcd"),
)
def test_duels_are_symmetric_and_know_no_order(sheets, order):
    won, _duels = head_to_head(sheets)
    assert sum(won.values()) == 0
    shuffled = {key: sheets[key] for key in order if key in sheets}
    assert head_to_head(shuffled)[0] == won
    same = {key: {1: F(3), 2: F(1)} for key in sheets}
    assert set(head_to_head(same)[0].values()) <= {0}


def test_of_hundreds_that_are_tied_nothing_is_said():
    assert head_to_head({n: {1: F(n)} for n in range(MOST + 1)}) == ({}, [])
    assert len(head_to_head({n: {1: F(n)} for n in range(MOST)})[0]) == MOST


def test_only_who_is_still_tied_is_asked_about():
    teams = [
        contender("a", F(80), F(80), ties=[F(1), None]),
        contender("b", F(80), F(80), ties=[F(2), None]),
        contender("c", F(80), F(80), ties=[F(1), None]),
        contender("d", F(50), F(50), ties=[F(1), None]),
        contender("e", F(80), F(80), ties=[F(1), None], is_eligible=False),
        contender("f", None, F(80), ties=[F(1), None]),
    ]
    asked = []

    def decide(keys):
        asked.append(keys)
        return {"c": F(1)}

    parted = part(teams, WEIGHTS, 1, decide)
    assert asked == [["a", "c"]]
    assert [p.key for p in rank(parted, WEIGHTS) if p.rank] == ["b", "c", "a", "d"]


def test_what_is_drawn_can_be_drawn_again():
    lots = drawn("7 3 1", ["T-001", "T-002"])
    digest = hashlib.sha256(b"7 3 1:T-001").hexdigest()
    assert lots["T-001"] == int(digest[:12], 16)
    assert drawn("7 3 1", ["T-002"]) == {"T-002": lots["T-002"]}
    assert drawn("731", ["T-001"]) != {"T-001": lots["T-001"]}
    assert all(0 <= lot < 2**48 for lot in lots.values())


# --- Scales of metrics --------------------------------------------------------------------------


def test_t_scores_by_hand():
    # 2, 4, 4, 4, 5, 5, 7, 9: mean 5, standard deviation 2, so 9 is 50 + 10·2 = 70.
    values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    spread = Spread.of(values)
    assert (spread.mean, spread.deviation) == (5, 2.0)
    assert [spread.score(value, True) for value in values] == [35, 45, 45, 45, 50, 50, 60, 70]
    assert [spread.score(value, False) for value in values] == [65, 55, 55, 55, 50, 50, 40, 30]


@given(st.floats(-1e9, 1e9), st.integers(1, 9), st.booleans())
def test_without_any_spread_everybody_is_in_the_middle(value, n, rising):
    assert Spread.of([value] * n).score(value, rising) == 50


@pytest.mark.parametrize(
    "values",
    [
        [0.3] * 59 + [0.30000000000000004],  # the spread is less than the mean's last digit
        [-1e160, 1e160],
        [5e-324, 0.0],
        [1e308, -1e308, 0.5],
    ],
)
def test_no_spread_is_too_small_or_too_large(values):
    spread = Spread.of(values)
    assert all(0 <= spread.score(value, True) <= 100 for value in values)
    assert spread.score(max(values), True) > 50 > spread.score(min(values), True)


@given(FLOATS, st.booleans())
def test_t_scores_are_those_of_the_reference(values, rising):
    spread = Spread.of(values)
    deviation = pstdev(values)
    for value in values:
        away = (value - fmean(values)) / deviation if deviation else 0
        expected = 50 + (10 if rising else -10) * away
        found = float(spread.score(value, rising))
        assert found == pytest.approx(min(max(expected, 0), 100), abs=1e-9)


@given(FLOATS, st.booleans())
def test_the_order_of_the_values_changes_no_scale(values, rising):
    assert Spread.of(values) == Spread.of(values[::-1])


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_teams_that_mirror_each_other_tie(a, more, b, other):
    """Two teams have 60 and 40 by any metric; who is ahead by one and behind by the other ties."""
    first, second = (
        Spread.of([a / 1000, (a + more) / 1000]),
        Spread.of([b / 1000, (b + other) / 1000]),
    )
    ahead = first.score((a + more) / 1000, True) + second.score(b / 1000, True)
    behind = first.score(a / 1000, True) + second.score((b + other) / 1000, True)
    assert ahead == behind == 100


def test_scores_by_rank_by_hand():
    # Best is 9; the two 4s share ranks 2 and 3: each beats one and half of the other.
    field = Field([9.0, 4.0, 4.0, 1.0], True)
    assert [percent_beaten(*field.beaten(v)) for v in (9.0, 4.0, 1.0)] == [100, 50, 0]
    assert percent_beaten(*Field([9.0, 4.0, 4.0, 1.0], False).beaten(1.0)) == 100
    assert percent_beaten(*Field([9.0], True).beaten(9.0)) == 100
    # A baseline is measured against all teams, and is none of them.
    assert field.beaten(4.0, is_among=False) == (2, 4)


@given(FLOATS, st.booleans())
def test_scores_by_rank_are_those_of_the_reference(values, rising):
    field = Field(values, rising)
    ranks = rankdata([value if rising else -value for value in values])
    for value, mid_rank in zip(values, ranks, strict=True):
        beaten, others = field.beaten(value)
        assert beaten == F(mid_rank) - 1
        assert others == len(values) - 1
        assert 0 <= percent_beaten(beaten, others) <= 100


@given(FLOATS, st.integers(0, 11), st.integers(1, 100), st.booleans())
def test_a_better_value_never_lowers_a_score_by_rank(values, n, more, rising):
    n %= len(values)
    better = [*values]
    better[n] += more if rising else -more
    before = percent_beaten(*Field(values, rising).beaten(values[n]))
    assert percent_beaten(*Field(better, rising).beaten(better[n])) >= before


def test_a_scale_without_values_is_refused():
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])
