"""Decorators that let a view run only for those who may; everybody else is refused first.

Someone who is not signed in is sent to sign in; someone who may not know of the object gets 404;
someone who may see it but not do this gets 403.
"""

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from contest.models import Event, Round, Team
from contest.roles import can_see_event, is_captain, is_member, is_organizer
from contest.states import RoundStatus


def visible_event(request, slug: str) -> Event:
    """The event, or 404 where ``request.user`` may not know of it."""
    event = get_object_or_404(Event, slug=slug)
    if not can_see_event(request.user, event):
        raise Http404
    return event


def visible_round(request, slug: str, round_slug: str) -> Round:
    """A round that has begun, of an event that ``request.user`` may know of; else 404."""
    event = visible_event(request, slug)
    begun = Round.objects.select_related("event", "track").exclude(status=RoundStatus.DRAFT)
    return get_object_or_404(begun, event=event, slug=round_slug)


def organizer_required(view):
    """``view(request, event, ...)`` for organizers of the event named by ``slug`` in the URL.

    The view must render its answer itself (no lazy TemplateResponse), within the event's zone.
    """

    @wraps(view)
    @login_required
    def wrapper(request, slug, *args, **kwargs):
        event = visible_event(request, slug)
        if not is_organizer(request.user, event):
            raise PermissionDenied
        # Times in forms are read and written in the event's zone.
        with timezone.override(event.tzinfo):
            return view(request, event, *args, **kwargs)

    return wrapper


def round_organizer_required(view):
    """``view(request, round, ...)`` for organizers, by ``slug`` and ``round_slug``."""

    @organizer_required
    @wraps(view)
    def wrapper(request, event, round_slug, *args, **kwargs):
        round = get_object_or_404(
            Round.objects.select_related("event", "track"), event=event, slug=round_slug
        )
        return view(request, round, *args, **kwargs)

    return wrapper


def team_required(*, captain: bool = False, organizer: bool = True):
    """``view(request, team, ...)`` for the team's members, by ``slug`` and ``code``.

    ``captain`` limits it to the captain; ``organizer`` also lets the event's organizers in.
    """

    def decorator(view):
        @wraps(view)
        @login_required
        def wrapper(request, slug, code, *args, **kwargs):
            event = visible_event(request, slug)
            team = get_object_or_404(
                Team.objects.select_related("event", "track"), event=event, code=code
            )
            allowed = (is_captain if captain else is_member)(request.user, team)
            if not allowed and not (organizer and is_organizer(request.user, event)):
                raise PermissionDenied
            return view(request, team, *args, **kwargs)

        return wrapper

    return decorator
