"""Asking judges for what is missing; their tablets show it."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Round, User
from contest.states import RoundStatus
from judging.models import Judge, Reminder
from judging.services import grid
from judging.services.panels import awaited
from judging.services.telling import tell_desk, tell_judges
from judging.states import ScoresheetStatus

# A second tap within this time sends nothing.
PAUSE = timedelta(minutes=1)
MAX_TEXT = Reminder._meta.get_field("text").max_length


def remind(round: Round, judge: Judge, by: User, text: str = "") -> Reminder | None:
    """Remind one judge of the round; None if it was done less than a minute ago. Raises Refused."""
    text = _checked(text)
    if not judge.assignments.filter(participation__round=round).exists():
        raise Refused(_("The judge has no team in this round."), code="not_assigned")
    with transaction.atomic():
        Judge.objects.select_for_update(of=("self",)).get(pk=judge.pk)
        just_now = Reminder.objects.filter(judge=judge, round=round, at__gt=timezone.now() - PAUSE)
        if just_now.exists():
            return None
        tell_judges([judge.pk])
        tell_desk(round.pk)
        return Reminder.objects.create(judge=judge, round=round, by=by, text=text)


def _checked(text: str) -> str:
    """The message on one line. Raises Refused where it is longer than is kept."""
    text = " ".join(text.split())
    if len(text) > MAX_TEXT:
        raise Refused(
            _("The text has %(length)s characters; at most %(most)s are kept."),
            code="text_too_long",
            params={"length": len(text), "most": MAX_TEXT},
        )
    return text


def standing(judge: Judge) -> list[Reminder]:
    """What the judge's tablets show: the newest of every round that is open and still waits for a
    sheet of the judge's."""
    waits = (
        awaited(OuterRef("round"))
        .filter(judge=judge)
        .exclude(scoresheet__status=ScoresheetStatus.SUBMITTED)
    )
    sent = Reminder.objects.filter(Exists(waits), judge=judge, round__status=RoundStatus.OPEN)
    newest: dict[int, Reminder] = {}
    for reminder in sent.order_by("at"):
        newest[reminder.round_id] = reminder
    return list(newest.values())


def remind_late(round: Round, by: User, text: str = "") -> list[Reminder]:
    """Remind every judge who is late; those who were reminded just now are left in peace."""
    _checked(text)
    sent = [remind(round, judge, by, text) for judge in grid.load(round).late]
    return [reminder for reminder in sent if reminder is not None]
