"""Whatever is wrong with a bundle: one sentence that names file and field, and nothing is made."""

import io
import stat
import zipfile

import pytest
import yaml
from django.core.management import CommandError, call_command

from contest.models import Event
from judging.services.imports import plan
from tests.imports.bundles import (
    challenge,
    challenge_files,
    codabench,
    competition,
    competition_files,
    days,
    evalai,
    old_config,
    old_files,
    run_import,
    split,
    zipped,
)

KEY = "93a1ff0c-6c37-4b6c-8d5c-d3a8e8f7e7b1"


def refused(tmp_path, path, organizer, command="import_codabench", **options) -> str:
    """What the command says; nothing may be there afterwards."""
    before = Event.objects.count()
    with pytest.raises(CommandError) as caught:
        call_command(command, str(path), organizer=organizer.email, stdout=io.StringIO(), **options)
    assert Event.objects.count() == before
    text = str(caught.value)
    assert "\n" not in text
    return text


def changed(change):
    """A competition after ``change(config)``."""
    config = competition()
    change(config)
    return config


def top(**fields):
    return lambda config: config.update(fields)


def phase(**fields):
    return lambda config: config["phases"][0].update(fields)


def task(**fields):
    return lambda config: config["tasks"][0].update(fields)


def two_phases(second: dict):
    def change(config):
        config["phases"].append({**config["phases"][0], "index": 1, "name": "Second", **second})

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.pop("title"), "competition.yaml, title: this is missing"),
        (top(title=["a"]), "title: expected text, found a list"),
        (top(version=3), "version: “3” is unknown"),
        (top(terms="no.md"), "competition.yaml, terms: “no.md” is not in"),
        (top(terms="../x.md"), "terms: “../x.md” is no path within bundle.zip"),
        (top(terms="/etc/passwd"), "terms: “/etc/passwd” is no path within"),
        (top(terms="x" * 300), "is not in bundle.zip"),
        (top(terms="a\0b"), "is not in bundle.zip"),
        (top(terms="pages"), "terms: “pages” is a folder; expected a file"),
        (top(pages="x"), "pages: expected a list, found “x”"),
        (lambda c: c["pages"][0].pop("file"), "pages[0].file: this is missing"),
        (top(phases=[]), "phases: there is no phase"),
        (top(phases=[None]), "phases[0]: expected a mapping"),
        (lambda c: c["phases"][0].pop("name"), "phases[0].name: this is missing"),
        (lambda c: c["phases"][0].pop("start"), "phases[0].start: this is missing"),
        (phase(start="null"), "phases[0].start: this is missing"),
        (phase(start="soon"), "phases[0].start: “soon” is no date"),
        (phase(end=days(-2)), "phases[0]: it ends at"),
        (phase(tasks=[1]), "phases[0].tasks: there is no task with index 1"),
        (phase(tasks=[[]]), "phases[0].tasks: there is no task with index"),
        (phase(tasks=[]), "phases[0].tasks: a phase needs"),
        (phase(max_submissions=-1), "max_submissions: expected a whole"),
        (phase(hide_output="maybe"), "hide_output: expected true or false"),
        (two_phases({"start": days(6)}), "phases[1].start: this phase begins at"),
        (two_phases({"index": 0}), "phases: the index 0 stands twice"),
        (
            lambda c: (c["phases"][0].pop("end"), two_phases({"start": days(8), "end": None})(c)),
            "phases[0].end: this is missing",
        ),
        (lambda c: c["tasks"].append(c["tasks"][0]), "tasks[1].index: there are two tasks"),
        (task(scoring_program=None), "tasks[0].scoring_program: this is missing"),
        (
            task(scoring_program="", key=KEY),
            "tasks[0].key: the task itself lies on Codabench",
        ),
        (
            task(reference_data=KEY),
            "is the key of a file that lies on Codabench",
        ),
        (
            task(reference_data="pages/terms.md"),
            "phases[0] “Development”: reference: terms.md: this is no zip or tar archive",
        ),
        (
            task(scoring_program="pages"),
            "phases[0] “Development”: scoring_program: pages.zip: no command is declared",
        ),
        (
            top(solutions=[{"index": 0, "tasks": [3], "path": "pages"}]),
            "solutions[0].tasks: there is no task with index 3",
        ),
        (
            top(solutions=[{"index": 0, "tasks": [0], "path": "no.zip"}]),
            "solutions[0].path: “no.zip” is not in",
        ),
        (lambda c: c.pop("leaderboards"), "leaderboards: there is no leaderboard"),
        (lambda c: c["leaderboards"][0].update(columns=[]), "leaderboards: there is no column"),
        (
            lambda c: c["leaderboards"][0]["columns"][1].update(key="accuracy"),
            "leaderboards[0].columns: the key accuracy stands twice",
        ),
        (
            lambda c: c["leaderboards"][0]["columns"][1].update(sorting="up"),
            "leaderboards[0].columns[1].sorting: expected asc or desc, found “up”",
        ),
    ],
)  # fmt: skip
def test_a_fault_in_a_competition(tmp_path, organizer, change, told):
    path = codabench(tmp_path, changed(change), competition_files())
    assert told in refused(tmp_path, path, organizer)


