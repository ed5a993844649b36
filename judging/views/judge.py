"""The judge's tablet: an app that opens without a network (static/js/judge/).

The page and its service worker are the same for everybody and hold nothing of anybody; what a judge
may know comes from the API.
"""

import hashlib
import json
from functools import wraps

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import ensure_csrf_cookie

from contest.models import EntryFile
from judging.models import Assignment
from judging.roles import assignments_of, judge_of
from judging.services.scoresheets import is_recused
from judging.services.tablet import file_name, file_type
from judging.tablet_texts import texts

# Everything the app is made of; the service worker keeps it on the tablet.
MODULES = (
    "js/clock.js",
    "js/judge/app.js",
    "js/judge/sheets.js",
    "js/judge/store.js",
    "js/judge/tablet.js",
    "js/judge/totals.js",
    "js/judge/view_home.js",
    "js/judge/view_sheet.js",
    "js/judge/words.js",
    "js/live.js",
    "vendor/idb/index.js",
    "vendor/lit-html/lit-html.js",
)
ASSETS = (*MODULES, "css/tablet.css", "img/favicon.svg", "img/icon-192.png", "img/icon-512.png")


# What is shown beside the sheet. Its content was checked to be of its kind at the upload, and
# browsers are told not to guess.
SHOWN = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}


def judge_required(view):
    """``view(request, judge, ...)`` for a signed-in judge, in the event's time zone."""

    @wraps(view)
    @login_required
    def wrapper(request, *args, **kwargs):
        judge = judge_of(request.user)
        if judge is None:
            raise PermissionDenied
        with timezone.override(judge.event.tzinfo):
            return view(request, judge, *args, **kwargs)

    return wrapper


def _shell(request=None) -> str:
    context = {"texts": texts(), "modules": MODULES}
    return render_to_string("judging/tablet.html", context, request)


@ensure_csrf_cookie
@cache_control(no_cache=True, private=True)
def judge_home(request):
    """The app. Whoever opens it without being signed in as a judge is asked for the link."""
    return HttpResponse(_shell(request))


@cache_control(no_cache=True)
def judge_worker(request):
    """The service worker. Its text holds a version, so that browsers notice a new app.

    The version covers the names of all files, which in production hold digests of their content,
    and the page with its texts. Where names hold none (DEBUG, tests) a changed file alone makes no
    new version.
    """
    assets = [static(name) for name in ASSETS]
    with override(None):
        digest = hashlib.sha256(json.dumps([assets, texts(), _shell()]).encode()).hexdigest()
    return render(
        request,
        "judging/tablet_worker.js",
        {"assets": assets, "version": digest[:16]},
        content_type="text/javascript",
    )


@cache_control(max_age=3600)
def judge_manifest(request):
    """What the browser needs to install the app."""
    icons = [
        {"src": static(f"img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png",
         "purpose": "any maskable"}
        for size in (192, 512)
    ]  # fmt: skip
    manifest = {
        "name": _("Straight to Wuzhen: judging"),
        "short_name": _("Judging"),
        "start_url": request.build_absolute_uri("./"),
        "scope": request.build_absolute_uri("./"),
        "display": "standalone",
        "background_color": "#eef3f6",
        "theme_color": "#1f3a4d",
        "icons": icons,
    }
    return JsonResponse(manifest, content_type="application/manifest+json")


@xframe_options_sameorigin
@csp_update({"frame-ancestors": [SELF]})
@judge_required
def judge_file(request, judge, pk, file):
    """A document of a team that the judge is to score: shown if it is one that browsers show."""
    assignment = get_object_or_404(
        assignments_of(judge.user).select_related("panel", "participation__team__entry"), pk=pk
    )
    if is_recused(assignment):
        raise PermissionDenied
    kept, place = _file_of(assignment, file)
    shown_as = SHOWN.get(file_type(kept))
    return FileResponse(
        kept.file.open("rb"),
        as_attachment=shown_as is None,
        filename=file_name(kept, place) if assignment.panel.is_anonymous else kept.original_name,
        content_type=shown_as or "application/octet-stream",
    )


def _file_of(assignment: Assignment, pk: int) -> tuple[EntryFile, int]:
    """A file of the team's entry and its place in the list. Raises Http404."""
    files = assignment.participation.team.entry.files.all()
    for place, kept in enumerate(files, start=1):
        if kept.pk == pk:
            return kept, place
    raise Http404
