from leaderboard.models.advancement import Advancement, AdvancementRow, Award, AwardWinner
from leaderboard.models.reveal import Reveal
from leaderboard.models.scheme import Scheme, SchemeComponent
from leaderboard.models.standing import Standing, StandingRow

__all__ = [
    "Advancement",
    "AdvancementRow",
    "Award",
    "AwardWinner",
    "Reveal",
    "Scheme",
    "SchemeComponent",
    "Standing",
    "StandingRow",
]
