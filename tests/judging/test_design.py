"""The laws of a balanced design, and the optimum of designs small enough to try them all."""

import random
import time
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.design import described, design


def check(made, judges, teams, k, forbidden=(), kept=()):
    """What holds of every design."""
    forbidden, kept = set(forbidden), set(kept)
    assert made.pairs == made.new | kept
    assert not made.new & kept
    assert not made.new & forbidden, "what is forbidden is never added"
    short = {item.team: item for item in made.short}
    for team in teams:
        here = {judge for judge, t in made.pairs if t == team}
        possible = {j for j in judges if (j, team) in kept or (j, team) not in forbidden}
        before = {j for j in judges if (j, team) in kept}
        assert len(here) == max(len(before), min(k, len(possible)))
        assert (team in short) == (len(here) < k)
        if team in short:
            assert short[team].got == len(here)
            assert set(short[team].forbidden) == set(judges) - possible
    for judge in judges:
        assert made.loads[judge] == sum(j == judge for j, _team in made.pairs)
    for (a, b), shared in made.overlaps.items():
        assert shared == sum((a, t) in made.pairs and (b, t) in made.pairs for t in teams)


@st.composite
def cases(draw, max_judges=8, max_teams=12):
    judges = range(draw(st.integers(1, max_judges)))
    teams = range(100, 100 + draw(st.integers(0, max_teams)))
    k = draw(st.integers(1, max_judges))
    cells = list(product(judges, teams))
    some = st.sets(st.sampled_from(cells), max_size=len(cells) // 2) if cells else st.just(set())
    return judges, teams, k, draw(some), draw(some), str(draw(st.integers(0, 99)))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_team_gets_k_judges_and_nothing_forbidden_is_added(case):
    judges, teams, k, forbidden, kept, seed = case
    made = design(judges, teams, k, forbidden=forbidden, kept=kept, seed=seed)
    check(made, judges, teams, k, forbidden, kept)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_without_forbidden_pairs_loads_differ_by_one_at_most(case):
    judges, teams, k, _forbidden, _kept, seed = case
    low, high = design(judges, teams, k, seed=seed).load_range
    assert high - low <= 1


@settings(max_examples=40, deadline=None)
@given(cases())
def test_the_same_input_gives_the_same_design_in_any_order(case):
    judges, teams, k, forbidden, kept, seed = case
    made = design(judges, teams, k, forbidden=forbidden, kept=kept, seed=seed)
    chance = random.Random(seed)

    def mixed(things):
        return chance.sample(sorted(things), len(things))

    again = design(
        mixed(judges), mixed(teams), k, forbidden=mixed(forbidden), kept=mixed(kept), seed=seed
    )
    assert again == made
    # What was designed and kept is designed again as it is.
    assert design(judges, teams, k, forbidden=forbidden, kept=made.pairs).pairs == made.pairs


def every_assignment(judges, teams, k, forbidden, kept):
    """All assignments in which each team has its k judges, or as many as are allowed."""
    choices = []
    for team in teams:
        there = {j for j in judges if (j, team) in kept}
        able = [j for j in judges if (j, team) not in forbidden and j not in there]
        seats = min(max(0, k - len(there)), len(able))
        choices.append(
            [frozenset((j, team) for j in (*there, *new)) for new in combinations(able, seats)]
        )
    for chosen in product(*choices):
        yield frozenset().union(*chosen)


def worth(judges, pairs):
    """Loads, largest first; groups; squared overlaps. Smaller is better, in this order."""
    measured = described(judges, pairs, 1)
    loads = tuple(sorted(measured.loads.values(), reverse=True))
    return loads, len(measured.groups), sum(n * n for n in measured.overlaps.values())


@settings(max_examples=60, deadline=None)
@given(cases(max_judges=5, max_teams=4))
def test_loads_are_as_even_as_any_assignment_allows(case):
    judges, teams, k, forbidden, kept, seed = case
    kept = {pair for pair in kept if pair[0] != 0}
    made = design(judges, teams, k, forbidden=forbidden, kept=kept, seed=seed)
    best = min(
        tuple(sorted(described(judges, pairs, 1).loads.values(), reverse=True))
        for pairs in every_assignment(judges, teams, k, forbidden, kept)
    )
    assert tuple(sorted(made.loads.values(), reverse=True)) == best


@pytest.mark.parametrize(
    ("judges", "teams", "k"),
    [(4, 4, 2), (4, 5, 2), (4, 4, 3), (5, 4, 2), (5, 4, 3), (6, 3, 3), (6, 3, 2), (3, 5, 2)],
)
def test_small_designs_are_the_best_there_are(judges, teams, k):
    judges, teams = range(judges), range(100, 100 + teams)
    best = min(worth(judges, pairs) for pairs in every_assignment(judges, teams, k, set(), set()))
    for seed in "abc":
        assert worth(judges, design(judges, teams, k, seed=seed).pairs) == best


def test_small_designs_with_forbidden_pairs_are_the_best_there_are():
    judges, teams = range(5), range(100, 104)
    chance = random.Random(4)
    cells = sorted(product(judges, teams))
    for _n in range(12):
        forbidden = set(chance.sample(cells, 4))
        best = min(
            worth(judges, pairs) for pairs in every_assignment(judges, teams, 2, forbidden, set())
        )
        made = design(judges, teams, 2, forbidden=forbidden)
        assert worth(judges, made.pairs) == best, sorted(forbidden)


def test_a_block_design_is_found():
    """Thirty teams, ten judges, three a team: every two judges can share exactly two teams."""
    made = design(range(10), range(30), 3, seed="2026")
    assert made.load_range == (9, 9)
    assert made.overlap_range == (2, 2.0, 2)
    assert made.is_connected


def test_judges_hang_together_where_the_numbers_allow_it():
    """Twelve judges with two teams each: a ring of all, not several rings."""
    made = design(range(12), range(12), 2, seed="ring")
    assert made.load_range == (2, 2)
    assert made.is_connected
    apart = design(range(9), range(3), 3)
    assert len(apart.groups) == 3, "three teams of three judges each cannot be joined"
    assert not design(range(3), range(6), 1).is_connected


def test_who_left_keeps_what_was_scored_and_gets_nothing_new():
    made = design(range(4), range(8), 2, kept={(9, 0), (9, 1)}, absent=[9])
    check(made, [*range(4), 9], range(8), 2, {(9, t) for t in range(8)}, {(9, 0), (9, 1)})
    assert made.load_range == (3, 4)
    assert made.short == ()


def test_a_team_that_everybody_knows_is_named_with_who_knows_it():
    made = design(range(3), range(4), 2, forbidden={(0, 2), (1, 2)})
    assert [(s.team, s.got, s.forbidden) for s in made.short] == [(2, 1, (0, 1))]
    with pytest.raises(ValueError):
        design(range(3), range(4), 0)


@pytest.mark.parametrize(("teams", "judges", "most_s"), [(500, 40, 2.0), (20, 7, 0.2)])
def test_it_is_quick(teams, judges, most_s):
    begun = time.process_time()
    made = design(range(judges), range(teams), 3)
    assert time.process_time() - begun < most_s
    low, high = made.load_range
    assert high - low <= 1
    assert made.is_connected
    assert made.overlap_range[2] - made.overlap_range[0] <= 2
