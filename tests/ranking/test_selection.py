"""Quotas, guaranteed places, reserves and ties: what must hold for every ranking and every rule."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.ranking import Placed
from leaderboard.ranking.selection import (
    Candidate,
    Code,
    Decision,
    Outcome,
    Quota,
    Rule,
    Ties,
    select,
)
from tests.ranking.cut import cut

IN, TIED, RESERVE, OUT = Outcome.IN, Outcome.TIED, Outcome.RESERVE, Outcome.OUT


def teams(*rows):
    """``("a", 1, "CN")``: key, rank, country, and track where there is one."""
    return [
        Candidate(key, rank, dict(zip(("country", "track"), groups, strict=False)))
        for key, rank, *groups in rows
    ]


@st.composite
def rankings(draw):
    """Competition ranks with ties, some unranked, in a few countries and tracks."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=7))
    rows, rank = [], 1
    group = st.sampled_from([None, "CN", "FR", "BR"])
    track = st.sampled_from(["ai", "os"])
    for size in sizes:
        rows += [(rank, draw(group), draw(track)) for _ in range(size)]
        rank += size
    rows += [(None, draw(group), draw(track)) for _ in range(draw(st.integers(0, 2)))]
    return teams(*((f"t{n:02}", *row) for n, row in enumerate(rows)))


quotas = st.one_of(
    st.builds(Quota, kind=st.just("country"), group=st.sampled_from([None, "CN", "FR"]),
              most=st.one_of(st.none(), st.integers(1, 3)), least=st.integers(0, 2)),
    st.builds(Quota, kind=st.just("track"), group=st.sampled_from([None, "ai"]),
              most=st.one_of(st.none(), st.integers(1, 4)), least=st.integers(0, 2)),
)  # fmt: skip
rules = st.builds(
    Rule,
    count=st.integers(0, 8),
    quotas=st.lists(quotas, max_size=3, unique_by=lambda q: (q.kind, q.group)).map(tuple),
    reserves=st.integers(0, 3),
    ties=st.sampled_from(Ties),
)


def decided(candidates, rule):
    """The selection after each tie was decided for as many as there was room for."""
    decisions = []
    selection = select(candidates, rule)
    while selection.tie is not None:
        chosen = frozenset()
        for key in sorted(selection.tie.keys):
            if selection.tie.fits(chosen | {key}):
                chosen |= {key}
        decisions.append(Decision(selection.tie.keys, chosen))
        again = select(candidates, rule, decisions)
        assert again.tie is None or again.tie.keys != selection.tie.keys
        selection = again
    assert selection.applied == tuple(decisions)
    return selection


def numbers(candidates, rule):
    """(kind, group, most, least) of every group that the ranking holds."""
    held = {(kind, group) for c in candidates for kind, group in c.groups.items() if group}
    return [(kind, group, *rule.numbers(kind, group)) for kind, group in sorted(held)]


@given(rankings(), rules)
@settings(max_examples=400, deadline=None)
def test_no_quota_is_exceeded(candidates, rule):
    by_key = {candidate.key: candidate for candidate in candidates}
    selection = decided(candidates, rule)
    through = [by_key[key] for key in selection.keys(IN)]
    for kind, group, most, _least in numbers(candidates, rule):
        if most is not None and any(q.kind == kind for q in rule.quotas):
            assert sum(c.groups[kind] == group for c in through) <= most
    if rule.ties != Ties.ALL_IN:
        assert len(through) <= rule.count


@given(rankings(), st.integers(0, 12))
@settings(deadline=None)
def test_without_quotas_it_is_the_cut(candidates, count):
    found = select(candidates, Rule(count))
    placed = [Placed(c.key, c.rank, None) for c in candidates]
    wanted = cut(placed, count)
    assert set(found.keys(IN)) == set(wanted.through)
    assert set(found.keys(TIED)) == set(wanted.tied)
    assert set(found.keys(OUT)) == set(wanted.below)
    assert (found.tie.seats if found.tie else 0) == wanted.seats


@given(rankings(), rules)
@settings(max_examples=400, deadline=None)
def test_of_teams_that_are_alike_the_better_is_never_out_while_the_worse_is_in(candidates, rule):
    by_key = {candidate.key: candidate for candidate in candidates}
    outcome = {place.key: place.outcome for place in decided(candidates, rule).places}

    def likeness(candidate):
        return {kind: candidate.groups.get(kind) for kind in rule.kinds}

    for better in candidates:
        for worse in candidates:
            if None in (better.rank, worse.rank) or better.rank >= worse.rank:
                continue
            if likeness(better) == likeness(worse) and outcome[worse.key] == IN:
                assert outcome[better.key] == IN, (by_key[better.key], by_key[worse.key])


@given(rankings(), rules, st.randoms())
@settings(deadline=None)
def test_the_order_of_the_input_does_not_matter(candidates, rule, random):
    before = select(candidates, rule)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert select(shuffled, rule) == before


@given(rankings(), rules)
@settings(max_examples=400, deadline=None)
def test_teams_of_one_rank_that_are_alike_share_what_becomes_of_them(candidates, rule):
    """No tie is broken by anything but a decision."""
    outcomes = {}
    for candidate in candidates:
        places = {place.key: place for place in select(candidates, rule).places}
        alike = (candidate.rank, *(candidate.groups.get(kind) for kind in rule.kinds))
        place = places[candidate.key]
        outcomes.setdefault(alike, set()).add((place.outcome, place.number))
    assert all(len(found) == 1 for found in outcomes.values()), outcomes


