"""Events, tracks and the people who organize them."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Event, EventRole, LogEntry, Membership, Track, User
from contest.states import EventStatus


@transaction.atomic
def create_event(by: User, **fields) -> Event:
    """A new event in preparation, organized by whoever makes it. Raises ValidationError."""
    event = Event(**fields)
    event.full_clean()
    event.save()
    EventRole.objects.create(event=event, user=by)
    LogEntry.write(event, "created", by=by)
    return event


@transaction.atomic
def save_event(event: Event, by: User) -> Event:
    """Change an event's texts and dates. Raises ValidationError."""
    event.full_clean()
    event.save()
    LogEntry.write(event, "saved", by=by)
    return event


def add_organizer(event: Event, email: str, by: User) -> EventRole:
    """Let a person with an account organize the event. Raises Refused when there is none."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise Refused(
            _("Nobody has registered with %(email)s; ask them to sign up first."),
            code="unknown_user",
            params={"email": email},
        )
    if Membership.objects.filter(user=user, team__event=event).exists():
        raise Refused(
            _("%(name)s competes in the event and cannot organize it."),
            code="member_cannot_organize",
            params={"name": user.name},
        )
    role, created = EventRole.objects.get_or_create(event=event, user=user)
    if created:
        LogEntry.write(event, "organizer_added", by=by, after=user.name)
    return role


@transaction.atomic
def remove_organizer(role: EventRole, by: User) -> None:
    """Take an organizer's right away; the last one stays. Raises Refused."""
    event = Event.objects.select_for_update().get(pk=role.event_id)
    if event.roles.count() == 1:
        raise Refused(_("An event keeps at least one organizer."), code="last_organizer")
    LogEntry.write(event, "organizer_removed", by=by, before=role.user.name)
    role.delete()


def publish_event(event: Event, by: User) -> None:
    """Show the event to everybody. Raises Refused while it has no track, WrongMove."""
    if not event.tracks.exists():
        raise Refused(_("Add a track before you publish the event."), code="no_track")
    event.move_to(EventStatus.PUBLISHED, by=by)


def save_track(track: Track, by: User) -> Track:
    """Create or change a track. Raises ValidationError."""
    track.full_clean()
    track.save()
    LogEntry.write(track, "saved", by=by)
    return track


@transaction.atomic
def delete_track(track: Track, by: User) -> None:
    """Remove a track nobody uses yet. Raises Refused."""
    if track.teams.exists() or track.rounds.exists() or track.children.exists():
        raise Refused(
            _("“%(track)s” has teams, rounds or sub-tracks and stays."),
            code="track_in_use",
            params={"track": track.name},
        )
    LogEntry.write(track, "deleted", by=by)
    track.delete()
