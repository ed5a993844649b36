"""What a scheme asks beyond weights: rounding, minimums, conditions, scales, tie-breaks."""

import io
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import translation

from contest.errors import Refused
from contest.models import Participation, Round
from contest.services import rounds
from contest.services.entries import save_entry
from contest.services.teams import disqualify_team
from judging.models import RecordEntry
from judging.services.panels import recuse
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.exports.finalists import FORMATS, finalist_rows
from leaderboard.models import Scheme
from leaderboard.ranking.tie_breaks import drawn
from leaderboard.services import advancement, scheme_words, standings, unranked
from leaderboard.services.advancement_rules import save_rule
from leaderboard.services.explained import as_data
from leaderboard.services.explanation import explain
from leaderboard.services.schemes import add_tie_break, draft, has_scores, rules_of, save_scheme
from leaderboard.services.tied import tied_groups
from leaderboard.services.trials import what_if
from tests.factories import (
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_rubric,
    set_status,
)
from tests.leaderboard.test_standings import (
    FULL,
    PUBLIC,
    _no_broker,  # noqa: F401
    automated,
    decided,
    organizer,  # noqa: F401
    people,
    placed,
    roadshow,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def change(round, by, *, component=None, **fields):
    """The rules in force, with something else in them."""
    rules = rules_of(round).fields
    components = [said | (component or {}) for said in rules.pop("components")]
    return save_scheme(round, by, **rules | fields, components=components, reason="test")


def ranks(round) -> dict:
    standings.refresh(round)
    rows = standings.current(round, FULL).rows.all()
    return {row.participation.team.code: row.rank for row in rows}


def row_of(round, team, audience=FULL):
    return standings.current(round, audience).rows.get(participation__team=team)


# --- Rounding, minimums, conditions -------------------------------------------------------------


def test_totals_that_are_shown_alike_tie_where_the_rules_round(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 3)
    # 76.67, 78.33 and 80: to no decimals 77, 78, 80; to tens 80 all of them.
    round = roadshow(track, teams, judges, [[8, 8, 7], [8, 8, 7.5], [8, 8, 8]])
    assert list(ranks(round).values()) == [1, 2, 3]
    change(round, organizer, decimals=0, rounding="totals")
    assert [total for _rank, _code, total in placed(round)] == [80, 78, 77]
    one = explain(round.participations.get(team=teams[0]))
    assert (one.total, one.components[0].value, one.matches) == (77, Fraction(230, 3), True)
    change(round, organizer, rounding="none")
    assert placed(round)[2][2] == Decimal("76.666666666667")


def test_rounded_component_scores_are_what_is_added_up(track, organizer):  # noqa: F811
    teams, judges = people(track, 1, 3)
    round = roadshow(track, teams, judges, [[8, 8, 7]])  # 76.67
    change(round, organizer, decimals=1, rounding="all")
    one = explain(round.participations.get())
    assert one.components[0].added == Fraction(767, 10)
    assert (one.total, one.matches) == (Fraction(767, 10), True)
    assert one.formula == "(100 × 76.7) ÷ (100) = 76.7"


def test_below_a_minimum_there_is_a_total_and_no_rank(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 1)
    round = roadshow(track, teams, judges, [[9], [6], [5.5]])
    change(round, organizer, component={"minimum": Decimal(60)}, minimum_total=Decimal("59.5"))
    assert ranks(round) == {teams[0].code: 1, teams[1].code: 2, teams[2].code: None}
    row = row_of(round, teams[2])
    assert row.total == 55
    assert unranked.why_unranked(row) == [
        "less than 60 for the judges' scores", "a total of less than 59.5",
    ]  # fmt: skip
    one = explain(row.participation)
    assert (one.rank, one.total, one.matches) == (None, 55, True)
    assert one.lacks == tuple(unranked.why_unranked(row))


def test_a_minimum_of_0_and_one_of_100_are_minimums(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[10], [0]])
    change(round, organizer, minimum_total=Decimal(0))
    assert set(ranks(round).values()) == {1, 2}
    change(round, organizer, minimum_total=Decimal(100))
    assert set(ranks(round).values()) == {1, None}


