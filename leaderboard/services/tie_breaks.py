"""What tie-breaks say of teams: of each by itself, and of those that are tied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from contest.models import Participation, Round
from judging.services import ties
from leaderboard.models import Scheme, SchemeComponent
from leaderboard.models.scheme import criterion_of
from leaderboard.ranking import Contender, Terms
from leaderboard.ranking.standing import part
from leaderboard.ranking.tie_breaks import head_to_head
from leaderboard.services.schemes import Rules, criteria_names
from leaderboard.services.standing_method import component_name, to_fraction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def chairs_decisions(scheme: Scheme, *, inside: bool) -> list[ties.Decision]:
    """What chairs decided, where the scheme asks them; the public learns of it by the result."""
    if not inside or Scheme.TieBreak.CHAIR not in scheme.tie_breaks:
        return []
    return ties.decisions(scheme.round)


@dataclass
class GroupTies:
    """The tie-breaks that hang on who is tied, and what they have said of whom, by team code."""

    rules: Rules
    known: list[dict]  # what each component brings in
    decided: list[ties.Decision]
    by_code: dict[str, Participation]
    said: dict[str, dict] = field(default_factory=dict)

    def parted(
        self, contenders: list[Contender], weights: Mapping[str, Fraction], terms: Terms
    ) -> list[Contender]:
        """The contenders with these tie-breaks in their places, asked one after the other."""
        asked = {
            Scheme.TieBreak.CHAIR: self._by_chair,
            Scheme.TieBreak.HEAD_TO_HEAD: self._by_duels,
        }
        for level, name in enumerate(self.rules.scheme.tie_breaks):
            if name in asked:
                contenders = part(contenders, weights, level, asked[name], terms)
        return contenders

    def _by_chair(self, codes: list[str]) -> dict[str, Fraction]:
        """A decision holds for teams that are still tied with each other and nobody else: whoever
        the chair was not asked about cannot be placed by it."""
        ids = {code: self.by_code[code].pk for code in codes}
        decided = self.decided
        holds = next((d for d in decided if set(ids.values()) <= d.places.keys()), None)
        if holds is None:
            # Whatever comes after the chair may part them; the desk offers to ask all the same.
            for code in codes:
                self._say(code, "awaits_chair", min(codes))
            return {}
        places = {code: holds.places[pk] for code, pk in ids.items()}
        for code, place in places.items():
            self._say(code, "chair", {"tie": holds.tie, "place": place})
        return {code: Fraction(-place) for code, place in places.items()}

    def _by_duels(self, codes: list[str]) -> dict[str, Fraction]:
        """By the sheets of the first component that is judged and knows one of the teams."""
        ids = {code: self.by_code[code].pk for code in codes}
        judged = (
            scores
            for component, scores in zip(self.rules.components, self.known, strict=True)
            if component.kind == SchemeComponent.Kind.JUDGES
        )
        scores = next((found for found in judged if found.keys() & set(ids.values())), None)
        if scores is None:
            return {}
        sheets = {
            code: {
                judge: Fraction(total)
                for judge, total in scores.get(pk, {}).get("by_judge", {}).items()
            }
            for code, pk in ids.items()
        }
        won, duels = head_to_head(sheets)
        for code, score in won.items():
            self._say(code, "head_to_head", {"score": int(score), "duels": []})
        for duel in duels:
            self._tell(duel.one, duel.other, duel.for_one, duel.for_other)
            self._tell(duel.other, duel.one, duel.for_other, duel.for_one)
        return won

    def _tell(self, code: str, other: str, ahead: int, behind: int) -> None:
        duels = self.said[code]["head_to_head"]["duels"]
        duels.append({"team": other, "ahead": ahead, "behind": behind})

    def _say(self, code: str, name: str, what: dict) -> None:
        self.said.setdefault(code, {})[name] = what


def judged_by(tie_breaks: Sequence[str], sources: Mapping[str, Round]) -> dict[str, str]:
    """For each tie-break that names a criterion: the first component that is judged by it.

    ``sources``: the rounds of the judged components by the components' names, in their order.
    """
    named = {name: code for name in tie_breaks if (code := criterion_of(name))}
    if not named:
        return {}
    codes = {name: criteria_names([source]) for name, source in sources.items()}
    homes = {
        tie: next((name for name, known in codes.items() if code in known), None)
        for tie, code in named.items()
    }
    return {tie: name for tie, name in homes.items() if name is not None}


def tie_break(
    name: str, components, known: list[dict], homes: dict[str, str], pk: int
) -> Fraction | None:
    """One tie-break as a number that is better the higher it is; None where a team has none, and
    where it is known only once it is known who is tied: see TiesOf."""
    code = criterion_of(name)
    kind = (
        SchemeComponent.Kind.METRIC
        if name in (Scheme.TieBreak.METRIC, Scheme.TieBreak.EARLIEST)
        else SchemeComponent.Kind.JUDGES
    )
    for component, scores in zip(components, known, strict=True):
        if component.kind != kind or pk not in scores:
            continue
        if code and component_name(component) != homes.get(name):
            continue
        details = scores[pk]
        if code:
            return to_fraction(details["criteria"][code])
        if name == Scheme.TieBreak.METRIC:
            return Fraction(repr(float(details["signed"])))
        if name == Scheme.TieBreak.EARLIEST:
            return -_microseconds(details["received_at"])
        if name == Scheme.TieBreak.CRITERION:
            return to_fraction(details["first_criterion"])
        if name == Scheme.TieBreak.JUDGES:
            return to_fraction(details["scaled"])
    return None


def _microseconds(moment: str) -> Fraction:
    return Fraction((datetime.fromisoformat(moment) - EPOCH) // timedelta(microseconds=1))
