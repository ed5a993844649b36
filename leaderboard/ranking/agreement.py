"""How far judges agree: coefficients on a table of judges (rows) by teams, NaN where none scored.

Written out from the published formulas on numpy and scipy; the tests compare them with the
published tables and with pingouin, scipy and krippendorff. Words about them are made elsewhere:
``reason`` is a code where a coefficient, or part of it, cannot be had.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, f, rankdata

from leaderboard.ranking.sheets import Sheet

CONFIDENCE = 0.95


def table(sheets: Sequence[Sheet]) -> pd.DataFrame:
    """Totals as floats, a judge a row, a team a column, both in the order of their names."""
    judges = sorted({sheet.judge for sheet in sheets}, key=str)
    teams = sorted({sheet.team for sheet in sheets}, key=str)
    rows = {judge: n for n, judge in enumerate(judges)}
    columns = {team: n for n, team in enumerate(teams)}
    totals = np.full((len(judges), len(teams)), np.nan)
    for sheet in sheets:
        totals[rows[sheet.judge], columns[sheet.team]] = float(sheet.total)
    return pd.DataFrame(
        totals, index=pd.Index(judges, dtype=object), columns=pd.Index(teams, dtype=object)
    )


def complete_part(table: pd.DataFrame) -> pd.DataFrame:
    """The part of the table in which nobody's sheet is missing.

    All judges are taken with the teams that all of them scored; then judges are left out one by
    one, whoever lacks most sheets first (of equals the last). Of the complete parts so met, with
    two judges or more, the one with most sheets; of equals the one with most judges.
    """
    present = table.notna()
    rest = list(present.sum(axis=1).sort_values(ascending=False, kind="stable").index)
    best = table.iloc[:0, :0]
    while len(rest) >= 2:
        shared = present.columns[present.loc[rest].all(axis=0)]
        if len(rest) * len(shared) > best.size:
            best = table.loc[[judge for judge in table.index if judge in set(rest)], shared]
        rest.pop()
    return best


@dataclass(frozen=True)
class IccForm:
    """One form of the intraclass correlation and its 95 % interval.

    ``name``: ICC(1,·) each team by other judges, ICC(2,·) judges drawn from many, ICC(3,·) these
    judges and no others; (·,1) of a single judge, (·,k) of the mean of the k.
    """

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Icc:
    """Six forms, two, or none. ``reason``: ``one_way_only`` (panels differ; the two forms of case
    1, over the teams with as many sheets as most teams have), ``too_few``, ``no_variance``."""

    forms: tuple[IccForm, ...]
    judges: int  # a team, where panels differ
    teams: int
    left_out: int  # sheets
    reason: str = ""


def icc(table: pd.DataFrame) -> Icc:
    """Intraclass correlations of Shrout and Fleiss (1979), on the complete part of the table.

    Where that holds less than half of all sheets, panels differ by design: then only case 1 fits.
    """
    sheets = int(table.notna().to_numpy().sum())
    part = complete_part(table)
    if 2 * part.size >= sheets and min(part.shape, default=0) >= 2:
        forms = _icc_forms(part.to_numpy().T)
        reason = "" if forms else "no_variance"
        return Icc(forms, part.shape[0], part.shape[1], sheets - part.size, reason)
    counts = table.notna().sum(axis=0)
    often = counts[counts >= 2].value_counts()
    if often.empty:
        return Icc((), 0, 0, sheets, "too_few")
    k = int(often[often == often.max()].index.max())
    ratings = table.loc[:, counts == k].to_numpy().T
    ratings = ratings[~np.isnan(ratings)].reshape(-1, k)
    if len(ratings) < 2:
        return Icc((), 0, 0, sheets, "too_few")
    forms = _icc_forms(ratings)[:2]
    reason = "one_way_only" if forms else "no_variance"
    return Icc(forms, k, len(ratings), sheets - ratings.size, reason)


def _icc_forms(x: np.ndarray) -> tuple[IccForm, ...]:
    """``x`` teams by judges; case 1 first. Empty if all numbers are equal."""
    n, k = x.shape
    if np.ptp(x) == 0:
        return ()
    grand, rows, columns = x.mean(), x.mean(axis=1), x.mean(axis=0)
    between = k * ((rows - grand) ** 2).sum() / (n - 1)
    within = ((x - rows[:, None]) ** 2).sum() / (n * (k - 1))
    judges = n * ((columns - grand) ** 2).sum() / (k - 1)
    residual = ((x - rows[:, None] - columns + grand) ** 2).sum() / ((n - 1) * (k - 1))
    # What floats leave of an exact zero must not pass for a variance.
    tiny = 1e-20 * max(1.0, np.abs(x).max()) ** 2
    between, within, judges, residual = (
        0.0 if square < tiny else float(square) for square in (between, within, judges, residual)
    )
    tail = (1 - CONFIDENCE) / 2
    dof = (n - 1) * (k - 1)
    one = _by_ratio("1", between, within, k, n - 1, n * (k - 1))
    three = _by_ratio("3", between, residual, k, n - 1, dof)
    whole = between + (k - 1) * residual + k * (judges - residual) / n
    single = _over(between - residual, whole)
    mean = _over(between - residual, between + (judges - residual) / n)
    # Satterthwaite's degrees of freedom, with residual/residual left out of the fraction.
    a = k * single * judges
    b = residual * (n * (1 + (k - 1) * single) - k * single)
    low = high = single
    if a or b:
        v = dof * (a + b) ** 2 / ((n - 1) * a**2 + b**2)
        upper, lower = float(f.isf(tail, n - 1, v)), float(f.isf(tail, v, n - 1))
        noise = k * judges + (k * n - k - n) * residual
        low = _over(n * (between - upper * residual), upper * noise + n * between)
        high = _over(n * (lower * between - residual), noise + n * lower * between)
    two = (
        IccForm("ICC(2,1)", single, low, high),
        IccForm("ICC(2,k)", mean, _stepped_up(low, k), _stepped_up(high, k)),
    )
    return (*one, *two, *three)


def _by_ratio(case: str, between: float, error: float, k: int, df: int, df_error: int):
    """Cases 1 and 3: (F − 1)/(F + k − 1) and 1 − 1/F, of F and of both ends of its interval."""
    tail = (1 - CONFIDENCE) / 2
    factors = 1.0, 1 / f.isf(tail, df, df_error), f.isf(tail, df_error, df)
    single = [_over(c * between - error, c * between + (k - 1) * error) for c in factors]
    mean = [_over(c * between - error, c * between) for c in factors]
    return IccForm(f"ICC({case},1)", *single), IccForm(f"ICC({case},k)", *mean)


def _over(a: float, b: float) -> float:
    if b == 0:
        return float("nan") if a == 0 else float("-inf")
    return float(a / b)


def _stepped_up(value: float, k: int) -> float:
    return _over(k * value, 1 + (k - 1) * value)


@dataclass(frozen=True)
class Kendall:
    """Kendall's W with the test against no agreement at all. ``reason``: ``incomplete`` (the
    complete part holds less than half of all sheets), ``too_few``, ``no_variance``."""

    w: float | None
    chi_square: float | None
    df: int
    p: float | None
    judges: int
    teams: int
    left_out: int
    reason: str = ""


def kendall_w(table: pd.DataFrame) -> Kendall:
    """W = 12·S / (m²(n³ − n) − m·ΣT), T = Σ(t³ − t) over each judge's ties; χ² = m(n − 1)W.

    On the complete part of the table, as ``icc``.
    """
    sheets = int(table.notna().to_numpy().sum())
    part = complete_part(table)
    m, n = part.shape
    if min(m, n) < 2 or 2 * part.size < sheets:
        reason = "incomplete" if 2 * part.size < sheets and min(table.shape) >= 2 else "too_few"
        return Kendall(None, None, 0, None, 0, 0, sheets, reason)
    ranks = rankdata(part.to_numpy(), axis=1)
    ties = sum((times**3 - times).sum() for times in map(_times_each, ranks))
    scale = m**2 * (n**3 - n) - m * ties
    left_out = sheets - part.size
    if scale == 0:
        return Kendall(None, None, n - 1, None, m, n, left_out, "no_variance")
    w = float(12 * ((ranks.sum(axis=0) - m * (n + 1) / 2) ** 2).sum() / scale)
    statistic = m * (n - 1) * w
    return Kendall(w, statistic, n - 1, float(chi2.sf(statistic, n - 1)), m, n, left_out)


def _times_each(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_counts=True)[1].astype(object)


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha over the teams with two sheets or more. ``reason``: ``too_few``,
    ``no_variance``."""

    value: float | None
    level: str
    teams: int
    sheets: int
    reason: str = ""


def krippendorff_alpha(table: pd.DataFrame, level: str = "interval") -> Alpha:
    """α = 1 − observed / expected disagreement, of ``interval`` or ``ordinal`` numbers.

    Takes tables with gaps. The ordinal difference of two values is that of their mid-ranks among
    all values that can be paired, so that both levels are sums of squares, at any size.
    """
    if level not in ("interval", "ordinal"):
        raise ValueError(f"neither interval nor ordinal: {level}")
    values = table.to_numpy().T
    values = values[(~np.isnan(values)).sum(axis=1) >= 2]
    given = ~np.isnan(values)
    team = np.nonzero(given)[0]
    x = values[given]
    counts = np.bincount(team)
    if not len(x):
        return Alpha(None, level, 0, 0, "too_few")
    if np.ptp(x) == 0:
        return Alpha(None, level, len(values), len(x), "no_variance")
    if level == "ordinal":
        x = rankdata(x)
    x = x - x.mean()
    off = x - (np.bincount(team, x) / counts)[team]
    observed = (np.bincount(team, off**2) * counts / (counts - 1)).sum() / len(x)
    expected = (x**2).sum() / (len(x) - 1)
    return Alpha(float(1 - observed / expected), level, len(values), len(x))
