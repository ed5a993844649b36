from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import JsonResponse


def say(request, error) -> None:
    """Show on the next page what a service refused."""
    for message in error.messages:
        messages.error(request, message)


def acted(request, act: Callable[[], None], state: Callable[[], dict]) -> JsonResponse | None:
    """Do what was asked for. A screen that wants JSON is answered with the state after it, or with
    why it was refused; for a page (None) a refusal is said on the next one."""
    wants_json = request.headers.get("Accept") == "application/json"
    try:
        act()
    except ValidationError as error:
        if wants_json:
            return JsonResponse({"detail": " ".join(error.messages)}, status=409)
        say(request, error)
    return JsonResponse(state()) if wants_json else None
