"""One-time sign-in links, shown as QR codes."""

import io
import re
import secrets
from datetime import timedelta

import segno
from django.contrib.auth import login
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.links import absolute_url
from contest.middleware import LINK_SESSION_KEY
from contest.models import Event, SignInLink, User

# Of codes that people type: no 0 and O, no 1, I and L. 31⁸ codes, each good for minutes and most
# never made: whoever tries a thousand a second finds one in a hundred thousand halls.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
CODE_MINUTES = 10
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


def make_code(request) -> tuple[SignInLink, str]:
    """A short code that signs the request's person in once more, beside where they are now.

    For an app installed on the same device, which shares no cookies with the browser there. Codes
    made before stop working. Raises Refused for a session that no link opened.
    """
    opened_by = SignInLink.objects.filter(pk=request.session.get(LINK_SESSION_KEY)).first()
    if opened_by is None:
        raise Refused(
            _("Only who signed in by a link can hand the session on."), code="no_sign_in_link"
        )
    root = opened_by.handed_from or opened_by
    code = "".join(secrets.choice(CODE_LETTERS) for _n in range(CODE_LENGTH))
    with transaction.atomic():
        # Locked, so that a code is not made beside the link's end.
        root = SignInLink.objects.select_for_update(of=("self",)).get(pk=root.pk)
        if not root.is_live:
            raise _not_usable()
        root.handed_on.filter(used_at=None, revoked_at=None).update(revoked_at=timezone.now())
        link = SignInLink.objects.create(
            user=root.user,
            event=root.event,
            token_sha256=SignInLink.digest(code),
            created_by=root.user,
            expires_at=root.expires_at,
            handed_from=root,
            usable_until=timezone.now() + timedelta(minutes=CODE_MINUTES),
        )
    return link, code


def code_shown(code: str) -> str:
    """As people read it: in two groups."""
    return f"{code[:4]}-{code[4:]}"


def _read(token: str) -> str:
    """What was typed or opened; a code in whatever way it was typed."""
    plain = re.sub(r"[\s-]", "", token).upper()
    return plain if re.fullmatch(f"[{CODE_LETTERS}]{{{CODE_LENGTH}}}", plain) else token


def find_link(token: str) -> SignInLink | None:
    return (
        SignInLink.objects.select_related("user", "event")
        .filter(token_sha256=SignInLink.digest(_read(token)))
        .first()
    )


def _not_usable() -> Refused:
    return Refused(
        _("This sign-in link was used, revoked or has expired. Ask for a new one."),
        code="link_not_usable",
    )


def use_link(token: str, request) -> User:
    """Sign the link's person in on this device; it works once. Raises Refused."""
    with transaction.atomic():
        link = (
            SignInLink.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(token_sha256=SignInLink.digest(_read(token)))
            .first()
        )
        if link is None or not link.is_usable or not link.user.is_active:
            raise _not_usable()
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
    login(request, link.user, backend=BACKEND)
    request.session[LINK_SESSION_KEY] = str(link.pk)
    request.session.set_expiry(link.expires_at)
    return link.user


def revoke_link(link: SignInLink, by: User) -> None:
    """End the link, all that was handed on from it, and every session that these opened."""
    root = link.handed_from_id or link.pk
    now = timezone.now()
    family = SignInLink.objects.filter(Q(pk=root) | Q(handed_from=root), revoked_at=None)
    with transaction.atomic():
        SignInLink.objects.select_for_update(of=("self",)).get(pk=root)
        family.update(revoked_at=now)
    link.refresh_from_db(fields=["revoked_at"])
