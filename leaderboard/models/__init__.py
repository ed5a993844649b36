from leaderboard.models.advancement import Advancement, AdvancementRow, Award, AwardWinner
from leaderboard.models.scheme import Scheme, SchemeComponent
from leaderboard.models.standing import Standing, StandingRow

__all__ = [
    "Advancement",
    "AdvancementRow",
    "Award",
    "AwardWinner",
    "Scheme",
    "SchemeComponent",
    "Standing",
    "StandingRow",
]
