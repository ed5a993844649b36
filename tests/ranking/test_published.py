"""Published tables, to the published digits."""

import numpy as np
import pandas as pd
import pytest

from leaderboard.ranking.pairwise import Comparison, bradley_terry
from leaderboard.ranking.reliability import icc, kendall_w, krippendorff_alpha

NAN = np.nan


def judges_by_teams(rows) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, dtype=float))


def test_intraclass_correlations_of_shrout_and_fleiss():
    """Shrout and Fleiss (1979), table 2, four ratings on six targets, and table 4."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = icc(judges_by_teams(ratings).T)
    assert {form.name: round(form.value, 2) for form in found.forms} == {
        "ICC(1,1)": 0.17,
        "ICC(1,k)": 0.44,
        "ICC(2,1)": 0.29,
        "ICC(2,k)": 0.62,
        "ICC(3,1)": 0.71,
        "ICC(3,k)": 0.91,
    }
    assert (found.judges, found.teams, found.left_out, found.reason) == (4, 6, 0, "")


def test_kendalls_w_with_ties():
    """The example of NAG's routine G08DAF: three comparisons of ten, with ties."""
    comparisons = [
        [1.0, 4.5, 2.0, 4.5, 3.0, 7.5, 6.0, 9.0, 7.5, 10.0],
        [2.5, 1.0, 2.5, 4.5, 4.5, 8.0, 9.0, 6.5, 10.0, 6.5],
        [2.0, 1.0, 4.5, 4.5, 4.5, 4.5, 8.0, 8.0, 8.0, 10.0],
    ]
    found = kendall_w(judges_by_teams(comparisons))
    assert (round(found.w, 3), round(found.p, 3), found.df) == (0.828, 0.008, 9)


@pytest.mark.parametrize(("level", "published"), [("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_alpha_with_gaps(level, published):
    """Krippendorff (2011), Computing Krippendorff's alpha-reliability: 4 observers, 12 units."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
    found = krippendorff_alpha(judges_by_teams(observers), level)
    assert round(found.value, 3) == published
    assert (found.teams, found.sheets) == (11, 40)  # of the last unit there is only one value


BASEBALL = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
# Games that the team of the row won against the team of the column.
WON = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]


def test_bradley_terry_of_the_american_league():
    """Agresti (2002), tables 10.10 and 10.11: Eastern Division, 1987; Baltimore is 0."""
    games = [
        Comparison(winner, loser, count=WON[i][j])
        for i, winner in enumerate(BASEBALL)
        for j, loser in enumerate(BASEBALL)
        if WON[i][j]
    ]
    found = bradley_terry(games, ridge=0)
    last = found.logits["Baltimore"]
    assert [round(found.logits[name] - last, 2) for name in BASEBALL] == [
        1.58,
        1.44,
        1.29,
        1.25,
        1.11,
        0.68,
        0.00,
    ]
    assert found.converged
    assert len(found.groups) == 1
