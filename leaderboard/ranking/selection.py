"""Who advances under quotas, guaranteed places and reserves, each with the reason why.

The best-ranked team that may still have a place gets the next one, until the places are gone. A
team may not have one where a quota that covers it is full, or where the places that are left are
just those that guarantees still need. Two teams that are alike in everything the rule names are
treated alike, so that the better-ranked of them is never out while the other is in.

Teams that share a rank enter together, if there is room for all of them whatever their order. Where
there is not, nothing here breaks the tie: the rule's policy or somebody's decision does.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heappop, heappush


class Ties(StrEnum):
    """What becomes of teams that tie for more places than there are.

    ``ALL_IN`` lets them all in where they tie for the last places, never past a quota: there it
    asks. ``RUN_OFF`` waits for a decision as ``ASK`` does, and says by what it comes.
    """

    ASK = "ask"
    ALL_IN = "all_in"
    ALL_OUT = "all_out"
    RUN_OFF = "run_off"


@dataclass(frozen=True)
class Quota:
    """At most ``most`` and at least ``least`` teams of one group; of every group of its kind where
    ``group`` is None and the group has no number of its own."""

    kind: str
    group: Hashable | None = None
    most: int | None = None
    least: int = 0


@dataclass(frozen=True)
class Rule:
    count: int
    quotas: tuple[Quota, ...] = ()
    reserves: int = 0
    ties: Ties = Ties.ASK

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({quota.kind for quota in self.quotas}))

    def numbers(self, kind: str, group: Hashable) -> tuple[int | None, int]:
        """(most, least) for a group: its own numbers, else those of every group of its kind."""
        most, least = None, 0
        for quota in sorted(self.quotas, key=lambda quota: quota.group is not None):
            if quota.kind == kind and quota.group in (None, group):
                most = quota.most if quota.most is not None else most
                least = quota.least or least
        return most, least


@dataclass(frozen=True)
class Candidate:
    """A team of the ranking; ``groups`` names its group for each kind of quota, if it has one."""

    key: Hashable
    rank: int | None
    groups: Mapping[str, Hashable | None] = field(default_factory=dict)


class Outcome(StrEnum):
    IN = "in"
    TIED = "tied"
    RESERVE = "reserve"
    OUT = "out"


class Code(StrEnum):
    """Why a team is in, or is not."""

    RANK = "rank"  # among the first
    MOVED_UP = "moved_up"  # not among the first, but others before it had to stay out
    GUARANTEED = "guaranteed"  # by a place that was kept for its group
    ALL_IN = "all_in"  # tied, and the rule lets all in
    DECIDED_IN = "decided_in"
    TIED = "tied"
    UNRANKED = "unranked"
    BELOW = "below"
    QUOTA = "quota"
    KEPT = "kept"  # the places that were left are kept for others
    ALL_OUT = "all_out"
    DECIDED_OUT = "decided_out"
    WAITS = "waits"  # for a tie before it


@dataclass(frozen=True)
class Why:
    """``kind``, ``group`` and ``number`` name the quota or guarantee, where it is one."""

    code: Code
    kind: str | None = None
    group: Hashable | None = None
    number: int | None = None


@dataclass(frozen=True)
class Chosen:
    """What becomes of one team; ``number`` is that of a reserve, shared by reserves that tie."""

    key: Hashable
    outcome: Outcome
    why: Why
    number: int | None = None


@dataclass(frozen=True)
class Room:
    """Of ``keys``, at most ``seats`` can have a place: by a quota, or as no more are left."""

    keys: frozenset
    seats: int
    kind: str | None = None
    group: Hashable | None = None


@dataclass(frozen=True)
class Tie:
    """Teams that share a rank, and not all of which can have a place."""

    keys: frozenset
    rooms: tuple[Room, ...]

    @property
    def by_quota(self) -> bool:
        """Whether a quota would be exceeded if all were let in."""
        return any(room.kind and len(room.keys) > room.seats for room in self.rooms)

    @property
    def seats(self) -> int:
        """How many of them can have a place at the most, as far as one limit alone can tell."""
        return min((room.seats + len(self.keys - room.keys) for room in self.rooms), default=0)

    def fits(self, chosen: frozenset) -> bool:
        return all(len(chosen & room.keys) <= room.seats for room in self.rooms)

    def allows(self, chosen: frozenset) -> bool:
        """Whether ``chosen`` of them may be let in: as many as there is room for, or all where no
        quota stands against it."""
        if not chosen <= self.keys:
            return False
        if chosen == self.keys:
            return not self.by_quota
        return self.fits(chosen) and not any(
            self.fits(chosen | {key}) for key in self.keys - chosen
        )


@dataclass(frozen=True)
class Decision:
    """Somebody decided a tie between exactly ``tied``: these of them are in."""

    tied: frozenset
    chosen: frozenset


@dataclass(frozen=True)
class Selection:
    """``places`` best first. ``tie`` is the first one that waits for a decision; what comes after
    it is provisional. ``applied`` are the decisions that were asked for, in order."""

    places: tuple[Chosen, ...]
    tie: Tie | None
    applied: tuple[Decision, ...]

    def keys(self, outcome: Outcome) -> tuple[Hashable, ...]:
        return tuple(place.key for place in self.places if place.outcome == outcome)


def select(
    candidates: Sequence[Candidate],
    rule: Rule,
    decisions: Sequence[Decision] = (),
    beside: frozenset = frozenset(),
) -> Selection:
    """Select by ``rule``; the order of the input does not matter. A decision that names no tie that
    comes up, or that leaves room or exceeds a quota, is not applied.

    ``beside`` are teams that have a place anyway, such as by a wildcard: none of them is a reserve.
    """
    run = _Run(candidates, rule, beside)
    by_tied = {decision.tied: decision for decision in decisions}
    applied = []
    tie = None
    while group := run.next_group():
        safe, found = run.contest(group)
        if safe:
            run.admit(safe)
            continue
        decision = by_tied.get(found.keys)
        if decision is not None and found.allows(decision.chosen):
            applied.append(decision)
            run.decide(found, decision.chosen)
        elif rule.ties == Ties.ALL_IN and not found.by_quota:
            run.admit(group, Why(Code.ALL_IN))
        elif rule.ties == Ties.ALL_OUT:
            run.leave_out(found)
        else:
            tie = found
            break
    return Selection(run.places(tie), tie, tuple(applied))


Group = tuple[str, Hashable]


class _Run:
    """The state of one selection."""

    def __init__(self, candidates: Sequence[Candidate], rule: Rule, beside: frozenset):
        self.rule = rule
        self.beside = beside
        self.everybody = sorted(candidates, key=lambda c: (c.rank is None, c.rank or 0, str(c.key)))
        self.seats = rule.count
        self.taken: Counter[Group] = Counter()
        self.why: dict[Hashable, Why] = {}  # of those who are in
        self.said: dict[Hashable, Why] = {}  # of those who were left out by a tie
        self.full: set[Group] = set()
        # The worst rank that got a kept place while others waited.
        self.kept_until = 0
        # Teams that are alike in everything the rule names stand in one line, best first.
        self.lines: dict[tuple, list[Candidate]] = {}
        for candidate in reversed(self.everybody):
            if candidate.rank is not None:
                self.lines.setdefault(self.likeness(candidate), []).append(candidate)
        self.lines_of: dict[Group, list[tuple]] = {}
        for line in self.lines:
            for group in line:
                self.lines_of.setdefault(group, []).append(line)
        self.numbers = {group: rule.numbers(*group) for group in self.lines_of}
        self.guaranteed = [group for group, (_most, least) in self.numbers.items() if least]
        # How many may still be had of each group with a guarantee.
        self.waiting = Counter(
            {g: sum(len(self.lines[line]) for line in self.lines_of[g]) for g in self.guaranteed}
        )
        self.alive = dict.fromkeys(self.lines)
        # The lines by the rank of their first team; an entry that no longer fits is passed over.
        self.first = [(teams[-1].rank, n) for n, teams in enumerate(self.lines.values())]
        self.order = list(self.lines)
        self.index = {line: n for n, line in enumerate(self.order)}
        heapify(self.first)

    def likeness(self, candidate: Candidate) -> tuple[Group, ...]:
        found = ((kind, candidate.groups.get(kind)) for kind in self.rule.kinds)
        return tuple(group for group in found if group[1] is not None)

    def room(self, group: Group) -> int | None:
        """How many more a quota lets in; None for any number."""
        if group in self.full:
            return 0
        most, _least = self.numbers[group]
        return None if most is None else max(0, most - self.taken[group])

    def close(self, line: tuple) -> None:
        """Nobody of this line may have a place any more."""
        if line in self.alive:
            del self.alive[line]
            for group in line:
                if group in self.waiting:
                    self.waiting[group] -= len(self.lines[line])

    def remove(self, candidate: Candidate) -> None:
        line = self.likeness(candidate)
        teams = self.lines[line]
        del teams[next(n for n in range(len(teams) - 1, -1, -1) if teams[n] is candidate)]
        if line in self.alive:
            for group in line:
                if group in self.waiting:
                    self.waiting[group] -= 1
            if self.lines[line]:
                heappush(self.first, (self.lines[line][-1].rank, self.index[line]))
            else:
                del self.alive[line]

    def close_full(self, groups: Iterable[Group]) -> None:
        for group in groups:
            if self.room(group) == 0:
                for line in self.lines_of[group]:
                    self.close(line)

    def needs(self) -> dict[Group, int]:
        """How many places each guarantee still needs and can be met with."""
        found = {}
        for group in self.guaranteed:
            missing = self.numbers[group][1] - self.taken[group]
            if missing > 0:
                room = self.room(group)
                need = min(missing, self.waiting[group], missing if room is None else room)
                if need > 0:
                    found[group] = need
        return found

    def best(self) -> int | None:
        """The best rank of those who are not shut out."""
        while self.first:
            rank, n = self.first[0]
            line = self.order[n]
            if line in self.alive and self.lines[line][-1].rank == rank:
                return rank
            heappop(self.first)
        return None

    def next_group(self) -> list[Candidate]:
        """Those of the best rank who may have a place now; none when it is over."""
        if self.seats <= 0 or (best := self.best()) is None:
            return []
        needs = self.needs()
        if self.seats > sum(needs.values()):
            found = {}
            while self.best() == best:
                found[heappop(self.first)[1]] = None
            for n in found:
                heappush(self.first, (best, n))
            lines = [self.order[n] for n in found]
        else:
            lines = list(
                dict.fromkeys(
                    line for group in needs for line in self.lines_of[group] if line in self.alive
                )
            )
            if not lines:
                return []
            first = best
            best = min(self.lines[line][-1].rank for line in lines)
            if first < best:
                self.kept_until = best
        return [
            candidate
            for line in sorted(lines, key=str)
            for candidate in reversed(self.lines[line])
            if candidate.rank == best
        ]

    def contest(self, group: list[Candidate]) -> tuple[list[Candidate], Tie]:
        """Those of the group who have a place whatever the order, and the tie between the rest."""
        if len(group) == 1:
            return group, Tie(frozenset(), ())
        rooms = self.rooms(group)
        tight = [room for room in rooms if len(room.keys) > room.seats]
        contested = {key for room in tight for key in room.keys}
        safe = [candidate for candidate in group if candidate.key not in contested]
        return safe, Tie(frozenset(candidate.key for candidate in group), tuple(rooms))

    def rooms(self, group: list[Candidate]) -> list[Room]:
        """Every limit on how many of the group can have a place."""
        members: dict[Group, set] = {}
        for candidate in group:
            for name in self.likeness(candidate):
                members.setdefault(name, set()).add(candidate.key)
        rooms = [
            Room(frozenset(keys), room, *name)
            for name, keys in sorted(members.items(), key=str)
            if (room := self.room(name)) is not None
        ]
        needs = self.needs()
        free = self.seats - sum(needs.values())
        if free < 0:  # more is guaranteed than there are places
            return [*rooms, Room(frozenset(c.key for c in group), self.seats)]
        helpers: set[Hashable] = set()
        for name, need in needs.items():
            keys = members.get(name, set())
            helpers |= keys
            if len(keys) > need:
                rooms.append(Room(frozenset(keys), need + free))
        others = {candidate.key for candidate in group} - helpers
        if others:
            rooms.append(Room(frozenset(others), free))
        # Several groups that each outgrow what is kept for them share the free places.
        spare = {
            key for name, need in needs.items() for key in members.get(name, ())
            if len(members[name]) > need
        }  # fmt: skip
        outgrown = sum(need for name, need in needs.items() if len(members.get(name, ())) > need)
        if shared := spare | others:
            rooms.append(Room(frozenset(shared), free + outgrown))
        return rooms

    def admit(self, group: Sequence[Candidate], why: Why | None = None) -> None:
        for candidate in group:
            line = self.likeness(candidate)
            self.why[candidate.key] = why or self.reason(candidate, line)
        for candidate in group:
            line = self.likeness(candidate)
            self.taken.update(line)
            self.remove(candidate)
            self.close_full(line)
        self.seats = max(0, self.seats - len(group))

    def reason(self, candidate: Candidate, line: tuple) -> Why:
        if self.kept_until == candidate.rank:
            for kind, group in line:
                if (kind, group) in self.needs():
                    return Why(Code.GUARANTEED, kind, group, self.numbers[kind, group][1])
        return Why(Code.RANK if candidate.rank <= self.rule.count else Code.MOVED_UP)

    def members(self, keys: frozenset) -> list[Candidate]:
        return [candidate for candidate in self.everybody if candidate.key in keys]

    def decide(self, tie: Tie, chosen: frozenset) -> None:
        self.admit(self.members(chosen), Why(Code.DECIDED_IN))
        self.shut_out(tie.keys - chosen, Why(Code.DECIDED_OUT))

    def leave_out(self, tie: Tie) -> None:
        """None of them; nor does a worse one get the place that they tied for."""
        self.shut_out(tie.keys, Why(Code.ALL_OUT))
        for room in tie.rooms:
            if len(room.keys) > room.seats:
                if room.kind:
                    self.full.add((room.kind, room.group))
                    self.close_full([(room.kind, room.group)])
                else:
                    self.seats = min(self.seats, sum(self.needs().values()))

    def shut_out(self, keys: frozenset, why: Why) -> None:
        for candidate in self.members(keys):
            self.said[candidate.key] = why
            self.close(self.likeness(candidate))
            self.remove(candidate)

    def places(self, tie: Tie | None) -> tuple[Chosen, ...]:
        reserves = self.reserves() if tie is None else {}
        places = []
        for candidate in self.everybody:
            key = candidate.key
            if key in self.why:
                place = Chosen(key, Outcome.IN, self.why[key])
            elif tie is not None and key in tie.keys:
                place = Chosen(key, Outcome.TIED, Why(Code.TIED))
            elif key in reserves:
                place = Chosen(key, Outcome.RESERVE, self.why_not(candidate, tie), reserves[key])
            else:
                place = Chosen(key, Outcome.OUT, self.why_not(candidate, tie))
            places.append(place)
        return tuple(places)

    def reserves(self) -> dict[Hashable, int]:
        """The best of those who are ranked and not in; teams that tie share their number, and the
        last of them are not parted either."""
        placed = {*self.why, *self.beside}
        waiting = [c for c in self.everybody if c.rank is not None and c.key not in placed]
        numbers, rank, number = {}, None, 0
        for n, candidate in enumerate(waiting, start=1):
            if candidate.rank != rank:
                rank, number = candidate.rank, n
            if number > self.rule.reserves:
                break
            numbers[candidate.key] = number
        return numbers

    def why_not(self, candidate: Candidate, tie: Tie | None) -> Why:
        if candidate.rank is None:
            return Why(Code.UNRANKED)
        if candidate.key in self.said:
            return self.said[candidate.key]
        for kind, group in self.likeness(candidate):
            if self.room((kind, group)) == 0:
                return Why(Code.QUOTA, kind, group, self.numbers[kind, group][0])
        if tie is not None and self.rule.quotas:
            return Why(Code.WAITS)
        return Why(Code.KEPT if candidate.rank <= self.kept_until else Code.BELOW)
