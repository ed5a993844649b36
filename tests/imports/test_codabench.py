"""Bundles of Codabench: imported, opened, and played with submissions in Codabench's own form."""

from datetime import UTC, datetime

import pytest
import yaml

from contest.models import Event
from judging.models import BenchmarkTask
from judging.services.imports import import_codabench
from judging.states import RunStatus
from tests.imports.bundles import (
    COLUMNS,
    INGESTION,
    codabench,
    competition,
    competition_files,
    days,
    enter,
    leader,
    open_for_teams,
    run_import,
    submit,
    zipped,
)


def answer(text: str) -> bytes:
    return zipped({"answer.txt": text})


def test_a_competition_of_results(tmp_path, organizer):
    path = codabench(tmp_path, competition(), competition_files())
    event, said = run_import("import_codabench", path, organizer)
    assert (event.slug, event.name_en, event.status) == (
        "count-the-letters",
        "Count the Letters",
        "draft",
    )
    assert [role.user for role in event.roles.all()] == [organizer]
    assert event.time_zone == "UTC"
    round = event.rounds.get()
    assert (round.name, round.kind, round.format, round.status) == (
        "Development", "final", "automated", "draft",
    )  # fmt: skip
    assert (round.quota_per_day, round.quota_total, round.board) == (3, 20, "live")
    benchmark = round.benchmarks.get()
    assert (benchmark.protocol, benchmark.metric, benchmark.wall_seconds) == (
        "codabench", "accuracy", 60,
    )  # fmt: skip
    assert benchmark.accepted_kinds() == ["predictions"]
    assert [(c["key"], c["greater_is_better"], c["hidden"]) for c in benchmark.columns] == [
        ("accuracy", True, False), ("mistakes", False, False), ("secret", True, True),
    ]  # fmt: skip
    assert [(c["worst"], c["best"]) for c in benchmark.columns] == [(0, 1), (1, 0), (0, 1)]
    assert benchmark.tasks.get().name == "Letters"

    open_for_teams(event, organizer)
    good, bad = enter(round, 2)
    run = submit(bad, answer("3 3 3 3"), "submission.zip")
    assert run.status == RunStatus.SUCCEEDED, run.error_params
    assert run.metrics["public"] == {"accuracy": 0.5, "mistakes": 2.0}
    assert run.metrics["private"] == {"accuracy": 0.5, "mistakes": 2.0, "secret": 42.5}
    # A folder around the files, as file managers make them.
    run = submit(good, zipped({"mine/answer.txt": "3 3 5 4"}), "submission.zip")
    assert run.public_score == 1.0
    assert leader(round) == good.pk
    assert "image: events have no picture" in said


def test_the_description_is_made_of_all_pages_as_plain_text(tmp_path, organizer):
    config = competition(reward="$1000", contact_email="org@example.org")
    report = import_codabench(codabench(tmp_path, config, competition_files()), organizer)
    text = report.event.description_en
    assert text.startswith("A competition about *letters*.\n\nOverview\n\nWelcome!\n\n- one\n- two")
    assert "Evaluation\n\nHow\n\nBy accuracy: read on (https://example.org).\n\n- a < b" in text
    assert "Terms\n\n# Terms\n\nPlay fair & share. See https://example.org/terms." in text
    assert "Reward\n\n$1000" in text
    assert "Contact\n\norg@example.org" in text
    assert text.index("Development\n\nTry things out.") < text.index("Letters\n\nSay how long")
    assert "<" not in text.replace("a < b", "")
    assert "alert" not in text
    left = [str(item) for item in report.left]
    assert "Overview: 1 × picture: descriptions are plain text" in left
    assert "Evaluation: 1 × script: descriptions are plain text" in left


def test_code_runs_through_the_ingestion_program(tmp_path, organizer):
    config = competition()
    config["tasks"][0] |= {"ingestion_program": "ingestion_program", "input_data": "input_data"}
    config["solutions"] = [{"index": 0, "tasks": [0], "path": "solution/"}]
    files = competition_files(
        **INGESTION, **{"solution/model.py": "def predict(word):\n    return str(len(word))\n"}
    )
    event, said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    round = open_for_teams(event, organizer)
    benchmark = round.benchmarks.get()
    assert benchmark.accepted_kinds() == ["predictions", "code"]
    right, constant = enter(round, 2)
    # The solution became the sample; it can be sent as it is.
    run = submit(right, benchmark.sample.read(), benchmark.sample_name, "code")
    assert (run.status, run.public_score) == (RunStatus.SUCCEEDED, 1.0), run.scoring_log
    code = zipped({"model.py": "def predict(word):\n    return '3'\n"})
    run = submit(constant, code, "submission.zip", "code")
    assert run.metrics["public"]["accuracy"] == 0.5
    assert leader(round) == right.pk
    assert "the solution “solution/” → sample submission" in said


