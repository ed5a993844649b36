"""Totals, tie-breaks and competition ranks."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pandas as pd

from contest.numbers import round_half_up

# As which a total that is below its minimum is named; no component is called so.
TOTAL = "total"


@dataclass(frozen=True)
class Contender:
    """A team with its component scores (0–100, or None where it has none yet).

    ``tie_breaks`` holds numbers that are better the higher they are, in the order in which they
    are asked; None is lower than any number. Who is not eligible has a total and no rank.
    """

    key: Hashable
    scores: Mapping[str, Fraction | None]
    tie_breaks: tuple[Fraction | None, ...] = ()
    is_eligible: bool = True


@dataclass(frozen=True)
class Terms:
    """What the rules ask of scores beyond their weights.

    ``places``: the decimals to which totals are rounded, half up, before anything is compared;
    None: nothing is rounded. ``rounds_components``: so are the component scores, before they are
    added up. ``minimums`` by component and ``minimum_total``, 0–100, are compared with what is
    rounded so; whoever is below one of them has no rank.
    """

    places: int | None = None
    rounds_components: bool = False
    minimums: Mapping[str, Fraction] = field(default_factory=dict)
    minimum_total: Fraction | None = None

    def score(self, value: Fraction | None) -> Fraction | None:
        """A component's score as it is added up."""
        return self.rounded(value) if self.rounds_components else value

    def total(
        self, scores: Mapping[str, Fraction | None], weights: Mapping[str, Fraction]
    ) -> Fraction | None:
        """Weighted mean of the components, Σ w·s / Σ w; None if one is missing."""
        if any(scores.get(name) is None for name in weights):
            return None
        added = sum((weights[name] * self.score(scores[name]) for name in weights), Fraction(0))
        return self.rounded(added / sum(weights.values()))

    def below(
        self, scores: Mapping[str, Fraction | None], total: Fraction | None
    ) -> tuple[str, ...]:
        """The components, and ``TOTAL``, that are there and do not come to their minimum."""
        found = [
            name
            for name, least in self.minimums.items()
            if scores.get(name) is not None and self.score(scores[name]) < least
        ]
        if self.minimum_total is not None and total is not None and total < self.minimum_total:
            found.append(TOTAL)
        return tuple(found)

    def rounded(self, value: Fraction | None) -> Fraction | None:
        """A total as it is compared."""
        if value is None or self.places is None:
            return value
        return Fraction(round_half_up(value, self.places))


EXACT = Terms()


@dataclass(frozen=True)
class Placed:
    """A place in the ranking; ``rank`` is None for a team that lacks a component, is below a
    minimum or not eligible."""

    key: Hashable
    rank: int | None
    total: Fraction | None
    missing: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    # How many tie-breaks were needed to part this team from the others of its total; 0 if none.
    tie_breaks_used: int = 0
    shared: bool = field(default=False)


def rank(
    contenders: Sequence[Contender], weights: Mapping[str, Fraction], terms: Terms = EXACT
) -> list[Placed]:
    """Rank by total, then tie-breaks; equals share a rank and the next is skipped: 1, 2, 2, 4.

    Returns the placed first, best first, then the unranked, those with the higher totals first.
    Equals are in the order of ``str(key)``, so that the list depends on nothing but its input.
    ``weights`` must be positive; only their proportions count. Raises ValueError otherwise.
    """
    if not weights or any(weight <= 0 for weight in weights.values()):
        raise ValueError("weights must be positive")
    contenders = sorted(contenders, key=lambda contender: str(contender.key))
    totals = [terms.total(contender.scores, weights) for contender in contenders]
    below = [terms.below(c.scores, total) for c, total in zip(contenders, totals, strict=True)]
    ranked = [
        n
        for n, contender in enumerate(contenders)
        if totals[n] is not None and not below[n] and contender.is_eligible
    ]
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
    unranked = sorted(
        set(range(len(contenders))) - set(ranked),
        key=lambda n: (totals[n] is None, -(totals[n] or 0), n),
    )
    for n in unranked:
        missing = tuple(name for name in weights if contenders[n].scores.get(name) is None)
        placed.append(Placed(contenders[n].key, None, totals[n], missing, below[n]))
    return placed


def part(
    contenders: Sequence[Contender],
    weights: Mapping[str, Fraction],
    level: int,
    decide: Callable[[list[Hashable]], Mapping[Hashable, Fraction]],
    terms: Terms = EXACT,
) -> list[Contender]:
    """The contenders with what a tie-break says that depends on who is tied.

    ``decide`` is asked about each group of two or more that would be ranked and that nothing before
    ``level`` (counted from 0) has parted, in the order of ``str(key)``, and gives numbers that are
    better the higher they are; whom it does not name has none.
    """
    tied: dict[tuple, list[Hashable]] = {}
    for contender in sorted(contenders, key=lambda contender: str(contender.key)):
        total = terms.total(contender.scores, weights)
        if total is None or not contender.is_eligible or terms.below(contender.scores, total):
            continue
        tied.setdefault((total, contender.tie_breaks[:level]), []).append(contender.key)
    said: dict[Hashable, Fraction] = {}
    for keys in tied.values():
        if len(keys) > 1:
            said.update(decide(keys))
    return [
        replace(
            contender,
            tie_breaks=(
                *contender.tie_breaks[:level],
                said[contender.key],
                *contender.tie_breaks[level + 1 :],
            ),
        )
        if contender.key in said
        else contender
        for contender in contenders
    ]


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
