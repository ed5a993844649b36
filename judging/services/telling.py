"""Telling open pages and tablets that something changed. They fetch it; see contest/live.py.

Channels: ``desk-<round>`` for organizers, ``judge-<judge>`` for a judge's tablets,
``stage-<round>`` for everything in the hall.
"""

from collections.abc import Iterable

from contest import live


def tell_desk(round_id: int) -> None:
    """Something that organizers see of the round's sheets and panels changed."""
    live.publish(live.channel("desk", round_id))


def tell_judges(judge_ids: Iterable[int], device: str = "") -> None:
    """What these judges' tablets hold changed; ``device`` names the tablet that knows already."""
    for judge_id in set(judge_ids):
        live.publish(live.channel("judge", judge_id), {"device": device})


def tell_hall(round_id: int, stage: dict | None = None) -> None:
    """The round, or its stage, changed; ``stage`` is what everybody in the hall may see of it."""
    live.publish(live.channel("stage", round_id), {"stage": stage} if stage else {})
