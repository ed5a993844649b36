"""How far a round's ranking by its judges can be relied on: the report for organizers.

The numbers are those of leaderboard/ranking/reliability.py (sources: docs/methods.md); here they
are told of whom, and what they mean in plain words.
"""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from django.core.cache import cache

from contest.models import Participation, Round
from judging.models import Judge
from leaderboard.models import SchemeComponent
from leaderboard.models.scheme import method_label
from leaderboard.ranking import Method, Note, Sheet, reliability
from leaderboard.ranking.reliability import (
    Alpha,
    Bootstrapped,
    Icc,
    JudgeRow,
    Kendall,
    Shift,
)
from leaderboard.services.component_scores import combined_sheets, counted_sheets
from leaderboard.services.schemes import ensure_scheme

# Draws of the bootstrap, of which fewer are made where there are very many sheets.
DRAWS, MOST_NUMBERS = 2000, 20_000_000
KEPT_S = 3600
# Where nobody advances (a final), the report asks about the first three.
TOP_OF_A_FINAL = 3
SEED = 1979
# Leaving out each judge in turn ranks everything anew for each: not for a whole season's hundreds.
MOST_WITHOUT = 2_000_000


@dataclass(frozen=True)
class Report:
    """Everything the report says of one round's judges' scores. Keys: judges and participations."""

    method: Method
    top: int
    sheets: int
    icc: Icc
    kendall: Kendall
    alpha: Alpha
    judges: tuple[JudgeRow, ...]
    without: Mapping[Hashable, Shift]
    intervals: Bootstrapped
    others: tuple[tuple[Method, Shift], ...]
    notes: tuple[Note, ...]
    judge_names: Mapping[int, str]
    teams: Mapping[int, Participation]

    @property
    def method_label(self) -> str:
        return label_of(self.method)


def label_of(method: Method) -> str:
    return method_label(method.name, method.trim, method.per)


def judges_component(round: Round) -> SchemeComponent | None:
    """The component by which the round's own judges count; None where they do not."""
    return (
        ensure_scheme(round)
        .components.filter(kind=SchemeComponent.Kind.JUDGES, source=round)
        .select_related("source__event")
        .first()
    )


def report(round: Round) -> Report | None:
    """The report on the sheets that count now; None while there are none.

    It is kept for as long as sheets, method and places stay what they are.
    """
    component = judges_component(round)
    if component is None:
        return None
    given, combined = combined_sheets(round, component.method)
    sheets = [
        sheet
        for sheet in counted_sheets(s for found in given.values() for s in found)
        if sheet.team in combined.scores
    ]
    if not sheets:
        return None
    top = component.scheme.advance_count or TOP_OF_A_FINAL
    # Numbers, not their names: those are read anew, in the language of today.
    key = f"reliability-{round.pk}-{_digest(sheets, component.method, top)}"
    numbers = cache.get(key)
    if numbers is None:
        numbers = _numbers(sheets, component.method, top)
        cache.set(key, numbers, KEPT_S)
    judges = Judge.objects.filter(pk__in={sheet.judge for sheet in sheets})
    return Report(
        method=component.method,
        top=top,
        sheets=len(sheets),
        notes=combined.notes,
        judge_names={judge.pk: judge.name for judge in judges},
        teams=round.participations.select_related("team").in_bulk({s.team for s in sheets}),
        **numbers,
    )


def _digest(sheets: Iterable[Sheet], method: Method, top: int) -> str:
    said = sorted((str(s.key), str(s.total), sorted(s.parts.items())) for s in sheets)
    return hashlib.sha256(repr((said, method, top)).encode()).hexdigest()


def _numbers(sheets: list[Sheet], method: Method, top: int) -> dict:
    table = reliability.table(sheets)
    draws = max(200, min(DRAWS, MOST_NUMBERS // len(sheets)))
    return {
        "icc": reliability.icc(table),
        "kendall": reliability.kendall_w(table),
        "alpha": reliability.krippendorff_alpha(table),
        "judges": reliability.judges(table),
        "without": reliability.leave_one_judge_out(sheets, method, top)
        if len(sheets) * len(table) <= MOST_WITHOUT
        else {},
        "intervals": reliability.bootstrap(sheets, method, top, np.random.default_rng(SEED), draws),
        "others": reliability.other_methods(sheets, method, other_methods(method), top),
    }


def other_methods(method: Method) -> list[Method]:
    """The usual ones but that in force."""
    usual = [
        Method("mean"),
        Method("trimmed"),
        Method("trimmed", per="criterion"),
        Method("median"),
        Method("zscore"),
        Method("borda"),
        Method("severity"),
    ]
    return [other for other in usual if other != method]
