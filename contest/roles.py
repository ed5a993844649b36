"""Who may act as what. Every check of a right in the project comes down to these functions.

Staff run the platform and may do in every event what its organizers may.
"""

from contest.models import Event, EventRole, Membership, Team
from contest.states import EventStatus


def is_organizer(user, event: Event) -> bool:
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_staff or event.pk in _organized_ids(user)


def _organized_ids(user) -> set[int]:
    """Events the user organizes; asked once per request, since views ask for many objects."""
    if not hasattr(user, "_organized_event_ids"):
        user._organized_event_ids = set(
            EventRole.objects.filter(user=user, role=EventRole.Role.ORGANIZER).values_list(
                "event_id", flat=True
            )
        )
    return user._organized_event_ids


def is_organizer_anywhere(user) -> bool:
    return user.is_staff or bool(_organized_ids(user))


def organized_events(user):
    """The events that ``user`` organizes, newest first; all of them for staff."""
    return Event.objects.organized_by(user)


def is_member(user, team: Team) -> bool:
    return user.is_authenticated and Membership.objects.filter(team=team, user=user).exists()


def is_captain(user, team: Team) -> bool:
    return (
        user.is_authenticated
        and Membership.objects.filter(team=team, user=user, role=Membership.Role.CAPTAIN).exists()
    )


def can_see_event(user, event: Event) -> bool:
    return event.status != EventStatus.DRAFT or is_organizer(user, event)


def may_create_events(user) -> bool:
    """Staff, and whoever staff gave the permission to add events."""
    return user.is_authenticated and (user.is_staff or user.has_perm("contest.add_event"))
