"""What the API tells a judge of an anonymous panel: the project, never who made it."""

import pytest
from django.test import Client

from judging.models import Assignment, Panel, Recusal
from judging.services import tablet, ties
from judging.services.scoresheets import open_sheet
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)

pytestmark = pytest.mark.django_db
# Ids and places are large, so that they cannot be other numbers by chance.
FAR, PLACE = 700_000, 31_000


class World:
    def __init__(self):
        self.organizer = make_user()
        track = make_track(make_event(self.organizer))
        self.judge = make_judge(track.event)
        self.rounds, self.panels, self.teams = {}, {}, {}
        for n, name in enumerate(("anonymous", "open")):
            round = make_round(track, format="online", kind="semifinal")
            for m in range(3):
                team = make_team(track, code=f"X-{n}{m}9", pk=FAR + 10 * n + m)
                make_participation(
                    round, team, running_order=PLACE + 10 * n - m, pk=FAR + 100 + 10 * n + m
                )
            self.rounds[name] = round
            self.panels[name] = make_panel(
                round, [self.judge], is_anonymous=name == "anonymous", chair=self.judge
            )
            for assignment in self.panels[name].assignments.all():
                open_sheet(assignment)
            self.teams[name] = [p.team for p in round.participations.all()]
            Recusal.objects.create(judge=self.judge, team=self.teams[name][0], reason="adviser")

    def get(self, user, path, **query):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.get(f"/api/v1/{path}", query)

    def ask(self, panel):
        """Put a tie to the chair, of the teams with which there is no conflict of interest."""
        tied = panel.round.participations.exclude(team__recusals__judge=self.judge)
        return ties.ask(panel, list(tied.select_related("team")), self.organizer)

    def named(self, which: str, answer) -> list:
        """Everything in a JSON answer that tells which team of the round it is about."""
        told = {str(value) for value in values(answer)}
        found = []
        for participation in self.rounds[which].participations.select_related("team"):
            team = participation.team
            numbers = (team.pk, participation.pk, participation.running_order)
            texts = (team.code, team.name_en, team.name_zh, team.organisation_en,
                     team.organisation_zh)  # fmt: skip
            found += [number for number in numbers if str(number) in told]
            found += [text for text in texts if any(text in value for value in told)]
        return found


def values(part):
    """Every key and value of a JSON document."""
    if isinstance(part, dict):
        yield from part
        part = list(part.values())
    if isinstance(part, list | tuple):
        for item in part:
            yield from values(item)
    else:
        yield part


@pytest.fixture
def world():
    return World()


LISTS = ["assignments/", "scoresheets/", "recusals/"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_and_single_objects_name_no_anonymous_team(world, path):
    rows = world.get(world.judge.user, path).json()["results"]
    assert len(rows) == (2 if path == "recusals/" else 6), "the rows are there"
    assert world.named("anonymous", rows) == []
    assert world.named("open", rows), "open teams are named"
    for row in rows:
        single = world.get(world.judge.user, f"{path}{row['id']}/").json()
        assert world.named("anonymous", single) == []


@pytest.mark.parametrize("path", LISTS)
def test_organizers_see_everything(world, path):
    rows = world.get(world.organizer, path).json()["results"]
    for which in ("anonymous", "open"):
        assert world.named(which, rows)


def test_the_tablet_names_no_anonymous_team(world):
    for panel in world.panels.values():
        world.ask(panel)
    package = tablet.package(world.judge)
    assert world.named("anonymous", package) == []
    assert world.named("open", package)
    shown = next(r for r in package["rounds"] if r["id"] == world.rounds["anonymous"].pk)
    codes = [team["code"] for team in shown["teams"]]
    assert codes == sorted(codes), "the order is not that of the stage"


def test_the_chair_of_an_anonymous_panel_decides_by_pseudonyms(world):
    panel = world.panels["anonymous"]
    tie = world.ask(panel)
    shown = tablet.package(world.judge)["ties"][0]["teams"]
    order = tuple(team["participation"] for team in shown)
    tablet_says = tablet.Operation(kind="tie", key="k", tie=tie.pk, order=order, text="pitch")
    assert tablet.take(world.judge, tablet_says, "d").outcome == "saved"
    decided = [tablet.pseudonym(t.participation) for t in tie.teams.order_by("place")]
    assert decided == [team["code"] for team in shown]


# The list, the parameter, and what of a team it is asked by.
NARROWED = [
    ("assignments/", "search", lambda p: p.team.code),
    ("assignments/", "participation", lambda p: p.pk),
    ("scoresheets/", "team", lambda p: p.team_id),
    ("recusals/", "team", lambda p: p.team_id),
]


@pytest.mark.parametrize(("path", "name", "of"), NARROWED)
def test_a_judge_cannot_find_an_anonymous_team_by_asking_for_it(world, path, name, of):
    found = {}
    for which in ("anonymous", "open"):
        participation = world.rounds[which].participations.select_related("team").get(
            team=world.teams[which][0]
        )  # fmt: skip
        for role, user in (("judge", world.judge.user), ("organizer", world.organizer)):
            answer = world.get(user, path, **{name: of(participation)})
            found[role, which] = answer.json()["count"]
    assert found == {
        ("judge", "anonymous"): 0, ("judge", "open"): 1,
        ("organizer", "anonymous"): 1, ("organizer", "open"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("ordering", ["participation__team__code", "participation", "team",
                                      "participation__running_order", "running_order"])  # fmt: skip
def test_a_judge_cannot_order_by_the_team(world, ordering):
    plain, asked = (
        [
            row["id"]
            for row in world.get(world.judge.user, "assignments/", **query).json()["results"]
        ]
        for query in ({}, {"ordering": ordering})
    )
    assert plain == asked
    rows = world.get(world.judge.user, "assignments/").json()["results"]
    ids = [row["id"] for row in rows if row["participation"] is None]
    assert ids == sorted(ids), "by an id that was given at random"


def test_a_conflict_is_declared_by_the_assignment(world):
    """By the team's id it is as if the team did not exist, whether assigned or not."""
    client = Client()
    client.force_login(world.judge.user, backend="django.contrib.auth.backends.ModelBackend")

    def declare(**fields):
        return client.post(
            "/api/v1/recusals/", {"judge": world.judge.pk, "reason": "adviser", **fields},
            content_type="application/json",
        )  # fmt: skip

    assigned = world.teams["anonymous"][1]
    stranger = make_team(assigned.track)
    answers = {declare(team=team.pk).json()["team"][0].replace(str(team.pk), "n")
               for team in (assigned, stranger)}  # fmt: skip
    assert len(answers) == 1
    assignment = Assignment.objects.get(participation__team=assigned)
    answer = declare(assignment=assignment.pk)
    assert (answer.status_code, answer.json()["team"]) == (201, None)
    assert Recusal.objects.filter(judge=world.judge, team=assigned).exists()
    assert declare(team=world.teams["open"][1].pk).status_code == 201
    assert declare().status_code == 400
    other = make_judge(world.judge.event)
    foreign = Assignment.objects.create(
        panel=world.panels["open"], judge=other,
        participation=world.rounds["open"].participations.first(),
    )  # fmt: skip
    assert declare(assignment=foreign.pk).status_code == 400


def test_who_left_an_anonymous_panel_is_told_no_more(world):
    Panel.objects.get(pk=world.panels["anonymous"].pk).judges.clear()
    rows = world.get(world.judge.user, "recusals/").json()["results"]
    assert world.named("anonymous", rows) == []