@given(rankings(), st.integers(0, 8), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_what_is_guaranteed_to_a_track_is_given_while_there_are_teams(
    candidates, extra, first, second
):
    rule = Rule(
        first + second + extra,
        (Quota("track", "ai", least=first), Quota("track", "os", None, second)),
    )
    by_key = {candidate.key: candidate for candidate in candidates}
    through = Counter(by_key[key].groups["track"] for key in decided(candidates, rule).keys(IN))
    ranked = Counter(c.groups["track"] for c in candidates if c.rank is not None)
    for track, least in (("ai", first), ("os", second)):
        assert through[track] >= min(least, ranked[track])
    assert sum(through.values()) == min(rule.count, sum(ranked.values()))


@given(rankings(), rules)
@settings(deadline=None)
def test_reserves_are_the_best_of_the_rest_and_share_their_number_where_they_tie(candidates, rule):
    selection = decided(candidates, rule)
    by_key = {candidate.key: candidate for candidate in candidates}
    reserves = [place for place in selection.places if place.outcome == RESERVE]
    out = [by_key[p.key] for p in selection.places if p.outcome == OUT]
    for place in reserves:
        rank = by_key[place.key].rank
        assert all(other.rank is None or other.rank > rank for other in out)
        assert place.number == 1 + sum(by_key[other.key].rank < rank for other in reserves)
        assert place.number <= rule.reserves


# --- By hand ---------------------------------------------------------------------------------


def told(selection):
    return {place.key: (place.outcome.value, place.why.code.value) for place in selection.places}


def test_the_next_moves_up_where_a_country_is_full_and_each_is_told_why():
    ranking = teams(("a", 1, "CN"), ("b", 2, "CN"), ("c", 3, "CN"), ("d", 4, "FR"), ("e", 5, "CN"))
    selection = select(ranking, Rule(3, (Quota("country", None, most=2),), reserves=1))
    assert told(selection) == {
        "a": ("in", "rank"), "b": ("in", "rank"), "c": ("reserve", "quota"),
        "d": ("in", "moved_up"), "e": ("out", "quota"),
    }  # fmt: skip
    why = selection.places[2].why
    assert (why.kind, why.group, why.number) == ("country", "CN", 2)


def test_the_host_has_a_number_of_its_own():
    ranking = teams(*((f"t{n}", n, "CN") for n in range(1, 5)), ("f", 5, "FR"), ("g", 6, "FR"))
    rule = Rule(5, (Quota("country", None, most=1), Quota("country", "CN", most=3)))
    assert select(ranking, rule).keys(IN) == ("t1", "t2", "t3", "f")


def test_a_place_is_kept_for_a_track_but_the_best_team_is_not_pushed_out_by_it():
    """The track's place goes to its second team, since its first would exceed the country's."""
    ranking = teams(("a", 1, "X", "ai"), ("m", 2, "Z", "ai"), ("b", 5, "X", "os"),
                    ("c", 8, "Y", "os"))  # fmt: skip
    rule = Rule(2, (Quota("country", None, most=1), Quota("track", "os", least=1)))
    assert told(select(ranking, rule)) == {
        "a": ("in", "rank"), "m": ("out", "kept"), "b": ("out", "quota"), "c": ("in", "guaranteed"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ties", "through"),
    [(Ties.ALL_IN, "abc"), (Ties.ALL_OUT, "a"), (Ties.ASK, "a"), (Ties.RUN_OFF, "a")],
)
def test_ties_at_the_last_place(ties, through):
    ranking = teams(("a", 1, "X"), ("b", 2, "X"), ("c", 2, "X"), ("d", 4, "X"))
    selection = select(ranking, Rule(2, ties=ties))
    assert selection.keys(IN) == tuple(through)
    assert (selection.tie is None) == (ties in (Ties.ALL_IN, Ties.ALL_OUT))


@pytest.mark.parametrize("ties", [Ties.ASK, Ties.ALL_IN])
def test_a_tie_for_the_last_place_of_a_country_is_asked_about(ties):
    ranking = teams(("a", 1, "CN"), ("b", 2, "CN"), ("c", 2, "CN"), ("d", 2, "FR"), ("e", 5, "BR"))
    rule = Rule(4, (Quota("country", None, most=2),), ties=ties)
    selection = select(ranking, rule)
    assert selection.keys(IN) == ("a", "d")
    assert selection.tie.keys == {"b", "c"}
    assert selection.tie.seats == 1
    assert not selection.tie.allows(frozenset("bc")), "a quota is never exceeded"
    assert not selection.tie.allows(frozenset())
    after = select(ranking, rule, [Decision(frozenset("bc"), frozenset("c"))])
    assert after.keys(IN) == ("a", "c", "d", "e")
    assert told(after)["b"] == ("out", "decided_out")


def test_where_none_of_the_tied_enters_no_worse_one_has_their_place():
    ranking = teams(("a", 1, "CN"), ("b", 2, "CN"), ("c", 2, "CN"), ("d", 4, "CN"), ("e", 5, "FR"))
    rule = Rule(4, (Quota("country", None, most=2),), ties=Ties.ALL_OUT)
    assert select(ranking, rule).keys(IN) == ("a", "e")


def test_a_decision_on_another_tie_is_not_applied():
    ranking = teams(("a", 1, "X"), ("b", 1, "X"), ("c", 1, "X"))
    selection = select(ranking, Rule(1), [Decision(frozenset("ab"), frozenset("a"))])
    assert selection.tie.keys == {"a", "b", "c"}
    assert selection.applied == ()


def test_why_is_said_of_those_below_a_tie():
    ranking = teams(("a", 1, "X"), ("b", 1, "X"), ("c", 3, "Y"))
    assert told(select(ranking, Rule(1)))["c"] == ("out", Code.BELOW)
    quota = Rule(1, (Quota("country", "Z", most=1),))
    assert told(select(ranking, quota))["c"] == ("out", Code.WAITS)
