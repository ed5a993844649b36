"""Who scores whom: a balanced design. Pure, and free of Django.

Three aims, the first above the second, the second above the third:

1. every team gets exactly ``k`` judges, or as many as are allowed;
2. the judges' loads are as even as the forbidden pairs allow: nobody has two teams more than
   somebody to whom one could be passed on, directly or along a chain of others;
3. judges can be compared with each other: the graph in which two judges are joined who share a
   team hangs together, and pairs of judges share teams as evenly as possible.

The first two are reached exactly, the third by a seeded search. The same input gives the same
design, in whatever order judges and teams are named.
"""

import random
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import combinations, product
from math import exp

import numpy as np

# Steps of the search for even overlaps: enough to find the optimum of small designs, and little
# enough that five hundred teams take about a second.
STEPS_PER_SEAT, MOST_STEPS = 400, 100_000
# So many exchanges are tried to join groups of judges before they are left apart.
MOST_EXCHANGES = 20_000


@dataclass(frozen=True)
class Short:
    """A team that gets fewer than ``k`` judges: who is forbidden, out of the whole panel."""

    team: Hashable
    got: int
    forbidden: tuple[Hashable, ...]


@dataclass(frozen=True)
class Design:
    """The whole assignment, what of it is new, and how balanced it is."""

    k: int
    judges: tuple[Hashable, ...]
    pairs: frozenset[tuple[Hashable, Hashable]]  # (judge, team), those that were kept among them
    new: frozenset[tuple[Hashable, Hashable]]
    loads: dict[Hashable, int]
    overlaps: dict[tuple[Hashable, Hashable], int]  # teams in common, of each pair of judges
    groups: tuple[tuple[Hashable, ...], ...]  # of judges whose severity can be compared
    short: tuple[Short, ...]
    absent: frozenset[Hashable] = frozenset()

    @property
    def is_connected(self) -> bool:
        return len(self.groups) <= 1

    @property
    def load_range(self) -> tuple[int, int]:
        """The smallest and the largest load, of the judges who are there."""
        loads = [load for judge, load in self.loads.items() if judge not in self.absent]
        return (min(loads), max(loads)) if loads else (0, 0)

    @property
    def overlap_range(self) -> tuple[int, float, int]:
        """Smallest, mean and largest number of teams that two judges share."""
        shared = list(self.overlaps.values())
        if not shared:
            return 0, 0.0, 0
        return min(shared), sum(shared) / len(shared), max(shared)


def design(
    judges: Iterable[Hashable],
    teams: Iterable[Hashable],
    k: int,
    *,
    forbidden: Iterable[tuple[Hashable, Hashable]] = (),
    kept: Iterable[tuple[Hashable, Hashable]] = (),
    absent: Iterable[Hashable] = (),
    seed: str = "",
) -> Design:
    """A balanced design of ``k`` judges a team.

    ``forbidden`` and ``kept`` are (judge, team). What is kept stays, even where it is forbidden to
    add it, and counts; a team may have more than ``k`` by it. Pairs of others are passed over.
    Judges who are ``absent`` keep what is kept and get nothing new. Judges and teams must each sort
    among themselves.
    """
    if k < 1:
        raise ValueError("a team needs at least one judge")
    absent = frozenset(absent)
    judges, teams = sorted(set(judges) | absent), sorted(set(teams))
    chance = random.Random(f"{seed}/{k}")  # noqa: S311 - chance, not secrecy
    forbidden = {*forbidden, *product(absent, teams)}
    board = _Board(judges, teams, k, forbidden, set(kept), chance)
    if judges and teams:
        board.fill()
        board.level()
        board.mix()
        board.join()
        board.settle()
    return _described(board, judges, teams, k, absent)


def described(
    judges: Iterable[Hashable], pairs: Iterable[tuple[Hashable, Hashable]], k: int
) -> Design:
    """An assignment that is there already, measured like a design."""
    pairs = set(pairs)
    teams = sorted({team for _judge, team in pairs})
    judges = sorted(set(judges) | {judge for judge, _team in pairs})
    board = _Board(judges, teams, k, set(), pairs, random.Random(0))  # noqa: S311
    return _described(board, judges, teams, k, frozenset())


