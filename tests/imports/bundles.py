"""Bundles in the forms of Codabench, CodaLab and EvalAI, made by the tests, and a way through them.

Programs are small and do what real ones do: they read the folders that their platform gives them
and write the files that it reads.
"""

import io
import json
import zipfile
from datetime import timedelta

import yaml
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from contest.models import Event
from contest.services.events import publish_event
from contest.services.rounds import open_round
from contest.services.submissions import receive
from contest.states import EventStatus, RoundStatus
from judging.services import runs
from judging.services.metric_results import counted_results
from judging.states import RunStatus
from tests.factories import make_team, make_user, set_status


def zipped(files: dict[str, bytes | str]) -> bytes:
    """A zip of the files; a name that ends in a slash is a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def days(count: float) -> str:
    """A date that many days from now, as YAML has it."""
    return f"{timezone.now() + timedelta(days=count):%Y-%m-%d %H:%M:%S}"


# --- Codabench, version 2 ---------------------------------------------------------------------

# Compares labels of the submission with those of the reference; the second column is an error.
SCORE = """
import json, os, sys
ref, res, out = "/app/input/ref", "/app/input/res", sys.argv[2]
truth = open(os.path.join(ref, "truth.txt")).read().split()
given = open(os.path.join(res, "answer.txt")).read().split()
right = sum(a == b for a, b in zip(truth, given))
scores = {
    "accuracy": right / len(truth),
    "mistakes": len(truth) - right,
    "secret": 42.5,
    "model": "not a number",
}
json.dump(scores, open(os.path.join(out, "scores.json"), "w"))
open(os.path.join(out, "detailed_results.html"), "w").write("<h1>details</h1>")
"""
SCORING = {
    "scoring_program/metadata.yaml": (
        "command: python3 /app/program/score.py /app/input/ /app/output/\n"
    ),
    "scoring_program/score.py": SCORE,
}
COLUMNS = [
    {"title": "Accuracy", "key": "accuracy", "index": 0, "sorting": "desc"},
    {"title": "Mistakes", "key": "mistakes", "index": 1, "sorting": "asc", "precision": 0},
    {"title": "Secret", "key": "secret", "index": 2, "sorting": "desc", "hidden": True},
]
# Calls the team's code on the inputs.
INGEST = """
import os, sys
sys.path.insert(0, "/app/ingested_program")
from model import predict
lines = open(os.path.join(sys.argv[1], "inputs.txt")).read().split()
with open(os.path.join(sys.argv[2], "answer.txt"), "w") as out:
    out.write("\\n".join(predict(line) for line in lines))
assert not os.path.exists("/app/input/ref"), "the reference is not for the team's code"
"""
INGESTION = {
    "ingestion_program/metadata": (
        "command: python3 $ingestion_program/ingestion.py $input $output $submission_program\n"
    ),
    "ingestion_program/ingestion.py": INGEST,
    "input_data/inputs.txt": "one two three four",
}


def competition(**changes) -> dict:
    """A competition of version 2 with one phase and one task whose answers are sent as results."""
    return {
        "version": 2,
        "title": "Count the Letters",
        "description": "A competition about *letters*.",
        "image": "logo.png",
        "terms": "pages/terms.md",
        "registration_auto_approve": True,
        "docker_image": "codalab/codalab-legacy:py37",
        "enable_detailed_results": True,
        "pages": [
            {"title": "Overview", "file": "pages/overview.md"},
            {"title": "Evaluation", "file": "pages/evaluation.html"},
        ],
        "tasks": [
            {
                "index": 0,
                "name": "Letters",
                "description": "Say how long each word is.",
                "scoring_program": "scoring_program/",
                "reference_data": "reference_data.zip",
            }
        ],
        "phases": [
            {
                "index": 0,
                "name": "Development",
                "description": "Try things out.",
                "start": days(-1),
                "end": days(7),
                "max_submissions_per_day": 3,
                "max_submissions": 20,
                "execution_time_limit": 60,
                "tasks": [0],
            }
        ],
        "leaderboards": [
            {
                "title": "Results",
                "key": "main",
                "submission_rule": "Force_Last",
                "columns": [dict(each) for each in COLUMNS],
            }
        ],
        **changes,
    }


def competition_files(**changes) -> dict:
    return {
        "logo.png": b"\x89PNG",
        "pages/terms.md": "# Terms\n\nPlay fair & share. See <https://example.org/terms>.",
        "pages/overview.md": "Welcome!\n\n- one\n- two\n\n![a picture](logo.png)",
        "pages/evaluation.html": (
            "<h2>How</h2><p>By <b>accuracy</b>: <a href='https://example.org'>read on</a>.</p>"
            "<ul><li>a &lt; b</li></ul><script>alert('no')</script>"
        ),
        "reference_data.zip": zipped({"truth.txt": "3 3 5 4"}),
        **SCORING,
        **changes,
    }


def codabench(tmp_path, config: dict, files: dict, name="competition.yaml"):
    """A bundle as a file."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped({name: yaml.safe_dump(config, sort_keys=False), **files}))
    return path


