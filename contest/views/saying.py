from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from contest.errors import Refused


def say(request, error) -> None:
    """Show on the next page what a service refused."""
    for message in error.messages:
        messages.error(request, message)


def do(request, actions: Mapping[str, Callable]) -> None:
    """Do the action that the form names, and say on the next page that it is done or why it was
    refused. Raises Refused for one that there is not."""
    action = request.POST.get("action")
    if action not in actions:
        raise Refused(_("Unknown action."), code="unknown_action")
    try:
        actions[action]()
    except Refused as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Done."))


def asked(error: ValidationError) -> dict | None:
    """What a request repeats to mean what was refused, where it was refused to ask first."""
    return (getattr(error, "params", None) or {}).get("confirm")


def timed(response: HttpResponseBase) -> HttpResponseBase:
    """The answer with the server's time, by which the page sets its clocks."""
    response.headers["Server-Time"] = timezone.now().isoformat()
    return response


def acted(request, act: Callable[[], None], state: Callable[[], dict]) -> JsonResponse | None:
    """Do what was asked for. A screen that wants JSON is answered with the state after it, or with
    why it was refused; for a page (None) a refusal is said on the next one."""
    wants_json = request.headers.get("Accept") == "application/json"
    try:
        act()
    except ValidationError as error:
        if wants_json:
            said = {"detail": " ".join(error.messages)}
            if confirm := asked(error):
                said |= {"code": error.code, "confirm": confirm}
            return JsonResponse(said, status=409)
        say(request, error)
    return JsonResponse(state()) if wants_json else None
