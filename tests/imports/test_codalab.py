"""Bundles of CodaLab (1.5), with the words of its commands and scores in a text file."""

import pytest

from judging.services.imports import import_codabench
from judging.states import RunStatus
from tests.imports.bundles import (
    enter,
    leader,
    old_config,
    old_files,
    open_for_teams,
    run_import,
    submit,
    zipped,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "old.zip"
    path.write_bytes(zipped({"competition.yaml": old_config(), **old_files()}))
    return path


def test_a_competition_of_codalab(path, organizer):
    event, said = run_import("import_codabench", path, organizer)
    first, second = event.rounds.order_by("ordinal")
    assert [first.name, second.name] == ["Warm up", "Final"]
    assert first.closes_at == second.opens_at
    assert second.closes_at.isoformat().endswith("T00:00:00+00:00")
    assert (first.quota_per_day, first.quota_total) == (100, 100)
    assert (second.quota_per_day, second.quota_total) == (3, 3)
    benchmark = first.benchmarks.get()
    assert (benchmark.metric, benchmark.main.greater_is_better) == ("error_rate", False)
    assert benchmark.extra_metrics == ["Duration"]
    assert "columns made of others are not computed, so “average” is left out" in said
    assert "admin_names: add other organizers on the desk" in said

    round = open_for_teams(event, organizer)
    worse, better = enter(round, 2)
    run = submit(worse, zipped({"answer.txt": "a b x x", "readme.txt": "hello"}), "answer.zip")
    assert run.status == RunStatus.SUCCEEDED, run.scoring_log
    assert run.metrics["public"] == {"error_rate": 0.5, "Duration": 0.0}
    assert submit(better, zipped({"answer.txt": "a b c x"}), "answer.zip").public_score == 0.25
    assert leader(round) == better.pk


def test_every_key_is_accounted_for(path, organizer):
    report = import_codabench(path, organizer)
    told = report.accounted()
    for key in (
        "title", "image", "has_registration", "end_date", "admin_names", "html", "html.terms",
        "force_submission_to_leaderboard", "phases", "phases.1.label", "phases.1.auto_migration",
        "phases.1.execution_time_limit", "phases.2.color", "leaderboard",
        "leaderboard.leaderboards.Results.label", "leaderboard.columns.average.computed",
        "leaderboard.columns.error_rate.numeric_format", "leaderboard.columns.error_rate.sort",
    ):  # fmt: skip
        assert key in told, key
    assert not any("unknown key" in item.text for item in report.left)