def test_who_does_not_meet_a_condition_has_no_rank_until_they_do(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 1)
    round = roadshow(track, teams, judges, [[9], [8], [7]])
    save_entry(teams[0], organizer, licence="Apache-2.0")
    save_entry(teams[1], organizer, licence="MIT", repository="https://example.org/b")
    change(round, organizer, conditions=["licence", "repository"])
    assert ranks(round) == {teams[1].code: 1, teams[0].code: None, teams[2].code: None}
    assert unranked.why_unranked(row_of(round, teams[0])) == ["no source repository"]
    said = unranked.why_unranked(row_of(round, teams[2]))
    assert said == ["no licence", "no source repository"]
    digest = standings.current(round, FULL).input_digest
    save_entry(teams[0], organizer, repository="https://example.org/a")
    assert ranks(round)[teams[0].code] == 1
    assert standings.current(round, FULL).input_digest != digest
    set_status(teams[1], "registered")
    change(round, organizer, conditions=["confirmed"])
    assert ranks(round) == {teams[0].code: 1, teams[2].code: 2, teams[1].code: None}


def test_without_a_condition_the_entry_changes_no_digest(track, organizer):  # noqa: F811
    teams, judges = people(track, 1, 1)
    round = roadshow(track, teams, judges, [[9]])
    ranks(round)
    digest = standings.current(round, FULL).input_digest
    save_entry(teams[0], organizer, repository="https://example.org/a")
    ranks(round)
    assert standings.current(round, FULL).input_digest == digest


# --- Scales of metrics --------------------------------------------------------------------------


def test_a_metric_by_rank_and_by_z_scores(track, organizer):  # noqa: F811
    round = automated(track, [10, 20, 20, 40])
    standings.refresh(round)
    values = [row.explanation["components"][0]["value"] for row in
              standings.current(round, FULL).rows.order_by("participation")]  # fmt: skip
    change(round, organizer, component={"scaling": "rank"}, tie_breaks=[])
    scaled = [total for _rank, _code, total in sorted(placed(round), key=lambda p: p[1])]
    better = [sum(a > b for b in values) + Fraction(sum(a == b for b in values) - 1, 2)
              for a in values]  # fmt: skip
    assert scaled == [round_12(100 * each / 3) for each in better]
    one = explain(round.participations.order_by("pk")[0])
    assert (one.components[0].metric.others, one.matches) == (3, True)
    assert one.component_formula(one.components[0]).startswith("100 × ")
    public = standings.public_standing(round).rows.first().explanation["components"][0]
    assert set(public) == {
        "name", "kind", "weight", "scaled", "metric", "value", "beaten", "others", "rising",
    }  # fmt: skip

    change(round, organizer, component={"scaling": "zscore"})
    mean = sum(values) / 4
    spread = (sum((value - mean) ** 2 for value in values) / 4) ** 0.5
    found = sorted(placed(round), key=lambda p: p[1])
    for value, (_rank, _code, total) in zip(values, found, strict=True):
        assert float(total) == pytest.approx(50 + 10 * (value - mean) / spread)
    one = explain(round.participations.order_by("pk")[3])
    assert one.matches
    assert as_data(one)["matches"] is True


