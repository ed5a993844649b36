"""Every state machine of contest/, in one place: which move leads from which state.

A machine is a table ``{state: {states that may follow}}``. Models with a ``status`` field take the
mixin ``HasStates``; nothing else writes ``status``.
"""

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import WrongMove
from contest.signals import moved


class EventStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")


EVENT_MOVES = {
    EventStatus.DRAFT: {EventStatus.PUBLISHED},
    EventStatus.PUBLISHED: {EventStatus.DRAFT, EventStatus.ARCHIVED},
    EventStatus.ARCHIVED: {EventStatus.PUBLISHED},
}


class RoundStatus(models.TextChoices):
    DRAFT = "draft", _("in preparation")
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")
    DECIDED = "decided", _("decided")
    PUBLISHED = "published", _("published")


ROUND_MOVES = {
    RoundStatus.DRAFT: {RoundStatus.OPEN},
    RoundStatus.OPEN: {RoundStatus.CLOSED},
    RoundStatus.CLOSED: {RoundStatus.OPEN, RoundStatus.DECIDED},
    RoundStatus.DECIDED: {RoundStatus.CLOSED, RoundStatus.PUBLISHED},
    RoundStatus.PUBLISHED: {RoundStatus.DECIDED},
}


class TeamStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    REGISTERED = "registered", _("registered")
    CONFIRMED = "confirmed", _("confirmed")
    WITHDRAWN = "withdrawn", _("withdrawn")
    DISQUALIFIED = "disqualified", _("disqualified")
    BASELINE = "baseline", _("baseline of the organizers")


TEAM_MOVES = {
    TeamStatus.DRAFT: {TeamStatus.REGISTERED, TeamStatus.WITHDRAWN},
    TeamStatus.REGISTERED: {
        TeamStatus.CONFIRMED,
        TeamStatus.WITHDRAWN,
        TeamStatus.DISQUALIFIED,
    },
    TeamStatus.CONFIRMED: {TeamStatus.WITHDRAWN, TeamStatus.DISQUALIFIED},
    TeamStatus.WITHDRAWN: {TeamStatus.REGISTERED},
    TeamStatus.DISQUALIFIED: {TeamStatus.CONFIRMED},
    TeamStatus.BASELINE: set(),  # made as one, and never anything else
}


class ParticipationStatus(models.TextChoices):
    ACTIVE = "active", _("taking part")
    WITHDRAWN = "withdrawn", _("withdrawn")
    DISQUALIFIED = "disqualified", _("disqualified")
    BASELINE = "baseline", _("baseline of the organizers")


PARTICIPATION_MOVES = {
    ParticipationStatus.ACTIVE: {ParticipationStatus.WITHDRAWN, ParticipationStatus.DISQUALIFIED},
    ParticipationStatus.WITHDRAWN: {ParticipationStatus.ACTIVE},
    ParticipationStatus.DISQUALIFIED: {ParticipationStatus.ACTIVE},
    ParticipationStatus.BASELINE: set(),
}


class SubmissionStatus(models.TextChoices):
    RECEIVED = "received", _("received")
    SCORED = "scored", _("scored")
    INVALID = "invalid", _("invalid")
    FAILED = "failed", _("could not be scored")
    WITHDRAWN = "withdrawn", _("withdrawn")


SUBMISSION_MOVES = {
    SubmissionStatus.RECEIVED: {
        SubmissionStatus.SCORED,
        SubmissionStatus.INVALID,
        SubmissionStatus.FAILED,
        SubmissionStatus.WITHDRAWN,
    },
    # A rescoring may change what became of a submission.
    SubmissionStatus.SCORED: {SubmissionStatus.INVALID, SubmissionStatus.WITHDRAWN},
    SubmissionStatus.INVALID: {SubmissionStatus.SCORED},
    SubmissionStatus.FAILED: {SubmissionStatus.SCORED, SubmissionStatus.INVALID},
    SubmissionStatus.WITHDRAWN: set(),
}


class HasStates(models.Model):
    """A model whose ``status`` moves along a declared machine, each move recorded.

    Subclasses set ``MOVES`` and give ``audit_event()``, the event whose log keeps the move.
    """

    MOVES: dict[str, set[str]] = {}

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        """Save every field but the status, which ``move_to`` alone writes once the row exists.

        Otherwise a save of what was read before a move would undo the move.
        """
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name != "status"
            ]
        super().save(*args, **kwargs)

    def may_move(self, status: str) -> bool:
        return status in self.MOVES[self.status]

    def require_move(self, status: str) -> None:
        """Raise WrongMove unless the machine leads from here to ``status``."""
        if not self.may_move(status):
            labels = dict(self._meta.get_field("status").choices)
            raise WrongMove(
                _("%(what)s is “%(now)s” and cannot become “%(wanted)s”."),
                code="wrong_move",
                params={
                    "what": str(self),
                    "now": labels[self.status],
                    "wanted": labels.get(status, status),
                },
            )

    def move_to(self, status: str, *, by=None, reason: str = "", **fields) -> None:
        """Lock the row, make one move, save it with ``fields`` and write it to the log.

        Asking for the state that already holds is a repeat of the same request and does nothing.
        Raises WrongMove.
        """
        from contest.models import LogEntry

        with transaction.atomic():
            current = type(self).objects.select_for_update(of=("self",)).get(pk=self.pk)
            self.status = current.status
            if self.status == status:
                return
            self.require_move(status)
            before, self.status = self.status, status
            for name, value in fields.items():
                setattr(self, name, value)
            self.save(update_fields=["status", *fields])
            LogEntry.write(
                self, "status", by=by, reason=reason, before=str(before), after=str(status)
            )
            moved.send(sender=type(self), thing=self, before=before, by=by)