def test_code_that_declares_its_own_command(tmp_path, organizer):
    config = competition()
    config["tasks"][0]["input_data"] = "input_data"
    files = competition_files(**{"input_data/inputs.txt": "one two three four"})
    event, _said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    round = open_for_teams(event, organizer)
    assert round.benchmarks.get().accepted_kinds() == ["predictions", "code"]
    (team,) = enter(round)
    code = {
        "metadata.yaml": "command: python3 main.py\n",
        "main.py": (
            "words = open('/app/input_data/inputs.txt').read().split()\n"
            "open('/app/output/answer.txt', 'w').write(' '.join(str(len(w)) for w in words))\n"
        ),
    }
    assert submit(team, zipped(code), "code.zip", "code").public_score == 1.0
    assert submit(team, answer("3 3 5 5"), "results.zip").public_score == 0.75


def test_phases_become_rounds_in_their_order(tmp_path, organizer):
    config = competition()
    first = config["phases"][0]
    second = {
        **first, "index": 1, "name": "Development", "start": days(7), "end": None, "tasks": ["1"],
        "max_submissions_per_day": 0, "max_submissions": 0, "accepts_only_result_submissions": True,
        "hide_output": True, "execution_time_limit": 7200, "auto_migrate_to_this_phase": True,
    }  # fmt: skip
    config["phases"] = [second, first]
    config["tasks"].append({**config["tasks"][0], "index": 1, "reference_data": "ref2"})
    files = competition_files(**{"ref2/truth.txt": "1 1 1 1"})
    report = import_codabench(codabench(tmp_path, config, files), organizer)
    one, two = report.event.rounds.order_by("ordinal")
    assert [one.slug, two.slug] == ["development", "development-2"]
    assert [one.kind, two.kind] == ["preliminary", "final"]
    assert (two.opens_at - one.closes_at).total_seconds() == pytest.approx(0, abs=1)
    assert two.closes_at is None
    assert (two.quota_per_day, two.quota_total) == (32767, 32767)
    benchmark = two.benchmarks.get()
    assert (benchmark.wall_seconds, benchmark.logs_for) == (3600, "organizers")
    adapted = "\n".join(map(str, report.adapted))
    assert "phases[0].execution_time_limit: 7200 s became 3600 s" in adapted
    assert "phases[0].max_submissions: no limit became 32767" in adapted
    assert any("auto_migrate_to_this_phase" in str(item) for item in report.left)

    round = open_for_teams(report.event, organizer)
    (team,) = enter(round)
    assert submit(team, answer("3 3 5 4"), "a.zip").public_score == 1.0
    two = open_for_teams(report.event, organizer, first=1)
    type(two).objects.filter(pk=two.pk).update(opens_at=None)
    two.refresh_from_db()
    later = two.participations.create(team=team.team)
    assert submit(later, answer("3 1 1 4"), "b.zip").public_score == 0.5


def test_two_tasks_in_a_phase_count_by_their_mean(tmp_path, organizer):
    config = competition()
    config["tasks"].append({**config["tasks"][0], "index": "hard", "reference_data": "ref2"})
    config["phases"][0]["tasks"] = [0, "hard"]
    files = competition_files(**{"ref2/truth.txt": "3 0 0 0"})
    event, said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    round = open_for_teams(event, organizer)
    (team,) = enter(round)
    run = submit(team, answer("3 3 5 4"), "a.zip")
    public = run.metrics["public"]
    assert (public["accuracy"], public["mistakes"]) == (0.625, 1.5)
    assert (public["accuracy @ Letters"], public["accuracy @ Letters (hard)"]) == (1.0, 0.25)
    assert "secret" not in public
    assert "secret @ Letters" not in public
    assert "the mean of a column ranks" in said


def test_a_column_that_is_better_when_lower_ranks(tmp_path, organizer):
    config = competition()
    columns = config["leaderboards"][0]["columns"]
    columns[0]["index"], columns[1]["index"] = 1, 0
    event, _said = run_import(
        "import_codabench", codabench(tmp_path, config, competition_files()), organizer
    )
    round = open_for_teams(event, organizer)
    assert round.benchmarks.get().metric == "mistakes"
    one, two = enter(round, 2)
    submit(one, answer("3 3 0 0"), "a.zip")
    submit(two, answer("3 3 5 0"), "b.zip")
    assert leader(round) == two.pk


