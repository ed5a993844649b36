from django.db.models import Q
from rest_framework.permissions import SAFE_METHODS, BasePermission

from contest.models import Membership, Team
from contest.roles import is_organizer, is_organizer_anywhere, may_create_events, organized_events


class DenyByDefault(BasePermission):
    """An endpoint that declares nothing lets nobody in."""

    def has_permission(self, request, view):
        return False


class IsSignedIn(BasePermission):
    def has_permission(self, request, view):
        return bool(request.user and request.user.is_authenticated)


class PublicToRead(BasePermission):
    """Anybody reads (the view's queryset says what); only who is signed in writes."""

    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated


class EventOrganizerWrites(PublicToRead):
    """To change a thing takes an organizer of its event; the thing has ``audit_event()``."""

    def has_permission(self, request, view):
        if request.method in SAFE_METHODS:
            return True
        user = request.user
        return user.is_authenticated and (is_organizer_anywhere(user) or may_create_events(user))

    def has_object_permission(self, request, view, obj):
        return request.method in SAFE_METHODS or is_organizer(request.user, obj.audit_event())


class OrganizersWrite(PublicToRead):
    """Anybody reads what the view's queryset shows; to write takes somebody who organizes."""

    def has_permission(self, request, view):
        if request.method in SAFE_METHODS:
            return True
        return request.user.is_authenticated and is_organizer_anywhere(request.user)


class SignedInReadOrganizersWrite(OrganizersWrite):
    def has_permission(self, request, view):
        return request.user.is_authenticated and super().has_permission(request, view)


class OrganizersAlone(BasePermission):
    def has_permission(self, request, view):
        return request.user.is_authenticated and is_organizer_anywhere(request.user)


def insider_teams(user):
    """Teams of which ``user`` may know everything: the own ones and those of organized events."""
    if not user.is_authenticated:
        return Team.objects.none()
    own = Membership.objects.filter(user=user).values("team")
    return Team.objects.filter(Q(pk__in=own) | Q(event__in=organized_events(user)))