def round_12(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-12"))


def test_who_has_left_and_a_baseline_are_no_measure_for_others(track, organizer):  # noqa: F811
    round = automated(track, [10, 20, 40, 40])
    change(round, organizer, component={"scaling": "rank"})
    first, second, third, fourth = round.participations.order_by("pk")
    Participation.objects.filter(pk=third.pk).update(status="withdrawn")
    Participation.objects.filter(pk=fourth.pk).update(status="baseline")
    found = {code: total for _rank, code, total in placed(round)}
    assert found[second.team.code] == 100
    assert found[first.team.code] == 0
    assert found[fourth.team.code] == 100, "it beats both teams"
    assert found[third.team.code] is None


def test_a_scale_by_rank_has_no_bounds(track, organizer):  # noqa: F811
    round = automated(track, [10])
    with pytest.raises(ValidationError, match="two values"):
        change(round, organizer, component={"scaling": "rank", "worst": 0.0, "best": 1.0})


# --- Tie-breaks ---------------------------------------------------------------------------------


def two_criteria(track, teams, judges, marks, **fields):  # noqa: F811
    """``marks[team][judge]`` on two criteria of equal weight."""
    round = make_round(track, format="roadshow", kind="semifinal", **fields)
    for team in teams:
        make_participation(round, team)
    panel = make_panel(round, judges, make_rubric(track.event, weights=(1, 1)))
    for assignment in panel.assignments.all():
        given = marks[teams.index(assignment.participation.team)][judges.index(assignment.judge)]
        sheet, user = open_sheet(assignment), assignment.judge.user
        for criterion, mark in zip(panel.rubric.criteria.all(), given, strict=True):
            value = Decimal(str(mark))
            save_mark(sheet, criterion, value, sent=Sent(f"{criterion.pk}"), by=user)
        submit_sheet(sheet, user)
    return round, [criterion.code for criterion in panel.rubric.criteria.all()]


def test_named_criteria_are_asked_in_their_order(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 2)
    round, (first, second) = two_criteria(
        track, teams, judges, [[(9, 5), (8, 6)], [(7, 7), (8, 6)]]
    )
    change(round, organizer, tie_breaks=[f"criterion:{first}"])
    assert ranks(round) == {teams[0].code: 1, teams[1].code: 2}
    change(round, organizer, tie_breaks=[f"criterion:{second}", f"criterion:{first}"])
    assert ranks(round) == {teams[1].code: 1, teams[0].code: 2}
    (tie,) = explain(round.participations.get(team=teams[1])).tie_breaks
    assert (tie.label, tie.compared) == ("higher mark on “Criterion 2”", 65)
    assert scheme_words.of(rules_of(round))["tie_breaks"] == [
        "higher mark on “Criterion 2”", "higher mark on “Criterion 1”",
    ]  # fmt: skip
    with pytest.raises(ValidationError, match="nobody"):
        change(round, organizer, tie_breaks=["criterion:nobody"])
    with pytest.raises(ValidationError):
        change(round, organizer, tie_breaks=["criterion:"])
    with pytest.raises(ValidationError):
        change(round, organizer, tie_breaks=[f"criterion:{first}"] * 2)
    with pytest.raises(ValidationError):
        change(round, organizer, tie_breaks=[7])


def test_head_to_head_counts_judges_and_not_points(track, organizer):  # noqa: F811
    """Both have 70; two of three judges put the second ahead, one the first, by more."""
    teams, judges = people(track, 3, 3)
    marks = [[9, 6, 6], [7, 7, 7], [1, 1, 1]]
    round = roadshow(track, teams, judges, marks)
    change(
        round, organizer, component={"aggregation": "mean"}, tie_breaks=["head_to_head"]
    )  # fmt: skip
    assert ranks(round) == {teams[1].code: 1, teams[0].code: 2, teams[2].code: 3}
    (tie,) = explain(round.participations.get(team=teams[1])).tie_breaks
    assert tie.compared == 1
    assert [(d.team, d.ahead, d.behind) for d in tie.duels] == [(teams[0].code, 2, 1)]
    assert "head_to_head" not in row_of(round, teams[2]).explanation, "nobody asked"
    # The judges who put the second ahead had a conflict of interest: they are no longer heard.
    recuse(judges[1], teams[1], organizer, "adviser")
    assert ranks(round)[teams[0].code] == 1


def test_duels_of_judges_are_not_for_the_public(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 3)
    round = roadshow(track, teams, judges, [[9, 6, 6], [7, 7, 7]])
    change(
        round, organizer, component={"aggregation": "mean"}, tie_breaks=["chair", "head_to_head"]
    )  # fmt: skip
    ranks(round)
    full = row_of(round, teams[0]).explanation
    assert full["head_to_head"]["duels"]
    assert full["awaits_chair"]
    proposal = decided(round, organizer)
    advancement.sign_off(proposal, organizer)
    rounds.publish_round(Round.objects.get(pk=round.pk), organizer)
    standings.refresh(round)
    for row in standings.current(round, PUBLIC).rows.all():
        assert not {"head_to_head", "awaits_chair"} & row.explanation.keys()


def test_the_chair_is_asked_about_whom_nothing_before_parts(client, track, organizer):  # noqa: F811
    """The draw comes after the chair and parts the three; the desk offers to ask all the same."""
    teams, judges = people(track, 4, 1)
    round = roadshow(track, teams, judges, [[7], [7], [7], [5]])
    change(round, organizer, tie_breaks=["chair", "draw"])
    assert sorted(ranks(round).values()) == [1, 2, 3, 4]
    rows = list(standings.current(round, FULL).rows.all())
    scheme = Scheme.objects.get(round=round)
    (group,) = tied_groups(rows, scheme, ())
    assert {row.participation.team for row in group.rows} == set(teams[:3])
    assert (group.rank, group.last, group.across_cut) == (1, 3, True)
    add_tie_break(round, organizer, "judges", "test")
    assert Scheme.objects.get(round=round).tie_breaks == ["chair", "judges", "draw"]


def test_the_desk_says_why_the_chair_cannot_be_added(client, track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 2)
    round, codes = two_criteria(track, teams, judges, [[(7, 7), (7, 7)], [(7, 7), (7, 7)]])
    names = ["judges", "metric", "criterion", "head_to_head", "earliest", "draw"]
    change(round, organizer, tie_breaks=[*names, *(f"criterion:{code}" for code in codes)])
    client.cookies["django_language"] = "en"
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-tie", args=[round.event.slug, round.slug])
    answer = client.post(page, {"action": "add_tie_break"}, follow=True)
    assert "At most 8 tie-breaks" in answer.content.decode()


def test_a_draw_has_a_seed_that_is_recorded(track, organizer):  # noqa: F811
    teams, judges = people(track, 6, 1)
    round = roadshow(track, teams, judges, [[7]] * 6)
    change(round, organizer, tie_breaks=["draw"])
    seed = Scheme.objects.get(round=round).seed
    assert len(seed) == 16
    lots = drawn(seed, [team.code for team in teams])
    expected = sorted(lots, key=lots.get, reverse=True)
    assert sorted(ranks(round), key=ranks(round).get) == expected
    assert standings.current(round, FULL).method["seed"] == seed
    entry = RecordEntry.objects.filter(kind="scheme").latest("pk")
    assert seed in entry.text
    (tie,) = explain(round.participations.get(team__code=expected[0])).tie_breaks
    assert tie.compared == lots[expected[0]]
    with pytest.raises(Refused, match="choose a seed"):
        change(round, organizer, seed="7 3 1")
    change(round, organizer, seed="")
    assert Scheme.objects.get(round=round).seed not in ("", seed), "drawn again, with a reason"
    assert len(set(ranks(round).values())) == 6


def test_before_the_first_score_the_seed_may_be_drawn_on_a_stage(track, organizer):  # noqa: F811
    round = make_round(track, format="roadshow", kind="semifinal")
    change(round, organizer, tie_breaks=["draw"], seed="7 3 1")
    assert Scheme.objects.get(round=round).seed == "7 3 1"


def test_nobody_tries_seeds(client, track, organizer):  # noqa: F811
    teams, judges = people(track, 6, 1)
    round = roadshow(track, teams, judges, [[7]] * 6)
    change(round, organizer, tie_breaks=["draw"])
    before = ranks(round)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-scheme", args=[round.event.slug, round.slug])
    for seed in ("a", "b", "c"):
        form = {
            "advance_count": "1", "decimals": "2", "tie_break_1": "draw", "seed": seed,
            "action": "try", "components-TOTAL_FORMS": "1", "components-INITIAL_FORMS": "0",
            "components-0-kind": "judges", "components-0-source": str(round.pk),
            "components-0-weight": "100", "components-0-aggregation": "trimmed",
        }  # fmt: skip
        moves = client.post(page, form).context["moves"]
        assert {m.participation.team.code: m.rank_after for m in moves} == before


def test_the_seed_is_for_organizers_until_the_result_is_out(client, track, organizer):  # noqa: F811
    round = automated(track, [40, 40])
    change(round, organizer, tie_breaks=["draw"])
    seed = Scheme.objects.get(round=round).seed
    standings.refresh(round)
    public = standings.public_standing(round)
    assert "seed" not in public.method
    assert len({row.rank for row in public.rows.all()}) == 2, "it parts them all the same"
    address = reverse("api-scheme-detail", args=[round.pk])
    assert client.get(address).json()["seed"] == ""
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).json()["seed"] == seed


