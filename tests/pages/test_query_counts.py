"""Pages that list things ask the database the same, however many there are."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contest.models import LogEntry, Submission
from judging.models import Assignment, Scoresheet, ScoringRun, Worker
from judging.services.scoresheets import Sent, save_mark
from leaderboard.services.standings import refresh
from tests.factories import make_judge, make_participation, make_rubric, make_team, make_user
from tests.permissions.world import make_world

pytestmark = pytest.mark.django_db


def grow(world, by: int) -> None:
    """More teams in both rounds, each with a submission and a sheet, and more of all the rest."""
    o = world.objects
    for n in range(by):
        captain = make_user()
        team = make_team(o.track, captain)
        participation = make_participation(o.preliminary, team)
        submission = Submission.objects.create(
            participation=participation, number=1, kind="predictions", file="x",
            original_name="a.csv", size=1, sha256=f"{n:064}", client_key="k",
            submitted_by=captain, received_at=timezone.now(),
        )  # fmt: skip
        ScoringRun.objects.create(submission=submission, benchmark=o.benchmark)
        Submission.objects.create(
            participation=o.participation, number=10 + o.participation.submissions.count(),
            kind="predictions", file="x",
            original_name="a.csv", size=1, sha256=f"{n:064}", client_key=f"{captain.pk}",
            submitted_by=world.users["team"], received_at=timezone.now(),
        )  # fmt: skip
        on_stage = make_participation(o.round, team)
        assignment = Assignment.objects.create(panel=o.panel, judge=o.judge, participation=on_stage)
        sheet = Scoresheet.objects.create(assignment=assignment)
        save_mark(sheet, o.criterion, Decimal(5), sent=Sent("tap"), by=o.judge.user)
        judge = make_judge(o.event)
        o.panel.judges.add(judge)
        make_rubric(o.event)
        LogEntry.write(o.event, "saved", by=captain)
        Worker.objects.create(
            name=f"worker{captain.pk}@{o.event.slug}", sandbox="bubblewrap",
            started_at=timezone.now(), seen_at=timezone.now(),
        )  # fmt: skip
    # Scored by the version on trial, so that its page shows who moves.
    for scored in Submission.objects.filter(participation__round=o.preliminary):
        ScoringRun.objects.get_or_create(
            submission=scored, benchmark=o.candidate, status="succeeded",
            defaults={"public_score": 0.5, "private_score": 0.5},
        )  # fmt: skip
    refresh(o.round)


PAGES = {
    "event": ("anonymous", lambda o: [o.event.slug]),
    "round": ("anonymous", lambda o: [o.event.slug, o.round.slug]),
    "leaderboard": ("anonymous", lambda o: [o.event.slug, o.preliminary.slug]),
    "leaderboard-table": ("anonymous", lambda o: [o.event.slug, o.preliminary.slug]),
    "leaderboard-embed": ("anonymous", lambda o: [o.event.slug, o.preliminary.slug]),
    "leaderboard-team": ("team", lambda o: [o.event.slug, o.teams_only.slug, o.team.code]),
    "participation-submissions": (
        "team",
        lambda o: [o.event.slug, o.preliminary.slug, o.team.code],
    ),
    "judge-home": ("judge", lambda o: []),
    "judge-conflicts": ("judge", lambda o: []),
    "desk": ("organizer", lambda o: [o.event.slug]),
    "desk-teams": ("organizer", lambda o: [o.event.slug]),
    "desk-team-template": ("organizer", lambda o: [o.event.slug, "csv"]),
    "desk-rounds": ("organizer", lambda o: [o.event.slug]),
    "desk-rubrics": ("organizer", lambda o: [o.event.slug]),
    "desk-judges": ("organizer", lambda o: [o.event.slug]),
    "desk-log": ("organizer", lambda o: [o.event.slug]),
    "desk-round": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-submissions": ("organizer", lambda o: [o.event.slug, o.preliminary.slug]),
    "desk-workers": ("organizer", lambda o: [o.event.slug]),
    "desk-rescoring": ("organizer", lambda o: [o.event.slug, o.preliminary.slug]),
    "desk-panel": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-panel-edit": ("organizer", lambda o: [o.event.slug, o.round.slug, o.panel.pk]),
    "desk-panel-rubric": ("organizer", lambda o: [o.event.slug, o.round.slug, o.panel.pk]),
    "desk-roadshow": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-reveal": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "stage-screen": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "stage-state": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-grid": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-record": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-advancement": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-notices": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "event-results": ("anonymous", lambda o: [o.event.slug]),
    "desk-ranking": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-exports": ("organizer", lambda o: [o.event.slug, o.round.slug]),
    "desk-awards": ("organizer", lambda o: [o.event.slug, o.round.slug]),
}


# Pages that show no more when the world grows: tests/leaderboard/test_results.py fills them.
SAME_SIZE = ("desk-exports", "desk-advancement", "desk-notices", "event-results")


@pytest.mark.parametrize("name", PAGES)
def test_a_list_asks_no_more_when_it_grows(client, name):
    world = make_world()
    role, arguments = PAGES[name]
    if world.users[role] is not None:
        client.force_login(world.users[role], backend="django.contrib.auth.backends.ModelBackend")
    path = reverse(name, args=arguments(world.objects))
    grow(world, 2)

    def ask():
        answer = client.get(path)
        assert answer.status_code == 200
        return answer.content

    ask()
    with CaptureQueriesContext(connection) as few:
        small = ask()
    grow(world, 6)
    with CaptureQueriesContext(connection) as many:
        large = ask()
    if not name.startswith("leaderboard") and name not in ("judge-home", *SAME_SIZE):
        assert len(large) > len(small), "the page shows more"
    # Where the ranking itself is brought up to date on the way, writing it costs a few more.
    slack = 12 if name == "desk-ranking" else 0
    assert len(many) <= len(few) + slack, "\n".join(q["sql"][:150] for q in many)
