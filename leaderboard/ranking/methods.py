"""How the sheets of a component become one score a team. Formulas, sources: docs/methods.md."""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from leaderboard.ranking import additive, ordinal, pairwise
from leaderboard.ranking.sheets import Field, Sheet

# Methods that need roots or a solver work in floats, rounded to this many decimals.
DECIMALS = 9
ZERO, HUNDRED = Fraction(0), Fraction(100)
# Methods by which a team's score depends on what its judges gave to others, and of these the ones
# whose score is no mean of anything.
COMPARING = frozenset(("zscore", "borda", "severity", "ordinal", "bradley_terry"))
MODELS = frozenset(("ordinal", "bradley_terry"))


@dataclass(frozen=True)
class Method:
    """One of ``METHODS`` and its settings.

    ``trim`` is for ``trimmed``: so many highest and so many lowest are dropped. ``per`` is for
    ``median`` and ``trimmed``: by ``total`` or by ``criterion``. ``judge_weights`` is for ``mean``:
    a judge who is not in it weighs 1. Raises ValueError for a setting that the method has not.
    """

    name: str
    trim: int = 1
    per: str = "total"
    judge_weights: Mapping[Hashable, Fraction] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.name not in METHODS:
            raise ValueError(f"unknown method: {self.name}")
        if self.trim < 1:
            raise ValueError("trim must be 1 or more")
        if self.per not in ("total", "criterion"):
            raise ValueError(f"neither per total nor per criterion: {self.per}")
        if self.per == "criterion" and self.name not in ("median", "trimmed"):
            raise ValueError(f"{self.name} has no criteria of its own")
        if self.judge_weights and self.name != "mean":
            raise ValueError(f"{self.name} has no weights of judges")
        if any(weight <= 0 for weight in self.judge_weights.values()):
            raise ValueError("weights must be positive")


@dataclass(frozen=True)
class SheetEffect:
    """What a sheet counted as (as a rule 0–100), and whether it, or parts of it, were dropped."""

    value: Fraction
    dropped: bool = False
    dropped_parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """What organizers should know of a result.

    ``nothing_trimmed``, ``trimmed_less``: teams with too few sheets to drop any, or all that the
    method says. ``single_sheet_judge``: has scored one team, which tells nothing of the judge.
    ``flat_judge``: gave everybody the same. ``disconnected``: one note a group; teams of different
    groups have no judges in common, not even through others. ``clamped``: the score would have left
    0–100. ``not_converged``: the solver did not come to an end.
    """

    code: str
    judges: tuple[Hashable, ...] = ()
    teams: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class Combined:
    """Scores of 0–100 by team, what each sheet counted as by its key, and notes.

    ``severity`` (only by that method) is how many points a judge is stricter than all of the group.
    """

    scores: Mapping[Hashable, Fraction]
    sheets: Mapping[Hashable, SheetEffect]
    notes: tuple[Note, ...] = ()
    severity: Mapping[Hashable, Fraction] = dataclasses.field(default_factory=dict)


def combine(sheets: Sequence[Sheet], method: Method) -> Combined:
    """The scores of all teams that have a sheet. A sheet that is not given has no influence.

    Raises ValueError where a judge has two sheets for a team.
    """
    field = Field(sheets)
    return METHODS[method.name](field, method) if field.sheets else Combined({}, {})