# --- CodaLab, version 1.5 ---------------------------------------------------------------------

OLD_SCORE = """
import os, sys
_, given, out = sys.argv
truth = open(os.path.join(given, "ref", "truth.txt")).read().split()
answer = open(os.path.join(given, "res", "answer.txt")).read().split()
wrong = sum(a != b for a, b in zip(truth, answer))
with open(os.path.join(out, "scores.txt"), "w") as scores:
    scores.write("error_rate: %f\\n" % (wrong / len(truth)))
    scores.write("Duration:0\\n")
"""
OLD_CONFIG = """
title: "Old World"
description: "An old competition."
image: logo.jpg
has_registration: True
force_submission_to_leaderboard: False
enable_detailed_results: False
end_date: {end}
admin_names: someone,somebody
html:
  overview: overview.html
  terms: terms.html
phases:
  2:
    phasenumber: 2
    label: "Final"
    start_date: {second}
    max_submissions: 3
    is_scoring_only: True
    scoring_program: program.zip
    reference_data: reference.zip
    color: green
  1:
    phasenumber: 1
    label: "Warm up"
    description: "For everybody."
    start_date: {first}
    max_submissions: 100
    max_submissions_per_day: 0
    execution_time_limit: 7200
    is_scoring_only: True
    scoring_program: program.zip
    reference_data: reference.zip
    auto_migration: False
leaderboard:
  leaderboards:
    Results: &RESULTS
      label: Results
      rank: 1
  columns:
    average:
      leaderboard: *RESULTS
      label: Average
      rank: 3
      sort: asc
      computed:
        operation: Avg
        fields: error_rate, Duration
    Duration:
      leaderboard: *RESULTS
      label: Duration
      rank: 2
      sort: asc
    error_rate:
      leaderboard: *RESULTS
      label: Error rate
      numeric_format: 4
      rank: 1
      sort: asc
"""


def old_config() -> str:
    return OLD_CONFIG.format(first=days(-2), second=days(5), end=days(9)[:10])


def old_files() -> dict:
    program = {
        "metadata": (
            "command: python $program/evaluate.py $input $output\ndescription: Counts mistakes\n"
        ),
        "evaluate.py": OLD_SCORE,
    }
    return {
        "logo.jpg": b"JPG",
        "overview.html": "<p>Overview</p>",
        "terms.html": "<p>Terms</p>",
        # As such archives often are: everything in one folder, and the litter of a Mac.
        "program.zip": zipped(
            {**{f"program/{name}": content for name, content in program.items()},
             "__MACOSX/._program": b"\x00"}
        ),
        "reference.zip": zipped({"truth.txt": "a b c d"}),
    }  # fmt: skip


# --- EvalAI -----------------------------------------------------------------------------------

EVALUATE = """
import json
from .helper import share


def evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs):
    truth = json.load(open(test_annotation_file))
    given = json.load(open(user_submission_file))
    output = {"result": []}
    if phase_codename == "dev":
        output["result"] = [{"train_split": {"Total": share(truth, given), "Errors": 1}}]
    else:
        half = sorted(truth)[: len(truth) // 2]
        rest = sorted(truth)[len(truth) // 2 :]
        output["result"] = [
            {"train_split": {"Total": share({k: truth[k] for k in half}, given), "Errors": 2}},
            {"test_split": {"Total": share({k: truth[k] for k in rest}, given), "Errors": 3}},
        ]
    output["submission_result"] = output["result"][0]
    return output
"""
HELPER = """
def share(truth, given):
    return sum(given.get(key) == value for key, value in truth.items()) / len(truth)
"""
SCRIPT = {
    "__init__.py": "from .main import evaluate\n",
    "main.py": EVALUATE,
    "helper.py": HELPER,
}
TRUTH = {"a": 1, "b": 2, "c": 3, "d": 4}


