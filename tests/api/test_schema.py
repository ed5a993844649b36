"""The API's own description of itself: whole, valid, and with names a client can be made from."""

import re

import pytest
from django.urls import reverse
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema():
    # Warnings and errors of the generator go to a counter; it must stay empty.
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        made = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, (
        f"{dict(GENERATOR_STATS._warn_cache)} {dict(GENERATOR_STATS._error_cache)}"
    )
    return made


def operations(schema):
    for path, item in schema["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


def inline_enums(node, where=""):
    """Places of an enum that is not a named component."""
    if isinstance(node, dict):
        if "enum" in node:
            yield where
        for key, value in node.items():
            yield from inline_enums(value, f"{where}/{key}")
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from inline_enums(value, f"{where}/{n}")


def test_the_schema_is_valid_openapi(schema):
    validate_schema(schema)


def test_every_operation_has_its_own_id_and_an_answer(schema):
    ids = {}
    for name, operation in operations(schema):
        assert operation.get("operationId"), name
        assert operation["operationId"] not in ids, (name, ids)
        ids[operation["operationId"]] = name
        assert operation["responses"], name
    assert len(ids) > 30


def test_every_enum_of_a_body_is_a_named_component(schema):
    components = schema["components"]["schemas"]
    enums = {name for name, body in components.items() if "enum" in body}
    assert {"RoundStatusEnum", "TeamStatusEnum"} <= enums
    # A name that the generator made up from a digest changes with every new choice.
    assert not [name for name in enums if re.search(r"([0-9a-f]{3}|[0-9A-F]{3})Enum$", name)]
    bodies = {name: body for name, body in components.items() if name not in enums}
    assert list(inline_enums(bodies)) == []


def test_the_site_serves_schema_and_docs(client, db):
    assert client.get(reverse("api-schema")).status_code == 200
    page = client.get(reverse("api-docs")).content.decode()
    assert reverse("api-schema") in page
    assert "cdn." not in page
