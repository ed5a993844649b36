"""Ranking mathematics: pure functions on plain values and pandas, free of Django.

Numbers of judges are exact (``fractions.Fraction``), so that totals which are equal by the rules
are equal here, whatever the order of the input. Methods that need roots or a solver work in floats
and are rounded, see ``methods``. What there is to say of a ranking's reliability is in
``reliability``.
"""

from leaderboard.ranking.methods import Combined, Method, Note, SheetEffect, combine
from leaderboard.ranking.scaling import scale
from leaderboard.ranking.sheets import Sheet
from leaderboard.ranking.standing import Contender, Placed, Terms, rank

__all__ = [
    "Combined",
    "Contender",
    "Method",
    "Note",
    "Placed",
    "Sheet",
    "SheetEffect",
    "Terms",
    "combine",
    "rank",
    "scale",
]