class _Board:
    """The assignment as it is being made. Judges and teams are numbered in their own order."""

    def __init__(self, judges, teams, k, forbidden, kept, chance: random.Random):
        self.k, self.chance = k, chance
        self.n_judges, self.n_teams = len(judges), len(teams)
        of_judge = {judge: n for n, judge in enumerate(judges)}
        of_team = {team: n for n, team in enumerate(teams)}
        self.allowed = [[True] * self.n_judges for _team in teams]
        for judge, team in forbidden:
            if judge in of_judge and team in of_team:
                self.allowed[of_team[team]][of_judge[judge]] = False
        # By team: the judges that stay, and the ones that may still be exchanged.
        self.fixed: list[set[int]] = [set() for _team in teams]
        for judge, team in kept:
            if judge in of_judge and team in of_team:
                self.fixed[of_team[team]].add(of_judge[judge])
        self.free: list[set[int]] = [set() for _team in teams]
        self.load = [0] * self.n_judges
        # How many teams two judges share; symmetric, and nothing on the diagonal.
        self.shared = [[0] * self.n_judges for _judge in judges]
        for fixed in self.fixed:
            for judge in fixed:
                self.load[judge] += 1
            for a, b in combinations(fixed, 2):
                self._share(a, b, 1)

    def _share(self, a: int, b: int, by: int) -> None:
        self.shared[a][b] += by
        self.shared[b][a] += by

    def on(self, team: int) -> set[int]:
        return self.fixed[team] | self.free[team]

    def _put(self, team: int, judge: int) -> None:
        for other in self.on(team):
            self._share(judge, other, 1)
        self.free[team].add(judge)
        self.load[judge] += 1

    def _take(self, team: int, judge: int) -> None:
        self.free[team].remove(judge)
        self.load[judge] -= 1
        for other in self.on(team):
            self._share(judge, other, -1)

    def _may(self, team: int, judge: int) -> bool:
        return (
            self.allowed[team][judge]
            and judge not in self.fixed[team]
            and judge not in self.free[team]
        )

    # --- 1. Exactly k judges ---

    def fill(self) -> None:
        """Give every team its judges: those with the least to do, then with the least in common.

        Judges have no limit of their own, so that a team lacks judges only where too few are
        allowed. Teams with the fewest allowed judges choose first.
        """
        order = list(range(self.n_teams))
        self.chance.shuffle(order)
        order.sort(key=lambda team: sum(self.allowed[team]))
        for team in order:
            for _seat in range(self.k - len(self.fixed[team])):
                here = self.on(team)
                able = [judge for judge in range(self.n_judges) if self._may(team, judge)]
                if not able:
                    break
                self.chance.shuffle(able)
                self._put(
                    team,
                    min(
                        able,
                        key=lambda j: (self.load[j], sum(self.shared[j][other] for other in here)),
                    ),
                )

    # --- 2. Even loads ---

    def level(self) -> None:
        """Pass teams on, from a judge to one with at least two fewer, until no chain is left.

        What remains is the most even distribution there is: its largest load is the smallest, and
        its smallest the largest, of all that give each team its judges (loads of such assignments
        are the bases of a polymatroid; see Frank and Murota, decreasing minimisation).
        """
        while (chain := self._chain()) is not None:
            for giver, taker in chain:
                team = self.chance.choice(
                    [t for t in range(self.n_teams)
                     if giver in self.free[t] and self._may(t, taker)]
                )  # fmt: skip
                self._take(team, giver)
                self._put(team, taker)

    def _chain(self) -> list[tuple[int, int]] | None:
        """The shortest chain that evens loads, as (giver, taker) from its end to its beginning.

        Shortest, so that no judge stands in it twice and the teams it moves do not collide.
        """
        free = np.zeros((self.n_teams, self.n_judges), dtype=np.int32)
        able = np.array(self.allowed, dtype=np.int32)
        for team in range(self.n_teams):
            free[team, list(self.free[team])] = 1
            able[team, list(self.on(team))] = 0
        can_pass = (free.T @ able) > 0
        for start in sorted(range(self.n_judges), key=lambda j: (-self.load[j], j)):
            came_from = {start: start}
            waiting = [start]
            for giver in waiting:  # grows while it is walked through
                if self.load[giver] <= self.load[start] - 2:
                    return self._walked(came_from, giver)
                for taker in np.flatnonzero(can_pass[giver]):
                    if taker not in came_from:
                        came_from[int(taker)] = giver
                        waiting.append(int(taker))
        return None

    @staticmethod
    def _walked(came_from: dict[int, int], end: int) -> list[tuple[int, int]]:
        steps = []
        while came_from[end] != end:
            steps.append((came_from[end], end))
            end = came_from[end]
        return steps

    # --- 3. Even overlaps ---

    def _gain(self, team: int, out: int, into: int) -> int:
        """How much the sum of squared overlaps changes if ``into`` takes the place of ``out``."""
        before, after = self.shared[out], self.shared[into]
        change = 0
        for other in self.on(team):
            if other != out:
                change += after[other] - before[other] + 1
        return 2 * change

    def _move(self, team: int, out: int, into: int) -> None:
        self._take(team, out)
        self._put(team, into)

    def _proposal(self, seats: list[tuple[int, int]]) -> list[tuple[int, int, int]] | None:
        """A random change that leaves each team its number of judges and loads as even as before:
        (team, out, into), one of them or two."""
        n = self.chance.randrange(len(seats))
        team, out = seats[n]
        if self.chance.random() < 0.2:
            into = self.chance.randrange(self.n_judges)
            if self.load[into] == self.load[out] - 1 and self._may(team, into):
                return [(team, out, into)]
            return None
        other, into = seats[self.chance.randrange(len(seats))]
        if other == team or into == out or not self._may(team, into) or not self._may(other, out):
            return None
        return [(team, out, into), (other, into, out)]

    def _seats(self) -> list[tuple[int, int]]:
        return [(team, judge) for team in range(self.n_teams) for judge in sorted(self.free[team])]

    def _search(self, warmth: float, steps: int, accept=lambda: True) -> None:
        """Try random changes; keep those that even overlaps, and while warm some others."""
        seats = self._seats()
        if not seats or self.n_judges < 2:
            return
        places = {seat: n for n, seat in enumerate(seats)}
        for step in range(steps):
            proposal = self._proposal(seats)
            if proposal is None:
                continue
            heat = warmth * (1 - step / steps)
            change = 0
            for move in proposal:
                change += self._gain(*move)
                self._move(*move)
            worse = change > 0 and (heat <= 0 or self.chance.random() >= exp(-change / heat))
            if worse or not accept():
                for team, out, into in reversed(proposal):
                    self._move(team, into, out)
                continue
            for team, out, into in proposal:
                n = places.pop((team, out))
                seats[n] = (team, into)
                places[team, into] = n

    @property
    def _steps(self) -> int:
        return min(MOST_STEPS, STEPS_PER_SEAT * sum(len(free) for free in self.free))

    def mix(self) -> None:
        """Even the overlaps by simulated annealing, from warm to cold."""
        self._search(warmth=4.0, steps=self._steps)

    def components(self) -> list[set[int]]:
        """Judges that are joined by teams in common, directly or through others."""
        left, found = set(range(self.n_judges)), []
        while left:
            waiting = [min(left)]
            reached = set(waiting)
            for judge in waiting:
                row = self.shared[judge]
                new = {other for other in left - reached if row[other]}
                reached |= new
                waiting += sorted(new)
            left -= reached
            found.append(reached)
        return found

    def join(self) -> None:
        """Exchange judges between groups that share no team, where that makes fewer groups."""
        groups, tries = self.components(), 0
        while len(groups) > 1:
            group_of = {judge: n for n, group in enumerate(groups) for judge in group}
            seats = self._seats()
            self.chance.shuffle(seats)
            best = None
            for n, (team, out) in enumerate(seats):
                for other, into in seats[n + 1 :]:
                    if (
                        group_of[out] == group_of[into]
                        or not self._may(team, into)
                        or not self._may(other, out)
                    ):
                        continue
                    tries += 1
                    change = self._gain(team, out, into)
                    self._move(team, out, into)
                    change += self._gain(other, into, out)
                    self._move(other, into, out)
                    found = (len(self.components()), change)
                    self._move(other, out, into)
                    self._move(team, into, out)
                    if found[0] < len(groups) and (best is None or found < best[0]):
                        best = (found, (team, out, into), (other, into, out))
                if best is not None or tries > MOST_EXCHANGES:
                    break  # one judge's best exchange will do; the overlaps are settled after
            if best is None:
                return
            self._move(*best[1])
            self._move(*best[2])
            groups = self.components()

    def settle(self) -> None:
        """Even the overlaps once more, cold, and without tearing groups apart."""
        most = len(self.components())
        self._search(
            warmth=0.0, steps=self._steps // 4, accept=lambda: len(self.components()) <= most
        )


def _described(board: _Board, judges, teams, k: int, absent: frozenset) -> Design:
    def named(cells):
        return frozenset((judges[j], team) for n, team in enumerate(teams) for j in cells[n])

    free, fixed = named(board.free), named(board.fixed)
    counts = Counter(team for _judge, team in free | fixed)
    return Design(
        k=k,
        judges=tuple(judges),
        pairs=free | fixed,
        new=free,
        loads=dict(zip(judges, board.load, strict=True)),
        overlaps={
            (judges[a], judges[b]): board.shared[a][b]
            for a, b in combinations(range(len(judges)), 2)
        },
        groups=tuple(
            tuple(judges[j] for j in sorted(group)) for group in board.components()
        ),
        short=tuple(
            Short(
                team,
                counts[team],
                tuple(
                    judge
                    for j, judge in enumerate(judges)
                    if not board.allowed[n][j] and j not in board.fixed[n] and judge not in absent
                ),
            )
            for n, team in enumerate(teams)
            if counts[team] < k
        ),
        absent=absent,
    )  # fmt: skip
