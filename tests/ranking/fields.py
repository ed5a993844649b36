"""Fields of sheets to try the mathematics on, written as tables of teams by judges."""

from fractions import Fraction as F

from hypothesis import strategies as st

from leaderboard.ranking import Method, Sheet
from leaderboard.ranking.methods import METHODS

EVERY = [Method(name) for name in METHODS] + [
    Method("trimmed", trim=2),
    Method("trimmed", per="criterion"),
    Method("median", per="criterion"),
    Method("mean", judge_weights={"j0": F(3), "j1": F(1, 2)}),
]
# Nothing that one team gets changes what another's sheets count as, or it is proven in
# docs/methods.md that raising a mark never lowers the team all the same.
MONOTONE = [method for method in EVERY if method.name not in ("zscore", "ordinal")]


def label(method: Method) -> str:
    weights = "-weighted" if method.judge_weights else ""
    return f"{method.name}-{method.trim}-{method.per}{weights}"


def sheet(team: str, judge: str, *points) -> Sheet:
    """A sheet whose criteria a, b, … contribute the points."""
    parts = {chr(ord("a") + n): F(value) for n, value in enumerate(points)}
    total = min(max(sum(parts.values(), F(0)), F(0)), F(100))
    return Sheet(f"{team}/{judge}", team, judge, total, parts)


def field(*rows) -> list[Sheet]:
    """Teams t0, t1, … in rows, judges j0, j1, … in columns; None where no sheet is."""
    return [
        sheet(f"t{t}", f"j{j}", *(total if isinstance(total, tuple) else (total,)))
        for t, row in enumerate(rows)
        for j, total in enumerate(row)
        if total is not None
    ]


def tables(low: int = 0, high: int = 50, gaps: bool = True):
    """Tables of two criteria a sheet, in halves of a point, with gaps."""
    mark = st.integers(2 * low, 2 * high).map(lambda n: F(n, 2))
    given = st.tuples(mark, mark)
    cell = st.one_of(given, given, given, st.none()) if gaps else given

    def table(size):
        teams, judges = size
        row = st.lists(cell, min_size=judges, max_size=judges)
        return st.lists(row, min_size=teams, max_size=teams)

    return st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(table)
