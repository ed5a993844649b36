"""Ranking mathematics: pure functions on plain values and pandas, free of Django.

Numbers of judges are exact (``fractions.Fraction``), so that totals which are equal by the rules
are equal here, whatever the order of the input.
"""

from leaderboard.ranking.aggregation import Aggregate, aggregate, scale
from leaderboard.ranking.cut import Cut, cut
from leaderboard.ranking.standing import Contender, Placed, rank

__all__ = ["Aggregate", "Contender", "Cut", "Placed", "aggregate", "cut", "rank", "scale"]