def test_tie_breaks_that_hang_on_the_tied_follow_those_before_them(track, organizer):  # noqa: F811
    """All have 70. The metric of an earlier round parts the third; duels part the others."""
    early = automated(track, [20, 20, 40])
    teams = [p.team for p in early.participations.order_by("pk")]
    judges = [make_judge(track.event) for _n in range(3)]
    round = roadshow(track, teams, judges, [[9, 6, 6], [7, 7, 7], [10, 10, 1]], ordinal=2)
    rules = rules_of(round).fields
    judged = {**rules["components"][0], "aggregation": "mean"}
    metric = {"kind": "metric", "source": early, "weight": Decimal("0.01"), "scaling": "rank"}
    save_scheme(
        round, organizer, **rules | {"components": [judged, metric]}, reason="test"
    )  # fmt: skip
    change(round, organizer, decimals=0, rounding="all", tie_breaks=["metric", "head_to_head"])
    found = ranks(round)
    assert found == {teams[2].code: 1, teams[1].code: 2, teams[0].code: 3}
    duels = row_of(round, teams[0]).explanation["head_to_head"]["duels"]
    assert [duel["team"] for duel in duels] == [teams[1].code]


def test_as_many_tie_breaks_as_there_are_columns(track, organizer):  # noqa: F811
    teams, judges = people(track, 1, 1)
    round, codes = two_criteria(track, teams, judges, [[(7, 7)]])
    names = [*Scheme.TieBreak.values, *(f"criterion:{code}" for code in codes)]
    fields = rules_of(round).fields
    assert len(names) == 9
    with pytest.raises(ValidationError, match="At most 8"):
        draft(round, **fields | {"tie_breaks": names})
    assert draft(round, **fields | {"tie_breaks": names[:8]})


