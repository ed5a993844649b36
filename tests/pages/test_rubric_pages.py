"""The rubric's pages: the builder with every kind, errors at their place, templates, versions."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.html import escape

from judging.models import Rubric
from judging.rubric_templates import TEMPLATES
from judging.services.rubrics import new_version
from tests.factories import make_event, make_rubric, make_user
from tests.judging.test_rubric_versions import Hall, reweighted, with_another

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def event(organizer):
    return make_event(organizer)


@pytest.fixture
def desk(client, organizer):
    client.cookies["django_language"] = "en"
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    return client


def row(name, weight="", kind="scored", **fields):
    return {
        "name_en": name, "name_zh": "", "kind": kind, "weight": weight, "minimum": "0",
        "maximum": "10", "step": "0.5", "guide_zh": "", "guide_en": "", "code": "", **fields,
    }  # fmt: skip


def filled(*rows, initial=1, **fields):
    """What a browser sends of the builder."""
    data = {"name_en": "Finals", "name_zh": "", "veto_rule": "majority", **fields}
    data |= {"criteria-TOTAL_FORMS": len(rows), "criteria-INITIAL_FORMS": initial}
    for n, fields_of_row in enumerate(rows):
        fields_of_row = {"ORDER": n + 1, **fields_of_row}
        data |= {f"criteria-{n}-{name}": value for name, value in fields_of_row.items()}
    return data


def new(event):
    return reverse("desk-rubric-new", args=[event.slug])


def test_every_kind_goes_through_the_builder_and_back(desk, event):
    sent = filled(
        row("Novelty", "60.5", guide_en="Is it new?", guide_zh="新吗？"),
        row("Market", "39.5", minimum="1", maximum="5", step="1"),
        row("Data", "not asked", kind="bonus", minimum="x", maximum="3", step="1"),
        row("Late", kind="penalty", maximum="5", step="1"),
        row("Open?", kind="veto", minimum="", maximum="", step=""),
        veto_rule="any",
    )
    assert desk.post(new(event), sent).status_code == 302
    rubric = Rubric.objects.get()
    assert rubric.veto_rule == "any"
    assert [(c.kind, c.weight, c.minimum, c.maximum, c.step) for c in rubric.criteria.all()] == [
        ("scored", Decimal("60.5"), 0, 10, Decimal("0.5")),
        ("scored", Decimal("39.5"), 1, 5, 1),
        ("bonus", 0, 0, 3, 1),
        ("penalty", 0, 0, 5, 1),
        ("veto", 0, 0, 1, 1),
    ]
    before = list(rubric.criteria.values_list("pk", "code"))
    page = reverse("desk-rubric", args=[event.slug, rubric.pk])
    answer = desk.get(page)
    rows = [form.initial for form in answer.context["formset"]]
    assert [str(r["weight"]) for r in rows] == ["60.5", "39.5", "0", "0", "0"]
    assert [r["code"] for r in rows] == [code for _pk, code in before]
    # The order is the one that was asked for, and a row that was ticked is gone.
    for n, sent_row in enumerate(rows):
        sent_row["ORDER"] = 9 - n
    rows[1]["DELETE"] = "on"
    rows[0]["weight"] = "100"
    assert desk.post(page, filled(*rows, initial=5, name_en="Other")).status_code == 302
    rubric.refresh_from_db()
    assert rubric.name_en == "Other"
    assert list(rubric.criteria.values_list("pk", "code")) == [
        pair for n, pair in reversed(list(enumerate(before))) if n != 1
    ]


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"weight": ""}, "weight", "This field is required."),
        ({"weight": "x"}, "weight", "Enter a number."),
        ({"step": "3"}, "step", "The steps must lead"),
        ({"name_en": ""}, "name_en", "Give this in Chinese"),
        ({"kind": "bonus", "maximum": ""}, "maximum", "This field is required."),
        ({"minimum": "10"}, "__all__", "The lowest mark must be below the highest."),
    ],
)
def test_an_error_stands_at_its_criterion_and_field(desk, event, wrong, field, told):
    answer = desk.post(new(event), filled(row("A", "60"), row("B", **{"weight": "40", **wrong})))
    assert answer.status_code == 200
    first, second = answer.context["rows"]
    assert not first.errors
    assert told in " ".join(second.errors[field])
    text = answer.content.decode()
    assert escape(told) in text[text.index('id="criteria-1-title"') :]
    assert Rubric.objects.count() == 0


def test_what_the_weights_lack_is_said(desk, event):
    answer = desk.post(new(event), filled(row("A", "60"), row("B", "35")))
    assert "The weights add up to 95: 5 short of 100." in answer.content.decode()
    assert "Not saved yet" in answer.content.decode()


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_fills_the_builder(desk, event, key):
    template = TEMPLATES[key]
    offered = desk.get(new(event)).content.decode()
    assert escape(template.about_en) in offered
    assert all(escape(line.name_en) in offered for line in template.criteria)
    answer = desk.get(f"{new(event)}?template={key}")
    forms = answer.context["formset"].forms
    assert [f.initial["name_en"] for f in forms] == [line.name_en for line in template.criteria]
    rows = [{**form.initial, "code": ""} for form in forms]
    names = {"name_en": template.name_en, "name_zh": template.name_zh}
    sent = filled(*rows, initial=len(rows), **names, veto_rule=template.veto_rule)
    assert desk.post(f"{new(event)}?template={key}", sent).status_code == 302
    rubric = Rubric.objects.get()
    assert (rubric.name_zh, rubric.veto_rule) == (template.name_zh, template.veto_rule)
    assert [c.guide_zh for c in rubric.criteria.all()] == [
        line.guide_zh for line in template.criteria
    ]


def test_an_unknown_template_is_an_empty_builder(desk, event):
    assert desk.get(f"{new(event)}?template=none").context["template"] is None


def test_the_preview_shows_both_languages(desk, event):
    rubric = make_rubric(event)
    common = {"rubric": rubric, "ordinal": 9, "weight": 0}
    rubric.criteria.create(**common, kind="veto", name_en="Open?", maximum=1, step=1)
    rubric.criteria.create(**common, kind="bonus", name_en="Data", maximum=3, step=1)
    rubric.criteria.create(**common, kind="penalty", name_en="Late", maximum=50, step=1)
    page = reverse("desk-rubric-preview", args=[event.slug, rubric.pk])
    criteria = desk.get(page).context["content"]["criteria"]
    assert [c["kind"] for c in criteria][-3:] == ["veto", "bonus", "penalty"]
    assert (criteria[0]["name_zh"], criteria[0]["name_en"]) == ("指标1", "Criterion 1")


# --- Versions --------------------------------------------------------------------------------


@pytest.fixture
def hall(client):
    hall = Hall()
    client.cookies["django_language"] = "en"
    client.force_login(hall.organizer, backend="django.contrib.auth.backends.ModelBackend")
    return hall


def changes_page(hall):
    return reverse("desk-panel-rubric", args=[hall.event.slug, hall.round.slug, hall.panel.pk])


def test_a_used_rubric_is_read_only_and_offers_a_version(client, hall):
    page = reverse("desk-rubric", args=[hall.event.slug, hall.rubric.pk])
    text = client.get(page).content.decode()
    assert "Marks were given by this rubric" in text
    assert "data-rubric" not in text
    make = reverse("desk-rubric-version", args=[hall.event.slug, hall.rubric.pk])
    version = client.post(make)
    made = Rubric.objects.get(previous=hall.rubric)
    assert version.url == reverse("desk-rubric", args=[hall.event.slug, made.pk])
    assert "data-rubric" in client.get(version.url).content.decode()
    answer = client.get(reverse("desk-rubrics", args=[hall.event.slug]))
    assert [[r.pk for r in family] for family in answer.context["families"]] == [
        [made.pk, hall.rubric.pk]
    ]


def test_the_page_of_changes_says_them_and_does_them(client, hall):
    version = hall.version(with_another)
    answer = client.get(changes_page(hall))  # the newest version, if none is named
    text = answer.content.decode()
    for told in ("Demo", "added", hall.judges[0].name, hall.teams[0].team.name_en):
        assert told in text
    assert answer.context["changes"].going_back
    sent = {"version": version.pk, "seen": answer.context["changes"].seen}
    refused = client.post(changes_page(hall), {**sent, "reason": ""}, follow=True)
    assert "Give a reason" in refused.content.decode()
    done = client.post(changes_page(hall), {**sent, "reason": "the demo was forgotten"})
    assert done.url == reverse("desk-panel", args=[hall.event.slug, hall.round.slug])
    told = client.get(done.url).content.decode()
    assert "Version 2 is in force." in told
    assert "4 sheets went back to their judges." in told
    hall.panel.refresh_from_db()
    assert hall.panel.rubric == version
    assert client.post(changes_page(hall), {"version": "x", "reason": "y"}).status_code == 409


def test_the_panels_form_leads_to_the_changes(client, hall):
    version = hall.version(reweighted)
    edit = reverse("desk-panel-edit", args=[hall.event.slug, hall.round.slug, hall.panel.pk])
    answer = client.post(
        edit,
        {"name_en": "Panel", "rubric": version.pk, "judges": [judge.pk for judge in hall.judges]},
    )
    assert f"{changes_page(hall)}?version={version.pk}" in answer.content.decode()


def test_versions_by_the_api(hall):
    from tests.api.test_api import Api

    api = Api(hall.organizer)
    made = api.post(f"rubrics/{hall.rubric.pk}/new_version/").json()
    assert (made["version"], made["previous"]) == (2, hall.rubric.pk)
    criteria = made["criteria"]
    assert [c["kind"] for c in criteria] == ["scored", "scored", "penalty", "veto"]
    criteria[0]["weight"], criteria[1]["weight"] = "50", "49"
    refused = api.patch(f"rubrics/{made['id']}/", {"criteria": criteria})
    assert refused.status_code == 400
    criteria[1]["weight"] = "50"
    changed = api.patch(f"rubrics/{made['id']}/", {"criteria": criteria, "veto_rule": "any"}).json()
    assert [c["code"] for c in changed["criteria"]] == [c["code"] for c in criteria]
    assert [c["id"] for c in changed["criteria"]] == [c["id"] for c in criteria]
    assert changed["veto_rule"] == "any"
    assert new_version(hall.rubric, hall.organizer).pk == made["id"]
