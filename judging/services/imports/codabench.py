"""Competition bundles of Codabench (``version: 2``) and of CodaLab before it (1.5)."""

from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from contest.models import Round, User
from judging.models import Benchmark
from judging.services.imports.bundle import Bundle, wrong
from judging.services.imports.dates import moment, need_moment, shown
from judging.services.imports.pages import Pages
from judging.services.imports.plan import (
    EventPlan,
    RoundPlan,
    carry_over,
    column,
    name_of,
    quotas,
    ranking,
    wall_seconds,
)
from judging.services.imports.report import Report
from judging.services.imports.section import Section

CONFIGS = ("competition.yaml", "competition.yml")
# As Codabench has them where a phase says nothing.
PER_DAY, IN_ALL = 5, 100
# A task's files there, and the names of BenchmarkTask for them.
TASK_FILES = {
    "scoring_program": "scoring_program",
    "ingestion_program": "ingestion_program",
    "reference_data": "reference",
    "input_data": "inputs",
}

DETAILS = "pages with detailed results are not kept; scores are"
ALONE = "programs and hidden files are shown to organizers alone"
OUTPUTS = "what a run leaves besides scores cannot be downloaded here, by nobody"
NOT_HERE = {
    "image": "events have no picture",
    "docker_image": "runs take place in the platform's sandbox, with its Python and its packages",
    "competition_docker_image": (
        "runs take place in the platform's sandbox, with its Python and its packages"
    ),
    "queue": "runs are queued for this platform's workers",
    "make_programs_available": ALONE,
    "make_input_data_available": ALONE,
    "enable_detailed_results": DETAILS,
    "show_detailed_results_in_submission_panel": DETAILS,
    "show_detailed_results_in_leaderboard": DETAILS,
    "can_participants_make_submissions_public": "what a team sends stays its own",
    "allow_public_submissions": "what a team sends stays its own",
    "forum_enabled": "there is no forum",
    "enable_forum": "there is no forum",
    "competition_type": "there is one type of event",
    "fact_sheet": "nothing is asked with a submission but a note",
    "enable_per_submission_metadata": "nothing is asked with a submission but a note",
    "allow_robot_submissions": "quotas are the same for everybody",
    "admin_names": "add other organizers on the desk, by the e-mail of their accounts",
    "collaborators": "add other organizers on the desk, by the e-mail of their accounts",
    "anonymous_leaderboard": "leaderboards name teams",
    "allow_teams": "everybody takes part in a team, which may be of one person",
    "force_submission_to_leaderboard": "a team's best submission is on the leaderboard by itself",
    "disallow_leaderboard_modifying": "a team may choose which submission counts",
    "show_datasets_from_yaml": "there is no place for public data",
    "enable_medical_image_viewer": "there is no viewer of images",
    "hide_chart": "there are no charts",
    "published": "events begin in preparation; publish it on the desk",
}
PHASE_NOT_HERE = {
    "public_data": "there is no place for public data; link to it in the description",
    "datasets": "there is no place for public data; link to it in the description",
    "auto_migrate_to_this_phase": "submissions are not sent again to the next round by themselves",
    "auto_migration": "submissions are not sent again to the next round by themselves",
    "hide_prediction_output": OUTPUTS,
    "hide_score_output": OUTPUTS,
    "color": "rounds have no colour",
    "leaderboard_management_mode": "hidden scores are shown once the round is published",
    "max_submission_size": "see the size of the largest file on the round",
    "participant_max_storage_use": "see the size of the largest file on the round",
    "delete_submissions_except_best_and_last": "every submission is kept",
    "scoring_program_docker_image": NOT_HERE["docker_image"],
    "ingestion_program_docker_image": NOT_HERE["docker_image"],
    "default_docker_image": NOT_HERE["docker_image"],
    "disable_custom_docker_image": NOT_HERE["docker_image"],
    "force_best_submission_to_leaderboard": "the best public score counts anyway",
    "is_migrated": "nothing was sent here yet",
}
BESIDE_SCORING = (
    "ingestion programs run before the scoring, not beside it; one that talks with the scoring "
    "program does not work here"
)


