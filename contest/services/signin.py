"""One-time sign-in links, shown as QR codes."""

import io
import secrets
from datetime import timedelta

import segno
from django.contrib.auth import login
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.links import absolute_url
from contest.middleware import LINK_SESSION_KEY
from contest.models import Event, SignInLink, User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def make_link(
    user: User, event: Event | None, by: User | None, valid_days: int = 14
) -> tuple[SignInLink, str]:
    """A new link and its secret token, which is shown now and stored nowhere.

    Links that were made before for the same person and not yet used stop working, so that one
    that was lost or photographed opens nothing.
    """
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        SignInLink.objects.filter(user=user, event=event, used_at=None, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        link = SignInLink.objects.create(
            user=user,
            event=event,
            token_sha256=SignInLink.digest(token),
            created_by=by,
            expires_at=timezone.now() + timedelta(days=valid_days),
        )
    return link, token


def link_url(token: str) -> str:
    return absolute_url(reverse("sign-in-link", args=[token]))


def qr_svg(url: str) -> str:
    """The address as an inline SVG of a QR code."""
    out = io.BytesIO()
    segno.make(url, error="m").save(
        out, kind="svg", scale=5, xmldecl=False, svgns=True, title=url, nl=False
    )
    return out.getvalue().decode()


def find_link(token: str) -> SignInLink | None:
    return (
        SignInLink.objects.select_related("user", "event")
        .filter(token_sha256=SignInLink.digest(token))
        .first()
    )


def use_link(token: str, request) -> User:
    """Sign the link's person in on this device; it works once. Raises Refused."""
    with transaction.atomic():
        link = (
            SignInLink.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(token_sha256=SignInLink.digest(token))
            .first()
        )
        if link is None or not link.is_usable or not link.user.is_active:
            raise Refused(
                _("This sign-in link was used, revoked or has expired. Ask for a new one."),
                code="link_not_usable",
            )
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
    login(request, link.user, backend=BACKEND)
    request.session[LINK_SESSION_KEY] = str(link.pk)
    request.session.set_expiry(link.expires_at)
    return link.user


def revoke_link(link: SignInLink, by: User) -> None:
    """End the link and every session that it opened."""
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
