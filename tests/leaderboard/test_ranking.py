"""Worked examples, computed by hand, and laws."""

import random
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.ranking import Contender, Method, combine, rank, scale
from tests.ranking.cut import cut
from tests.ranking.fields import field as sheets_of


@dataclass(frozen=True)
class Combined:
    value: F
    dropped: tuple[int, ...]  # positions in the input


def aggregate(scores, method):
    """One team's totals, in the order of its judges; None without any."""
    sheets = sheets_of(scores)
    combined = combine(sheets, Method(method))
    if not sheets:
        return None
    effects = [combined.sheets[sheet.key] for sheet in sheets]
    dropped = [n for n, effect in enumerate(effects) if effect.dropped]
    lowest_first = sorted(dropped, key=lambda n: (sheets[n].total, n))
    return Combined(combined.scores["t0"], tuple(lowest_first))


def contender(key, *scores, ties=()):
    return Contender(key, {f"c{n}": s for n, s in enumerate(scores)}, tuple(ties))


ONE = {"c0": F(1)}


def test_trimmed_mean_drops_one_highest_and_one_lowest():
    # 91, 85, 78, 88, 95, 70, 82 without 95 and 70: (91+85+78+88+82)/5 = 424/5 = 84.8
    result = aggregate([91, 85, 78, 88, 95, 70, 82], "trimmed")
    assert result.value == F(424, 5)
    assert result.dropped == (5, 4)


def test_of_equal_extremes_one_is_dropped():
    assert aggregate([9, 9, 5, 1, 1], "trimmed").value == F(15, 3)


@pytest.mark.parametrize("scores", [[70], [70, 90], [70, 80, 96]])
def test_three_scores_or_fewer_are_all_kept(scores):
    result = aggregate(scores, "trimmed")
    assert result.value == F(sum(scores), len(scores))
    assert result.dropped == ()


def test_nobody_scored_is_no_score():
    assert aggregate([], "mean") is None
    with pytest.raises(ValueError, match="unknown method"):
        aggregate([1], "median?")


@pytest.mark.parametrize(
    ("value", "worst", "best", "wanted"),
    [
        (0.9, 0.5, 1.0, 80),
        (0.4, 0.5, 1.0, 0),
        (1.2, 0.5, 1.0, 100),
        (2.5, 10.0, 0.0, 75),  # an error: less is better
        (0.1, 0.0, 0.3, F(100, 3)),
    ],
)
def test_scale(value, worst, best, wanted):
    assert scale(value, worst, best) == wanted


def test_scale_refuses_nonsense():
    with pytest.raises(ValueError, match="differ"):
        scale(1, 2, 2)
    with pytest.raises(ValueError, match="finite"):
        scale(float("nan"), 0, 1)


def test_weighted_total():
    # 0.7 · 84.8 + 0.3 · 80 = 59.36 + 24 = 83.36
    placed = rank([contender("a", F("84.8"), F(80))], {"c0": F(70), "c1": F(30)})
    assert placed[0].total == F("83.36")


def test_competition_ranking():
    teams = [
        contender("a", F(90)),
        contender("b", F(80)),
        contender("c", F(80)),
        contender("d", F(70)),
    ]
    assert [(p.key, p.rank, p.shared) for p in rank(teams, ONE)] == [
        ("a", 1, False),
        ("b", 2, True),
        ("c", 2, True),
        ("d", 4, False),
    ]


def test_tie_breaks_are_asked_in_order_and_counted():
    teams = [
        contender("a", F(80), ties=[F(5), F(1)]),
        contender("b", F(80), ties=[F(5), F(2)]),
        contender("c", F(80), ties=[F(9), F(0)]),
        contender("d", F(80), ties=[None, F(9)]),
    ]
    placed = rank(teams, ONE)
    assert [(p.key, p.rank, p.tie_breaks_used) for p in placed] == [
        ("c", 1, 1),
        ("b", 2, 2),
        ("a", 3, 2),
        ("d", 4, 1),
    ]


