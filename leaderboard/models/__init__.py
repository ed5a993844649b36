from leaderboard.models.advancement import (
    Advancement,
    AdvancementQuota,
    AdvancementRow,
    AdvancementRule,
    Award,
    AwardWinner,
    Signature,
)
from leaderboard.models.notice import Notice
from leaderboard.models.prepared import PreparedFile
from leaderboard.models.reveal import Reveal
from leaderboard.models.scheme import Scheme, SchemeComponent
from leaderboard.models.standing import Standing, StandingRow

__all__ = [
    "Advancement",
    "AdvancementQuota",
    "AdvancementRow",
    "AdvancementRule",
    "Award",
    "AwardWinner",
    "Notice",
    "PreparedFile",
    "Reveal",
    "Scheme",
    "SchemeComponent",
    "Signature",
    "Standing",
    "StandingRow",
]
