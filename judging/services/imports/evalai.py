"""Challenge configurations of EvalAI."""

import io
import keyword
import sys
import zipfile
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile

from contest.models import Round, User
from contest.uploads import safe_name
from judging.models import Benchmark
from judging.services.imports.bundle import EPOCH, Bundle, wrong
from judging.services.imports.dates import moment, need_moment, shown
from judging.services.imports.pages import Pages
from judging.services.imports.plan import (
    MOST_SUBMISSIONS,
    USUAL_LIMIT_S,
    EventPlan,
    RoundPlan,
    carry_over,
    column,
    name_of,
    quotas,
    ranking,
)
from judging.services.imports.report import Report
from judging.services.imports.section import Section, cleaned

CONFIGS = ("challenge_config.yaml", "challenge_config.yml")
HOST, OWNER, PUBLIC = 1, 2, 3
PACKAGE = "evaluation_script"
PAGES = ("description", "evaluation_details", "submission_guidelines", "terms_and_conditions")

DOMAINS = "who may take part is decided on the desk, team by team"
NOT_HERE = {
    "image": "events have no picture",
    "remote_evaluation": (
        "there the script hands submissions on to machines of yours; here it runs in the sandbox "
        "without network and must score by itself"
    ),
    "is_docker_based": "container images are not run through evaluation scripts",
    "is_static_dataset_code_upload": "code is not run through evaluation scripts",
    "max_docker_image_size": "container images are not run through evaluation scripts",
    "environment_image": "container images are not run through evaluation scripts",
    "published": "events begin in preparation; publish it on the desk",
    "tags": "events have no tags",
    "domain": "events have no tags",
    "list_tags": "events have no tags",
    "allowed_email_domains": DOMAINS,
    "blocked_email_domains": DOMAINS,
    "blocked_emails_domains": DOMAINS,
    "banned_email_ids": DOMAINS,
    "anonymous_leaderboard": "leaderboards name teams",
    "enable_forum": "there is no forum",
    "forum_url": "link to it in the description",
    "cli_version": "the command line of EvalAI has no use here",
    "max_concurrent_submission_evaluation": "how many run at once is a matter of the workers",
    "sponsors": "name them in the description",
    "prizes": "name them in the description",
}
ATTRIBUTES = "nothing is asked with a submission but a note"
PHASE_NOT_HERE = {
    "max_concurrent_submissions_allowed": "how many run at once is a matter of the workers",
    "allowed_email_ids": DOMAINS,
    "is_submission_public": "what a team sends stays its own",
    "default_submission_meta_attributes": ATTRIBUTES,
    "submission_meta_attributes": ATTRIBUTES,
    "is_restricted_to_select_one_submission": "a team may choose which submission counts",
    "is_partial_submission_evaluation_enabled": "a submission is scored as a whole",
    "allowed_submission_file_types": "any file is taken; the script refuses what it cannot read",
    "annotations_uploaded_using_cli": "upload the reference of the benchmark",
}
SPLIT_NOT_HERE = {
    "leaderboard_decimal_precision": "numbers are rounded where they are shown, all alike",
    "show_execution_time": "run times are on the page of each submission",
    "show_leaderboard_by_latest_submission": "the best public score counts, not the latest",
}


def import_evalai(
    path: Path, by: User, *, slug: str = "", time_zone: str = "UTC", dry_run: bool = False
) -> Report:
    """Make an event in preparation of a challenge configuration; ``by`` organizes it.

    ``time_zone`` is that of dates without one, and the event's. Raises ValidationError, then
    nothing was made.
    """
    return carry_over(
        path, by, CONFIGS, _Challenge, slug=slug, time_zone=time_zone, dry_run=dry_run
    )


