"""Asking judges for what is missing; their tablets show it."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Round, User
from judging.models import Judge, Reminder
from judging.services import grid
from judging.services.telling import tell_desk, tell_judges

# A second tap within this time sends nothing.
PAUSE = timedelta(minutes=1)


def remind(round: Round, judge: Judge, by: User, text: str = "") -> Reminder | None:
    """Remind one judge of the round; None if it was done less than a minute ago. Raises Refused."""
    if not judge.assignments.filter(participation__round=round).exists():
        raise Refused(_("The judge has no team in this round."), code="not_assigned")
    with transaction.atomic():
        Judge.objects.select_for_update(of=("self",)).get(pk=judge.pk)
        if Reminder.objects.filter(judge=judge, at__gt=timezone.now() - PAUSE).exists():
            return None
        tell_judges([judge.pk])
        tell_desk(round.pk)
        return Reminder.objects.create(
            judge=judge, round=round, by=by, text=" ".join(text.split())[:300]
        )


def remind_late(round: Round, by: User, text: str = "") -> list[Reminder]:
    """Remind every judge who is late; those who were reminded just now are left in peace."""
    sent = [remind(round, judge, by, text) for judge in grid.load(round).late]
    return [reminder for reminder in sent if reminder is not None]