def test_a_named_criterion_is_looked_for_in_the_component_that_has_it(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 1)
    semifinal, (early, _other) = two_criteria(track, teams, judges, [[(7, 7)], [(7, 7)]])
    final, (late, _other) = two_criteria(track, teams, judges, [[(8, 6)], [(6, 8)]], ordinal=2)
    rules = rules_of(final).fields
    own = rules.pop("components")[0]
    both = [own | {"source": semifinal, "weight": Decimal(1)}, own | {"weight": Decimal(1)}]
    save_scheme(final, organizer, **rules, components=both, reason="test")
    change(final, organizer, tie_breaks=[f"criterion:{early}", f"criterion:{late}"])
    assert ranks(final) == {teams[0].code: 1, teams[1].code: 2}
    assert [
        (tie.name, tie.compared)
        for tie in explain(final.participations.get(team=teams[0])).tie_breaks
    ] == [(f"criterion:{early}", 70), (f"criterion:{late}", 80)]
    labels = scheme_words.of(rules_of(final))["tie_breaks"]
    assert labels == [
        f"higher mark on “Criterion 1 ({semifinal.name})”",
        f"higher mark on “Criterion 1 ({final.name})”",
    ]
    # It must be of a round that is part of the total, but one that is in force may stay.
    save_scheme(final, organizer, **rules_of(final).fields | {"components": [both[1]]}, reason="x")
    change(final, organizer, tie_breaks=[f"criterion:{late}"])
    with pytest.raises(ValidationError, match="No criterion"):
        change(final, organizer, tie_breaks=[f"criterion:{early}"])


