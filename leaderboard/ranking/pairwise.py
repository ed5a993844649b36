"""Bradley–Terry: strengths from comparisons of two."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import cg
from scipy.special import expit, log_expit

from leaderboard.ranking.newton import climb

# Variance 10 of the strengths before anything is known: it takes next to nothing from a team that
# has been compared often, and keeps one finite that has won, or lost, every time.
RIDGE = 0.1


@dataclass(frozen=True)
class Comparison:
    """``first`` against ``second``: ``share`` is 1 where the first won, 0 where the second did,
    1/2 for a tie; ``count`` is how often it came out so."""

    first: Hashable
    second: Hashable
    share: float = 1.0
    count: float = 1.0


@dataclass(frozen=True)
class Strengths:
    """``logits``: log(p / (1 − p)) of a win is the difference of two; their mean is 0 in a group.

    Teams of different ``groups`` were never compared, nor was any chain of others between them.
    """

    logits: Mapping[Hashable, float]
    groups: tuple[tuple[Hashable, ...], ...]
    converged: bool


def bradley_terry(comparisons: Iterable[Comparison], ridge: float = RIDGE) -> Strengths:
    """Strengths by greatest likelihood, with a normal prior of variance 1/ridge (0: none).

    A tie counts as half a win for each. Without a prior finite strengths exist only if, inside each
    group, nobody beats some others always (Ford 1957); raises ValueError otherwise.
    """
    comparisons = list(comparisons)
    names = sorted({name for c in comparisons for name in (c.first, c.second)}, key=str)
    positions = {name: n for n, name in enumerate(names)}
    if not names:
        return Strengths({}, (), True)
    first, second, won, lost = [], [], [], []
    for c in comparisons:
        if not 0 <= c.share <= 1 or c.count <= 0 or c.first == c.second:
            raise ValueError("not a comparison of two")
        first.append(positions[c.first])
        second.append(positions[c.second])
        won.append(c.share * c.count)
        lost.append((1 - c.share) * c.count)
    wins = csr_array((won + lost, (first + second, second + first)), shape=(len(names),) * 2)
    logits, converged = fit(wins, ridge)
    count, labels = connected_components(wins, directed=False)
    members = tuple(
        tuple(names[n] for n in np.flatnonzero(labels == label)) for label in range(count)
    )
    return Strengths(dict(zip(names, logits.tolist(), strict=True)), members, converged)


def fit(wins: csr_array, ridge: float) -> tuple[np.ndarray, bool]:
    """Strengths from ``wins[i, j]``, how often i beat j, and whether the search came to an end."""
    wins = csr_array(wins)
    wins.sum_duplicates()
    wins.eliminate_zeros()
    count, weak = connected_components(wins, directed=False)
    if ridge <= 0 and connected_components(wins, directed=True, connection="strong")[0] > count:
        raise ValueError("no finite strengths: some are always beaten by others")
    played = (wins + wins.T).tocoo()
    rows, columns, often = played.row, played.col, played.data
    victories = wins.sum(axis=1)
    won = wins.tocoo()
    size = np.bincount(weak)

    def chances(strength):
        return expit(strength[rows] - strength[columns])

    def value(strength):
        gained = won.data @ log_expit(strength[won.row] - strength[won.col])
        return float(gained - ridge / 2 * strength @ strength)

    def direction(strength):
        p = chances(strength)
        expected = np.bincount(rows, often * p, len(strength))
        gradient = victories - expected - ridge * strength
        weight = often * p * (1 - p)
        own = np.bincount(rows, weight, len(strength)) + ridge
        information = diags_array(own) - csr_array((weight, (rows, columns)), shape=wins.shape)
        step, _ = cg(information, gradient, rtol=1e-13, maxiter=10_000, M=diags_array(1 / own))
        return step - (np.bincount(weak, step + strength) / size)[weak]

    if not len(rows):
        return np.zeros(wins.shape[0]), True
    return climb(value, direction, np.zeros(wins.shape[0]))
