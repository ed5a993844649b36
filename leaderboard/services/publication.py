"""Publishing a signed result at a set time, and showing it at once when somebody publishes it."""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest.errors import Refused
from contest.links import absolute_url
from contest.models import LogEntry, Round, User
from contest.services.rounds import publish_round
from contest.states import RoundStatus
from leaderboard.models import Advancement
from leaderboard.states import AdvancementStatus

log = logging.getLogger(__name__)


@transaction.atomic
def schedule(advancement: Advancement, by: User, at: datetime | None) -> Advancement:
    """Have the result published at ``at``, or, without a time, not by itself any more.

    Raises Refused unless it is signed off and not yet public, and for a time that is past.
    """
    Round.objects.select_for_update(of=("self",)).get(pk=advancement.round_id)
    advancement = (
        Advancement.objects.select_for_update(of=("self",))
        .select_related("round__event")
        .get(pk=advancement.pk)
    )
    if at is not None:
        signed = advancement.status == AdvancementStatus.SIGNED
        if not signed or advancement.round.status != RoundStatus.DECIDED:
            raise Refused(
                gettext_lazy("Sign the ranking off before you set when it is published."),
                code="not_signed",
            )
        if at <= timezone.now():
            raise Refused(gettext_lazy("That time is past."), code="time_past")
    if advancement.publish_at == at and not advancement.publish_refusal:
        return advancement
    before = advancement.publish_at
    advancement.publish_at, advancement.publish_refusal = at, ""
    advancement.publish_set_by = by if at is not None else None
    advancement.save(update_fields=["publish_at", "publish_refusal", "publish_set_by"])
    LogEntry.write(
        advancement,
        "publish_at",
        by=by,
        before=before.isoformat() if before else "",
        after=at.isoformat() if at else "",
    )
    return advancement


def publish_due() -> int:
    """Publish what is due, earlier rounds first; how many were.

    What is refused waits for somebody: its organizers are told by e-mail and at the desk, once.
    """
    due = (
        Advancement.objects.filter(
            status=AdvancementStatus.SIGNED,
            round__status=RoundStatus.DECIDED,
            publish_at__lte=timezone.now(),
            publish_refusal="",
        )
        .order_by("round__ordinal", "pk")
        .values_list("pk", flat=True)
    )
    return sum(_publish(pk) for pk in list(due))


def _publish(pk: int) -> bool:
    try:
        with transaction.atomic():
            round = Round.objects.select_for_update(of=("self",)).get(advancements=pk)
            advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=pk)
            still = advancement.publish_at is not None and advancement.publish_at <= timezone.now()
            if not still or round.status != RoundStatus.DECIDED:
                return False  # cancelled or published meanwhile
            publish_round(round, advancement.publish_set_by)
    except Refused as refused:
        _refused(pk, refused)
        return False
    return True


def _refused(pk: int, refused: Refused) -> None:
    """Keep why, and tell everybody who organizes the event."""
    advancement = Advancement.objects.select_related("round__event", "round__track").get(pk=pk)
    said = []
    for language, _name in settings.LANGUAGES:  # who reads it later may read another one
        with translation.override(language):
            said.append(" ".join(str(text) for text in refused.messages))
    with transaction.atomic():
        advancement.publish_refusal = " / ".join(said)
        advancement.save(update_fields=["publish_refusal"])
        LogEntry.write(advancement, "publish_refused", by=None, reason=advancement.publish_refusal)
    event = advancement.round.event
    for role in event.roles.select_related("user").exclude(user__email=None):
        with translation.override(role.user.language):
            context = {
                "round": advancement.round,
                "event": event,
                "at": advancement.publish_at,
                "why": " ".join(str(said) for said in refused.messages),
                "url": absolute_url(
                    reverse("desk-ranking", args=[event.slug, advancement.round.slug])
                ),
            }
            try:
                send_mail(
                    subject=_("“%(round)s” was not published") % {"round": advancement.round.name},
                    message=render_to_string("leaderboard/mail/not_published.txt", context),
                    from_email=None,
                    recipient_list=[role.user.email],
                )
            except OSError:  # the desk shows it in any case
                log.exception("could not mail organizer %s", role.user_id)


def forget_time(round: Round) -> None:
    """The round is public: nothing is left to do by itself, not even after a retraction."""
    Advancement.objects.filter(round=round).exclude(publish_at=None).update(
        publish_at=None, publish_set_by=None, publish_refusal=""
    )