def challenge(**changes) -> dict:
    phase = {
        "description": "templates/phase.html",
        "is_public": True,
        "is_submission_public": True,
        "max_submissions_per_day": 5,
        "max_submissions_per_month": 50,
        "max_submissions": 100000,
        "allowed_submission_file_types": ".json, .zip",
        "default_submission_meta_attributes": [{"name": "method_name", "is_visible": True}],
    }
    return {
        "title": "Random Numbers",
        "short_description": "Guess numbers.",
        "description": "templates/description.html",
        "evaluation_details": "templates/description.html",
        "terms_and_conditions": "templates/description.html",
        "submission_guidelines": "templates/description.html",
        "image": "logo.jpg",
        "leaderboard_description": "The higher, the better.",
        "evaluation_script": "evaluation_script.zip",
        "remote_evaluation": False,
        "is_docker_based": False,
        "start_date": days(-2),
        "end_date": days(30),
        "published": True,
        "tags": ["numbers"],
        "leaderboard": [
            {
                "id": 1,
                "schema": {
                    "labels": ["Errors", "Total"],
                    "default_order_by": "Total",
                    "metadata": {"Errors": {"sort_ascending": True, "description": "few is good"}},
                },
            }
        ],
        "challenge_phases": [
            {
                "id": 1,
                "name": "Dev Phase",
                "codename": "dev",
                "leaderboard_public": False,
                "start_date": days(-1),
                "end_date": days(6),
                "test_annotation_file": "annotations/dev.json",
                **phase,
            },
            {
                "id": 2,
                "name": "Test Phase",
                "codename": "test",
                "leaderboard_public": True,
                "start_date": days(-1),
                "end_date": days(20),
                "test_annotation_file": "annotations/test.json",
                **phase,
            },
        ],
        "dataset_splits": [
            {"id": 1, "name": "Train Split", "codename": "train_split"},
            {"id": 2, "name": "Test Split", "codename": "test_split"},
        ],
        "challenge_phase_splits": [
            split(1, 1, 1),
            split(2, 1, 3),
            split(2, 2, 1),
        ],
        **changes,
    }


def split(phase: int, dataset: int, visibility: int) -> dict:
    return {
        "challenge_phase_id": phase,
        "leaderboard_id": 1,
        "dataset_split_id": dataset,
        "visibility": visibility,
        "leaderboard_decimal_precision": 2,
        "is_leaderboard_order_descending": True,
    }


def challenge_files(**changes) -> dict:
    return {
        "logo.jpg": b"JPG",
        "templates/description.html": "<h1>Numbers</h1><p>Guess them.</p>",
        "templates/phase.html": "<p>A phase.</p>",
        "annotations/dev.json": json.dumps(TRUTH),
        "annotations/test.json": json.dumps(TRUTH),
        "evaluation_script.zip": zipped(SCRIPT),
        **changes,
    }


def evalai(tmp_path, config: dict, files: dict):
    return codabench(tmp_path, config, files, "challenge_config.yaml")


# --- Through the platform ---------------------------------------------------------------------


def run_import(command: str, path, organizer, **options) -> tuple[Event | None, str]:
    """Call the command; the event it made, and what it printed."""
    before = set(Event.objects.values_list("pk", flat=True))
    out = io.StringIO()
    call_command(command, str(path), organizer=organizer.email, stdout=out, **options)
    return Event.objects.exclude(pk__in=before).first(), out.getvalue()


def open_for_teams(event: Event, organizer, *, first=0):
    """Publish an imported event and open one of its rounds; the round."""
    event.refresh_from_db()
    if event.status == EventStatus.DRAFT:
        publish_event(event, organizer)
    round = event.rounds.order_by("ordinal")[first]
    if first:  # whoever advances there is no matter of imports
        set_status(round, RoundStatus.OPEN)
        return round
    return open_round(round, organizer)


def enter(round, count=1):
    """Teams with a captain each, in the round."""
    found = []
    for _n in range(count):
        captain = make_user()
        team = make_team(round.track, captain)
        found.append(round.participations.create(team=team))
    return found


def submit(participation, content: bytes, name: str, kind="predictions"):
    """Send a file as a team does, and score it; its run."""
    submission, _new = receive(
        participation=participation,
        file=ContentFile(content, name=name),
        kind=kind,
        by=participation.team.memberships.get().user,
        client_key=f"{timezone.now().timestamp()}-{name}"[:64],
    )
    run = submission.runs.get(status=RunStatus.QUEUED)
    runs.run(run.pk)
    run.refresh_from_db()
    return run


def leader(round, part="public"):
    """The participation whose score is the best, by the round's own standing."""
    results = counted_results(round, part)
    best = round.benchmarks.get().main
    sign = 1 if best.greater_is_better else -1
    return max(results, key=lambda pk: sign * results[pk].value)
