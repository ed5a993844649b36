"""Middleware of the whole site."""

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from contest.errors import OUT_OF_RANGE, Refused, out_of_range_message
from contest.for_everybody import is_for_everybody
from contest.models import SignInLink

LINK_SESSION_KEY = "sign_in_link"


class SignInLinkMiddleware:
    """End a session that a sign-in link opened once the link is revoked or has expired."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        link_id = request.session.get(LINK_SESSION_KEY)
        if link_id is not None:
            link = SignInLink.objects.filter(pk=link_id).first()
            if link is None or not link.is_live:
                logout(request)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """Who came by a link cannot give the account a password that outlives the link."""
        name = request.resolver_match.url_name or ""
        by_link = LINK_SESSION_KEY in request.session
        if by_link and name.startswith("account_") and name != "account_logout":
            raise PermissionDenied


class ForEverybodyMiddleware:
    """Answer what is the same for everybody at once; see contest/for_everybody.py.

    Stands below what concerns every answer (https, policies) and above all that asks who it is.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ("GET", "HEAD"):
            try:
                match = resolve(request.path_info)
            except Resolver404:
                return self.get_response(request)
            if is_for_everybody(match.func):
                request.resolver_match = match
                response = match.func(request, *match.args, **match.kwargs)
                # What Django does to answers of views that are rendered late, such as refusals of
                # the REST framework.
                return response.render() if hasattr(response, "render") else response
        return self.get_response(request)


class RefusalMiddleware:
    """Show what a service refused as a page (or a message for htmx) instead of a server error."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Refused):
            text, status = " ".join(str(message) for message in exception.messages), 409
        elif isinstance(exception, OUT_OF_RANGE):
            text, status = str(out_of_range_message()), 400
        else:
            return None
        if getattr(request, "htmx", False):
            messages.error(request, text)
            return render(request, "_messages.html", status=status)
        return render(
            request, "refused.html", {"reason": text, "title": _("Not possible")}, status=status
        )