def import_codabench(
    path: Path, by: User, *, slug: str = "", time_zone: str = "UTC", dry_run: bool = False
) -> Report:
    """Make an event in preparation of a competition bundle; ``by`` organizes it.

    ``time_zone`` is that of dates without one, and the event's. Raises ValidationError, then
    nothing was made.
    """
    return carry_over(path, by, CONFIGS, _reader, slug=slug, time_zone=time_zone, dry_run=dry_run)


def _reader(bundle: Bundle, section: Section, report: Report, zone: ZoneInfo):
    """Phases are a mapping in the older version."""
    read = _Old if isinstance(section.values.get("phases"), dict) else _New
    return read(bundle, section, report, zone)


class _Competition:
    """What both versions have in common: phases become rounds, columns a ranking."""

    versions: tuple[str, ...] = ()

    def __init__(self, bundle: Bundle, section: Section, report: Report, zone: ZoneInfo):
        self.bundle, self.section, self.report, self.zone = bundle, section, report, zone
        self.pages = Pages(bundle, report)
        self.rounds: list[RoundPlan] = []

    def plan(self) -> EventPlan:
        version = self.section.text("version", self.versions[0])
        if version not in self.versions:
            raise wrong(
                self.section.at("version"),
                f"“{version}” is unknown for phases of this form; known: {self.versions[0]}",
            )
        title = name_of(self.section, "title")
        self.pages.add("", self.section.text("description"))
        self.read_pages()
        self.read_leaderboards()
        self.read_phases()
        self.section.leave_all(NOT_HERE)
        self.section.done(f"event “{title}”")
        return EventPlan(title, self.pages.text(), self.zone.key, self.rounds)

    def add_leaderboard(self, columns: list[dict], first: str, hidden: bool) -> None:
        """Take the columns as the ranking: the first one decides it.

        ``first`` is the key of the column that decided it there.
        """
        if not columns:
            raise wrong(
                self.section.at(self.leaderboard_key),
                "there is no column that the scoring program itself writes",
            )
        main = columns[0]
        if main["hidden"]:
            self.report.adapt(
                self.leaderboard_key,
                f"“{main['key']}” ranks and is hidden: teams see their own, the public sees the "
                "leaderboard only after publication",
            )
        if first != main["key"]:
            self.report.leave(
                self.leaderboard_key,
                f"the column that ranks there, “{first}”, is computed of others; here "
                f"“{main['key']}” ranks",
            )
        others = ", ".join(each["key"] for each in columns[1:])
        self.report.carry(
            self.leaderboard_key,
            f"“{main['key']}” ranks" + (f"; shown beside it: {others}" if others else ""),
        )
        self.ranking = ranking(columns, main, Benchmark.Protocol.CODABENCH)
        hidden = hidden or main["hidden"]
        self.board = Round.Board.AFTER if hidden else Round.Board.LIVE

    def task_files(self, section: Section, name: str) -> dict:
        """A task of ``define_benchmark`` from the files that a mapping names."""
        task: dict = {"name": name[:100]}
        for key, field in TASK_FILES.items():
            path = section.text(key)
            where = section.at(key)
            if not path:
                continue
            _require_file(self.bundle, path, where)
            if self.bundle.is_empty_folder(path, where):
                section.adapt(key, f"“{path}” is an empty folder; there is nothing to give")
            elif field.endswith("_program"):
                task[field] = partial(self.bundle.program, path, where)
            else:
                task[field] = partial(self.bundle.archive, path, where)
        if "scoring_program" not in task:
            raise wrong(section.at("scoring_program"), "this is missing; nothing could be scored")
        return task

    def kinds(self, phase: Section, tasks: list[dict], results_only: bool | None) -> dict:
        """Which kinds of files a round takes.

        There, any phase takes results as well as code, told apart by the metadata in the zip; here
        the team says which it sends.
        """
        ingestion = any("ingestion_program" in task for task in tasks)
        inputs = any("inputs" in task for task in tasks)
        code = (inputs or ingestion) if results_only is None else not results_only
        said = "results, or code that makes them" if code else "results"
        self.report.adapt(phase.where, f"teams send {said}, as a zip")
        return {"accepts_predictions": True, "accepts_code": code}

    def add_round(self, phase: Section, name: str, opens, closes, tasks, kinds, sample) -> None:
        _require_order(phase, opens, closes)
        per_day, in_all = quotas(
            phase, "max_submissions_per_day", "max_submissions", PER_DAY, IN_ALL
        )
        benchmark = {**self.ranking, **kinds, "wall_seconds": self.time_limit(phase)}
        if phase.flag("hide_output"):
            benchmark["logs_for"] = Benchmark.Logs.ORGANIZERS
        if len(tasks) > 1:
            self.report.adapt(
                phase.where,
                "a submission is scored by each task; the mean of a column ranks, and each task's "
                "own value is kept beside it",
            )
        self.rounds.append(
            RoundPlan(
                f"{phase.at()} “{name}”", name, opens, closes, per_day, in_all, self.board,
                benchmark, tasks, sample,
            )
        )  # fmt: skip
        phase.leave_all(PHASE_NOT_HERE)
        phase.done(
            f"round “{name}”, {shown(opens)} to {shown(closes)}, {per_day} submissions a day, "
            f"{in_all} in all"
        )

    def time_limit(self, phase: Section) -> int:
        return wall_seconds(phase, "execution_time_limit")

    def starting_kit(self, phase: Section):
        """What teams may start from is the sample submission here."""
        path, where = phase.text("starting_kit"), phase.at("starting_kit")
        if not path:
            return None
        _require_file(self.bundle, path, where)
        if self.bundle.is_empty_folder(path, where):
            phase.adapt("starting_kit", f"“{path}” is an empty folder; there is nothing to give")
            return None
        phase.adapt("starting_kit", f"“{path}” became the sample submission")
        return partial(self.bundle.archive, path, where)

    def leave_unless(self, key: str, usual: bool, why: str) -> None:
        """A switch that stands here as ``usual`` says, and cannot stand otherwise."""
        if key in self.section.values and self.section.flag(key, usual) != usual:
            self.section.leave(key, why)


