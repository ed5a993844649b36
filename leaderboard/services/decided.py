"""The standing that holds once a round is decided."""

from contest.models import Round
from leaderboard.models import Advancement, Standing
from leaderboard.states import AdvancementStatus


def signed_standing(round: Round) -> Standing | None:
    """The standing that was signed off, which holds until the signature is revoked."""
    if not round.is_decided:
        return None
    decision = (
        Advancement.objects.filter(round=round, status=AdvancementStatus.SIGNED)
        .select_related("standing")
        .first()
    )
    return decision.standing if decision else None
