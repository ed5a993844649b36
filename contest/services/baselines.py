"""Baselines: what the organizers send in to compare with. Scored like any other, never ranked."""

import itertools

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Entry, Event, LogEntry, Participation, Round, Submission, Team, User
from contest.services.submissions import require_size, store
from contest.signals import submission_offered
from contest.states import ParticipationStatus, TeamStatus
from contest.uploads import sha256_of

PREFIX = "BASE"


@transaction.atomic
def submit_baseline(
    round: Round,
    by: User,
    *,
    file,
    kind: str,
    client_key: str,
    name_zh: str = "",
    name_en: str = "",
) -> tuple[Submission, bool]:
    """Send in a baseline of a round under a name of its own; it and whether it is new.

    It stands for itself, outside of quota and deadline, and is scored like a team's. Raises Refused
    (codes: wrong_format, round_decided, wrong_kind, empty_file, file_too_large, no_name).
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    earlier = Submission.objects.filter(
        participation__round=round,
        participation__status=ParticipationStatus.BASELINE,
        client_key=client_key,
    ).first()
    if earlier is not None:
        return earlier, False
    if not (name_zh.strip() or name_en.strip()):
        raise Refused(_("Give the baseline a name."), code="no_name")
    if round.format != Round.Format.AUTOMATED:
        raise Refused(_("Only automated rounds have baselines."), code="wrong_format")
    round.require_undecided()
    require_size(file, round)
    submission_offered.send(sender=Submission, round=round, kind=kind)
    participation = _participation(round, name_zh.strip(), name_en.strip())
    submission = store(
        participation, file, kind=kind, by=by, client_key=client_key, digest=sha256_of(file),
        now=timezone.now(),
    )  # fmt: skip
    LogEntry.write(participation, "baseline", by=by, after=submission.original_name)
    return submission, True


def _participation(round: Round, name_zh: str, name_en: str) -> Participation:
    # The number is the event's, so is the lock.
    Event.objects.select_for_update(of=("self",)).get(pk=round.event_id)
    known = Team.objects.filter(event=round.event_id, code__startswith=f"{PREFIX}-")
    taken = set(known.values_list("code", flat=True))
    number = next(n for n in itertools.count(1) if f"{PREFIX}-{n}" not in taken)
    team = Team.objects.create(
        track=round.track,
        code=f"{PREFIX}-{number}",
        name_zh=name_zh,
        name_en=name_en,
        organisation_zh=round.event.organiser_zh[:200],
        organisation_en=round.event.organiser_en[:200],
        country="CN",
        status=TeamStatus.BASELINE,
    )
    Entry.objects.create(team=team, title_zh=name_zh, title_en=name_en)
    return Participation.objects.create(round=round, team=team, status=ParticipationStatus.BASELINE)
