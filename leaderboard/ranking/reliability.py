"""How far a ranking can be relied on: agreement, judges, and what changes if things were otherwise.

Results are numbers and codes; pages and reports put them into words.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from leaderboard.ranking import additive
from leaderboard.ranking.agreement import (
    Alpha,
    Icc,
    IccForm,
    Kendall,
    complete_part,
    icc,
    kendall_w,
    krippendorff_alpha,
    table,
)
from leaderboard.ranking.methods import DECIMALS, Method, combine, droppable
from leaderboard.ranking.sheets import Field, Sheet

__all__ = [
    "Alpha",
    "Bootstrapped",
    "Icc",
    "IccForm",
    "JudgeRow",
    "Kendall",
    "RankInterval",
    "Shift",
    "bootstrap",
    "complete_part",
    "icc",
    "judges",
    "kendall_w",
    "krippendorff_alpha",
    "leave_one_judge_out",
    "other_methods",
    "places",
    "table",
]

# So many numbers are drawn at a time: enough to be fast, few enough for a small server.
AT_ONCE = 2_000_000


@dataclass(frozen=True)
class JudgeRow:
    """One judge. ``severity``: points stricter than the judges of the ``group`` together, by the
    additive model. ``spread``: standard deviation (of all, ÷ n). ``agreement``: correlation with
    the mean of the other judges of the same teams; None below three teams or without variance."""

    judge: Hashable
    sheets: int
    mean: float
    spread: float
    lowest: float
    highest: float
    severity: float
    group: int
    agreement: float | None


def judges(table: pd.DataFrame) -> tuple[JudgeRow, ...]:
    """Severity and spread of each judge who has a sheet, in the order of the table."""
    x = table.to_numpy()
    x = x[:, ~np.isnan(x).all(axis=0)]
    kept = ~np.isnan(x).all(axis=1)
    x, names = x[kept], table.index[kept]
    if not x.size:
        return ()
    given = ~np.isnan(x)
    judge_of, team_of = np.nonzero(given)
    severity = additive.severities(team_of, judge_of, x[given])
    _, group = additive.groups(team_of, judge_of)
    group = np.unique(group, return_inverse=True)[1]
    filled = np.where(given, x, 0.0)
    sums, counts = filled.sum(axis=0), given.sum(axis=0)
    rows = []
    for n, name in enumerate(names):
        mine = x[n][given[n]]
        shared = given[n] & (counts > 1)
        others = (sums[shared] - x[n][shared]) / (counts[shared] - 1)
        rows.append(
            JudgeRow(
                judge=name,
                sheets=len(mine),
                mean=float(mine.mean()),
                spread=float(mine.std()),
                lowest=float(mine.min()),
                highest=float(mine.max()),
                severity=round(float(severity[n]), DECIMALS) + 0.0,
                group=int(group[n]),
                agreement=_correlation(x[n][shared], others),
            )
        )
    return tuple(rows)


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    if len(a) < 3 or np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def places(scores: Mapping[Hashable, Fraction]) -> dict[Hashable, int]:
    """Competition ranks (1, 2, 2, 4) by score alone, without tie-breaks."""
    first: dict[Fraction, int] = {}
    for n, score in enumerate(sorted(scores.values(), reverse=True), start=1):
        first.setdefault(score, n)
    return {team: first[score] for team, score in scores.items()}


@dataclass(frozen=True)
class Shift:
    """A ranking under other circumstances: who would be in the top who is not, and the reverse.

    ``unranked`` have no score then. ``moved`` holds the teams whose rank differs, with both ranks.
    Ranks are by score alone; whoever has the rank ``top`` or better is in the top, be they more.
    """

    entering: tuple[Hashable, ...]
    leaving: tuple[Hashable, ...]
    unranked: tuple[Hashable, ...]
    moved: Mapping[Hashable, tuple[int, int]]

    @property
    def furthest(self) -> int:
        """The greatest number of places that any team moves."""
        return max((abs(new - old) for old, new in self.moved.values()), default=0)


def _shift(before: Mapping[Hashable, int], after: Mapping[Hashable, int], top: int) -> Shift:
    was = [team for team in before if before[team] <= top]
    now = [team for team in after if after[team] <= top]
    return Shift(
        entering=tuple(team for team in now if team not in set(was)),
        leaving=tuple(team for team in was if team not in set(now)),
        unranked=tuple(team for team in before if team not in after),
        moved={t: (before[t], after[t]) for t in before if t in after and before[t] != after[t]},
    )


def leave_one_judge_out(sheets: Sequence[Sheet], method: Method, top: int) -> dict[Hashable, Shift]:
    """For each judge, the ranking as it would be without all sheets of that judge."""
    field = Field(sheets)
    before = places(combine(sheets, method).scores)
    return {
        judge: _shift(
            before,
            places(combine([s for s in field.sheets if s.judge != judge], method).scores),
            top,
        )
        for judge in field.judges
    }


def other_methods(
    sheets: Sequence[Sheet], current: Method, others: Sequence[Method], top: int
) -> tuple[tuple[Method, Shift], ...]:
    """For each of the other methods, the ranking as it would be under it."""
    before = places(combine(sheets, current).scores)
    return tuple(
        (method, _shift(before, places(combine(sheets, method).scores), top)) for method in others
    )


@dataclass(frozen=True)
class RankInterval:
    """``rank`` as it is, its 95 % interval, and the share of draws in which the team is in the top.

    A team with one sheet is the same in every draw: its interval shows only what others do.
    """

    team: Hashable
    rank: int
    low: int
    high: int
    in_top: float
    sheets: int


@dataclass(frozen=True)
class Bootstrapped:
    intervals: tuple[RankInterval, ...]  # best rank first
    draws: int
    top: int


def bootstrap(
    sheets: Sequence[Sheet],
    method: Method,
    top: int,
    generator: np.random.Generator,
    draws: int = 2000,
) -> Bootstrapped:
    """Draw as many of each team's sheets as it has, with repetition, and rank again, many times.

    Says how far ranks hang on who happened to judge. Trimming, medians and weights are applied to
    what is drawn; where other sheets decide what a sheet counts as (z-scores, severity, places),
    it keeps what it counted as in the whole field. The same generator gives the same result.
    """
    combined = combine(sheets, method)
    field = Field(sheets)
    if not field.sheets:
        return Bootstrapped((), draws, top)
    by_count: dict[int, list[int]] = {}
    for n, given in enumerate(field.by_team.values()):
        by_count.setdefault(len(given), []).append(n)
    codes = sorted({code for s in field.sheets for code in s.parts}) or [""]
    blocks = []
    for count, positions in sorted(by_count.items()):
        of_block = [field.by_team[field.teams[n]] for n in positions]
        if method.per == "criterion":
            values = [[[s.parts.get(c, 0) for c in codes] for s in of] for of in of_block]
        else:
            values = [[[combined.sheets[s.key].value] for s in of] for of in of_block]
        weights = [[method.judge_weights.get(s.judge, 1) for s in of] for of in of_block]
        shape = len(positions), count, -1
        blocks.append(
            (
                np.array(positions),
                np.array(values, dtype=float).reshape(shape),
                np.array(weights, dtype=float) if method.judge_weights else None,
                _dropped(method, count),
            )
        )
    width = sum(block[1].size for block in blocks)
    step = max(1, AT_ONCE // width)
    ranks = np.empty((draws, len(field.teams)), dtype=np.int32)
    for begin in range(0, draws, step):
        size = min(step, draws - begin)
        scores = np.empty((size, len(field.teams)))
        for positions, values, weights, drop in blocks:
            scores[:, positions] = _drawn(values, weights, drop, size, generator)
        if method.per == "criterion":
            scores = scores.clip(0, 100)
        # Sums that are equal by the rules must tie, in whatever order they were added up.
        ranks[begin : begin + size] = rankdata(-np.round(scores, DECIMALS), method="min", axis=1)
    low, high = np.quantile(ranks, (0.025, 0.975), axis=0, method="inverted_cdf")
    inside = (ranks <= top).mean(axis=0)
    now = places(combined.scores)
    found = [
        RankInterval(
            team, now[team], int(low[n]), int(high[n]), float(inside[n]), len(field.by_team[team])
        )
        for n, team in enumerate(field.teams)
    ]
    return Bootstrapped(tuple(sorted(found, key=lambda row: row.rank)), draws, top)


def _dropped(method: Method, count: int) -> int:
    """How many of ``count`` drawn numbers are dropped at each end."""
    if method.name == "median":
        return (count - 1) // 2
    return droppable(count, method.trim) if method.name == "trimmed" else 0


def _drawn(
    values: np.ndarray,
    weights: np.ndarray | None,
    drop: int,
    size: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """``size`` scores of each team of a block: ``values`` is teams by sheets by criteria."""
    teams, count, _ = values.shape
    chosen = generator.integers(0, count, (size, teams, count), dtype=np.int32)
    each = np.arange(teams)[None, :, None]
    drawn = values[each, chosen]
    if weights is not None:
        given = weights[each, chosen]
        return (drawn[..., 0] * given).sum(axis=2) / given.sum(axis=2)
    if drop:
        drawn = np.sort(drawn, axis=2)[:, :, drop : count - drop]
    return drawn.mean(axis=2).sum(axis=2)
