"""Pages that take a table in: the file, what each of its columns is, what it would do, doing it.

The file is not kept on the server between two looks at it: it goes with the page, and comes back
with the form.
"""

import base64
import binascii
from collections.abc import Callable, Sequence

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from contest.errors import Refused
from contest.services.table_imports import Plan
from contest.tables_in import MAX_BYTES, BadTable, Column, Table, read_table
from contest.tables_out import table as written
from contest.uploads import UploadTooLarge, safe_name
from contest.views.saying import say


def look_or_take_in(
    request,
    columns: Sequence[Column],
    plan: Callable[[Table], Plan],
    take_in: Callable[[Table, str], Plan],
) -> tuple[Plan | None, dict]:
    """The plan that was written, if one was looked at and is still the same; else None and what
    the page shows: the plan, or what is wrong with the table."""
    try:
        name, content = _uploaded(request)
        mapping = _mapping(request)
    except Refused as error:
        return None, {"faults": error.messages}
    shown = {"name": name, "content": base64.b64encode(content).decode(), "columns": columns}

    def read() -> Table:
        return read_table(content, name, columns, mapping)

    try:
        if seen := request.POST.get("seen"):
            try:
                return take_in(read(), seen), {}
            except Refused as error:
                say(request, error)
        made = plan(read())
    except BadTable as error:
        more = max(0, len(error.faults) - len(error.messages))
        return None, shown | {"faults": error.messages, "more": more, "found": error.found}
    return None, shown | {"plan": made, "found": made.table.found}


def _uploaded(request) -> tuple[str, bytes]:
    """The file, or the one that was looked at before; its size is checked before it is held."""
    if name := getattr(request, "upload_too_large", None):
        raise UploadTooLarge(MAX_BYTES, name)
    if file := request.FILES.get("file"):
        if file.size > MAX_BYTES:
            raise Refused(
                _("%(file)s: the file is larger than the limit of %(limit)s MB."),
                code="file_too_large",
                params={"file": safe_name(file.name), "limit": MAX_BYTES // 1024**2},
            )
        return safe_name(file.name), file.read()
    try:
        content = base64.b64decode(request.POST.get("content", ""), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise Refused(_("Choose a file."), code="no_file")
    return safe_name(request.POST.get("name", "")), content


def _mapping(request) -> dict[str, str] | None:
    """What the form says each column of the file is; None for a file that is looked at first."""
    headings, names = request.POST.getlist("heading"), request.POST.getlist("column")
    if request.FILES.get("file") or not (headings or names):
        return None
    if len(headings) != len(names) or len(set(headings)) != len(headings):
        raise Refused(_("Say of each column of the file once what it is."), code="bad_mapping")
    return dict(zip(headings, names, strict=True))


def written_message(done: Plan) -> str:
    return _("%(file)s: %(new)s new, %(changed)s changed, %(unchanged)s unchanged.") % {
        "file": done.table.file,
        **{outcome: n for outcome, _label, n in done.counts},
    }


def template(name: str, fmt: str, headings: Sequence[str], rows: Sequence) -> HttpResponse:
    """A table to start from, as a download; 404 for a format that there is not."""
    if fmt not in ("csv", "xlsx"):
        raise Http404
    content_type, content = written(fmt, headings, rows)
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{fmt}"'},
    )