def test_what_ranks_cannot_be_computed_or_hidden(tmp_path, organizer):
    config = competition()
    config["leaderboards"][0]["columns"] = [
        {
            "title": "Mean", "key": "mean", "index": 0, "sorting": "asc", "computation": "avg",
            "computation_indexes": [1, 2],
        },
        {**COLUMNS[2], "index": 1},
        {**COLUMNS[0], "index": 2, "computation": None, "computation_indexes": None},
    ]  # fmt: skip
    report = import_codabench(codabench(tmp_path, config, competition_files()), organizer)
    benchmark = report.event.rounds.get().benchmarks.get()
    assert (benchmark.metric, benchmark.hidden_columns()) == ("secret", set())
    assert benchmark.extra_metrics == ["accuracy"]
    assert report.event.rounds.get().board == "after"
    left = "\n".join(map(str, report.left))
    assert "the column that ranks there, “mean”, is computed of others; here “secret” ranks" in left
    assert "so “mean” is left out" in left


def keys_of(values, name="") -> set[str]:
    """The full names of all keys that stand in the YAML's own structure."""
    inner = {"pages", "tasks", "solutions", "phases", "leaderboards", "columns"}
    found = set()
    for key, value in values.items():
        full = f"{name}.{key}" if name else key
        if key in inner and value and isinstance(value[0], dict):
            for n, each in enumerate(value):
                found |= keys_of(each, f"{full}[{n}]")
        found.add(full)
    return found


def test_every_key_is_accounted_for(tmp_path, organizer):
    config = competition(
        queue="a-queue", make_programs_available=False, fact_sheet={"a": {"key": "a"}},
        forum_enabled=True, something_new={"deep": 1}, auto_run_submissions=False,
    )  # fmt: skip
    config["phases"][0] |= {
        "public_data": "public", "starting_kit": "kit", "surprise": 1, "hide_score_output": False,
        "solutions": [0], "auto_migrate_to_this_phase": False,
    }  # fmt: skip
    config["tasks"][0] |= {"is_public": False, "ingestion_only_during_scoring": True, "odd": 1}
    config["tasks"].append({**config["tasks"][0], "index": 7, "name": "Unused"})
    config["solutions"] = [{"index": 0, "tasks": [0], "path": "kit/", "name": "n", "mystery": 1}]
    config["leaderboards"][0] |= {"index": 0, "hidden": False, "unheard": 1}
    config["leaderboards"][0]["columns"][0] |= {"computation": None, "novel": 1}
    files = competition_files(**{"kit/answer.txt": "1", "public/a.txt": "a"})
    report = import_codabench(codabench(tmp_path, config, files), organizer)
    assert keys_of(config) - report.accounted() == set()
    unknown = {item.where for item in report.left if "unknown key" in item.text}
    assert unknown == {
        "something_new", "phases[0].surprise", "tasks[0].odd", "leaderboards[0].unheard",
        "leaderboards[0].columns[0].novel",
    }  # fmt: skip
    left = {item.where: item.text for item in report.left}
    assert left["tasks[1]"] == "no phase has this task"
    assert "beside" in left["tasks[0].ingestion_only_during_scoring"]
    assert left["solutions[0]"].startswith("“kit/”")
    assert "queue" in left
    assert "auto_run_submissions" in left
    assert report.event.rounds.get().benchmarks.get().sample_name == "kit.zip"
    lines = list(report.lines())
    assert lines.index("Carried over:") < lines.index("Adapted:") < lines.index("Not carried over:")


def test_dates_are_read_as_organizers_write_them(tmp_path, organizer):
    config = competition()
    config["phases"][0] |= {"start": "1-31-2026", "end": "2026-03-01T12:00:00+02:00"}
    path = codabench(tmp_path, config, competition_files())
    report = import_codabench(path, organizer, time_zone="Asia/Shanghai")
    round = report.event.rounds.get()
    assert round.opens_at == datetime(2026, 1, 30, 16, tzinfo=UTC)
    assert round.closes_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert report.event.time_zone == "Asia/Shanghai"
    assert "phases[0].start: “1-31-2026” was read as 2026-01-30 16:00 UTC" in map(
        str, report.adapted
    )


def test_a_dry_run_makes_nothing(tmp_path, organizer, settings):
    path = codabench(tmp_path, competition(), competition_files())
    event, said = run_import("import_codabench", path, organizer, dry_run=True)
    assert event is None
    assert "Nothing was made" in said
    assert "round “Development”" in said
    assert not Event.objects.exists()
    assert not BenchmarkTask.objects.exists()
    stored = tmp_path / "files"
    assert not [each for each in stored.rglob("*") if each.is_file()]
    run_import("import_codabench", path, organizer)
    assert Event.objects.get().slug == "count-the-letters"


