from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from contest.errors import Refused
from contest.services.signin import find_link, use_link


@never_cache
@sensitive_variables("token")
def sign_in_link(request, token):
    """Show whose link this is; sign in only when the button is pressed.

    Messengers and mail scanners open addresses to preview them, which must not use a link up.
    """
    if request.method == "POST":
        try:
            user = use_link(token, request)
        except Refused as error:
            return render(
                request, "contest/sign_in_link.html", {"refused": error.messages}, status=409
            )
        return redirect("judge-home" if hasattr(user, "judge") else "home")
    link = find_link(token)
    usable = link is not None and link.is_usable
    return render(
        request,
        "contest/sign_in_link.html",
        {"link": link if usable else None},
        status=200 if usable else 404,
    )
