"""Every URL of the site against every role.

The list of URLs comes from the URL conf; one that has no line in ``EXPECTED`` fails the test. Each
line gives, for the roles in the order of ``world.ROLES``, what a request must get:

``.`` let through (whatever the view then makes of an empty request, but no error of ours),
``L`` sent to sign in, ``U`` 401, ``F`` 403, ``N`` 404.
"""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from tests.permissions.expected import EXPECTED
from tests.permissions.world import ROLES, make_world

pytestmark = pytest.mark.django_db


def named_urls(patterns=None, namespace=""):
    """Every URL name of the project, with its namespace."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            if namespace == "admin:" and not pattern.name:
                continue  # the admin's redirects of old addresses
            assert pattern.name, f"{pattern} has no name"
            yield f"{namespace}{pattern.name}"
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named_urls(pattern.url_patterns, inner)


def test_every_url_has_its_line():
    names = {name for name in named_urls() if not name.startswith("admin:")}
    assert names - set(EXPECTED) == set(), "URLs without an entry in tests/permissions/expected.py"
    assert set(EXPECTED) - names == set(), "entries without a URL"


def client_of(world, role) -> Client:
    client = Client(raise_request_exception=True)
    if world.users[role] is not None:
        client.force_login(world.users[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def verdict(response) -> str:
    if response.status_code == 302 and "/accounts/login/" in response.url:
        return "L"
    if response.status_code in (401, 403, 404):
        return {401: "U", 403: "F", 404: "N"}[response.status_code]
    assert response.status_code < 500, response.status_code
    return "."


def ask(world, role, method, url) -> str:
    """One request, undone afterwards, so that the next role finds the world as it was."""
    sid = transaction.savepoint()
    try:
        client = client_of(world, role)
        send = getattr(client, method.lower())
        if url.startswith("/api/") and method != "GET":
            return verdict(send(url, data={}, content_type="application/json"))
        return verdict(send(url))
    finally:
        transaction.savepoint_rollback(sid)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_matrix(name, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    world = make_world()
    for method, arguments, wanted in EXPECTED[name]:
        url = reverse(name, kwargs=arguments(world.objects))
        got = "".join(ask(world, role, method, url) for role in ROLES)
        told = ", ".join(
            f"{role}: {g} instead of {w}"
            for role, g, w in zip(ROLES, got, wanted, strict=True)
            if g != w
        )
        assert not told, f"{method} {url}: {told}"


def admin_urls(world):
    """Every admin page, filled with an object of ours where it needs one."""
    ours = {
        type(o)._meta.label_lower: o for o in vars(world.objects).values() if hasattr(o, "_meta")
    }
    for name in sorted({name for name in named_urls() if name.startswith("admin:")}):
        for arguments in ({}, {"object_id": None}, {"app_label": "contest"}):
            if "object_id" in arguments:
                model = ours.get(name.removeprefix("admin:").rsplit("_", 1)[0].replace("_", "."))
                arguments = {"object_id": model.pk if model else 1}
            try:
                yield name, reverse(name, kwargs=arguments)
                break
            except NoReverseMatch:
                continue


def test_admin_is_for_staff_alone():
    world = make_world()
    open_to_all = {"admin:login", "admin:logout", "admin:jsi18n"}
    asked = 0
    for name, url in admin_urls(world):
        if name in open_to_all:
            continue
        for role in ROLES:
            if role == "staff":
                continue
            response = client_of(world, role).get(url)
            assert response.status_code in (302, 403, 404), f"{name} lets {role} in"
            if response.status_code == 302:
                assert "login" in response.url, f"{name} lets {role} in"
            asked += 1
    assert asked > 100