class _Challenge:
    """The parts of a configuration refer to each other by id; phases become rounds."""

    def __init__(self, bundle: Bundle, section: Section, report: Report, zone: ZoneInfo):
        self.bundle, self.section, self.report, self.zone = bundle, section, report, zone
        self.pages = Pages(bundle, report)

    def plan(self) -> EventPlan:
        section = self.section
        title = name_of(section, "title")
        self._read_pages()
        self.script, self.package = self._evaluation_script()
        boards = self._by_id("leaderboard")
        self.leaderboards = {number: _Leaderboard(board) for number, board in boards.items()}
        self.splits = self._by_id("dataset_splits")
        phases = self._by_id("challenge_phases")
        self._require_codenames("challenge_phases", phases)
        self._require_codenames("dataset_splits", self.splits)
        for split in self.splits.values():
            split.get("name")
            split.done("named in the options of the benchmarks")
        relations = self._relations(phases)
        rounds = [self._round(phase, relations[number]) for number, phase in phases.items()]
        opens = moment(section, "start_date", self.zone)
        closes = moment(section, "end_date", self.zone)
        _require_order(section, opens, closes)
        self.report.adapt("time limit", f"none is stated; a script has {USUAL_LIMIT_S} s")
        section.leave_all(NOT_HERE)
        section.done(f"event “{title}”, registration from {shown(opens)} to {shown(closes)}")
        return EventPlan(title, self.pages.text(), self.zone.key, rounds, opens, closes)

    def _read_pages(self) -> None:
        self.pages.add("", self.section.text("short_description"))
        for key in PAGES:
            if path := self.section.text(key):
                title = key.replace("_", " ").capitalize()
                self.pages.add_file(title, path, self.section.at(key))
        self.pages.add("Leaderboard", self.section.text("leaderboard_description"))
        if "is_registration_open" in self.section.values and not self.section.flag(
            "is_registration_open", True
        ):
            self.section.leave("is_registration_open", "close registration on the desk")

    def _evaluation_script(self):
        """The script as a benchmark keeps it, and the name that it is imported by."""
        section, key = self.section, "evaluation_script"
        path, where = section.need_text(key), section.at(key)
        found = self.bundle.place(path, where)
        if found.suffix == ".py":
            section.adapt(key, f"“{path}” alone became main.py of a package")
            return partial(_one_module, self.bundle.content(path, where)), PACKAGE
        names = _names_in(found)
        if not {"__init__.py", "main.py"} & names:
            raise wrong(where, f"“{path}” holds neither __init__.py nor main.py")
        if "requirements.txt" in names:
            self.report.leave(key, "requirements.txt: no packages are installed for a script")
        name = found.stem
        usable = name.isidentifier() and not keyword.iskeyword(name)
        taken = name == "main" or name in sys.stdlib_module_names
        return partial(self.bundle.archive, path, where), name if usable and not taken else PACKAGE

    def _by_id(self, key: str) -> dict[str, Section]:
        found: dict[str, Section] = {}
        for each in self.section.sections(key):
            number = each.need_text("id")
            if number in found:
                raise wrong(each.at("id"), f"the id {number} stands twice")
            found[number] = each
        if not found:
            raise wrong(self.section.at(key), "this is missing")
        return found

    def _require_codenames(self, key: str, found: dict[str, Section]) -> None:
        names = [each.need_text("codename") for each in found.values()]
        for name in names:
            if names.count(name) > 1:
                raise wrong(self.section.at(key), f"the codename “{name}” stands twice")

    def _relations(self, phases: dict[str, Section]) -> dict[str, list[Section]]:
        """The splits of each phase, each with its leaderboard and visibility."""
        relations: dict[str, list[Section]] = {number: [] for number in phases}
        known = {
            "challenge_phase_id": phases,
            "leaderboard_id": self.leaderboards,
            "dataset_split_id": self.splits,
        }
        for relation in self.section.sections("challenge_phase_splits"):
            for key, those in known.items():
                number = relation.need_text(key)
                if number not in those:
                    raise wrong(relation.at(key), f"there is nothing with id {number}")
            if _visibility(relation) not in (HOST, OWNER, PUBLIC):
                raise wrong(relation.at("visibility"), "expected 1, 2 or 3")
            relation.flag("is_leaderboard_order_descending", True)
            relations[relation.text("challenge_phase_id")].append(relation)
        for number, found in relations.items():
            if not found:
                raise wrong(
                    self.section.at("challenge_phase_splits"),
                    f"the phase with id {number} has no split",
                )
        return relations

    def _round(self, phase: Section, relations: list[Section]) -> RoundPlan:
        name = name_of(phase, "name")
        opens = need_moment(phase, "start_date", self.zone)
        closes = moment(phase, "end_date", self.zone)
        _require_order(phase, opens, closes)
        if path := phase.text("description"):
            self.pages.add_file(name, path, phase.at("description"))
        per_day, in_all = quotas(
            phase, "max_submissions_per_day", "max_submissions", MOST_SUBMISSIONS, MOST_SUBMISSIONS
        )
        if "max_submissions_per_month" in phase.values:
            self._leave_month(phase, in_all)
        fields, public = self._ranking(phase, relations)
        if phase.flag("disable_logs"):
            fields["logs_for"] = Benchmark.Logs.ORGANIZERS
        annotations, made = self._annotations(phase)
        fields["options"] |= {
            "package": self.package,
            "annotations": annotations,
            "codename": phase.text("codename"),
        }
        live = phase.flag("leaderboard_public") and _visibility(public) == PUBLIC
        self._tell_switches(phase)
        phase.leave_all(PHASE_NOT_HERE)
        phase.done(
            f"round “{name}”, {shown(opens)} to {shown(closes)}, {per_day} submissions a day, "
            f"{in_all} in all"
        )
        return RoundPlan(
            f"{phase.at()} “{name}”", name, opens, closes, per_day, in_all,
            Round.Board.LIVE if live else Round.Board.AFTER,
            {**fields, "accepts_predictions": True, "wall_seconds": USUAL_LIMIT_S},
            [{"name": name[:100], "scoring_program": self.script, "reference": made}],
        )  # fmt: skip

    def _leave_month(self, phase: Section, in_all: int) -> None:
        if phase.number("max_submissions_per_month", 0) < in_all:
            phase.leave("max_submissions_per_month", "quotas are for a day and in all")

    def _tell_switches(self, phase: Section) -> None:
        """Switches whose place is taken by an organizer's opening and publishing a round."""
        for key, usual in (("is_public", True), ("is_active", True)):
            if key in phase.values and phase.flag(key, usual) != usual:
                phase.leave(key, "a round is seen and takes submissions once you open it")
        phase.get("challenge")

    def _annotations(self, phase: Section):
        """(file name, what makes the file) of a phase's annotations; scripts may need none."""
        path, where = phase.text("test_annotation_file"), phase.at("test_annotation_file")
        if not path:
            self.report.adapt(phase.where, "no test_annotation_file: the script gets an empty file")
            return "annotations", partial(ContentFile, b"", name="annotations")
        found = self.bundle.place(path, where)
        if found.is_dir():
            raise wrong(where, f"“{path}” is a folder; expected a file")
        return safe_name(found.name), partial(self.bundle.file, path, where)

    def _ranking(self, phase: Section, relations: list[Section]) -> tuple[dict, Section]:
        """Fields of a benchmark from a phase's splits, and the split that teams see.

        The most visible split is the public part, the least visible one the hidden part.
        """
        ordered = sorted(relations, key=_visibility, reverse=True)
        public, least = ordered[0], min(relations, key=_visibility)
        board = self._board(public)
        columns = board.columns(public.flag("is_leaderboard_order_descending", True))
        main = next(each for each in columns if each["key"] == board.main[:100])
        options = {"public_split": self._codename(public)}
        private = None
        if _visibility(least) < _visibility(public) and board.main in self._board(least).labels:
            private = least
            options["private_split"] = self._codename(private)
        self._tell_splits(phase, ordered, public, private)
        return {**ranking(columns, main, Benchmark.Protocol.EVALAI), "options": options}, public

    def _tell_splits(self, phase: Section, ordered, public: Section, private) -> None:
        for each in ordered:
            each.leave_all(SPLIT_NOT_HERE)
            codename = self._codename(each)
            if each is public:
                self._tell_visibility(phase, each)
                each.done(f"the public part of {phase.where}: “{codename}”")
            elif each is private:
                if _visibility(each) == OWNER:
                    each.adapt("visibility", "teams see it once the round is published")
                each.done(f"the hidden part of {phase.where}, which ranks: “{codename}”")
            elif self._board(public).main not in self._board(each).labels:
                each.leave_whole(
                    f"“{codename}”: it lacks “{self._board(public).main}”, which ranks"
                )
            else:
                each.leave_whole(f"“{codename}”: a round has one public and one hidden part")

    def _tell_visibility(self, phase: Section, split: Section) -> None:
        """A round has a public score; where the phase has none, its teams see another one."""
        if _visibility(split) == PUBLIC:
            return
        alone = ", which on EvalAI hosts alone see" if _visibility(split) == HOST else ""
        split.adapt(
            "visibility",
            f"no split of {phase.where} is public: a team sees its own score in it{alone}; the "
            "leaderboard is shown after publication",
        )

    def _codename(self, relation: Section) -> str:
        """What scripts name a split by in their results."""
        return self.splits[relation.text("dataset_split_id")].text("codename")

    def _board(self, relation: Section) -> "_Leaderboard":
        return self.leaderboards[relation.text("leaderboard_id")]


