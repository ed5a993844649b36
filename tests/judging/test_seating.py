"""The panel's page: what its cells do, and what it warns of."""

from decimal import Decimal

import pytest
from django.urls import reverse

from contest.models import LogEntry
from judging.models import Assignment
from judging.services.panels import edit_judge
from judging.services.scoresheets import Sent, open_sheet, save_mark
from judging.services.substitutes import substitute
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def panel(by):
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    make_participation(round, make_team(track, code="T-0"))
    return make_panel(round, [make_judge(track.event, name="Judge A")])


@pytest.fixture
def desk(client, by, panel):
    """Opens or posts to a page of the panel (or the event) and gives its words."""
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    place = [panel.round.event.slug, panel.round.slug]

    def desk(page, *args, **data):
        where = place[:1] if page.startswith("desk-judge") else place
        address = reverse(page, args=[*where, *args])
        method = client.post if data else client.get
        answer = method(address, data, follow=True, headers={"Accept-Language": "en"})
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    return desk


def key(assignment):
    return f"{assignment.judge_id}.{assignment.participation_id}"


def test_a_team_of_another_panel_is_not_taken_back_from_here(panel, desk):
    assignment = panel.assignments.get()
    other = make_panel(panel.round, [assignment.judge], name_en="Other", assign=False)
    desk("desk-assign", other.pk, cell=f"unassign.{key(assignment)}")
    assert Assignment.objects.filter(pk=assignment.pk).exists()
    page = desk("desk-assign", other.pk, cell=f"assign.{key(assignment)}")
    assert "in another panel" in page
    desk("desk-assign", panel.pk, cell=f"unassign.{key(assignment)}")
    assert not Assignment.objects.filter(pk=assignment.pk).exists()


def test_a_released_judge_is_readmitted_by_a_tap_and_a_reason(panel, desk, by):
    assignment = panel.assignments.get()
    judge = assignment.judge
    save_mark(
        open_sheet(assignment), panel.rubric.criteria.first(), Decimal(5), sent=Sent("k"),
        by=judge.user,
    )  # fmt: skip
    substitute(panel, judge, make_judge(panel.round.event), by, "ill")
    tap = f"readmit.{key(assignment)}"
    assert f'value="{tap}"' in desk("desk-panel-edit", panel.pk)
    assert "Judge A was released from T-0" in desk("desk-assign", panel.pk, cell=tap)
    assert "Give a reason" in desk("desk-assign", panel.pk, cell=tap, reason=" ")
    set_status(panel.round, "decided")
    assert f'value="{tap}"' not in desk("desk-panel-edit", panel.pk)
    assert "is signed off" in desk("desk-assign", panel.pk, cell=tap, reason="well again")
    set_status(panel.round, "open")
    desk("desk-assign", panel.pk, cell=tap, reason="well again")
    assignment.refresh_from_db()
    assert assignment.released_at is None


def test_a_judge_edited_into_the_teams_organisation_is_told(panel, desk, by):
    assignment = panel.assignments.get()
    team = assignment.participation.team
    assert 'id="akin"' not in desk("desk-panel-edit", panel.pk)
    page = desk(
        "desk-judge", assignment.judge_id, name="Judge A",
        organisation_en=f"{team.organisation_en}, Dept. of CS",
    )  # fmt: skip
    assert "Judge A has teams of the same organisation: T-0" in page
    page = desk("desk-panel-edit", panel.pk)
    assert 'id="akin"' in page
    assert "no reason is in the log" in page
    desk("desk-assign", panel.pk, cell=f"confirm.{key(assignment)}", reason="no other expert")
    page = desk("desk-panel-edit", panel.pk)
    assert "no reason is in the log" not in page
    assert ": no other expert" in page
    assert LogEntry.objects.filter(action="assigned").count() == 1
    edit_judge(assignment.judge, by, organisation_en="Fund")
    assert 'id="akin"' not in desk("desk-panel-edit", panel.pk)
