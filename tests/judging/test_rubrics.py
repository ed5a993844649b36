"""Rubrics: weights, kinds, codes, templates, copies and versions."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from contest.errors import Refused
from judging.models import Rubric
from judging.rubric_templates import TEMPLATES
from judging.services.rubrics import (
    BadCriteria,
    copy_rubric,
    families,
    new_version,
    save_rubric,
    versions_of,
)
from judging.services.scoresheets import Sent, open_sheet, save_mark
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_rubric,
    make_team,
    make_track,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def event():
    return make_event()


def criterion(name="Novelty", weight=100, **fields):
    return {
        "name_en": name, "kind": "scored", "weight": Decimal(str(weight)), "minimum": Decimal(0),
        "maximum": Decimal(10), "step": Decimal("0.5"), **fields,
    }  # fmt: skip


def save(event, by, *criteria, rubric=None, **fields):
    fields = {"name_en": "R", **fields}
    return save_rubric(event, by, rubric, fields=fields, criteria=list(criteria))


def rows_of(rubric):
    names = ("code", "kind", "name_en", "weight", "minimum", "maximum", "step")
    return [{name: getattr(c, name) for name in names} for c in rubric.criteria.all()]


def mark_by(rubric, event):
    """One mark given by the rubric in a panel; the panel."""
    round = make_round(make_track(event), format="roadshow")
    make_participation(round, make_team(round.track))
    judge = make_judge(event)
    panel = make_panel(round, [judge], rubric)
    sheet = open_sheet(panel.assignments.get())
    first = rubric.criteria.filter(kind="scored").first()
    save_mark(sheet, first, Decimal(5), sent=Sent("k"), by=judge.user)
    return panel


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ((50, 45), ["95", "5 short"]),
        ((50, "49.99"), ["99.99", "0.01 short"]),
        ((60, "45.5"), ["105.5", "5.5 more"]),
    ],
)
def test_weights_add_up_to_100(event, by, weights, told):
    with translation.override("en"), pytest.raises(ValidationError) as caught:
        save(event, by, *(criterion(str(n), weight) for n, weight in enumerate(weights)))
    (message,) = caught.value.messages
    assert all(part in message for part in told)
    assert Rubric.objects.count() == 0, "nothing is kept of it"
    save(event, by, criterion("a", "33.34"), criterion("b", "33.33"), criterion("c", "33.33"))


def test_something_is_scored(event, by):
    for criteria in ([], [criterion(kind="bonus")], [criterion(kind="veto")]):
        with pytest.raises(ValidationError):
            save(event, by, *criteria)


def test_only_scored_criteria_have_weights_and_choose_where_scales_begin(event, by):
    rubric = save(
        event,
        by,
        criterion(),
        criterion("Data", 7, kind="bonus", minimum=Decimal(2), maximum=Decimal(3), step=Decimal(1)),
        criterion("Late", 7, kind="penalty", maximum=Decimal(5)),
        {"name_en": "Open?", "kind": "veto"},
        veto_rule="any",
    )
    _scored, bonus, penalty, veto = rubric.criteria.all()
    assert (bonus.weight, bonus.minimum, bonus.maximum) == (0, 0, 3)
    assert (penalty.weight, penalty.minimum, penalty.maximum) == (0, 0, 5)
    assert (veto.weight, veto.minimum, veto.maximum, veto.step) == (0, 0, 1, 1)
    assert rubric.veto_rule == "any"


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"minimum": Decimal(10)}, "", "lowest mark must be below"),
        ({"step": Decimal(3)}, "step", "exactly to the highest"),
        ({"weight": Decimal(-1)}, "weight", "0"),
        ({"weight": Decimal(0)}, "", "above zero"),
        ({"name_en": ""}, "name_en", "in English, or in both"),
        ({"kind": "nonsense"}, "kind", "nonsense"),
    ],
)
def test_a_bad_criterion_is_named_with_its_field(event, by, fields, field, told):
    with translation.override("en"), pytest.raises(BadCriteria) as caught:
        save(event, by, criterion(), criterion("Second", **fields))
    found = [p for p in caught.value.problems if p.field == field and told in p.message]
    assert [p.place for p in found] == [1]
    assert "Criterion 2" in " ".join(caught.value.messages)


def test_a_criterion_keeps_its_code_and_row_through_a_save(event, by):
    rubric = save(event, by, criterion("A", 60), criterion("B", 40))
    a, b = rubric.criteria.all()
    save(
        event, by, criterion("B2", 50, code=b.code), criterion("C", 20),
        criterion("A2", 30, code=a.code), rubric=rubric,
    )  # fmt: skip
    first, second, third = rubric.criteria.all()
    assert (first.pk, first.code, first.name_en) == (b.pk, b.code, "B2")
    assert (third.pk, third.code, third.name_en) == (a.pk, a.code, "A2")
    assert second.code not in (a.code, b.code)
    save(event, by, criterion("Only", code=first.code), rubric=rubric)
    assert [c.pk for c in rubric.criteria.all()] == [b.pk]


def test_a_forged_code_makes_a_new_criterion(event, by):
    other = save(event, by, criterion("Elsewhere"))
    foreign = other.criteria.get().code
    rubric = save(event, by, criterion("A"))
    own = rubric.criteria.get().code
    save(
        event, by, criterion("A", 40, code=own), criterion("B", 30, code=own),
        criterion("C", 20, code=foreign), criterion("D", 10, code="x" * 40), rubric=rubric,
    )  # fmt: skip
    codes = [c.code for c in rubric.criteria.all()]
    assert len(set(codes)) == 4
    assert codes[0] == own
    assert foreign not in codes


def test_a_rubric_stays_once_a_mark_was_given_by_it(event, by):
    rubric = save(event, by, criterion("A"))
    mark_by(rubric, event)
    with pytest.raises(Refused) as caught:
        save(event, by, criterion("B"), rubric=rubric)
    assert caught.value.code == "rubric_in_use"
    assert rubric.criteria.get().name_en == "A"


def test_a_copy_has_nothing_to_do_with_its_model(event, by):
    rubric = save(event, by, criterion("A", 60), criterion("B", 40), veto_rule="any")
    copy = copy_rubric(rubric, by)
    assert [(c.name_en, c.weight) for c in copy.criteria.all()] == [("A", 60), ("B", 40)]
    assert (copy.name_en, copy.veto_rule, copy.version) == ("R (copy)", "any", 1)
    codes = {c.code for c in rubric.criteria.all()}
    assert codes.isdisjoint(c.code for c in copy.criteria.all())


def test_a_version_keeps_the_codes_and_can_be_changed(event, by):
    rubric = save(event, by, criterion("A", 60), criterion("B", 40), veto_rule="any")
    with pytest.raises(Refused) as caught:
        new_version(rubric, by)
    assert caught.value.code == "rubric_not_in_use"
    mark_by(rubric, event)
    version = new_version(rubric, by)
    assert (version.version, version.previous_id, version.veto_rule) == (2, rubric.pk, "any")
    assert rows_of(version) == rows_of(rubric)
    assert new_version(rubric, by).pk == version.pk, "nobody uses it yet"
    a, b = rows_of(version)
    save(event, by, {**a, "weight": Decimal(100)}, rubric=version)
    # A criterion that was dropped can come back as the one it was.
    save(event, by, a, b, rubric=version)
    assert [c.code for c in version.criteria.all()] == [a["code"], b["code"]]


def test_versions_are_counted_through_all_branches(event, by):
    rubric = save(event, by, criterion())
    panel = mark_by(rubric, event)
    second = new_version(rubric, by)
    panel.rubric = second
    panel.save()
    third = new_version(rubric, by)
    assert (third.version, third.previous_id) == (3, rubric.pk)
    other = make_rubric(event)
    assert [r.pk for r in versions_of(second)] == [third.pk, second.pk, rubric.pk]
    assert [[r.pk for r in family] for family in families(event.rubrics.all())] == [
        [third.pk, second.pk, rubric.pk],
        [other.pk],
    ]


@pytest.mark.parametrize("key", TEMPLATES)
def test_templates_are_whole_rubrics_in_both_languages(event, by, key):
    template = TEMPLATES[key]
    rubric = save_rubric(
        event, by,
        fields={n: getattr(template, n) for n in ("name_zh", "name_en", "veto_rule")},
        criteria=[
            {name: getattr(line, name) for name in (
                "kind", "name_zh", "name_en", "guide_zh", "guide_en", "weight", "minimum",
                "maximum", "step")}
            for line in template.criteria
        ],
    )  # fmt: skip
    assert template.about_zh
    assert template.about_en
    for made in rubric.criteria.all():
        for text in (made.name_zh, made.name_en, made.guide_zh, made.guide_en):
            assert text
        assert re.search(r"[\u4e00-\u9fff]", made.guide_zh)
        assert not re.search(r"[\u4e00-\u9fff]", made.guide_en)
        if made.kind == "scored":  # says what a low, a middling and a high mark is for
            for guide in (made.guide_zh, made.guide_en):
                assert re.findall(r"(?m)^(0–3|4–6|7–10)[:：]", guide) == ["0–3", "4–6", "7–10"]