def test_a_chinese_title_needs_a_short_name_and_goes_in_its_column(tmp_path, organizer):
    config = competition(title="乌镇数字竞赛", description="这是一个关于数字的竞赛。欢迎参加！")
    config["pages"], config["tasks"][0]["description"] = [], ""
    config["phases"][0] |= {"name": "初赛", "description": ""}
    path = codabench(tmp_path, config, competition_files(**{"pages/terms.md": "请公平竞争。"}))
    event, _said = run_import("import_codabench", path, organizer, slug="wuzhen-numbers")
    assert (event.slug, event.name_zh, event.name_en) == ("wuzhen-numbers", "乌镇数字竞赛", "")
    assert event.description_zh.startswith("这是一个")
    assert (event.rounds.get().slug, event.rounds.get().name_zh) == ("phase-1", "初赛")


def test_the_metadata_may_lie_in_a_folder_beside_others(tmp_path, organizer):
    config = competition()
    config["tasks"][0]["scoring_program"] = "scoring.zip"
    scoring = competition_files()
    program = zipped(
        {
            "code/metadata": scoring["scoring_program/metadata.yaml"],
            "code/score.py": scoring["scoring_program/score.py"],
            "README.md": "how this works",
        }
    )
    files = competition_files(**{"scoring.zip": program})
    event, _said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    round = open_for_teams(event, organizer)
    (team,) = enter(round)
    assert submit(team, answer("3 3 5 4"), "a.zip").public_score == 1.0


def test_the_same_folder_makes_the_same_archive(tmp_path, organizer):
    path = codabench(tmp_path, competition(), competition_files())
    digests = []
    for slug in ("one", "two"):
        event, _said = run_import("import_codabench", path, organizer, slug=slug)
        digests.append(event.rounds.get().benchmarks.get().tasks.get().scoring_program_sha256)
    assert digests[0] == digests[1]


def test_a_bundle_in_a_folder_with_yml(tmp_path, organizer):
    files = {f"my-bundle/{name}": content for name, content in competition_files().items()}
    files["my-bundle/competition.yml"] = yaml.safe_dump(competition())
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped(files))
    event, _said = run_import("import_codabench", path, organizer)
    assert event.rounds.count() == 1


# Takes the results that a team sent, or makes them of its code, as Codabench's Iris does.
BOTH = """
import os, sys
sys.path.insert(0, "/app/ingested_program")
out = os.path.join(sys.argv[2], "answer.txt")
if not os.path.exists(out):
    from model import predict
    lines = open(os.path.join(sys.argv[1], "inputs.txt")).read().split()
    open(out, "w").write(" ".join(predict(line) for line in lines))
open("/app/program/notes", "w").write("programs may write beside themselves")
"""
# Ranks by what ingestion took, and stumbles once the scores are written.
TIMED = """
import json, sys, yaml
truth = open("/app/input/ref/truth.txt").read().split()
given = open("/app/input/res/answer.txt").read().split()
told = yaml.safe_load(open("/app/input/res/metadata"))
right = sum(a == b for a, b in zip(truth, given)) / len(truth)
scores = {"accuracy": right, "mistakes": 0, "seconds": told["elapsedTime"]}
json.dump(scores, open("/app/output/scores.json", "w"))
sys.exit(1)
"""


def test_results_and_code_in_one_phase_and_the_duration(tmp_path, organizer):
    config = competition()
    config["tasks"][0] |= {"ingestion_program": "ingestion_program", "input_data": "input_data"}
    files = competition_files(
        **{**INGESTION, "ingestion_program/ingestion.py": BOTH, "scoring_program/score.py": TIMED}
    )
    event, _said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    round = open_for_teams(event, organizer)
    assert round.benchmarks.get().accepted_kinds() == ["predictions", "code"]
    results, code = enter(round, 2)
    run = submit(results, answer("3 3 5 3"), "results.zip")
    assert run.public_score == 0.75, run.scoring_log
    sent = zipped({"model.py": "def predict(word):\n    return str(len(word))\n"})
    run = submit(code, sent, "code.zip", "code")
    assert run.public_score == 1.0, run.log
    assert 0 < run.metrics["private"]["seconds"] < 20


def test_a_folder_named_like_the_duration_is_no_fault_of_the_platform(tmp_path, organizer):
    config = competition()
    config["tasks"][0]["input_data"] = "input_data"
    files = competition_files(**{"input_data/inputs.txt": "one two three four"})
    event, _said = run_import("import_codabench", codabench(tmp_path, config, files), organizer)
    (team,) = enter(open_for_teams(event, organizer))
    code = {
        "metadata.yaml": "command: python3 main.py\n",
        "main.py": (
            "import os\n"
            "os.mkdir('/app/output/metadata')\n"
            "open('/app/output/metadata/x', 'w').close()\n"
            "open('/app/output/answer.txt', 'w').write('3 3 5 4')\n"
        ),
    }
    assert submit(team, zipped(code), "code.zip", "code").public_score == 1.0
