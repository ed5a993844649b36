"""A season of invented teams from entries to final lists, at any size, in one go.

Where the platform's services are fast enough they do the work, as they would in a real season: the
event, tracks, rounds, schemes, rubrics, judges, panels and assignments; opening and closing;
standings; who advances, ties, signatures, publication; the files; and in the last round every
single mark. Teams, submissions and scoring runs, and the sheets of the rounds before, are inserted
in bulk: nobody waits for ten thousand uploads. Their judging records are written by the service
that writes every record, so ``verify_audit`` passes afterwards.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from math import ceil
from pathlib import Path
from random import Random

from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django_countries import countries

from contest.models import (
    Entry,
    Event,
    EventRole,
    Membership,
    Participation,
    Round,
    Submission,
    Team,
    Track,
)
from contest.models import User as Person
from contest.services.events import create_event, publish_event, save_track
from contest.services.rounds import close_round, open_round, publish_round, save_round
from judging.models import Mark, Panel, RecordEntry, Rubric, Scoresheet, ScoringRun
from judging.services import panels, record, rubrics
from judging.services.benchmarks import define_benchmark
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.exports.finalists import FORMATS, export
from leaderboard.models import Advancement
from leaderboard.services import advancement
from leaderboard.services.schemes import rules_of, save_scheme

FINALISTS = 10
# Each round before the final lets so many times as many through.
WIDER = 6
TEAMS_A_PANEL = 60
BATCH = 2000
CRITERIA = (("创新性", "Novelty", 40), ("完成度", "Completeness", 35), ("展示", "Presentation", 25))
SENT_FILE = b"id,label\n0,0\n"


@dataclass(frozen=True)
class Size:
    teams: int
    countries: int
    tracks: int
    rounds: int
    judges_per_team: int
    review: bool = False  # judges look at every team in the preliminary, too

    def teams_of(self, track: int) -> int:
        """Teams of track ``track`` of 0, 1, …: as equal as they can be."""
        return self.teams // self.tracks + (track < self.teams % self.tracks)

    def through(self, track: int) -> list[int]:
        """How many teams take part in each round of a track."""
        sizes = [self.teams_of(track)]
        for n in range(1, self.rounds):
            wanted = FINALISTS * WIDER ** (self.rounds - 1 - n)
            sizes.append(max(1, min(wanted, sizes[-1] // 2)))
        return sizes

    def work(self) -> int:
        """Units of work: a team that enters, and each of its scores or sheets."""
        total = self.teams
        for track in range(self.tracks):
            first, *later = self.through(track)
            total += first * (self.judges_per_team if self.review else 1)
            total += sum(later) * self.judges_per_team
        return total


def batches(things: Iterator, size: int = BATCH) -> Iterator[list]:
    things = iter(things)
    while batch := list(islice(things, size)):
        yield batch


def _letters(n: int) -> str:
    """AA, AB, …: what codes of a track's teams begin with."""
    return chr(65 + n // 26) + chr(65 + n % 26)


class Season:
    """``tell(done, text)`` is told of the units of work that are done, and what is being done."""

    def __init__(self, size: Size, seed: int, folder: Path, tell: Callable[[int, str], None]):
        self.size, self.seed, self.folder, self.tell = size, seed, folder, tell
        self.random = Random(seed)  # noqa: S311 - to be repeated, not to be guessed
        self.done = 0
        self.now = timezone.now()
        self.quality: dict[int, float] = {}  # by team

    def play(self) -> list[Path]:
        """All rounds of all tracks; the files of the final lists."""
        self._say("the event")
        self.organizer = Person.objects.create_user(name="Simulated organizer")
        self.second = Person.objects.create_user(name="Second organizer")
        self.event = self._event()
        EventRole.objects.create(event=self.event, user=self.second)
        self.rubric = self._rubric()
        tracks = [self._track(n) for n in range(self.size.tracks)]
        publish_event(self.event, self.organizer)
        self._enter(tracks)
        lists: list[Path] = []
        for n, track in enumerate(tracks):
            rounds = self._rounds(track, self.size.through(n))
            for ordinal, round in enumerate(rounds):
                decision = self._play(round, is_last=ordinal == len(rounds) - 1)
            lists += self._write(decision)
        return lists

    def _say(self, text: str, done: int = 0) -> None:
        self.done += done
        self.tell(self.done, text)

    # --- The frame -------------------------------------------------------------------------------

    def _event(self) -> Event:
        slug, n = f"simulated-{self.seed}", 1
        while Event.objects.filter(slug=slug).exists():
            slug, n = f"simulated-{self.seed}-{n + 1}", n + 1
        return create_event(
            self.organizer, slug=slug, name_zh="模拟赛季", name_en="Simulated season",
            time_zone="Asia/Shanghai",
            registration_opens=self.now - timedelta(days=60),
            registration_closes=self.now + timedelta(days=14),
        )  # fmt: skip

    def _rubric(self) -> Rubric:
        return rubrics.save_rubric(
            self.event, self.organizer, fields={"name_zh": "评分表", "name_en": "Rubric"},
            criteria=[
                {"name_zh": zh, "name_en": en, "weight": Decimal(weight), "minimum": Decimal(0),
                 "maximum": Decimal(10), "step": Decimal("0.5")}
                for zh, en, weight in CRITERIA
            ],
        )  # fmt: skip

    def _track(self, n: int) -> Track:
        track = Track(
            event=self.event, slug=f"track-{n + 1}", name_zh=f"赛道{n + 1}",
            name_en=f"Track {n + 1}", code_prefix=_letters(n), ordinal=n + 1,
        )  # fmt: skip
        return save_track(track, self.organizer)

    def _rounds(self, track: Track, sizes: list[int]) -> list[Round]:
        made = []
        for n in range(len(sizes)):
            last, first = n == len(sizes) - 1, n == 0
            kind = "preliminary" if first else "final" if last else "semifinal"
            round = Round(
                track=track, slug=f"{track.slug}-{n + 1}", ordinal=n + 1, kind=kind,
                format="roadshow" if not first else "review" if self.size.review else "automated",
                name_zh=f"第{n + 1}轮", name_en=f"Round {n + 1}", board="live",
                opens_at=self.now - timedelta(days=30), closes_at=self.now + timedelta(days=30),
            )  # fmt: skip
            save_round(round, self.organizer)
            if round.format == "automated":
                table = b"id,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20))
                define_benchmark(
                    round, self.organizer, metric="accuracy",
                    reference=ContentFile(table, "reference.csv"),
                )  # fmt: skip
            count = 0 if last else sizes[n + 1]
            rules = rules_of(round).fields | {"advance_count": count}
            save_scheme(round, self.organizer, **rules)
            made.append(round)
        return made

    # --- Entries, in bulk ------------------------------------------------------------------------

    def _enter(self, tracks: list[Track]) -> None:
        known = sorted(code for code, _name in countries)
        codes = [*(["CN"] if "CN" in known else []), *(code for code in known if code != "CN")]
        where = codes[: self.size.countries]
        nobody = make_password(None)
        number = 0
        for n, track in enumerate(tracks):
            for batch in batches(range(self.size.teams_of(n))):
                with transaction.atomic():
                    people = Person.objects.bulk_create(
                        Person(name=f"Captain {number + i + 1}", password=nobody)
                        for i in range(len(batch))
                    )
                    teams = Team.objects.bulk_create(
                        Team(
                            event=self.event, track=track, code=f"{track.code_prefix}-{i + 1:05}",
                            name_zh=f"队伍{number + k + 1}", name_en=f"Team {number + k + 1}",
                            organisation_zh=f"大学{(number + k) % 997}",
                            organisation_en=f"University {(number + k) % 997}",
                            # Every country once, then as it comes, most from the first.
                            country=where[number + k] if number + k < len(where)
                            else self.random.choice([where[0], *where]),
                            status="confirmed",
                        )
                        for k, i in enumerate(batch)
                    )  # fmt: skip
                    Entry.objects.bulk_create(
                        Entry(team=t, title_zh=f"项目{t.code}", title_en=f"Project {t.code}")
                        for t in teams
                    )
                    Membership.objects.bulk_create(
                        Membership(team=team, user=person, role="captain")
                        for team, person in zip(teams, people, strict=True)
                    )
                number += len(batch)
                for team in teams:
                    self.quality[team.pk] = self.random.gauss(0, 1)
                self._say("entries", len(batch))

    # --- A round ---------------------------------------------------------------------------------

    def _play(self, round: Round, *, is_last: bool) -> Advancement:
        said = f"{round.slug}: "
        if round.ordinal == 1:  # taking in each team by itself would find them all there
            Participation.objects.bulk_create(
                (Participation(round=round, team=team) for team in round.track.teams.all()),
                batch_size=BATCH,
            )
        open_round(round, self.organizer)
        if round.format == "automated":
            self._submit(round)
        else:
            for panel in self._panels(round):
                self._judge(panel, one_by_one=is_last and not self.size.review)
        self._say(said + "ranking")
        close_round(round, self.organizer)
        decision = self._decide(round)
        round.refresh_from_db()
        publish_round(round, self.organizer)
        return decision

    def _decide(self, round: Round) -> Advancement:
        decision = advancement.propose(round, self.organizer)
        while (tie := advancement.open_tie(decision)) is not None:
            tied = decision.rows.filter(row__participation__in=tie.keys).order_by("row__position")
            chosen = list(tied.values_list("row__participation", flat=True))[: tie.seats]
            decision = advancement.decide_tie(
                decision, self.organizer, chosen, "drawn by the simulation"
            )
        for organizer in (self.organizer, self.second):
            decision = advancement.sign_off(decision, organizer)
        return decision

    def _submit(self, round: Round) -> None:
        """One scored submission a team; all are one stored file."""
        name = default_storage.save(
            f"submissions/simulated-{self.event.slug}-{round.pk}.csv", ContentFile(SENT_FILE)
        )
        benchmark = round.benchmarks.get()
        taking_part = round.participations.order_by("pk").select_related("team")
        captains = dict(
            Membership.objects.filter(team__participations__round=round).values_list(
                "team_id", "user_id"
            )
        )
        for batch in batches(taking_part.iterator(BATCH)):
            with transaction.atomic():
                submissions = Submission.objects.bulk_create(
                    Submission(
                        participation=participation, number=1, kind="predictions", file=name,
                        original_name="predictions.csv", size=len(SENT_FILE), sha256="0" * 64,
                        client_key="simulated", submitted_by_id=captains[participation.team_id],
                        received_at=self.now - timedelta(seconds=self.random.randrange(10**6)),
                        status="scored",
                    )
                    for participation in batch
                )  # fmt: skip
                ScoringRun.objects.bulk_create(
                    self._run(submission, benchmark) for submission in submissions
                )
            self._say(f"{round.slug}: scores", len(batch))

    def _run(self, submission: Submission, benchmark) -> ScoringRun:
        quality = self.quality[submission.participation.team_id]
        public, private = (
            round(min(max(0.7 + 0.1 * quality + self.random.gauss(0, 0.02), 0), 1), 6)
            for _part in range(2)
        )
        return ScoringRun(
            submission=submission, participation_id=submission.participation_id,
            benchmark=benchmark, resource_class=benchmark.resource_class, needs=submission.kind,
            status="succeeded", public_score=public, private_score=private,
            metrics={"public": {"accuracy": public}, "private": {"accuracy": private}},
            started_at=submission.received_at, finished_at=submission.received_at,
        )  # fmt: skip

    def _panels(self, round: Round) -> list[Panel]:
        """Panels of equal size, each with judges of its own who see all its teams."""
        taking_part = list(round.participations.order_by("team__code"))
        groups = ceil(len(taking_part) / TEAMS_A_PANEL)
        made = []
        for n in range(groups):
            self._say(f"{round.slug}: panel {n + 1} of {groups}")
            judges = [
                panels.add_judge(
                    self.event, self.organizer, name=f"Judge {round.slug} {n + 1}.{j + 1}",
                    organisation_en=f"Fund {round.slug} {n + 1}.{j + 1}",
                )
                for j in range(self.size.judges_per_team)
            ]  # fmt: skip
            panel = panels.save_panel(
                round, self.organizer,
                fields={"name_zh": f"第{n + 1}组", "name_en": f"Panel {n + 1}"},
                rubric=self.rubric, judges=judges,
            )  # fmt: skip
            pairs = [(judge.pk, p.pk) for p in taking_part[n::groups] for judge in judges]
            panels.add_assignments(panel, pairs)
            made.append(panel)
        return made

    def _judge(self, panel: Panel, *, one_by_one: bool) -> None:
        criteria = list(panel.rubric.criteria.all())
        assignments = list(
            panel.assignments.select_related(
                "judge__user", "participation__team", "participation__round__event",
                "panel__rubric",
            ).order_by("participation__team__code", "judge__name")
        )  # fmt: skip
        severity: dict[int, float] = {}
        for group in batches(assignments, 200):
            marks = {}
            for a in group:
                lean = severity.setdefault(a.judge_id, self.random.gauss(0, 0.4))
                marks[a.pk] = [
                    self._mark(self.quality[a.participation.team_id] - lean) for _c in criteria
                ]
            if one_by_one:
                self._mark_one_by_one(group, criteria, marks)
            else:
                self._mark_in_bulk(panel, group, criteria, marks)
            self._say(f"{panel.round.slug}: sheets", len(group))

    def _mark(self, quality: float) -> Decimal:
        value = 6.5 + quality + self.random.gauss(0, 0.8)
        return Decimal(round(min(max(value, 0), 10) * 2)) / 2

    def _mark_one_by_one(self, group, criteria, marks) -> None:
        for assignment in group:
            judge = assignment.judge.user
            sheet = open_sheet(assignment)
            for criterion, value in zip(criteria, marks[assignment.pk], strict=True):
                sent = Sent(f"simulated-{criterion.code}")
                save_mark(sheet, criterion, value, sent=sent, by=judge)
            submit_sheet(sheet, judge)

    @transaction.atomic
    def _mark_in_bulk(self, panel: Panel, group, criteria, marks) -> None:
        sheets = Scoresheet.objects.bulk_create(
            Scoresheet(assignment=a, status="submitted", submitted_at=self.now) for a in group
        )
        Mark.objects.bulk_create(
            Mark(scoresheet=sheet, criterion=criterion, value=value)
            for sheet in sheets
            for criterion, value in zip(criteria, marks[sheet.assignment_id], strict=True)
        )
        record.tell_criteria(panel.round, panel.rubric)
        entries = []
        for sheet in sheets:
            said = {
                "judge": sheet.assignment.judge, "participation": sheet.assignment.participation,
                "scoresheet": sheet, "by": sheet.assignment.judge.user,
            }  # fmt: skip
            entries += [
                {**said, "kind": RecordEntry.Kind.MARK, "criterion": criterion, "value": value,
                 "key": f"simulated-{criterion.code}"}
                for criterion, value in zip(criteria, marks[sheet.assignment_id], strict=True)
            ]  # fmt: skip
            entries.append({**said, "kind": RecordEntry.Kind.SUBMITTED})
        record.append_all(panel.round, entries)

    # --- The lists -------------------------------------------------------------------------------

    def _write(self, decision: Advancement) -> list[Path]:
        self._say(f"{decision.round.slug}: lists")
        self.folder.mkdir(parents=True, exist_ok=True)
        made = []
        for fmt in FORMATS:
            name, _content_type, content = export(decision, fmt)
            path = self.folder / name
            path.write_bytes(content)
            made.append(path)
        return made