# --- What was decided stays ---------------------------------------------------------------------


def test_a_score_that_carries_over_is_that_of_the_signed_round(track, organizer):  # noqa: F811
    """Who did not advance and is disqualified later changes nothing for those who did."""
    early = automated(track, [10, 20, 30, 40])
    final = make_round(track, kind="final", ordinal=2, status="draft")
    change(early, organizer, component={"scaling": "zscore"}, advance_count=2)
    proposal = decided(early, organizer)
    advancement.sign_off(proposal, organizer)
    rules = rules_of(final).fields
    carried = {"kind": "metric", "source": early, "weight": Decimal(1)}
    for scaling in ("zscore", "rank"):
        components = [carried | {"scaling": scaling}]
        save_scheme(final, organizer, **rules | {"components": components}, reason="test")
        before = placed(final)
        assert len(before) == 2
        last = early.participations.order_by("pk")[0]
        disqualify_team(last.team, organizer, "found out later")
        assert placed(final) == before
        set_status(last.team, "confirmed")
        set_status(last, "active")


def test_known_scores_of_an_earlier_round_freeze_the_rules_too(track, organizer):  # noqa: F811
    early = automated(track, [10, 40])
    final = make_round(track, kind="final", format="roadshow", ordinal=2, status="draft")
    rules = rules_of(final).fields
    own = rules["components"][0]
    assert not has_scores(final)
    save_scheme(final, organizer, **rules | {"advance_count": 3})
    both = [own, {"kind": "metric", "source": early, "weight": 1, "minimum": 60}]
    with pytest.raises(Refused) as caught:
        save_scheme(final, organizer, **rules | {"components": both})
    assert caught.value.code == "reason_required"


def test_a_round_that_cannot_be_ranked_keeps_no_other_from_it(track, monkeypatch):  # noqa: F811
    first, second = automated(track, [10]), automated(track, [20])
    real = standings._read

    def broken(round, *args, **kwargs):
        if round == first:
            raise ArithmeticError
        return real(round, *args, **kwargs)

    monkeypatch.setattr(standings, "_read", broken)
    standings.refresh_stale()
    assert standings.current(second, FULL) is not None


def test_rules_without_any_of_it_are_named_as_they_always_were(track):  # noqa: F811
    """So that the digest of what was ranked by them is what it was."""
    round = automated(track, [10])
    standings.refresh(round)
    method = standings.current(round, FULL).method
    assert set(method) == {"advance_count", "tie_breaks", "components"}
    assert set(method["components"][0]) == {
        "name", "kind", "source", "source_zh", "source_en", "weight", "worst", "best",
    }  # fmt: skip


