"""What leaderboard does when contest tells or asks something."""

import logging

from django.core.cache import cache
from django.db import transaction
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from contest import live
from contest.errors import Refused
from contest.models import Round
from contest.signals import moved, ranking_inputs_changed, round_publishing
from contest.states import RoundStatus
from judging.services import stage
from judging.signals import hall_changed, record_checked
from leaderboard.models import SchemeComponent
from leaderboard.services import notices, publication, reveal, signature, standings
from leaderboard.tasks import refresh_standing, send_notices

log = logging.getLogger(__name__)
# Changes within this time make one recomputation, not one each.
BURST_S = 2


@receiver(round_publishing)
def require_published_sources(sender, round, **kwargs):
    """Raise Refused where the result would show scores of an earlier round that are not out yet."""
    hidden = (
        SchemeComponent.objects.filter(scheme__round=round)
        .exclude(source=round)
        .exclude(source__status=RoundStatus.PUBLISHED)
        .select_related("source__track")
        .first()
    )
    if hidden is not None:
        raise Refused(
            _("The result contains scores of “%(source)s”. Publish that first."),
            code="source_unpublished",
            params={"source": hidden.source.name},
        )


@receiver(ranking_inputs_changed)
def refresh_soon(sender, round, **kwargs):
    """Recompute in the background; a decided round stands, so its result is shown or hidden now."""
    if round.is_decided:
        transaction.on_commit(lambda: standings.refresh(round))
        if sender is Round:  # published or taken back, which may show or hide what is there already
            standings.tell_boards(round)
    else:
        transaction.on_commit(lambda: _send(round.pk))


@receiver(moved, sender=Round)
def tell_teams(sender, thing, **kwargs):
    """Once a result is public, its set time is done with and its teams are told."""
    if thing.status == RoundStatus.PUBLISHED:
        publication.forget_time(thing)
        notices.prepare(thing)
        transaction.on_commit(wake_notices)


def wake_notices() -> None:
    """Have notices sent soon; without a broker the regular sweep does."""
    try:
        send_notices.apply_async(retry=False)
    except Exception:
        log.warning("could not reach the broker; notices to teams wait")


@receiver(record_checked)
def check_signature(sender, round, signed, **kwargs):
    return signature.differences(round, signed)


@receiver(hall_changed)
def show_in_the_hall(sender, round, **kwargs):
    """Send the stage screens what they show now, whole: 2,000 of them need not ask for it.

    Whoever watches without being an organizer listens to a channel of their own, which falls silent
    when the stage is no longer open to all.
    """
    state = reveal.state(round)
    driven = reveal.driven_state(round, state)
    live.publish(live.channel("hall", round.pk), {"state": driven})
    if stage.is_open_to_all(round):
        reveal.keep_public(round, state)
        live.publish(live.channel("watch", round.pk), {"state": state})


def _send(round_id: int) -> None:
    """Wake a worker once for a burst of changes; what gets lost, the regular refresh finds."""
    if not cache.add(f"standing-due-{round_id}", 1, BURST_S):
        return
    try:
        refresh_standing.apply_async([round_id], countdown=BURST_S, retry=False)
    except Exception:
        log.warning("could not reach the broker; standing of round %s waits", round_id)
