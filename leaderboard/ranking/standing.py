"""Totals, tie-breaks and competition ranks."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import pandas as pd


@dataclass(frozen=True)
class Contender:
    """A team with its component scores (0–100, or None where it has none yet).

    ``tie_breaks`` holds numbers that are better the higher they are, in the order in which they
    are asked; None is lower than any number.
    """

    key: Hashable
    scores: Mapping[str, Fraction | None]
    tie_breaks: tuple[Fraction | None, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A place in the ranking; ``rank`` is None for a team that lacks a component."""

    key: Hashable
    rank: int | None
    total: Fraction | None
    missing: tuple[str, ...] = ()
    # How many tie-breaks were needed to part this team from the others of its total; 0 if none.
    tie_breaks_used: int = 0
    shared: bool = field(default=False)


def total(
    scores: Mapping[str, Fraction | None], weights: Mapping[str, Fraction]
) -> Fraction | None:
    """Weighted mean of the components, Σ w·s / Σ w; None if one is missing."""
    if any(scores.get(name) is None for name in weights):
        return None
    return sum((weights[name] * scores[name] for name in weights), Fraction(0)) / sum(
        weights.values()
    )


def rank(contenders: Sequence[Contender], weights: Mapping[str, Fraction]) -> list[Placed]:
    """Rank by total, then tie-breaks; equals share a rank and the next is skipped: 1, 2, 2, 4.

    Returns the placed first, best first; equals and the unranked in the order of ``str(key)``, so
    that the list depends on nothing but its input. ``weights`` must be positive; only their
    proportions count. Raises ValueError otherwise.
    """
    if not weights or any(weight <= 0 for weight in weights.values()):
        raise ValueError("weights must be positive")
    contenders = sorted(contenders, key=lambda contender: str(contender.key))
    totals = [total(contender.scores, weights) for contender in contenders]
    ranked = [n for n, value in enumerate(totals) if value is not None]
    # Comparing Fractions is dear; each column becomes dense integer codes once, then pandas ranks.
    columns = [_codes([totals[n] for n in ranked])]
    depth = max((len(contenders[n].tie_breaks) for n in ranked), default=0)
    for level in range(depth):
        columns.append(_codes([_at(contenders[n].tie_breaks, level) for n in ranked]))
    frame = pd.DataFrame(dict(enumerate(columns)), index=ranked)
    levels = list(frame.columns)
    order = frame.sort_values(levels, ascending=False, kind="stable")
    groups = order.groupby(levels, sort=False).ngroup()
    size = groups.map(groups.value_counts())
    first = groups.drop_duplicates().index
    ranks = (
        pd.Series(range(1, len(order) + 1), index=order.index)
        .where(order.index.isin(first))
        .ffill()
        .astype(int)
    )
    placed = [
        Placed(
            key=contenders[n].key,
            rank=int(ranks[n]),
            total=totals[n],
            tie_breaks_used=used,
            shared=bool(size[n] > 1),
        )
        for n, used in zip(order.index, _tie_breaks_used(order.to_numpy()), strict=True)
    ]
    for contender, value in zip(contenders, totals, strict=True):
        if value is None:
            missing = tuple(name for name in weights if contender.scores.get(name) is None)
            placed.append(Placed(contender.key, None, None, missing))
    return placed


def _at(values: tuple, level: int):
    return values[level] if level < len(values) else None


def _codes(values: Sequence[Fraction | None]) -> list[int]:
    """Dense integers in the order of the values; None is -1, below all."""
    codes = {value: n for n, value in enumerate(sorted({v for v in values if v is not None}))}
    return [-1 if value is None else codes[value] for value in values]


def _tie_breaks_used(rows) -> list[int]:
    """For each row of the sorted codes, how many columns beyond the total part it from its
    neighbours of the same total; all of them if nothing does."""
    used = [0] * len(rows)
    for n in range(len(rows) - 1):
        if rows[n][0] != rows[n + 1][0]:
            continue
        differs = [
            level for level in range(1, len(rows[n])) if rows[n][level] != rows[n + 1][level]
        ]
        needed = differs[0] if differs else len(rows[n]) - 1
        used[n], used[n + 1] = max(used[n], needed), max(used[n + 1], needed)
    return used
