"""Worked examples, computed by hand, and the stated rules for what is out of the ordinary."""

from fractions import Fraction as F

import pytest

from leaderboard.ranking import Method, Note, combine
from leaderboard.ranking.methods import droppable
from leaderboard.ranking.reliability import places
from tests.ranking.fields import EVERY, field, label, sheet


def scores(sheets, name, **settings):
    return dict(combine(sheets, Method(name, **settings)).scores)


def notes(sheets, name, **settings):
    return {note.code: note for note in combine(sheets, Method(name, **settings)).notes}


SEVEN = field([91, 85, 78, 88, 95, 70, 82])
# Of a criterion 10, 20, 30, 50 and of another 40, 30, 10, 5: totals 50, 50, 40, 55.
TWO_CRITERIA = field([(10, 40), (20, 30), (30, 10), (50, 5)])


def test_mean_and_weighted_mean():
    assert scores(SEVEN, "mean") == {"t0": F(589, 7)}
    # (2·80 + 1·50 + ½·20) / 3½ = 220 / 3.5
    weights = {"j0": F(2), "j2": F(1, 2)}
    assert scores(field([80, 50, 20]), "mean", judge_weights=weights) == {"t0": F(440, 7)}


def test_median():
    assert scores(SEVEN, "median") == {"t0": 85}
    assert scores(field([10, 20, 40, 100]), "median") == {"t0": 30}
    assert scores(TWO_CRITERIA, "median") == {"t0": 50}
    # (20 + 30)/2 + (10 + 30)/2
    assert scores(TWO_CRITERIA, "median", per="criterion") == {"t0": 45}
    assert not any(e.dropped for e in combine(SEVEN, Method("median")).sheets.values())


def test_trimmed_mean():
    combined = combine(SEVEN, Method("trimmed"))
    assert combined.scores == {"t0": F(424, 5)}  # without 95 and 70
    assert [key for key, e in combined.sheets.items() if e.dropped] == ["t0/j4", "t0/j5"]
    assert combined.notes == ()
    # without 95, 91, 70 and 78: (82 + 85 + 88) / 3
    assert scores(SEVEN, "trimmed", trim=2) == {"t0": 85}


def test_trimmed_by_criterion():
    combined = combine(TWO_CRITERIA, Method("trimmed", per="criterion"))
    assert combined.scores == {"t0": 45}  # (20 + 30)/2 + (30 + 10)/2
    assert scores(TWO_CRITERIA, "trimmed") == {"t0": 50}  # (50 + 50)/2
    assert {key: e.dropped_parts for key, e in combined.sheets.items()} == {
        "t0/j0": ("a", "b"),
        "t0/j1": (),
        "t0/j2": (),
        "t0/j3": ("a", "b"),
    }
    assert combined.sheets["t0/j0"].dropped
    assert not combined.sheets["t0/j1"].dropped


def test_a_criterion_that_a_sheet_lacks_contributed_nothing_to_it():
    sheets = [sheet("t", "j0", 30), sheet("t", "j1", 30, 20), sheet("t", "j2", 40, 10)]
    assert scores(sheets, "median", per="criterion") == {"t": 30 + 10}


def test_by_criterion_what_is_left_is_kept_within_bounds():
    # Bonuses: each sheet stops at 100, the criteria apart would come to 60 + 50.
    sheets = field([(60, 50), (60, 50)])
    assert scores(sheets, "median", per="criterion") == {"t0": 100}
    assert notes(sheets, "median", per="criterion")["clamped"].teams == ("t0",)


@pytest.mark.parametrize(
    ("count", "trim", "dropped"),
    [
        *[(count, 1, 0) for count in (1, 2, 3)],
        *[(count, 1, 1) for count in (4, 5, 7)],
        *[(count, 2, 0) for count in (1, 2, 3)],
        *[(count, 2, 1) for count in (4, 5)],
        *[(count, 2, 2) for count in (6, 7, 9)],
        (7, 3, 2),
        (8, 3, 3),
    ],
)
def test_as_many_are_dropped_as_leave_two(count, trim, dropped):
    assert droppable(count, trim) == dropped


def test_teams_with_too_few_sheets_to_trim_are_named():
    sheets = field([50, 60, 70, None, None], [50, 60, 70, 80, 90], [90] * 5)
    found = notes(sheets, "trimmed", trim=2)
    assert found["nothing_trimmed"].teams == ("t0",)
    assert found["trimmed_less"].teams == ("t1", "t2")


@pytest.mark.parametrize("totals", [[70], [70, 90], [70, 80, 96], [1, 9, 9, 1], [3, 1, 4, 1, 5, 9]])
def test_the_trimmed_mean_is_the_one_there_was(totals):
    combined = combine(field(totals), Method("trimmed"))
    # As it was written at first: one lowest and one highest, of equal ones the first and the last.
    order = sorted(range(len(totals)), key=lambda n: (totals[n], n))
    before = {order[0], order[-1]} if len(totals) > 3 else set()
    kept = [total for n, total in enumerate(totals) if n not in before]
    assert combined.scores["t0"] == F(sum(kept), len(kept))
    dropped = {key for key, effect in combined.sheets.items() if effect.dropped}
    assert dropped == {f"t0/j{n}" for n in before}