class _Leaderboard:
    """The labels that scripts give values for, and which of them ranks."""

    def __init__(self, board: Section):
        schema = board.section("schema")
        self.labels = [cleaned(label) for label in schema.entries("labels")]
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise wrong(schema.at("labels"), "expected a list of different names")
        self.main = schema.text("default_order_by") or self.labels[0]
        if self.main not in self.labels:
            raise wrong(schema.at("default_order_by"), f"“{self.main}” is not among the labels")
        self.told = schema.get("metadata", {})
        if not isinstance(self.told, dict):
            raise wrong(schema.at("metadata"), "expected a mapping of labels")
        schema.done(f"“{self.main}” ranks")
        board.done("columns of the benchmarks")

    def columns(self, descending: bool) -> list[dict]:
        """Its labels as columns; ``descending`` is for those of which nothing else is told."""
        columns = []
        for label in self.labels:
            told = self.told.get(label)
            ascending = told.get("sort_ascending") if isinstance(told, dict) else None
            falling = not ascending if isinstance(ascending, bool) else descending
            columns.append(column(label, label, falling))
        return columns


def _visibility(relation: Section) -> int:
    return relation.number("visibility", PUBLIC)


def _names_in(found: Path) -> set[str]:
    """The names of files in a folder or in the root of a zip, which may be one folder in it."""
    if found.is_dir():
        return {each.name for each in found.iterdir()}
    try:
        with zipfile.ZipFile(found) as archive:
            parts = [name.split("/") for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError, ValueError):
        return {"main.py"}  # what is wrong with it, whoever unpacks it says better
    return {names[-1] for names in parts if len(names) <= 2}


def _one_module(content: bytes) -> ContentFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("main.py", EPOCH), content)
    return ContentFile(out.getvalue(), name="main.zip")


def _require_order(section: Section, opens, closes) -> None:
    if opens and closes and closes <= opens:
        raise wrong(
            section.at("end_date"),
            f"it ends at {shown(closes)}, before it begins at {shown(opens)}",
        )
