"""How a total came about: the parts add up to it, whatever the judges gave; and who may read it."""

import io
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import openpyxl
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contest.models import LogEntry, Submission
from contest.services import rounds
from contest.services.teams import disqualify_team
from judging.models import (
    Assignment,
    Benchmark,
    Criterion,
    Mark,
    Panel,
    Rubric,
    Scoresheet,
    ScoringRun,
)
from judging.services import ties
from judging.services.panels import recuse
from judging.services.scoresheets import Sent, open_sheet, return_sheet, save_mark, submit_sheet
from judging.services.totals import fraction_to_decimal
from leaderboard.models import StandingRow
from leaderboard.services import advancement, standings
from leaderboard.services.explained import SheetState, as_data
from leaderboard.services.explanation import explain, explain_all
from leaderboard.services.schemes import save_scheme
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
from tests.leaderboard.test_standings import roadshow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def client(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def track(organizer):
    return make_track(make_event(organizer))


def rich_rubric(event) -> Rubric:
    """Scales that do not begin at 0, a bonus, a penalty and a condition."""
    rubric = make_rubric(event, weights=(37, 33))
    rubric.criteria.filter(ordinal=1).update(minimum=1, maximum=8, step=Decimal("0.25"))
    for kind, most, step in (("bonus", 5, "0.5"), ("penalty", 90, "0.5"), ("veto", 1, "1")):
        Criterion.objects.create(
            rubric=rubric, ordinal=9, kind=kind, name_en=kind, minimum=0, maximum=most, step=step
        )
    return rubric


def automated_before(track, teams, values):
    """A scored automated round whose metric the final counts, bounds and all."""
    round = make_round(track, ordinal=1, status="closed")
    benchmark = Benchmark.objects.create(
        round=round, metric="accuracy", reference_sha256="0" * 64, reference="x"
    )
    for team, value in zip(teams, values, strict=True):
        participation = make_participation(round, team)
        submission = Submission.objects.create(
            participation=participation, number=3, kind="predictions", file="x",
            original_name="a.csv", size=1, sha256=f"{participation.pk:064}", client_key="k",
            submitted_by=make_user(), received_at=timezone.now(), status="scored",
        )  # fmt: skip
        ScoringRun.objects.create(
            submission=submission, benchmark=benchmark, status="succeeded",
            public_score=value, private_score=value,
            finished_at=timezone.now(),
        )  # fmt: skip
    return round


def give(panel, marks, submitted) -> None:
    """``marks``: for each assignment the marks in the order of the criteria, None for none."""
    criteria = list(panel.rubric.criteria.all())
    for assignment, values, done in zip(panel.assignments.all(), marks, submitted, strict=False):
        sheet = open_sheet(assignment)
        for criterion, value in zip(criteria, values, strict=True):
            if value is not None:
                Mark.objects.create(scoresheet=sheet, criterion=criterion, value=value)
        if done:
            Scoresheet.objects.filter(pk=sheet.pk).update(
                status="submitted", submitted_at=timezone.now()
            )


def steps(low, high, step):
    return st.integers(0, int((high - low) / step)).map(lambda n: Decimal(low) + n * Decimal(step))


def marks():
    return st.tuples(
        steps(0, 10, Decimal("0.5")),
        steps(1, 8, Decimal("0.25")),
        st.none() | steps(0, 5, Decimal("0.5")),
        st.none() | steps(0, 90, Decimal("0.5")),
        st.sampled_from([Decimal(1)] * 5 + [Decimal(0)]),
    )


def recomputed(one) -> Fraction | None:
    """The total from nothing but marks, weights, scales, states and the method, as the page has
    them; written without the services."""
    weights = value = Fraction(0)
    for part in one.components:
        if part.metric:
            low, high, raw = (
                Fraction(repr(n)) for n in (part.metric.worst, part.metric.best, part.metric.raw)
            )
            scaled = min(max(100 * (raw - low) / (high - low), Fraction(0)), Fraction(100))
        else:
            kept = [s for s in part.judges.sheets if s.state == "counted"]
            if part.judges.vetoed or not kept:
                return None
            totals = []
            for sheet in kept:
                scored = [m for m in sheet.marks if m.kind == "scored"]
                whole = sum(Fraction(m.weight) for m in scored)
                total = sum(
                    100 * Fraction(m.weight) * Fraction(m.value - m.minimum)
                    / Fraction(m.maximum - m.minimum) / whole
                    for m in scored
                )  # fmt: skip
                total += sum(Fraction(m.value or 0) for m in sheet.marks if m.kind == "bonus")
                total -= sum(Fraction(m.value or 0) for m in sheet.marks if m.kind == "penalty")
                totals.append(min(max(total, Fraction(0)), Fraction(100)))
            scaled = sum(totals) / len(totals)
        weights += part.weight
        value += part.weight * scaled
    return value / weights


JUDGES, TEAMS = 5, 3


METHODS = [
    {"aggregation": "mean"},
    {"aggregation": "trimmed"},
    {"aggregation": "trimmed", "trim": 2},
    {"aggregation": "trimmed", "per": "criterion"},
    {"aggregation": "median"},
    {"aggregation": "median", "per": "criterion"},
    *({"aggregation": name} for name in ("zscore", "borda", "severity", "ordinal")),
    {"aggregation": "bradley_terry"},
]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_the_parts_of_every_explanation_add_up_to_the_standings_total(data):
    """A whole round like the demo's final: judges of this round and of the semifinal, a metric
    from the preliminary; sheets missing, conflicts of interest, vetoes, every method."""
    with transaction.atomic():
        organizer = make_user()
        track = make_track(make_event(organizer))
        teams = [make_team(track) for _n in range(TEAMS)]
        values = data.draw(st.lists(st.floats(0, 1), min_size=TEAMS, max_size=TEAMS))
        first = automated_before(track, teams, values)
        judges = [make_judge(track.event) for _n in range(JUDGES)]
        sources = []
        for ordinal, kind in ((2, "semifinal"), (3, "final")):
            source = make_round(track, format="roadshow", kind=kind, ordinal=ordinal)
            for team in teams:
                make_participation(source, team)
            panel = make_panel(source, judges, rich_rubric(track.event))
            count = panel.assignments.count()
            give(
                panel,
                data.draw(st.lists(marks(), min_size=count, max_size=count)),
                data.draw(
                    st.lists(st.sampled_from([True] * 6 + [False]), min_size=count, max_size=count)
                ),
            )
            sources.append(source)
        for judge, team in data.draw(
            st.sets(st.tuples(st.sampled_from(judges), st.sampled_from(teams)), max_size=3)
        ):
            recuse(judge, team, organizer, "adviser")
        how = [data.draw(st.sampled_from(METHODS)) for _n in range(2)]
        save_scheme(
            sources[1], organizer, advance_count=1, tie_breaks=["judges", "criterion"], decimals=2,
            reason="test",
            components=[
                {"kind": "judges", "source": sources[1], "weight": 50,
                 **how[0]},
                {"kind": "judges", "source": sources[0], "weight": Decimal("29.5"),
                 **how[1]},
                {"kind": "metric", "source": first, "weight": Decimal("20.25"),
                 "worst": 0.3, "best": 0.9},
            ],
        )  # fmt: skip
        explained = explain_all(sources[1])
        assert len(explained) == TEAMS
        for one in explained:
            row = StandingRow.objects.get(
                standing__round=sources[1], standing__audience="full", standing__is_current=True,
                participation=one.participation,
            )  # fmt: skip
            assert one.matches
            if row.total is None:
                assert one.total is None
                assert one.lacks
            else:
                assert fraction_to_decimal(one.total) == row.total
                if all(each in METHODS[:2] for each in how):
                    assert fraction_to_decimal(recomputed(one)) == row.total
            for sheet in one.sheets:
                if sheet.total is not None:
                    assert min(max(sheet.points, 0), 100) == sheet.total
            assert explain(row.participation) == one
        transaction.set_rollback(True)


def kinds(part):
    return [sheet.state for sheet in part.judges.sheets]


def test_every_sheet_says_what_became_of_it(track, organizer):
    teams = [make_team(track)]
    judges = [make_judge(track.event) for _n in range(9)]
    marks = [[9, 2, 5, 6, 7, 7, None, 8, None]]
    round = roadshow(track, teams, judges, marks)
    recuse(judges[4], teams[0], organizer, "adviser")
    Assignment.objects.filter(judge=judges[6]).update(released_at=timezone.now())
    return_sheet(Scoresheet.objects.get(assignment__judge=judges[7]), organizer, "look again")
    one = explain(round.participations.get())
    (part,) = one.components
    assert kinds(part) == [
        "highest", "lowest", "counted", "counted", "recused", "counted", "released", "returned",
        "not_submitted",
    ]  # fmt: skip
    assert part.value == 60
    assert one.component_formula(part) == "(50.00 + 60.00 + 70.00) ÷ 3 = 60.00"
    assert one.formula == "(100 × 60.00) ÷ (100) = 60.00"
    assert [sheet.total for sheet in part.judges.sheets][-3:] == [None, None, None]
    # A returned sheet's marks are there to be read, and count for nothing.
    assert part.judges.sheets[7].marks[0].value == 8


def test_a_mark_tells_its_changes(track, organizer):
    teams, judges = [make_team(track)], [make_judge(track.event)]
    round = roadshow(track, teams, judges, [[5]])
    sheet = return_sheet(Scoresheet.objects.get(), organizer, "look again")
    early = timezone.now() - timedelta(minutes=20)
    save_mark(
        sheet, Criterion.objects.get(), Decimal("7.5"), by=judges[0].user, reason="slip",
        sent=Sent("k2", device="tablet 3", device_at=early, base=9),
    )  # fmt: skip
    submit_sheet(sheet, judges[0].user)
    (mark,) = explain(round.participations.get()).sheets[0].marks
    assert [(r.previous, r.value) for r in mark.revisions] == [
        (None, Decimal(5)), (Decimal(5), Decimal("7.5")),
    ]  # fmt: skip
    last = mark.revisions[-1]
    assert (last.device, last.device_at, last.reason) == ("tablet 3", early, "slip")
    assert (last.by, mark.percent, mark.points) == (judges[0].name, 75, 75)


def signed(round, organizer):
    rounds.close_round(round, organizer)
    advancement.sign_off(advancement.propose(round, organizer), organizer)
    round.refresh_from_db()
    return round


def test_what_was_signed_is_explained_whatever_changed_since(track, organizer):
    teams = [make_team(track), make_team(track)]
    judges = [make_judge(track.event) for _n in range(2)]
    round = signed(roadshow(track, teams, judges, [[9, 5], [4, 4]]), organizer)
    first, second = round.participations.order_by("running_order")
    before = explain(first)
    assert (before.signed, before.signed_by, before.total) == (True, organizer.name, 70)
    assert before.outcome == "in"
    recuse(judges[0], teams[0], judges[0].user, "late")
    disqualify_team(teams[1], organizer, "late")
    standings.refresh(round)
    after = explain(first)
    assert (after.total, after.matches) == (70, True)
    assert [sheet.recusal_changed for sheet in after.sheets] == [True, False]
    gone = explain(round.participations.get(pk=second.pk))
    assert (gone.total, gone.has_left) == (40, True)
    # Past the platform, somebody changes a mark: the explanation stays, and says so.
    Mark.objects.filter(scoresheet__assignment__participation=first).update(value=10)
    meddled = explain(first)
    assert meddled.total == 70
    assert not meddled.matches
    assert all(sheet.differs for sheet in meddled.sheets)


def test_a_standing_from_before_sheets_were_named_is_explained_too(track, organizer):
    teams, judges = [make_team(track)], [make_judge(track.event) for _n in range(2)]
    round = signed(roadshow(track, teams, judges, [[9, 5]]), organizer)
    for row in StandingRow.objects.filter(standing__round=round):
        for part in row.explanation["components"]:
            for sheet in part.get("sheets", []):
                del sheet["sheet"]
        row.save()
    one = explain(round.participations.get())
    assert (one.total, one.matches, len(one.sheets)) == (70, True, 2)


def test_a_veto_says_who_and_by_which_rule(track):
    round = make_round(track, format="roadshow", kind="semifinal")
    make_participation(round, make_team(track))
    panel = make_panel(
        round, [make_judge(track.event) for _n in range(3)], rich_rubric(track.event)
    )
    no, yes = (5, 5, None, None, 0), (5, 5, None, None, 1)
    give(panel, [no, no, yes], [True] * 3)
    one = explain(round.participations.get())
    judges = one.components[0].judges
    assert (one.total, one.rank, judges.vetoed, judges.vetoes) == (None, None, True, 2)
    assert judges.veto_rule_label == "more than half of the judges"
    assert one.lacks == ("excluded by the judges' veto",)
    assert [sheet.veto for sheet in judges.sheets] == [True, True, False]


def test_equal_totals_name_each_other_and_the_chairs_decision(track, organizer):
    teams = [make_team(track) for _n in range(3)]
    judges = [make_judge(track.event) for _n in range(2)]
    round = roadshow(track, teams, judges, [[6, 6], [7, 5], [1, 1]])
    scheme = round.scheme
    scheme.tie_breaks = ["judges", "chair"]
    scheme.save()
    Panel.objects.update(chair=judges[1])
    tie = ties.ask(Panel.objects.get(), list(round.participations.all())[:2], organizer)
    places = {p.team_id: p for p in round.participations.all()}
    order = [places[teams[1].pk].pk, places[teams[0].pk].pk]
    ties.decide(tie, judges[1].user, order, "the better pitch")
    one = explain(places[teams[0].pk])
    assert (one.rank, one.shared) == (2, False)
    assert [(other.code, other.rank) for other in one.tied_with] == [(teams[1].code, 1)]
    first, chair = one.tie_breaks
    assert (first.name, first.value) == ("judges", 60)
    assert (chair.place, chair.by, chair.reason) == (2, judges[1].name, "the better pitch")
    assert explain(places[teams[2].pk]).tied_with == ()


def test_who_has_left_is_there_without_parts(track, organizer):
    teams = [make_team(track), make_team(track)]
    round = roadshow(track, teams, [make_judge(track.event)], [[9], [4]])
    disqualify_team(teams[1], organizer, "cheated")
    one = explain(round.participations.get(team=teams[1]))
    assert (one.status, one.total, one.components, one.matches) == ("disqualified", None, (), True)


def test_as_many_queries_for_all_as_for_one(track, organizer):
    def count(teams, ordinal):
        made = [make_team(track) for _n in range(teams)]
        judges = [make_judge(track.event) for _n in range(3)]
        marks = [[n, n + 0.5, n] for n in range(teams)]
        round = roadshow(track, made, judges, marks, ordinal=ordinal)
        signed(round, organizer)
        with CaptureQueriesContext(connection) as queries:
            explained = explain_all(round)
        assert len(explained) == teams
        with CaptureQueriesContext(connection) as single:
            explain(round.participations.first())
        return len(queries), len(single)

    few, many = count(2, 1), count(9, 2)
    assert few == many
    assert many[0] < 25


# --- How it is shown -------------------------------------------------------------------------


@pytest.fixture
def shown(track, organizer, client):
    teams = [make_team(track), make_team(track)]
    judges = [make_judge(track.event) for _n in range(4)]
    round = roadshow(track, teams, judges, [[9, 8, 7.5, 2], [4, 4, 4, None]])
    sheet = Scoresheet.objects.filter(assignment__participation__team=teams[0]).first()
    Scoresheet.objects.filter(pk=sheet.pk).update(private_note="never to be read")
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    return round


def test_the_page_shows_the_numbers(client, shown):
    participation = shown.participations.order_by("running_order").first()
    args = [shown.event.slug, shown.slug, participation.team.code]
    page = client.get(reverse("desk-explained", args=args)).content.decode()
    assert "(80.00 + 75.00) ÷ 2 = 77.50" in page
    assert "dropped as the highest" in page
    assert "– → 7.5" in page
    assert "never to be read" not in page
    ranking = client.get(reverse("desk-ranking", args=args[:2])).content.decode()
    assert reverse("desk-explained", args=args) in ranking


def test_the_page_shows_vetoes_and_a_chairs_decision(client, track, organizer):
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")

    def page(participation):
        round = participation.round
        args = [round.event.slug, round.slug, participation.team.code]
        return client.get(reverse("desk-explained", args=args)).content.decode()

    round = make_round(track, format="roadshow", kind="semifinal")
    vetoed = make_participation(round, make_team(track))
    judges = [make_judge(track.event) for _n in range(2)]
    give(make_panel(round, judges, rich_rubric(track.event)), [(5, 5, 1, 2, 0)] * 2, [True] * 2)
    shown = page(vetoed)
    assert "The team is excluded." in shown
    assert "condition not met: 2." not in shown
    assert "Judges who say that a condition is not met: 2." in shown
    assert "-2.00" in shown, "a penalty takes points off"

    teams = [make_team(track) for _n in range(2)]
    round = roadshow(track, teams, judges, [[6, 6], [7, 5]], ordinal=2)
    round.scheme.tie_breaks = ["chair"]
    round.scheme.save()
    Panel.objects.filter(round=round).update(chair=judges[1])
    asked = ties.ask(round.panels.get(), list(round.participations.all()), organizer)
    order = [p.pk for p in round.participations.all()]
    ties.decide(asked, judges[1].user, order, "the better pitch")
    shown = page(round.participations.first())
    places = [explain(team).tie_breaks[0].compared for team in round.participations.all()]
    assert places == [-1, -2]
    assert f"place 1, decided by {judges[1].name}" in shown
    assert "the better pitch" in shown


def test_a_round_without_a_ranking_says_so(client, track, organizer):
    round = make_round(track, format="roadshow", status="draft")
    team = make_team(track)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    args = [round.event.slug, round.slug, team.code]
    assert client.get(reverse("desk-explained", args=args)).status_code == 404
    assert client.get(reverse("desk-export", args=[*args[:2], "scores", "xlsx"])).status_code == 404


def test_the_page_asks_no_more_for_more_judges_and_marks(client, track, organizer):
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")

    def count(judges, ordinal):
        teams = [make_team(track)]
        panel = [make_judge(track.event) for _n in range(judges)]
        round = roadshow(track, teams, panel, [[5] * judges], ordinal=ordinal)
        signed(round, organizer)
        url = reverse("desk-explained", args=[round.event.slug, round.slug, teams[0].code])
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    assert count(2, 1) == count(8, 2)


def test_the_api_gives_exact_numbers_to_organizers_alone(client, shown, organizer):
    one = explain(shown.participations.order_by("running_order").first())
    row = StandingRow.objects.get(
        participation=one.participation, standing__audience="full", standing__is_current=True
    )
    url = reverse("api-standing-row-explanation", args=[row.pk])
    told = client.get(url).json()
    assert told == json.loads(json.dumps(as_data(one)))
    assert (told["total"], told["total_exact"]) == ("77.500000000000", "155/2")
    (part,) = told["components"]
    assert part["judges"]["sheets"][0]["marks"][0]["revisions"][0]["value"] == "9.00"
    assert "never to be read" not in json.dumps(told)
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url).status_code == 403
    other = make_user()
    make_event(other)
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url).status_code == 404


