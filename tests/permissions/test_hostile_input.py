"""Nonsense from a sender never ends in a server error: every URL, as staff, who reach the most."""

import json
from copy import copy

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.permissions.expected import API, PAGES
from tests.permissions.test_matrix import client_of
from tests.permissions.world import make_world

pytestmark = pytest.mark.django_db

QUERIES = [
    "page=abc", "page=-1", "page=99999999999999999999", "page=0&page_size=x", "q=%00", "q=%ff%fe",
    "track=x&country=x&status=x", "track=9999999999999999999999", "search=%00", "ordering=password",
    "ordering=-private_score", "round=x&event=%00&team=1e9", "round=99999999999999999999",
    "standing=99999999999999999999&judge=99999999999999999999", "format=xml", "participation=x",
    "submission=x", "criterion=%27", "fmt=exe",
]  # fmt: skip
VALUES = [
    None, [], {}, True, -1, 10**30, 1e308, "", "\x00", "x" * 5000, "\ud800", "9" * 40, ["\x00"],
    {"a": {"b": []}},
]  # fmt: skip
FIELDS = [
    "action", "reason", "status", "email", "name", "name_zh", "name_en", "slug", "code_prefix",
    "ordinal", "track", "event", "round", "rubric", "judges", "judge", "team", "panel",
    "participation", "assignment", "criterion", "criteria", "key", "value", "device_at", "comment",
    "private_note", "metric", "extra_metrics", "public_percent", "split_seed", "advance_count",
    "tie_breaks", "decimals", "components", "weight", "first_rank", "last_rank", "advancing",
    "kind", "format", "opens_at", "closes_at", "quota_per_day", "max_upload_mb", "country", "entry",
    "title_en", "repository", "token", "password", "client_key", "time_zone", "language", "in",
    "organisation_en", "max_members", "wall_seconds", "memory_mb", "board", "language", "winner",
    "award", "note", "file", "seen", "order", "seed", "places", "drumroll", "missing",
    "presentation_s", "questions_s", "content", "heading", "column",
]  # fmt: skip


def urls(table, methods):
    for name, lines in sorted(table.items()):
        for method, arguments, _wanted in lines:
            if method in methods:
                yield name, method, arguments


def ask(world, call):
    """One request as staff, undone afterwards; anything but a server error is fine."""
    if not hasattr(world, "signed_in"):  # once: of thousands of requests half the time was this
        world.signed_in = client_of(world, "staff").cookies
    client = Client(raise_request_exception=True)
    client.cookies = copy(world.signed_in)
    sid = transaction.savepoint()
    try:
        answer = call(client)
        assert answer.status_code < 500
        return answer
    finally:
        transaction.savepoint_rollback(sid)


@pytest.mark.parametrize("table", [PAGES, API], ids=["pages", "api"])
def test_query_strings(table):
    world = make_world()
    for name, _method, arguments in urls(table, {"GET"}):
        path = reverse(name, kwargs=arguments(world.objects))
        for query in QUERIES:
            ask(world, lambda client, url=f"{path}?{query}": client.get(url))


def test_api_bodies():
    world = make_world()
    for name, method, arguments in urls(API, {"POST", "PATCH"}):
        path = reverse(name, kwargs=arguments(world.objects))

        def send(client, body, path=path, method=method):
            return getattr(client, method.lower())(path, body, content_type="application/json")

        for body in (b"", b"[]", b'"x"', b"null", b"{", b"\xff", b'{"a": NaN}', b"1" * 5000):
            ask(world, lambda client, body=body, send=send: send(client, body))
        for value in VALUES:
            body = json.dumps(dict.fromkeys(FIELDS, value)).encode()
            ask(world, lambda client, body=body, send=send: send(client, body))


@pytest.mark.parametrize("field", ["pk", "round"])
def test_ids_that_are_none(field):
    world = make_world()
    for name, method, arguments in urls(API, {"GET", "POST", "PATCH", "DELETE"}):
        filled = arguments(world.objects)
        if field not in filled:
            continue
        for value in ("0", "99999999999999999999", "x", "%00", "1e3"):
            path = reverse(name, kwargs=filled).replace(f"/{filled[field]}/", f"/{value}/")
            body = {} if method == "GET" else {"data": b"{}", "content_type": "application/json"}
            ask(
                world,
                lambda client, path=path, method=method, body=body: getattr(client, method.lower())(
                    path, **body
                ),
            )


def test_page_forms():
    world = make_world()
    for name, _method, arguments in urls(PAGES, {"POST"}):
        path = reverse(name, kwargs=arguments(world.objects))
        for value in ("", "\x00", "x" * 5000, "9" * 40, "-1", "NaN"):
            data = dict.fromkeys(FIELDS, value)
            for prefix in ("criteria", "components"):
                data |= {f"{prefix}-TOTAL_FORMS": value, f"{prefix}-INITIAL_FORMS": value}
                data |= {f"{prefix}-0-{field}": value for field in FIELDS[:20]}
            ask(world, lambda client, path=path, data=data: client.post(path, data))
