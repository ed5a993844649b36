from django.conf import settings

from contest.roles import is_organizer_anywhere


def site(request):
    """What the base template needs on every page."""
    user = getattr(request, "user", None)
    return {
        "site_url": settings.SITE_URL,
        "user_is_judge": bool(user and user.is_authenticated and hasattr(user, "judge")),
        "user_organizes": bool(user and user.is_authenticated and is_organizer_anywhere(user)),
    }