def test_zscore():
    # j0: mean 50, deviation √(800/3); j1: 40 and the same. Places mirror each other, so every
    # team's z is 0 and its score the mean of all, 45.
    table = [50, 40], [70, 20], [30, 60]
    assert scores(field(*table), "zscore") == {"t0": 45, "t1": 45, "t2": 45}
    # One judge twice as generous with differences: z is the same, ±1; M = 50, S = √250.
    sheets = field([40, 30], [60, 70])
    root = F("15.811388301")
    assert scores(sheets, "zscore") == {"t0": 50 - root, "t1": 50 + root}
    effects = combine(sheets, Method("zscore")).sheets
    assert effects["t0/j0"].value == effects["t0/j1"].value == 50 - root


def test_borda():
    # j0 places t0, then t1 and t2 together, then t3: 100, 50, 50, 0. j1 saw two: 0 and 100.
    sheets = field([90, 60], [80, 70], [80, None], [70, None])
    assert scores(sheets, "borda") == {"t0": 50, "t1": 75, "t2": 50, "t3": 0}


def test_borda_hangs_on_teams_that_are_no_rivals():
    """The counter-example of docs/methods.md: without t2, t0 and t1 change places."""
    sheets = field([90, 90, 60], [80, 80, 90], [70, 70, 80], [60, 60, 70])
    assert scores(sheets, "borda")["t0"] == F(200, 3)
    assert scores(sheets, "borda")["t1"] == F(700, 9)
    fewer = [s for s in sheets if s.team in ("t0", "t1")]
    assert scores(fewer, "borda") == {"t0": F(200, 3), "t1": F(100, 3)}


def test_severity():
    # t0 was seen by both: j1 gives 10 less, so j0 is 5 too lenient and j1 5 too strict.
    sheets = field([80, 70], [60, None], [None, 60])
    combined = combine(sheets, Method("severity"))
    assert combined.severity == {"j0": -5, "j1": 5}
    assert combined.scores == {"t0": 75, "t1": 55, "t2": 65}
    assert combined.sheets["t0/j1"].value == 75
    assert scores(sheets, "mean") == {"t0": 75, "t1": 60, "t2": 60}


def test_severity_is_the_mean_where_everybody_saw_everybody():
    table = [F(200, 3), 71, 3], [50, F(1, 7), 99], [10, 20, 30]
    combined = combine(field(*table), Method("severity"))
    assert combined.scores == combine(field(*table), Method("mean")).scores
    assert sum(combined.severity.values()) == 0
    for team in ("t0", "t1", "t2"):  # what the sheets counted as makes the score, exactly
        values = [e.value for key, e in combined.sheets.items() if key.startswith(team)]
        assert sum(values) / 3 == combined.scores[team]


def test_groups_without_a_judge_in_common_are_reported_and_solved_apart():
    sheets = field(
        [80, 70, None, None], [60, None, None, None], [None, None, 90, 70], [None, None, None, 50]
    )
    combined = combine(sheets, Method("severity"))
    assert combined.severity == {"j0": -5, "j1": 5, "j2": -10, "j3": 10}
    assert combined.scores == {"t0": 75, "t1": 55, "t2": 80, "t3": 60}
    apart = [note for note in combined.notes if note.code == "disconnected"]
    assert apart == [
        Note("disconnected", ("j0", "j1"), ("t0", "t1")),
        Note("disconnected", ("j2", "j3"), ("t2", "t3")),
    ]
    for name in ("ordinal", "bradley_terry"):
        assert "disconnected" in notes(sheets, name)
    assert "disconnected" not in notes(field([80, 70], [60, None]), "severity")


def test_severity_is_kept_within_bounds():
    sheets = field([100, 0], [100, None], [None, 0])
    combined = combine(sheets, Method("severity"))
    assert combined.scores == {"t0": 50, "t1": 50, "t2": 50}
    sheets = field([90, 10], [20, None], [None, 95])
    combined = combine(sheets, Method("severity"))
    assert combined.scores == {"t0": 50, "t1": 0, "t2": 100}
    assert [n.teams for n in combined.notes if n.code == "clamped"] == [("t1", "t2")]


def test_ordinal_is_what_a_judge_of_mean_severity_is_expected_to_give():
    sheets = field([90, 80, 80], [80, 60, 60], [60, 40, 40], [40, 20, 20])
    found = scores(sheets, "ordinal")
    assert list(places(found).values()) == [1, 2, 3, 4]
    assert all(20 <= score <= 90 for score in found.values())


