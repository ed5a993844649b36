"""The many-facet ordinal model: a cumulative logit with an effect of each team and each judge.

``P(category ≤ c) = σ(cut_c − team − judge)``. Written out here rather than taken from statsmodels
(``OrderedModel``), see docs/decisions/0019-ranking-methods.md; the tests compare the two.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import expit, log_expit

from leaderboard.ranking.newton import climb

CATEGORIES = 10


@dataclass(frozen=True)
class Fit:
    team: np.ndarray  # logits; their mean is 0
    judge: np.ndarray  # logits, higher is more lenient; their mean is 0
    cuts: np.ndarray
    log_likelihood: float  # without the prior
    converged: bool


def categories(totals: np.ndarray) -> np.ndarray:
    """Ordered categories, numbered from 0: the distinct totals, if there are ten or fewer.

    Otherwise tenths: a sheet's category is ⌊10 · share of sheets with a lower total⌋, so that equal
    totals are never parted. Numbers that no sheet has are left out.
    """
    _, codes = np.unique(totals, return_inverse=True)
    if codes.max() >= CATEGORIES:
        lower = np.searchsorted(np.sort(totals), totals, side="left")
        _, codes = np.unique(CATEGORIES * lower // len(totals), return_inverse=True)
    return codes


def fit(team_of: np.ndarray, judge_of: np.ndarray, category: np.ndarray, ridge: float) -> Fit:
    """The effects that make the categories most likely, with a normal prior of variance 1/ridge.

    The prior keeps the effect of a team finite that all judges put into the highest category. At
    least two categories are needed.
    """
    teams, judges, cuts = team_of.max() + 1, judge_of.max() + 1, category.max()
    sheets = np.arange(len(category))
    of_team = csr_array((np.ones(len(sheets)), (sheets, team_of)), shape=(len(sheets), teams))
    of_judge = csr_array((np.ones(len(sheets)), (sheets, judge_of)), shape=(len(sheets), judges))
    has_upper, has_lower = category < cuts, category > 0
    upper = csr_array(
        (np.ones(has_upper.sum()), (sheets[has_upper], category[has_upper])),
        shape=(len(sheets), cuts),
    )
    lower = csr_array(
        (np.ones(has_lower.sum()), (sheets[has_lower], category[has_lower] - 1)),
        shape=(len(sheets), cuts),
    )

    def split(place):
        return place[:teams], place[teams : teams + judges], place[teams + judges :]

    def limits(place):
        """The cuts below and above each sheet's category, seen from its team and judge."""
        team, judge, cut = split(place)
        edges = np.concatenate([[-np.inf], cut, [np.inf]])
        centre = team[team_of] + judge[judge_of]
        return edges[category] - centre, edges[category + 1] - centre

    def likelihood(place):
        low, high = limits(place)
        if (high <= low).any():
            return -np.inf
        # σ(high) − σ(low), in a form that loses nothing in the tails.
        return float((log_expit(high) + log_expit(-low) + np.log1p(-np.exp(low - high))).sum())

    def value(place):
        team, judge, _ = split(place)
        return likelihood(place) - ridge / 2 * (team @ team + judge @ judge)

    def direction(place):
        team, judge, _ = split(place)
        low, high = limits(place)
        with np.errstate(over="ignore"):
            between = 1 / np.expm1(high - low)
        at_low, at_high = expit(low) * expit(-low), expit(high) * expit(-high)
        by_high, by_low = expit(-high) + between, -expit(low) - between
        up = -(by_high + by_low)
        gradient = np.concatenate(
            [
                of_team.T @ up - ridge * team,
                of_judge.T @ up - ridge * judge,
                upper.T @ by_high + lower.T @ by_low,
            ]
        )
        weight = at_low + at_high
        bend = between * (1 + between)
        # The information matrix; its block of teams is diagonal, and eliminated.
        own = of_team.T @ weight + ridge
        judge_cut = -(of_judge.T @ (_times(at_high, upper) + _times(at_low, lower)))
        across = hstack(
            [
                of_team.T @ _times(weight, of_judge),
                -(of_team.T @ (_times(at_high, upper) + _times(at_low, lower))),
            ]
        ).tocsr()
        cut_cut = (
            upper.T @ _times(at_high + bend, upper)
            + lower.T @ _times(at_low + bend, lower)
            - upper.T @ _times(bend, lower)
            - lower.T @ _times(bend, upper)
        )
        rest = np.block(
            [
                [np.diag(of_judge.T @ weight + ridge), judge_cut.toarray()],
                [judge_cut.toarray().T, cut_cut.toarray()],
            ]
        )
        reduced = rest - (across.T @ _times(1 / own, across)).toarray()
        top, bottom = gradient[:teams], gradient[teams:]
        others = np.linalg.solve(reduced, bottom - across.T @ (top / own))
        steps = split(np.concatenate([(top - across @ others) / own, others]))
        # The likelihood is the same wherever the middle of the effects is, and the prior says 0.
        # Said here, it costs no precision where the prior is weak.
        surplus = [-(steps[0] + team).mean(), -(steps[1] + judge).mean()]
        return np.concatenate(
            [steps[0] + surplus[0], steps[1] + surplus[1], steps[2] + sum(surplus)]
        )

    share = np.cumsum(np.bincount(category))[:-1] / len(category)
    start = np.concatenate([np.zeros(teams + judges), np.log(share / (1 - share))])
    place, converged = climb(value, direction, start)
    return Fit(*split(place), likelihood(place), converged)


def expected(found: Fit, worth: np.ndarray) -> np.ndarray:
    """Each team's expected total from a judge of mean severity; ``worth`` by category."""
    edges = np.concatenate([[-np.inf], found.cuts, [np.inf]])
    below = expit(edges[None, :] - found.team[:, None])
    return np.diff(below, axis=1) @ worth


def _times(factors: np.ndarray, rows: csr_array) -> csr_array:
    """Each row times its factor."""
    return rows.multiply(factors[:, None]).tocsr()
