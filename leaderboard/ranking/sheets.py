"""Counted score sheets, as the ranking mathematics takes them, and the field they make up."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Sheet:
    """A sheet that counts: submitted, complete, its judge not recused.

    ``parts`` are the points that each criterion contributes, by its code, penalties negative;
    ``total`` is their sum, kept within 0 and 100.
    """

    key: Hashable
    team: Hashable
    judge: Hashable
    total: Fraction
    parts: Mapping[str, Fraction]


class Field:
    """All sheets of one component, in an order that depends on nothing but their names.

    Teams, judges and keys are told apart, and put in order, by their text (``str``).
    """

    def __init__(self, sheets: Sequence[Sheet]):
        """Raises ValueError where a key, or a judge's sheet for a team, comes twice."""
        self.sheets = sorted(sheets, key=lambda sheet: (str(sheet.team), str(sheet.judge)))
        if len({sheet.key for sheet in self.sheets}) < len(self.sheets):
            raise ValueError("two sheets have the same key")
        if len({(sheet.team, sheet.judge) for sheet in self.sheets}) < len(self.sheets):
            raise ValueError("two sheets of one judge for one team")

    @cached_property
    def by_team(self) -> dict[Hashable, list[Sheet]]:
        return self._by("team", self.sheets)

    @cached_property
    def by_judge(self) -> dict[Hashable, list[Sheet]]:
        return self._by("judge", sorted(self.sheets, key=lambda sheet: str(sheet.judge)))

    @staticmethod
    def _by(name: str, sheets: Sequence[Sheet]) -> dict[Hashable, list[Sheet]]:
        found: dict[Hashable, list[Sheet]] = {}
        for sheet in sheets:
            found.setdefault(getattr(sheet, name), []).append(sheet)
        return found

    @cached_property
    def teams(self) -> list[Hashable]:
        return list(self.by_team)

    @cached_property
    def judges(self) -> list[Hashable]:
        return list(self.by_judge)

    @cached_property
    def team_of(self) -> np.ndarray:
        """For each sheet, the position of its team in ``teams``."""
        positions = {team: n for n, team in enumerate(self.teams)}
        return np.array([positions[sheet.team] for sheet in self.sheets], dtype=np.intp)

    @cached_property
    def judge_of(self) -> np.ndarray:
        """For each sheet, the position of its judge in ``judges``."""
        positions = {judge: n for n, judge in enumerate(self.judges)}
        return np.array([positions[sheet.judge] for sheet in self.sheets], dtype=np.intp)

    @cached_property
    def totals(self) -> np.ndarray:
        return np.array([float(sheet.total) for sheet in self.sheets])