class _New(_Competition):
    """Version 2: tasks apart from phases, phases in a list."""

    versions = ("2", "2.0")
    leaderboard_key = "leaderboards"

    def read_pages(self) -> None:
        for page in self.section.sections("pages"):
            title = page.text("title")
            self.pages.add_file(title, page.need_text("file"), page.at("file"))
            page.done("part of the event's description")
        if terms := self.section.text("terms"):
            self.pages.add_file("Terms", terms, self.section.at("terms"))
        if reward := self.section.text("reward"):
            self.pages.add("Reward", reward)
        if contact := self.section.text("contact_email"):
            self.pages.add("Contact", contact)
        self.leave_unless(
            "registration_auto_approve", True, "teams register by themselves; confirm them after"
        )
        self.leave_unless("auto_run_submissions", True, "every submission is scored by itself")

    def read_leaderboards(self) -> None:
        if "leaderboards" not in self.section.values and "leaderboard" in self.section.values:
            self.leaderboard_key = "leaderboard"
        boards = self.section.sections(self.leaderboard_key)
        if not boards:
            raise wrong(self.section.at(self.leaderboard_key), "there is no leaderboard")
        columns: dict[str, dict] = {}
        hidden = boards[0].flag("hidden")
        firsts = []
        for n, board in enumerate(boards):
            if n:
                self.report.adapt(board.where, "its columns are shown with those of the first one")
            firsts.append(self._read_board(board, columns))
        self.add_leaderboard(list(columns.values()), firsts[0], hidden)

    def _read_board(self, board: Section, columns: dict[str, dict]) -> str:
        """Add a leaderboard's columns; the key of the one that ranks there."""
        found = board.sections("columns")
        indexes = [each.number("index", n) for n, each in enumerate(found)]
        _require_distinct(board.at("columns"), "index", indexes)
        _require_distinct(board.at("columns"), "key", [each.need_text("key") for each in found])
        primary = board.number("primary_index", min(indexes, default=0))
        order = sorted(range(len(found)), key=lambda n: (indexes[n] != primary, indexes[n]))
        for n in order:
            self._read_column(found[n], columns)
        rule = board.text("submission_rule")
        if rule and rule.lower().replace(" ", "_") != "force_best":
            board.adapt(
                "submission_rule",
                f"“{rule}” became: the best public score counts, or the submission a team chooses",
            )
        for key in ("title", "key", "index", "hidden"):
            board.get(key)
        board.done("the ranking of each round")
        return found[order[0]].text("key") if found else ""

    def _read_column(self, section: Section, columns: dict[str, dict]) -> None:
        key = section.need_text("key")
        label = section.text("title") or key
        sorting = section.text("sorting", "desc").lower() or "desc"
        if sorting not in ("asc", "desc"):
            raise wrong(section.at("sorting"), f"expected asc or desc, found “{sorting}”")
        computation = section.text("computation")
        if computation.lower() not in ("", "none"):
            section.leave_whole(
                f"“{computation}” of other columns is not computed, so “{key}” is left out; a "
                "scheme can weigh columns",
            )
            return
        columns.setdefault(key, column(key, label, sorting == "desc", section.flag("hidden")))
        for ignored in ("index", "computation_indexes", "hidden"):
            section.get(ignored)
        section.leave_all({"precision": "numbers are rounded where they are shown, all alike"})
        section.done(f"column “{key}”, {'higher' if sorting == 'desc' else 'lower'} is better")

    def read_phases(self) -> None:
        self._read_tasks()
        self._read_solutions()
        found = self.section.sections("phases")
        if not found:
            raise wrong(self.section.at("phases"), "there is no phase")
        if any("index" in each.values for each in found):
            indexes = [each.number("index", n) for n, each in enumerate(found)]
            _require_distinct(self.section.at("phases"), "index", indexes)
            found = [found[n] for n in sorted(range(len(found)), key=lambda n: indexes[n])]
        dates = [self._dates(each, last=each is found[-1]) for each in found]
        _require_sequence(found, dates)
        for phase, (opens, closes) in zip(found, dates, strict=True):
            self._read_phase(phase, opens, closes)
        for index, (section, name, _files, _about) in self.tasks.items():
            if index not in self.used_tasks:
                section.leave_whole("no phase has this task")
            section.done(f"task “{name}”")
        for section, _tasks, path in self.solutions:
            if path not in self.used_solutions:
                section.leave_whole(f"“{path}”: a round has one sample, or no phase its task")
            section.done("sample submission")

    def _dates(self, phase: Section, *, last: bool) -> tuple[datetime, datetime | None]:
        opens, closes = need_moment(phase, "start", self.zone), moment(phase, "end", self.zone)
        if closes is None and not last:
            raise wrong(phase.at("end"), "this is missing; only the last phase may have no end")
        return opens, closes

    def _read_tasks(self) -> None:
        self.tasks: dict[str, tuple[Section, str, dict, str]] = {}
        self.used_tasks: set[str] = set()
        for section in self.section.sections("tasks"):
            index = section.need_text("index")
            if index in self.tasks:
                raise wrong(section.at("index"), f"there are two tasks with index {index}")
            if section.text("key") and not section.text("scoring_program"):
                raise wrong(
                    section.at("key"),
                    "the task itself lies on Codabench; make a dump with files instead of keys",
                )
            name = name_of(section, "name", f"task {index}")
            files = self.task_files(section, name)
            about = section.text("description")
            section.leave_all(
                {
                    "ingestion_only_during_scoring": BESIDE_SCORING,
                    "is_public": "tasks are shared with nobody",
                    "key": "the task's name on Codabench means nothing here",
                }
            )
            self.tasks[index] = (section, name, files, about)

    def _read_solutions(self) -> None:
        self.solutions: list[tuple[Section, list[str], str]] = []
        self.used_solutions: set[str] = set()
        for section in self.section.sections("solutions"):
            path = section.text("path")
            tasks = self._known_tasks(section)
            for key in ("index", "name", "description"):
                section.get(key)
            if not path:
                section.leave_whole("the solution itself lies on Codabench")
                continue
            _require_file(self.bundle, path, section.at("path"))
            section.leave_all({"key": "the solution's name on Codabench means nothing here"})
            self.solutions.append((section, tasks, path))

    def _known_tasks(self, section: Section) -> list[str]:
        """The indexes of tasks that a phase or a solution names."""
        indexes = [str(index) for index in section.entries("tasks")]
        for index in indexes:
            if index not in self.tasks:
                raise wrong(section.at("tasks"), f"there is no task with index {index}")
        return indexes

    def _read_phase(self, phase: Section, opens: datetime, closes: datetime | None) -> None:
        name = name_of(phase, "name")
        self.pages.add(name, phase.text("description"))
        indexes = self._known_tasks(phase)
        if not indexes:
            raise wrong(phase.at("tasks"), "a phase needs at least one task")
        tasks, taken = [], set()
        for index in indexes:
            _section, task_name, files, about = self.tasks[index]
            self.pages.add(task_name, about, once=True)
            # Scores of tasks are told apart by their names.
            unique = task_name if task_name not in taken else f"{task_name[:90]} ({index})"
            taken.add(unique)
            tasks.append({**files, "name": unique[:100]})
            self.used_tasks.add(index)
        phase.get("index")
        phase.get("solutions")
        results_only = None
        if "accepts_only_result_submissions" in phase.values:
            results_only = phase.flag("accepts_only_result_submissions")
        kinds = self.kinds(phase, tasks, results_only)
        sample = self.starting_kit(phase) or self._solution(phase, indexes)
        self.add_round(phase, name, opens, closes, tasks, kinds, sample)

    def _solution(self, phase: Section, indexes: list[str]):
        """The first solution of the phase's tasks: on Codabench, too, teams may download it."""
        for section, tasks, path in self.solutions:
            if set(tasks) & set(indexes):
                self.used_solutions.add(path)
                self.report.adapt(
                    phase.where, f"the solution “{path}” → sample submission, which teams can see"
                )
                return partial(self.bundle.archive, path, section.at("path"))
        return None

    def time_limit(self, phase: Section) -> int:
        if "execution_time_limit_ms" in phase.values:
            milliseconds = phase.number("execution_time_limit_ms", 0)
            phase.values.setdefault("execution_time_limit", max(1, milliseconds // 1000))
        return super().time_limit(phase)


class _Old(_Competition):
    """Version 1.5, of CodaLab: files with the phases, leaderboards and columns nested."""

    versions = ("1.5", "1", "1.0")
    leaderboard_key = "leaderboard"

    def read_pages(self) -> None:
        pages = self.section.section("html") if "html" in self.section.values else None
        for key in pages.values if pages else ():
            title = key.replace("_", " ").strip().capitalize()
            self.pages.add_file(title, pages.need_text(key), pages.at(key))
        if pages:
            pages.done("the event's description")
        if reward := self.section.text("reward"):
            self.pages.add("Reward", reward)
        self.leave_unless(
            "has_registration", False, "teams register by themselves; confirm them after"
        )

    def read_leaderboards(self) -> None:
        nested = self.section.section("leaderboard")
        boards = nested.named_sections("leaderboards")
        for board in boards.values():
            for key in ("label", "rank"):
                board.get(key)
            board.done("the ranking of each round")
        found = nested.named_sections("columns")
        if len(boards) > 1:
            self.report.adapt(nested.name("leaderboards"), "their columns are shown as one")
        ranks = {name: each.number("rank", 1) for name, each in found.items()}
        order = sorted(found, key=lambda name: ranks[name])
        columns = [each for name in order for each in self._column(name, found[name])]
        nested.done("the ranking of each round")
        self.add_leaderboard(columns, order[0] if order else "", hidden=False)

    def _column(self, key: str, section: Section) -> list[dict]:
        sorting = section.text("sort", "desc").lower() or "desc"
        if sorting not in ("asc", "desc"):
            raise wrong(section.at("sort"), f"expected asc or desc, found “{sorting}”")
        label = section.text("label") or key
        for read in ("leaderboard", "rank"):
            section.get(read)
        if section.get("computed"):
            section.leave_whole(
                f"columns made of others are not computed, so “{key}” is left out; a scheme can "
                "weigh columns"
            )
            return []
        section.leave_all(
            {
                "numeric_format": "numbers are rounded where they are shown, all alike",
                "column_group": "columns stand side by side",
                "column_groups": "columns stand side by side",
                "selection_default": "the first column ranks",
                "show_rank": "ranks are shown for the whole",
            }
        )
        hidden = section.flag("hidden")
        section.done(f"column “{key}”, {'higher' if sorting == 'desc' else 'lower'} is better")
        return [column(key, label, sorting == "desc", hidden)]

    def read_phases(self) -> None:
        phases = list(self.section.named_sections("phases").values())
        for phase in phases:
            if phase.flag("is_parallel_parent") or phase.get("parent_phasenumber"):
                raise wrong(phase.at(), "parallel phases (CodaLab 1.8) cannot be imported")
        numbers = [phase.number("phasenumber", n + 1) for n, phase in enumerate(phases)]
        _require_distinct(self.section.at("phases"), "phasenumber", numbers)
        phases = [phases[n] for n in sorted(range(len(phases)), key=lambda n: numbers[n])]
        if not phases:
            raise wrong(self.section.at("phases"), "there is no phase")
        opens = [need_moment(phase, "start_date", self.zone) for phase in phases]
        # There a phase lasts until the next one begins.
        end = moment(self.section, "end_date", self.zone)
        closes = [*opens[1:], None if phases[-1].flag("phase_never_ends") else end]
        for phase, start, stop, next_one in zip(
            phases, opens, closes, [*phases[1:], None], strict=True
        ):
            if next_one is not None and stop <= start:
                raise wrong(
                    next_one.at("start_date"),
                    f"this phase begins at {shown(stop)}, not after {phase.where} at "
                    f"{shown(start)}",
                )
            self._read_phase(phase, start, stop)

    def _read_phase(self, phase: Section, opens: datetime, closes: datetime | None) -> None:
        name = name_of(phase, "label", f"Phase {phase.where.rpartition('.')[2]}")
        self.pages.add(name, phase.text("description"))
        task = self.task_files(phase, name)
        phase.leave_all({"ingestion_program_only_during_scoring": BESIDE_SCORING})
        results_only = None
        if "is_scoring_only" in phase.values:
            results_only = phase.flag("is_scoring_only")
        kinds = self.kinds(phase, [task], results_only)
        self.add_round(phase, name, opens, closes, [task], kinds, self.starting_kit(phase))


def _require_file(bundle: Bundle, path: str, where: str) -> None:
    """Raise ValidationError for what is not in the bundle, and say so of a key of Codabench."""
    if len(path) == 36 and path.count("-") == 4 and not bundle.has(path):
        raise wrong(
            where,
            f"“{path}” is the key of a file that lies on Codabench; make a dump with files instead "
            "of keys",
        )
    bundle.place(path, where)


def _require_distinct(place: str, what: str, values: list) -> None:
    for value in values:
        if values.count(value) > 1:
            raise wrong(place, f"the {what} {value} stands twice")


def _require_order(phase: Section, opens: datetime, closes: datetime | None) -> None:
    if closes is not None and closes <= opens:
        raise wrong(phase.at(), f"it ends at {shown(closes)}, before it begins at {shown(opens)}")


def _require_sequence(phases: list[Section], dates: list) -> None:
    """Raise ValidationError where a phase begins before the one before it has ended."""
    for phase, (opens, closes) in zip(phases, dates, strict=True):
        _require_order(phase, opens, closes)
    for n in range(1, len(phases)):
        if dates[n][0] < dates[n - 1][1]:
            raise wrong(
                phases[n].at("start"),
                f"this phase begins at {shown(dates[n][0])}, before {phases[n - 1].where} has "
                f"ended at {shown(dates[n - 1][1])}",
            )