def droppable(count: int, trim: int) -> int:
    """How many of ``count`` scores a trimmed mean drops at each end: up to ``trim``, and never so
    many that fewer than two are left."""
    return max(0, min(trim, (count - 2) // 2))


def _mean(field: Field, method: Method) -> Combined:
    weights = method.judge_weights
    scores = {}
    for team, sheets in field.by_team.items():
        if weights:
            given = [Fraction(weights.get(sheet.judge, 1)) for sheet in sheets]
            weighted = (w * sheet.total for w, sheet in zip(given, sheets, strict=True))
            scores[team] = sum(weighted, ZERO) / sum(given)
        else:
            scores[team] = _average([sheet.total for sheet in sheets])
    return Combined(scores, _as_given(field))


def _trimmed(field: Field, method: Method) -> Combined:
    def drop(count: int) -> int:
        return droppable(count, method.trim)

    combined = _without_extremes(field, method, drop)
    least = {team: drop(len(sheets)) for team, sheets in field.by_team.items()}
    notes = [
        Note("nothing_trimmed", teams=tuple(team for team, n in least.items() if not n)),
        Note("trimmed_less", teams=tuple(t for t, n in least.items() if 0 < n < method.trim)),
    ]
    notes = tuple(note for note in notes if note.teams)
    return Combined(combined.scores, combined.sheets, notes + combined.notes)


def _median(field: Field, method: Method) -> Combined:
    """The mean of what is left when all but the middle one or two are dropped; no sheet is shown
    as dropped, since each says on which side of the middle it is."""
    combined = _without_extremes(field, method, lambda count: (count - 1) // 2)
    return Combined(combined.scores, _as_given(field), combined.notes)


def _without_extremes(field: Field, method: Method, drop: Callable[[int], int]) -> Combined:
    scores, effects, clamped = {}, {}, []
    for team, sheets in field.by_team.items():
        count, n = len(sheets), drop(len(sheets))
        if method.per == "total":
            columns = {"": [sheet.total for sheet in sheets]}
        else:
            codes = dict.fromkeys(code for sheet in sheets for code in sorted(sheet.parts))
            columns = {c: [sheet.parts.get(c, ZERO) for sheet in sheets] for c in codes}
        score, dropped = ZERO, [[] for _ in sheets]
        for code, column in columns.items():
            numbers, unit = _integers(column)
            # Of equal ones the first in the order of the judges' names is dropped as lowest, the
            # last as highest; it makes no difference to the score.
            order = sorted(range(count), key=numbers.__getitem__)
            score += Fraction(sum(numbers[m] for m in order[n : count - n]), unit * (count - 2 * n))
            for m in order[:n] + order[count - n :]:
                dropped[m].append(code)
        scores[team] = _kept(score)
        if scores[team] != score:
            clamped.append(team)
        for sheet, codes in zip(sheets, dropped, strict=True):
            parts = tuple(codes) if method.per == "criterion" else ()
            effects[sheet.key] = SheetEffect(sheet.total, len(codes) == len(columns), parts)
    notes = (Note("clamped", teams=tuple(clamped)),) if clamped else ()
    return Combined(scores, effects, notes)


def _zscore(field: Field, method: Method) -> Combined:
    totals, judge_of, team_of = field.totals, field.judge_of, field.team_of
    count = np.bincount(judge_of)
    off = totals - (np.bincount(judge_of, totals) / count)[judge_of]
    spread = np.sqrt(np.bincount(judge_of, off**2) / count)
    # Whether a judge is flat is asked of the exact totals; floats might see a spread in rounding.
    flat = np.array([_is_flat(sheets) for sheets in field.by_judge.values()])
    z = np.where(flat[judge_of], 0.0, off / np.where(flat, 1.0, spread)[judge_of])
    values = totals.mean() + totals.std() * z
    means = np.bincount(team_of, values) / np.bincount(team_of)
    return _rounded(field, means, values, _uninformative(field))


def _borda(field: Field, method: Method) -> Combined:
    """A judge's worst team gets 0, the best 100, the others in even steps, equals the middle of
    their places; a judge with one team gives 50."""
    points = {}
    for sheets in field.by_judge.values():
        codes = _codes(sheets)
        equal = np.bincount(codes)
        twice_places = (2 * np.cumsum(equal) - equal + 1)[codes]  # counted from the worst
        for sheet, twice in zip(sheets, twice_places.tolist(), strict=True):
            points[sheet.key] = (
                Fraction(100 * (twice - 2), 2 * (len(sheets) - 1))
                if len(sheets) > 1
                else Fraction(50)
            )
    scores = {}
    for team, sheets in field.by_team.items():
        scores[team] = _average([points[sheet.key] for sheet in sheets])
    effects = {sheet.key: SheetEffect(points[sheet.key]) for sheet in field.sheets}
    return Combined(scores, effects, _uninformative(field))


def _severity(field: Field, method: Method) -> Combined:
    """By group: exact where every judge has seen every team, by least squares elsewhere."""
    team_of, judge_of = field.team_of, field.judge_of
    strict = additive.severities(team_of, judge_of, field.totals)
    values = field.totals + strict[judge_of]
    means = np.bincount(team_of, values) / np.bincount(team_of)
    notes = tuple(n for n in _uninformative(field) if n.code == "single_sheet_judge")
    found = _rounded(field, means, values, notes + _disconnected(field))
    severity = dict(zip(field.judges, _fractions(strict), strict=True))
    scores, effects = dict(found.scores), dict(found.sheets)
    crossed = additive.is_crossed(team_of, judge_of)
    of_team, of_judge = additive.groups(team_of, judge_of)
    exactly: dict[int, list[Fraction]] = {}
    for team, group in zip(field.teams, of_team.tolist(), strict=True):
        if crossed[group]:
            totals = [sheet.total for sheet in field.by_team[team]]
            scores[team] = _average(totals)
            exactly.setdefault(group, []).extend(totals)
    grand = {group: _average(totals) for group, totals in exactly.items()}
    for judge, group in zip(field.judges, of_judge.tolist(), strict=True):
        if crossed[group]:
            sheets = field.by_judge[judge]
            severity[judge] = grand[group] - _average([sheet.total for sheet in sheets])
            for sheet in sheets:
                effects[sheet.key] = SheetEffect(sheet.total + severity[judge])
    return Combined(scores, effects, found.notes, severity)


def _ordinal(field: Field, method: Method) -> Combined:
    """What a judge of mean severity is expected to give; a sheet counts as its category's mean."""
    notes = _uninformative(field) + _disconnected(field)
    codes = ordinal.categories(field.totals)
    worth = np.bincount(codes, field.totals) / np.bincount(codes)
    if len(worth) == 1:
        scores = np.full(len(field.teams), worth[0])
    else:
        found = ordinal.fit(field.team_of, field.judge_of, codes, pairwise.RIDGE)
        scores = ordinal.expected(found, worth)
        notes += () if found.converged else (Note("not_converged"),)
    return _rounded(field, scores, worth[codes], notes)


def _bradley_terry(field: Field, method: Method) -> Combined:
    """The chance in a hundred to be placed before a team of mean strength. A sheet counts as the
    share of the judge's other sheets that it beats."""
    teams = {team: n for n, team in enumerate(field.teams)}
    winners, losers, shares = [], [], []
    for sheets in field.by_judge.values():
        codes = _codes(sheets)
        places = np.array([teams[sheet.team] for sheet in sheets])
        winner, loser = np.nonzero(codes[:, None] >= codes[None, :])
        apart = winner != loser
        winner, loser = winner[apart], loser[apart]
        shares.append(np.where(codes[winner] == codes[loser], 0.5, 1.0))
        winners.append(places[winner])
        losers.append(places[loser])
    pairs = np.concatenate(winners), np.concatenate(losers)
    wins = csr_array((np.concatenate(shares), pairs), shape=(len(teams), len(teams)))
    logits, converged = pairwise.fit(wins, pairwise.RIDGE)
    notes = _uninformative(field) + _disconnected(field)
    notes += () if converged else (Note("not_converged"),)
    scores = dict(zip(field.teams, _fractions(100 * expit(logits)), strict=True))
    return Combined(scores, _borda(field, method).sheets, notes)


METHODS: dict[str, Callable[[Field, Method], Combined]] = {
    "mean": _mean,
    "median": _median,
    "trimmed": _trimmed,
    "zscore": _zscore,
    "borda": _borda,
    "severity": _severity,
    "ordinal": _ordinal,
    "bradley_terry": _bradley_terry,
}


def _integers(values: Iterable[Fraction]) -> tuple[list[int], int]:
    """The values as whole multiples of 1/unit, and the unit: integers add and compare fast."""
    values = [Fraction(value) for value in values]
    unit = lcm(*(value.denominator for value in values))
    return [value.numerator * (unit // value.denominator) for value in values], unit


def _codes(sheets: Sequence[Sheet]) -> np.ndarray:
    """Whole numbers in the order of the totals, equal for equal ones."""
    numbers, _ = _integers(sheet.total for sheet in sheets)
    codes = {number: n for n, number in enumerate(sorted(set(numbers)))}
    return np.array([codes[number] for number in numbers])


def _average(values: Sequence[Fraction]) -> Fraction:
    numbers, unit = _integers(values)
    return Fraction(sum(numbers), unit * len(numbers))


def _kept(score: Fraction) -> Fraction:
    return min(max(score, ZERO), HUNDRED)


def _fractions(numbers: np.ndarray) -> list[Fraction]:
    unit = 10**DECIMALS
    return [Fraction(number, unit) for number in np.rint(numbers * unit).astype(int).tolist()]


def _rounded(
    field: Field, scores: np.ndarray, values: np.ndarray, notes: tuple[Note, ...]
) -> Combined:
    exact = dict(zip(field.teams, _fractions(scores), strict=True))
    outside = tuple(team for team, score in exact.items() if _kept(score) != score)
    effects = {
        sheet.key: SheetEffect(value)
        for sheet, value in zip(field.sheets, _fractions(values), strict=True)
    }
    if outside:
        notes += (Note("clamped", teams=outside),)
    return Combined({team: _kept(score) for team, score in exact.items()}, effects, notes)


def _as_given(field: Field) -> dict[Hashable, SheetEffect]:
    return {sheet.key: SheetEffect(sheet.total) for sheet in field.sheets}


def _is_flat(sheets: Sequence[Sheet]) -> bool:
    return all(sheet.total == sheets[0].total for sheet in sheets)


def _uninformative(field: Field) -> tuple[Note, ...]:
    """Judges whose sheets tell nothing of who is better."""
    single = tuple(judge for judge, sheets in field.by_judge.items() if len(sheets) == 1)
    flat = tuple(j for j, sheets in field.by_judge.items() if len(sheets) > 1 and _is_flat(sheets))
    notes = (Note("single_sheet_judge", judges=single), Note("flat_judge", judges=flat))
    return tuple(note for note in notes if note.judges)


def _disconnected(field: Field) -> tuple[Note, ...]:
    of_team, of_judge = additive.groups(field.team_of, field.judge_of)
    count = int(of_team.max()) + 1
    if count == 1:
        return ()
    judges, teams = [[] for _ in range(count)], [[] for _ in range(count)]
    for judge, group in zip(field.judges, of_judge.tolist(), strict=True):
        judges[group].append(judge)
    for team, group in zip(field.teams, of_team.tolist(), strict=True):
        teams[group].append(team)
    groups = zip(judges, teams, strict=True)
    return tuple(Note("disconnected", tuple(js), tuple(ts)) for js, ts in groups)