def old(old_text: str, new_text: str) -> str:
    text = old_config()
    assert old_text in text
    return text.replace(old_text, new_text, 1)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("    phasenumber: 2", "    phasenumber: 1", "phases: the phasenumber 1 stands twice"),
        ("  2:\n", "  1:\n", "the key “1” stands twice in the mapping at line"),
        ("start_date", "begin_date", "phases.2.start_date: this is missing"),
        ("program.zip", "gone.zip", "phases.2.scoring_program: “gone.zip” is not in"),
        ("color: green", "parent_phasenumber: 1", "phases.2: parallel phases (CodaLab 1.8) cannot"),
        ("sort: asc", "sort: best", "leaderboard.columns.average.sort: expected asc or desc"),
        ("  columns:", "  rows:", "leaderboard.columns: this is missing"),
        ("overview.html", "pages/none.html", "html.overview: “pages/none.html” is not in"),
    ],
)
def test_a_fault_in_a_competition_of_codalab(tmp_path, organizer, before, after, told):
    path = tmp_path / "old.zip"
    path.write_bytes(zipped({"competition.yaml": old(before, after), **old_files()}))
    assert told in refused(tmp_path, path, organizer)


def test_phases_of_codalab_in_the_wrong_order(tmp_path, organizer):
    config = yaml.safe_load(old_config())
    config["phases"][2]["start_date"] = days(-4)
    path = codabench(tmp_path, config, old_files())
    told = refused(tmp_path, path, organizer)
    assert "competition.yaml, phases.2.start_date: this phase begins at" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.pop("title"), "challenge_config.yaml, title: this is missing"),
        (top(description="x.html"), "description: “x.html” is not in bundle.zip"),
        (lambda c: c.pop("evaluation_script"), "evaluation_script: this is missing"),
        (top(evaluation_script="templates"), "neither __init__.py nor main.py"),
        (top(evaluation_script="logo.jpg"), "this is no zip or tar archive"),
        (top(end_date=days(-9)), "end_date: it ends at"),
        (top(leaderboard=[]), "leaderboard: this is missing"),
        (
            lambda c: c["leaderboard"][0]["schema"].update(default_order_by="Sum"),
            "leaderboard[0].schema.default_order_by: “Sum” is not among the labels",
        ),
        (
            lambda c: c["leaderboard"][0]["schema"].update(labels=["a", "a"]),
            "leaderboard[0].schema.labels: expected a list of different names",
        ),
        (
            lambda c: c["challenge_phases"][1].update(id=1),
            "challenge_phases[1].id: the id 1 stands",
        ),
        (
            lambda c: c["challenge_phases"][1].update(codename="dev"),
            "challenge_phases: the codename “dev” stands twice",
        ),
        (
            lambda c: c["challenge_phases"][0].update(end_date=days(-3)),
            "challenge_phases[0].end_date: it ends at",
        ),
        (
            lambda c: c["challenge_phases"][0].update(test_annotation_file="none.json"),
            "challenge_phases[0].test_annotation_file: “none.json” is not in",
        ),
        (
            lambda c: c["challenge_phases"][0].update(test_annotation_file="annotations"),
            "test_annotation_file: “annotations” is a folder",
        ),
        (
            lambda c: c["dataset_splits"][1].update(codename="train_split"),
            "dataset_splits: the codename “train_split” stands twice",
        ),
        (
            lambda c: c["challenge_phase_splits"].append(split(1, 9, 3)),
            "challenge_phase_splits[3].dataset_split_id: there is nothing with id 9",
        ),
        (
            lambda c: c["challenge_phase_splits"].append(split(1, 1, 4)),
            "challenge_phase_splits[3].visibility: expected 1, 2 or 3",
        ),
        (
            top(challenge_phase_splits=[split(1, 1, 3)]),
            "challenge_phase_splits: the phase with id 2 has no split",
        ),
    ],
)
def test_a_fault_in_a_challenge(tmp_path, organizer, change, told):
    config = challenge()
    change(config)
    path = evalai(tmp_path, config, challenge_files())
    assert told in refused(tmp_path, path, organizer, "import_evalai")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: a\n  bad: [", "competition.yaml: this is not YAML at line 2"),
        ("- a\n- b\n", "competition.yaml: expected a mapping of keys to values"),
        ("", "competition.yaml: expected a mapping of keys to values"),
        ("title: a\ntitle: b\n", "competition.yaml: the key “title” stands twice"),
        ("title: !!python/object/apply:os.getcwd []\n", "this is not YAML at line 1"),
        ("start: 2026-13-45\n", "competition.yaml: it cannot be read as YAML"),
        ("a: " + "[" * 200 + "]" * 200, "competition.yaml: it is nested deeper than"),
        ("a: " + "[" * 20000 + "]" * 20000, "competition.yaml: it cannot be read as YAML"),
        (b"\xff\xfe\x00a", "“competition.yaml” is not UTF-8 text"),
        ("a: " + "x" * (1 << 20), "“competition.yaml” is larger than 1 MB"),
    ],
)  # fmt: skip
def test_what_is_no_configuration(tmp_path, organizer, text, told):
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped({"competition.yaml": text, "other.txt": "x"}))
    assert told in refused(tmp_path, path, organizer)