def test_a_team_without_a_component_is_not_ranked_and_told_what_lacks():
    placed = rank(
        [contender("a", F(80), None), contender("b", F(10), F(10))], {"c0": F(1), "c1": F(1)}
    )
    assert [(p.key, p.rank, p.missing) for p in placed] == [("b", 1, ()), ("a", None, ("c1",))]


def test_thirds_tie_exactly():
    # 0.1 + 0.2 == 0.3 holds here, as it does in the rules and not in floats.
    a = aggregate([Decimal("0.1"), Decimal("0.2")], "mean").value
    b = aggregate([Decimal("0.15"), Decimal("0.15")], "mean").value
    assert [p.rank for p in rank([contender("a", a), contender("b", b)], ONE)] == [1, 1]


def test_a_tie_across_the_cut_is_reported():
    placed = rank(
        [contender(k, F(v)) for k, v in zip("abcde", [90, 80, 80, 80, 70], strict=True)], ONE
    )
    result = cut(placed, 3)
    assert (result.through, result.tied, result.below, result.seats) == (
        ("a",),
        ("b", "c", "d"),
        ("e",),
        2,
    )
    assert cut(placed, 4).through == ("a", "b", "c", "d")
    assert cut(placed, 4).tied == ()
    assert cut(placed, 0).through == ()
    assert cut(placed, 99).through == tuple("abcde")
    assert rank([], ONE) == []


scores = st.lists(st.integers(0, 40).map(lambda n: F(n, 2)), min_size=1, max_size=9)
fields = st.lists(scores, min_size=1, max_size=25)


def as_teams(field, method="trimmed"):
    return [contender(f"t{n:02}", aggregate(s, method).value) for n, s in enumerate(field)]


@given(fields, st.randoms())
def test_order_of_input_does_not_matter(field, chance: random.Random):
    teams = as_teams(field)
    shuffled = teams[:]
    chance.shuffle(shuffled)
    assert rank(teams, ONE) == rank(shuffled, ONE)


@given(scores, st.randoms())
def test_order_of_judges_does_not_matter(marks, chance: random.Random):
    shuffled = marks[:]
    chance.shuffle(shuffled)
    assert aggregate(marks, "trimmed").value == aggregate(shuffled, "trimmed").value


@given(fields, st.sampled_from(["mean", "trimmed"]), st.data())
def test_raising_one_mark_never_lowers_the_team(field, method, data):
    team = data.draw(st.integers(0, len(field) - 1))
    judge = data.draw(st.integers(0, len(field[team]) - 1))
    key = f"t{team:02}"
    before = {p.key: p.rank for p in rank(as_teams(field, method), ONE)}[key]
    raised = [list(s) for s in field]
    raised[team][judge] += data.draw(st.integers(1, 10))
    after = {p.key: p.rank for p in rank(as_teams(raised, method), ONE)}[key]
    assert after <= before


@given(fields, st.integers(1, 50))
def test_scaling_the_weights_changes_nothing(field, factor):
    teams = [contender(f"t{n}", s[0], s[-1]) for n, s in enumerate(field)]
    weights = {"c0": F(3), "c1": F(2)}
    more = {name: weight * factor for name, weight in weights.items()}
    assert rank(teams, weights) == rank(teams, more)


@given(fields)
def test_equals_share_and_ranks_count_those_ahead(field):
    placed = rank(as_teams(field), ONE)
    for place in placed:
        assert place.rank == 1 + sum(other.total > place.total for other in placed)


@given(fields, st.integers(0, 30))
def test_the_cut_never_splits_a_tie(field, count):
    placed = rank(as_teams(field), ONE)
    result = cut(placed, count)
    ranks = {p.key: p.rank for p in placed}
    assert len(result.through) <= count
    assert len(result.through) + len(result.tied) >= min(count, len(placed))
    assert {ranks[k] for k in result.through}.isdisjoint({ranks[k] for k in result.below})
    assert len({ranks[k] for k in result.tied}) <= 1
    if result.tied:
        assert 0 < result.seats < len(result.tied)
