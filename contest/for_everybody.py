"""Answers that are the same for everybody: no cookie, no session, the language of the address.

Views that give them are marked ``@for_everybody`` and run before sessions, users and languages are
looked at (contest.middleware.ForEverybodyMiddleware), so that a thousand readers cost what one does
and caches on the way may keep what they were given.
"""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags

# Browsers ask each time whether theirs is the newest, caches on the way once in so many seconds:
# what is taken back is gone everywhere after that, and after the second for which a process of ours
# may keep it. Pages wait for so long after they were told of a change (data-live-after).
SHARED_S = 1
CACHE_CONTROL = f"public, max-age=0, s-maxage={SHARED_S}, must-revalidate"
NOT_WORTH_ZIPPING = 1000


def for_everybody(view):
    view.for_everybody = True
    return view


def is_for_everybody(view) -> bool:
    """Also of the view classes of the REST framework."""
    return getattr(getattr(view, "cls", view), "for_everybody", False)


@dataclass(frozen=True)
class Body:
    """What is sent, plain and zipped, made once and kept in a cache."""

    content: bytes
    zipped: bytes | None
    digest: str
    content_type: str
    made_at: datetime

    @classmethod
    def of(cls, text: str, content_type: str = "text/html; charset=utf-8") -> "Body":
        content = text.encode()
        zipped = None
        if len(content) > NOT_WORTH_ZIPPING:
            # Nothing secret is inside, so that its length says nothing of a secret.
            zipped = gzip.compress(content, compresslevel=6, mtime=0)
        made_at = timezone.now().replace(microsecond=0)
        digest = hashlib.sha256(content).hexdigest()[:32]
        return cls(content, zipped, digest, content_type, made_at)


def answer(request, body: Body, *, framed: bool = False) -> HttpResponse:
    """The body, zipped if the reader takes that, or 304 if they have it already.

    ``framed``: pages of other sites may show it in a frame.
    """
    zipped = body.zipped is not None and _takes_gzip(request)
    etags = {False: f'"{body.digest}"', True: f'"{body.digest}-gzip"'}
    if _has_it(request, set(etags.values())):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(
            body.zipped if zipped else body.content, content_type=body.content_type
        )
        response["Content-Length"] = len(response.content)
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etags[zipped]
    response["Last-Modified"] = http_date(body.made_at.timestamp())
    response["Cache-Control"] = CACHE_CONTROL
    patch_vary_headers(response, ["Accept-Encoding"])
    if framed:
        response._csp_replace = {"frame-ancestors": ["*"]}
        response.xframe_options_exempt = True
    else:
        response["X-Frame-Options"] = "DENY"
    return response


def refuse(status: int, text: str) -> HttpResponse:
    """A plain refusal, which nobody keeps."""
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


def _takes_gzip(request) -> bool:
    offered = request.META.get("HTTP_ACCEPT_ENCODING", "").lower().split(",")
    for coding in offered:
        name, _sep, quality = coding.strip().partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _has_it(request, etags: set[str]) -> bool:
    """By the entity tag alone. Dates count seconds: what was shown and taken back within one would
    pass for what followed it."""
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")
    theirs = {tag.removeprefix("W/") for tag in parse_etags(asked)}
    return "*" in theirs or bool(theirs & etags)