def test_who_is_barred_is_told_why_and_may_come_in_by_a_wildcard(client, track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 1)
    round = roadshow(track, teams, judges, [[9], [8], [2]])
    change(round, organizer, minimum_total=Decimal(60), advance_count=1)
    make_round(track, kind="final", ordinal=2, status="draft")
    save_rule(round, organizer, wildcards=1, reserves=0, ties="ask", quotas=[])
    proposal = decided(round, organizer)
    last = proposal.standing.rows.get(participation__team=teams[2])
    advancement.give_wildcard(proposal, last.participation, organizer, "the host's own school")
    advancement.sign_off(proposal, organizer)
    rows = finalist_rows(proposal)
    assert [(row.rank, row.team_code, row.total) for row in rows] == [
        (1, teams[0].code, 90), (None, teams[2].code, 20),
    ]  # fmt: skip
    for fmt in FORMATS:
        out = io.BytesIO()
        FORMATS[fmt][1](proposal, out)
        assert out.getvalue()
    rounds.publish_round(Round.objects.get(pk=round.pk), organizer)
    standings.refresh(round)
    client.cookies["django_language"] = "en"
    why = "a total of less than 60"
    for page in ("round-results", "leaderboard"):
        said = client.get(reverse(page, args=[round.event.slug, round.slug])).content.decode()
        assert why in said, page
    page = reverse("leaderboard-team", args=[round.event.slug, round.slug, teams[2].code])
    assert why in client.get(page).content.decode()
    board = client.get(reverse("api-board-detail", args=[round.pk])).json()
    assert board["rows"][-1]["below"] == {"total": "60"}


# --- At the desk --------------------------------------------------------------------------------


def test_the_desk_takes_the_tie_breaks_in_the_order_in_which_they_stand(client, track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 2)
    round, (first, _second) = two_criteria(
        track, teams, judges, [[(9, 5), (8, 6)], [(7, 7), (8, 6)]]
    )
    client.cookies["django_language"] = "en"
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-scheme", args=[round.event.slug, round.slug])
    form = {
        "advance_count": "1", "decimals": "1", "rounding": "totals", "minimum_total": "30",
        "conditions": ["confirmed"], "seed": "", "reason": "as announced",
        "tie_break_1": "head_to_head", "tie_break_2": "", "tie_break_3": f"criterion:{first}",
        "tie_break_4": "draw", "components-TOTAL_FORMS": "1", "components-INITIAL_FORMS": "0",
        "components-0-kind": "judges", "components-0-source": str(round.pk),
        "components-0-weight": "100", "components-0-aggregation": "mean",
        "components-0-minimum": "20",
    }  # fmt: skip
    assert client.post(page, form).status_code == 302
    scheme = Scheme.objects.get(round=round)
    assert scheme.tie_breaks == ["head_to_head", f"criterion:{first}", "draw"]
    assert (scheme.rounding, scheme.minimum_total, scheme.conditions) == (
        "totals", Decimal(30), ["confirmed"],
    )  # fmt: skip
    assert scheme.seed
    said = client.get(page).content.decode()
    for text in (
        "higher mark on “Criterion 1”", "A team with a total of less than 30 is not ranked.",
        "A team with less than 20 for", "the team has been confirmed", scheme.seed,
    ):  # fmt: skip
        assert text in said, text
    twice = client.post(page, form | {"tie_break_2": "draw"})
    assert "Name each once" in twice.content.decode()


def test_the_api_takes_the_same(client, track, organizer):  # noqa: F811
    round = automated(track, [])
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("api-scheme-detail", args=[round.pk])
    answer = client.patch(
        address,
        {"rounding": "totals", "minimum_total": "12.5", "tie_breaks": ["draw"], "seed": "abc"},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    said = client.get(address).json()
    assert (said["rounding"], said["minimum_total"], said["seed"]) == ("totals", "12.50", "abc")
    for wrong in ({"tie_breaks": ["criterion:x"]}, {"conditions": ["rich"]}, {"rounding": "up"}):
        refused = client.patch(address, wrong, content_type="application/json")
        assert refused.status_code == 400, wrong


def test_other_terms_are_tried_and_nothing_is_stored(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[9], [5]], advance=2)
    standings.refresh(round)
    fields = rules_of(round).fields | {"minimum_total": Decimal(60)}
    moves = what_if(round, draft(round, **fields))
    assert [move.participation.team for move in moves if move.leaves] == [teams[1]]
    assert Scheme.objects.get(round=round).minimum_total is None