def bundle_with(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in members:
            archive.writestr(info, content)
    return out.getvalue()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("pages/terms.md")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda: b"this is no zip", "bundle.zip: this is no zip or tar archive that can be read"),
        (lambda: zipped({"readme.txt": "x"}), "bundle.zip: there is no competition.yaml"),
        (lambda: zipped({"../up.txt": "x"}), "bundle.zip: the path “../up.txt” leads out"),
        (lambda: zipped({"/etc/x": "x"}), "bundle.zip: the path “/etc/x” leads out"),
        (lambda: bundle_with((link(), b"/etc/passwd")), "“pages/terms.md” is a link or a device"),
        (
            lambda: zipped({f"{n}.txt": "" for n in range(10_001)}),
            "bundle.zip: the archive holds more than 10000 files",
        ),
        (lambda: bundle_with(("a.txt", b"1"), ("./a.txt", b"2")), "is in the archive twice"),
    ],
)  # fmt: skip
def test_what_is_no_bundle(tmp_path, organizer, content, told):
    path = tmp_path / "bundle.zip"
    path.write_bytes(content())
    assert told in refused(tmp_path, path, organizer)


def test_a_bomb_is_stopped(tmp_path, organizer, monkeypatch):
    monkeypatch.setattr(plan, "BUNDLE_MB", 4)
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped({"competition.yaml": "title: x", "zeros": b"\x00" * (8 << 20)}))
    told = refused(tmp_path, path, organizer)
    assert "bundle.zip: unpacked, the archive is larger than 4 MB" in told


def test_what_the_command_is_told_wrong(tmp_path, organizer):
    path = codabench(tmp_path, competition(), competition_files())
    assert "there is no such file" in refused(tmp_path, tmp_path / "none.zip", organizer)
    assert "there is no such file" in refused(tmp_path, tmp_path, organizer)
    assert "there is no time zone “Mars”" in refused(tmp_path, path, organizer, time_zone="Mars")
    assert "slug: " in refused(tmp_path, path, organizer, slug="No Slug!")
    organizer.email = "nobody@example.org"
    assert "nobody has an account" in refused(tmp_path, path, organizer)


def test_importing_twice_is_refused(tmp_path, organizer):
    path = codabench(tmp_path, competition(), competition_files())
    run_import("import_codabench", path, organizer)
    told = refused(tmp_path, path, organizer)
    assert told == "--slug: the short name “count-the-letters” is taken; give another one"
    run_import("import_codabench", path, organizer, slug="another")
    assert Event.objects.count() == 2


def test_a_title_that_makes_no_short_name(tmp_path, organizer):
    path = codabench(tmp_path, competition(title="数字"), competition_files())
    assert "--slug: give a short name" in refused(tmp_path, path, organizer)


def test_a_fault_in_a_later_phase_leaves_no_files(tmp_path, organizer):
    config = competition()
    config["tasks"].append({**config["tasks"][0], "index": 1, "reference_data": "logo.png"})
    two_phases({"start": days(8), "end": None, "tasks": [1]})(config)
    told = refused(tmp_path, codabench(tmp_path, config, competition_files()), organizer)
    assert "phases[1] “Second”: reference: logo.png: this is no zip" in told
    assert not [each for each in (tmp_path / "files").rglob("*") if each.is_file()]
