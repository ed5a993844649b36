"""The admin: every model is there, can be searched and opened, and lists cost the same queries
however long they are."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from leaderboard.models import AdvancementRule, AwardWinner, Notice
from tests.factories import make_rubric
from tests.permissions.world import make_world

pytestmark = pytest.mark.django_db
MODELS = [
    model
    for name in ("contest", "judging", "leaderboard")
    for model in apps.get_app_config(name).get_models()
]


def full_world():
    world = make_world()
    o = world.objects
    AwardWinner.objects.create(award=o.award, participation=o.on_stage)
    rule = AdvancementRule.objects.create(round=o.round)
    rule.quotas.create(kind="country", most=1)
    o.advancement.signatures.create(by=world.users["organizer"], at=timezone.now())
    Notice.objects.create(participation=o.on_stage, user=world.users["team"], said="x")
    return world


def staff_client(client, world):
    client.force_login(world.users["staff"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(model, kind, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_model_has_a_list_with_search_and_filters(client, model):
    world = full_world()
    staff_client(client, world)
    registered = admin.site._registry[model]
    assert registered.search_fields
    assert registered.list_filter
    answer = client.get(page_of(model, "changelist"), {"q": "x"})
    assert answer.status_code == 200
    first = model._default_manager.first()
    assert first is not None, "the world has one of each"
    page = client.get(page_of(model, "change", first.pk))
    assert page.status_code == 200
    # Stored files have no address: who may see one is checked by a page of ours.
    assert b"hidden/" not in page.content
    assert b"submissions/" not in page.content
    assert b"downloads/" not in page.content


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_lists_ask_no_more_when_they_grow(client, model):
    staff_client(client, full_world())
    address = page_of(model, "changelist")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    full_world()
    full_world()
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) <= len(few), [query["sql"] for query in many][-5:]


def test_records_cannot_be_changed(client):
    world = full_world()
    staff_client(client, world)
    for thing in (
        world.objects.mark,
        world.objects.sheet,
        world.objects.run,
        world.objects.standing,
        world.objects.rubric,
        world.objects.criterion,
        world.objects.judge,
    ):
        address = page_of(type(thing), "change", thing.pk)
        assert client.post(address, {"value": "10"}).status_code == 403
        assert client.post(
            page_of(type(thing), "delete", thing.pk), {"post": "yes"}
        ).status_code in (
            403,
            302,
        )
        assert type(thing).objects.filter(pk=thing.pk).exists()


def test_criteria_are_not_changed_past_the_rubrics_service(client):
    """Not even of a rubric by which nobody marked yet: the service checks them together."""
    world = full_world()
    staff_client(client, world)
    rubric = make_rubric(world.objects.event, weights=(100,))
    criterion = rubric.criteria.get()
    answer = client.post(
        page_of(type(rubric), "change", rubric.pk),
        {
            "name_en": "Other",
            "criteria-TOTAL_FORMS": "1",
            "criteria-INITIAL_FORMS": "1",
            "criteria-0-id": criterion.pk,
            "criteria-0-rubric": rubric.pk,
            "criteria-0-weight": "-5",
        },
    )
    assert answer.status_code == 403
    assert client.get(page_of(type(rubric), "add")).status_code == 403


def test_staff_adds_an_account(client):
    staff_client(client, full_world())
    answer = client.post(
        page_of(apps.get_model("contest.User"), "add"),
        {
            "email": "New.Person@example.org",
            "name": "New Person",
            "language": "en",
            "password1": "correct-horse-9",
            "password2": "correct-horse-9",
        },
    )
    assert answer.status_code == 302
    made = apps.get_model("contest.User").objects.get(name="New Person")
    assert made.check_password("correct-horse-9")


def test_the_admin_offers_the_other_language(client):
    staff_client(client, full_world())
    page = client.get("/admin/", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert ">English</button>" in page
    assert "直通乌镇" in page