def test_a_team_that_is_first_everywhere_gets_a_finite_strength():
    sheets = field([100, 100], [50, 60], [50, 40])
    for name in ("ordinal", "bradley_terry"):
        found = combine(sheets, Method(name))
        assert found.notes == ()
        assert found.scores["t0"] == max(found.scores.values()) < 100
        assert found.scores["t2"] < found.scores["t1"] < found.scores["t0"]


def test_without_any_sheet_there_is_nothing():
    for method in EVERY:
        combined = combine([], method)
        assert (combined.scores, combined.sheets, combined.notes) == ({}, {}, ())


@pytest.mark.parametrize("method", EVERY, ids=label)
def test_one_sheet(method):
    combined = combine(field([70]), method)
    wanted = 50 if method.name in ("borda", "bradley_terry") else 70
    assert combined.scores == {"t0": wanted}


@pytest.mark.parametrize("name", ["mean", "median", "trimmed", "zscore", "severity"])
def test_of_one_judge_the_totals_are_the_scores(name):
    sheets = field([70], [F(121, 2)], [90])
    assert scores(sheets, name) == {"t0": 70, "t1": F(121, 2), "t2": 90}


@pytest.mark.parametrize("name", ["borda", "ordinal", "bradley_terry"])
def test_of_one_judge_the_order_is_the_ranking(name):
    assert places(scores(field([70], [60], [90], [60]), name)) == {
        "t0": 2,
        "t1": 3,
        "t2": 1,
        "t3": 3,
    }


@pytest.mark.parametrize("method", EVERY, ids=label)
def test_judges_who_give_everybody_the_same_part_nobody(method):
    combined = combine(field([70, 60], [70, 60], [70, 60]), method)
    assert len(set(combined.scores.values())) == 1


@pytest.mark.parametrize("name", ["zscore", "borda", "bradley_terry", "ordinal"])
def test_judges_who_tell_nothing_are_named(name):
    sheets = field([70, 60, 9], [80, 60, None], [90, 60, None])
    found = notes(sheets, name)
    assert found["flat_judge"].judges == ("j1",)
    assert found["single_sheet_judge"].judges == ("j2",)


def test_a_flat_judge_counts_as_the_mean_of_all_in_zscores():
    sheets = field([F(1, 10), F(7, 10)], [F(3, 10), F(7, 10)], [F(2, 10), F(7, 10)])
    effects = combine(sheets, Method("zscore")).sheets
    assert {effects[f"t{n}/j1"].value for n in range(3)} == {F("0.45")}
    # A single sheet is a flat one.
    effects = combine(field([10, 90], [20, None]), Method("zscore")).sheets
    assert effects["t0/j1"].value == 40


def test_a_single_sheet_counts_as_the_middle_of_places():
    assert combine(field([10, 90], [20, None]), Method("borda")).sheets["t0/j1"].value == 50


def test_a_sheet_for_the_same_team_by_the_same_judge_is_refused():
    twice = [*field([70]), sheet("t0", "j0", 80)]
    with pytest.raises(ValueError, match="same key"):
        combine(twice, Method("mean"))
    twice[1] = type(twice[1])("other", "t0", "j0", F(80), {})
    with pytest.raises(ValueError, match="one judge for one team"):
        combine(twice, Method("mean"))


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"name": "mode"}, "unknown method"),
        ({"name": "trimmed", "trim": 0}, "trim"),
        ({"name": "trimmed", "per": "judge"}, "per"),
        ({"name": "mean", "per": "criterion"}, "criteria"),
        ({"name": "median", "judge_weights": {"j": F(2)}}, "weights"),
        ({"name": "mean", "judge_weights": {"j": F(0)}}, "positive"),
    ],
)
def test_settings_that_a_method_has_not_are_refused(chosen, words):
    with pytest.raises(ValueError, match=words):
        Method(**chosen)


def test_raising_a_mark_may_lower_the_team_in_zscores():
    """The counter-example of docs/methods.md: all tie at 45; t2 gets 100 where it had 60, and t1
    passes it, because the low marks of the same judge weigh less now."""
    before = scores(field([50, 40], [70, 20], [30, 60]), "zscore")
    after = scores(field([50, 40], [70, 20], [30, 100]), "zscore")
    assert places(before) == {"t0": 1, "t1": 1, "t2": 1}
    assert places(after) == {"t0": 3, "t1": 1, "t2": 2}


def test_raising_a_mark_may_lower_the_team_in_the_ordinal_model():
    """The counter-example of docs/methods.md: t1 gets 80 where it had 50, and falls behind t2."""
    before = scores(field([10, 0], [60, 50], [90, 10]), "ordinal")
    after = scores(field([10, 0], [60, 80], [90, 10]), "ordinal")
    assert places(before) == {"t0": 3, "t1": 1, "t2": 2}
    assert places(after) == {"t0": 3, "t1": 2, "t2": 1}