def test_no_row_of_the_public_standing_is_explained(client, shown, organizer):
    signed(shown, organizer)
    rounds.publish_round(shown, organizer)
    standings.refresh(shown)
    row = StandingRow.objects.filter(standing__audience="public").first()
    url = reverse("api-standing-row-explanation", args=[row.pk])
    assert client.get(url).status_code == 404


def test_the_workbook_adds_up(client, shown):
    path = reverse("desk-export", args=[shown.event.slug, shown.slug, "scores", "xlsx"])
    content = b"".join(client.get(path).streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    assert book.sheetnames == ["about", "teams", "components", "sheets", "marks", "columns"]
    tables = {}
    for name in book.sheetnames:
        heads, *rows = book[name].iter_rows(values_only=True)
        tables[name] = [dict(zip(heads, row, strict=True)) for row in rows]
    top = tables["teams"][0]
    assert (top["rank"], top["total"], top["check_total"]) == (1, 77.5, "OK")
    kept = [s for s in tables["sheets"] if s["team_code"] == top["team_code"] and s["in_mean"]]
    assert sum(s["sheet_total"] for s in kept) / len(kept) == top["total"]
    for sheet, rows in itertools.groupby(tables["marks"], lambda mark: mark["sheet"]):
        total = next(s["sheet_total"] for s in tables["sheets"] if s["sheet"] == sheet)
        assert total is None or sum(mark["mark_points"] for mark in rows) == total
    assert "never to be read" not in str(tables)
    assert not LogEntry.objects.filter(action="explained").exists()


def test_a_sheet_that_left_the_scale_says_where_it_ends(track):
    round = make_round(track, format="roadshow", kind="semifinal")
    make_participation(round, make_team(track))
    panel = make_panel(round, [make_judge(track.event)], rich_rubric(track.event))
    give(panel, [(10, 8, 5, None, 1)], [True])
    (sheet,) = explain(round.participations.get()).sheets
    assert (sheet.points, sheet.total, sheet.kept_within) == (105, 100, True)
    assert not replace(sheet, total=Fraction(105)).kept_within
    assert SheetState(sheet.state).label == "counted"


def test_a_method_that_compares_judges_says_what_each_sheet_counted_as(track, organizer):
    """By hand: the judges' means are 50 and 70, of all sheets 60: one is 10 points stricter than
    the middle, the other 10 more lenient, so 40 and 60 both count as 50."""
    teams, judges = [make_team(track) for _n in range(3)], [make_judge(track.event) for _n in "ab"]
    round = roadshow(track, teams, judges, [[4, 6], [6, 8], [5, 7]])
    save_scheme(
        round, organizer, advance_count=1, tie_breaks=[], decimals=2, reason="test",
        components=[
            {"kind": "judges", "source": round, "weight": 100, "aggregation": "severity"}
        ],
    )  # fmt: skip
    one = explain(round.participations.get(team=teams[0]))
    (part,) = one.components
    assert [sheet.counted_as for sheet in part.judges.sheets] == [50, 50]
    assert part.value == 50
    assert one.component_formula(part) == "(50.00 + 50.00) ÷ 2 = 50.00"
    assert one.matches


def test_a_score_that_compares_judges_is_explained_exactly(track, organizer):
    """By Borda the second of four has 200/3; twelve decimals of it do not add up to the total."""
    teams, judges = [make_team(track) for _n in range(4)], [make_judge(track.event)]
    round = roadshow(track, teams, judges, [[9], [7], [5], [2]])
    save_scheme(
        round, organizer, advance_count=1, tie_breaks=[], decimals=2, reason="test",
        components=[{"kind": "judges", "source": round, "weight": 100, "aggregation": "borda"}],
    )  # fmt: skip
    one = explain(round.participations.get(team=teams[1]))
    (part,) = one.components
    assert part.value == Fraction(200, 3)
    assert one.matches


def test_what_is_dropped_criterion_by_criterion_is_shown_mark_by_mark(track, organizer):
    teams, judges = [make_team(track)], [make_judge(track.event) for _n in range(4)]
    round = make_round(track, format="roadshow", kind="final", ordinal=4)
    make_participation(round, teams[0])
    panel = make_panel(round, judges, make_rubric(track.event, weights=(1, 1)))
    for assignment, values in zip(
        panel.assignments.order_by("judge"), ((9, 1), (8, 2), (2, 8), (1, 9)), strict=True
    ):
        sheet = open_sheet(assignment)
        for criterion, value in zip(panel.rubric.criteria.all(), values, strict=True):
            by = assignment.judge.user
            save_mark(sheet, criterion, Decimal(value), sent=Sent(f"{criterion.pk}"), by=by)
        submit_sheet(sheet, by)
    save_scheme(
        round, organizer, advance_count=1, tie_breaks=[], decimals=2, reason="test",
        components=[
            {"kind": "judges", "source": round, "weight": 100, "aggregation": "trimmed",
             "per": "criterion"}
        ],
    )  # fmt: skip
    one = explain(round.participations.get())
    (part,) = one.components
    dropped = [[mark.dropped for mark in sheet.marks] for sheet in part.judges.sheets]
    assert dropped == [[True, True], [False, False], [False, False], [True, True]]
    assert part.value == 50
    assert one.matches
