"""The rubric's builder in Chromium: running sum, spread evenly, kinds, scales, order."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from judging.models import RecordEntry, Rubric
from tests.browser.test_versions import sign_in
from tests.factories import make_event, make_rubric, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_preview_is_the_sheet_itself_and_keeps_nothing(live_server, open_context):
    organizer = make_user()
    event = make_event(organizer)
    rubric = make_rubric(event)
    page = open_context(1024, 768).new_page()
    sign_in(page, live_server, organizer, event)
    page.goto(f"{live_server.url}{reverse('desk-rubric-preview', args=[event.slug, rubric.pk])}")
    for criterion in rubric.criteria.all():
        page.locator(f"[data-criterion='{criterion.pk}']").locator(
            '.choice:has(input[value="8"])'
        ).click()
    expect(page.locator(".total .sum")).to_have_text("80.00")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("In the preview nothing is sent.")).to_be_visible()
    page.get_by_role("button", name="Next team").click()
    expect(page.get_by_role("heading", name="Sample team 2")).to_be_visible()
    expect(page.locator(".own .name")).to_have_text(["Sample team 1"])
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="示例团队 2")).to_be_visible()
    page.get_by_role("link", name="返回评分表").click()
    page.wait_for_url(f"**{reverse('desk-rubric', args=[event.slug, rubric.pk])}")
    assert not RecordEntry.objects.exists()


def test_a_template_is_changed_and_saved(live_server, open_context):
    organizer = make_user()
    event = make_event(organizer)
    page = open_context(390, 844).new_page()
    sign_in(page, live_server, organizer, event)
    page.goto(f"{live_server.url}{reverse('desk-rubric-new', args=[event.slug])}")
    sum_of_weights, rows = page.locator(".weights-said"), page.locator("[data-row]:visible")
    expect(sum_of_weights).to_have_text("Weights: 0 of 100 · 100 missing")
    page.locator("article", has_text="Research result").get_by_role("link").click()
    expect(sum_of_weights).to_have_text("Weights: 100 of 100 · complete")
    expect(page.locator(".weights-bar > span")).to_have_count(5)

    # The bar follows every key; what is removed does not count and can be taken back.
    rows.nth(0).get_by_label("Weight").fill("30.5")
    expect(sum_of_weights).to_have_text("Weights: 105.5 of 100 · 5.5 too much")
    rows.nth(1).get_by_role("button", name="Remove").click()
    expect(sum_of_weights).to_have_text("Weights: 80.5 of 100 · 19.5 missing")
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Spread evenly").click()
    expect(sum_of_weights).to_have_text("Weights: 100 of 100 · complete")
    expect(rows.nth(0).get_by_label("Weight")).to_have_value("20")

    # A new criterion; a kind shows its own fields.
    page.get_by_role("button", name="Add a criterion").click()
    added = rows.last
    added.get_by_label("Name (English)").fill("Open?")
    expect(added.get_by_label("Weight")).to_be_visible()
    expect(added.get_by_label("Lowest mark")).to_be_hidden()
    added.get_by_label("Scale").select_option("another scale")
    expect(added.get_by_label("Lowest mark")).to_be_visible()
    expect(page.locator("[data-veto-rule]")).to_be_hidden()
    added.get_by_label("Kind").select_option("condition (veto)")
    expect(added.get_by_label("Weight")).to_be_hidden()
    page.get_by_label("A team is excluded by the veto of").select_option("any one judge")
    expect(added.locator("[data-veto-said]")).to_have_text("any one judge")

    # Moved by keyboard alone, the button keeps the focus.
    second = rows.nth(1).locator("[data-up]")
    second.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-title]").first).to_have_text("Soundness")
    expect(rows.nth(0).locator("[data-down]")).to_be_focused()
    rows.nth(0).get_by_label("Scale").select_option("1 to 5 by 1")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/desk/rubrics/")
    rubric = Rubric.objects.get()
    criteria = list(rubric.criteria.all())
    assert [c.name_en for c in criteria][:2] == ["Soundness", "Originality"]
    assert (criteria[0].minimum, criteria[0].maximum, criteria[0].step) == (1, 5, 1)
    assert [c.weight for c in criteria if c.kind == "scored"] == [20] * 5
    assert (criteria[-1].name_en, criteria[-1].kind, rubric.veto_rule) == ("Open?", "veto", "any")


def test_it_saves_without_scripts(live_server, open_context):
    organizer = make_user()
    event = make_event(organizer)
    page = open_context(1024, 768, java_script_enabled=False).new_page()
    sign_in(page, live_server, organizer, event)
    page.goto(f"{live_server.url}{reverse('desk-rubric-new', args=[event.slug])}?template=roadshow")
    page.locator("#id_criteria-0-ORDER").fill("9")
    page.locator("#id_criteria-5-DELETE").check()
    page.locator("#id_criteria-1-weight").fill("24")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errors").first).to_contain_text("1 short of 100")
    page.locator("#id_criteria-1-weight").fill("25")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/desk/rubrics/")
    names = [c.name_en for c in Rubric.objects.get().criteria.all()]
    assert (len(names), names[-1]) == (5, "Technical innovation")
