"""Telling open pages and tablets that something changed. They fetch it; see contest/live.py.

Channels: ``desk-<round>`` for organizers, ``judge-<judge>`` for a judge's tablets,
``stage-<round>`` for tablets in the hall; the stage screen has its own, see leaderboard/receivers.
"""

from collections.abc import Iterable

from django.db import transaction

from contest import live
from contest.models import Round
from judging.signals import hall_changed


def tell_desk(round_id: int) -> None:
    """Something that organizers see of the round's sheets and panels changed."""
    live.publish(live.channel("desk", round_id))


def tell_judges(judge_ids: Iterable[int], device: str = "") -> None:
    """What these judges' tablets hold changed; ``device`` names the tablet that knows already."""
    for judge_id in set(judge_ids):
        live.publish(live.channel("judge", judge_id), {"device": device})


def tell_stage(round: Round, stage: dict) -> None:
    """The stage changed; ``stage`` is what everybody in the hall may see of it."""
    live.publish(live.channel("stage", round.pk), {"stage": stage})
    tell_hall(round)


def tell_hall(round: Round) -> None:
    """The stage screen shows something else, once the transaction is committed."""
    transaction.on_commit(lambda: hall_changed.send_robust(sender=Round, round=round))
