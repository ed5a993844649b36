"""Challenges of EvalAI: its script called as its worker calls it, on files as its teams send."""

import json

import pytest

from judging.services.imports import import_evalai
from judging.states import RunStatus
from tests.imports.bundles import (
    SCRIPT,
    TRUTH,
    challenge,
    challenge_files,
    enter,
    evalai,
    leader,
    open_for_teams,
    run_import,
    split,
    submit,
    zipped,
)


def guess(**values) -> bytes:
    return json.dumps({**TRUTH, **values}).encode()


def test_a_challenge_with_two_phases_and_splits(tmp_path, organizer):
    path = evalai(tmp_path, challenge(), challenge_files())
    event, said = run_import("import_evalai", path, organizer)
    dev, test = event.rounds.order_by("ordinal")
    assert (event.slug, dev.name, test.name) == ("random-numbers", "Dev Phase", "Test Phase")
    assert event.registration_opens < dev.opens_at
    assert (dev.quota_per_day, dev.quota_total) == (5, 32767)
    assert (dev.board, test.board) == ("after", "live")
    assert dev.benchmarks.get().options == {
        "public_split": "train_split", "package": "evaluation_script", "annotations": "dev.json",
        "codename": "dev",
    }  # fmt: skip
    benchmark = test.benchmarks.get()
    assert benchmark.options["public_split"] == "train_split"
    assert benchmark.options["private_split"] == "test_split"
    assert (benchmark.metric, benchmark.extra_metrics) == ("Total", ["Errors"])
    assert {c["key"]: c["greater_is_better"] for c in benchmark.columns} == {
        "Errors": False, "Total": True,
    }  # fmt: skip
    assert event.description_en.startswith(
        "Guess numbers.\n\nDescription\n\nNumbers\n\nGuess them."
    )
    assert "max_submissions_per_month: quotas are for a day and in all" in said

    round = open_for_teams(event, organizer)
    (team,) = enter(round)
    run = submit(team, guess(a=0), "submission.json")
    assert run.status == RunStatus.SUCCEEDED, run.scoring_log
    assert run.metrics["public"] == {"Total": 0.75, "Errors": 1.0}

    round = open_for_teams(event, organizer, first=1)
    one, two = enter(round, 2)
    run = submit(one, guess(a=0), "submission.json")
    assert run.metrics["public"] == {"Total": 0.5, "Errors": 2.0}
    assert run.metrics["private"] == {"Total": 1.0, "Errors": 3.0}
    run = submit(two, guess(c=0), "submission.json")
    assert (run.public_score, run.private_score) == (1.0, 0.5)
    assert (leader(round), leader(round, "private")) == (two.pk, one.pk)


@pytest.mark.parametrize("script", ["folder", "one file", "zip in a folder"])
def test_a_script_may_be_a_folder_or_one_file(tmp_path, organizer, script):
    whole = SCRIPT["main.py"].replace("from .helper import share", "") + SCRIPT["helper.py"]
    path, files = {
        "folder": ("scripts/my_eval/", {f"scripts/my_eval/{k}": v for k, v in SCRIPT.items()}),
        "one file": ("judge.py", {"judge.py": whole}),
        "zip in a folder": (
            "json.zip", {"json.zip": zipped({f"eval/{k}": v for k, v in SCRIPT.items()})},
        ),
    }[script]  # fmt: skip
    config = challenge(evaluation_script=path)
    event, _said = run_import(
        "import_evalai", evalai(tmp_path, config, challenge_files(**files)), organizer
    )
    round = open_for_teams(event, organizer)
    package = round.benchmarks.get().options["package"]
    assert package == ("my_eval" if script == "folder" else "evaluation_script")
    (team,) = enter(round)
    run = submit(team, guess(), "guess.json")
    assert (run.status, run.public_score) == (RunStatus.SUCCEEDED, 1.0), run.scoring_log


def test_a_phase_without_a_public_split(tmp_path, organizer):
    config = challenge(
        challenge_phase_splits=[split(1, 1, 2), split(2, 2, 1), split(2, 1, 2)],
        remote_evaluation=True,
    )
    report = import_evalai(evalai(tmp_path, config, challenge_files()), organizer)
    dev, test = report.event.rounds.order_by("ordinal")
    assert test.benchmarks.get().options["public_split"] == "train_split"
    assert test.benchmarks.get().options["private_split"] == "test_split"
    assert (dev.board, test.board) == ("after", "after")
    adapted = {item.where: item.text for item in report.adapted}
    assert "its own score" in adapted["challenge_phase_splits[0].visibility"]
    left = {item.where: item.text for item in report.left}
    assert "must score by itself" in left["remote_evaluation"]


def test_more_splits_than_a_round_has_parts_are_listed(tmp_path, organizer):
    config = challenge()
    config["dataset_splits"].append({"id": 3, "name": "Val", "codename": "val_split"})
    config["challenge_phase_splits"].append(split(2, 3, 3))
    report = import_evalai(evalai(tmp_path, config, challenge_files()), organizer)
    left = {item.where: item.text for item in report.left}
    assert left["challenge_phase_splits[3]"].startswith("“val_split”: a round has one public")


def test_every_key_is_accounted_for(tmp_path, organizer):
    config = challenge(oddity=1)
    config["challenge_phases"][0] |= {"strange": 1, "is_active": False, "disable_logs": True}
    config["dataset_splits"][0]["peculiar"] = 1
    config["leaderboard"][0]["schema"]["curious"] = 1
    config["challenge_phase_splits"][0]["showeceution_time"] = False
    report = import_evalai(evalai(tmp_path, config, challenge_files()), organizer)
    told, wanted = report.accounted(), set(config)
    for part in ("challenge_phases", "dataset_splits", "challenge_phase_splits", "leaderboard"):
        for n, each in enumerate(config[part]):
            wanted |= {f"{part}[{n}].{key}" for key in each}
    assert wanted - told == set()
    assert {item.where for item in report.left if "unknown key" in item.text} == {
        "oddity", "challenge_phases[0].strange", "dataset_splits[0].peculiar",
        "leaderboard[0].schema.curious", "challenge_phase_splits[0].showeceution_time",
    }  # fmt: skip
    assert report.event.rounds.first().benchmarks.get().logs_for == "organizers"


def test_a_script_without_annotations_gets_an_empty_file(tmp_path, organizer):
    config = challenge()
    del config["challenge_phases"][0]["test_annotation_file"]
    script = {
        **SCRIPT,
        "main.py": (
            "def evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs):\n"
            "    size = len(open(test_annotation_file).read())\n"
            "    return {'result': [{'train_split': {'Total': size, 'Errors': 0}}]}\n"
        ),
    }
    files = challenge_files(**{"evaluation_script.zip": zipped(script)})
    event, said = run_import("import_evalai", evalai(tmp_path, config, files), organizer)
    assert "the script gets an empty file" in said
    round = open_for_teams(event, organizer)
    (team,) = enter(round)
    assert submit(team, b"anything", "x.txt").public_score == 0.0
