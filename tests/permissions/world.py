"""One small competition with somebody in every role, for the permission matrix."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.core.files.base import ContentFile
from django.utils import timezone

from contest.models import (
    EntryFile,
    EventRole,
    Invitation,
    LogEntry,
    Membership,
    SignInLink,
    Submission,
)
from judging.models import (
    Benchmark,
    BenchmarkTask,
    Panel,
    Recusal,
    Reminder,
    Scoresheet,
    ScoringRun,
    Worker,
)
from judging.services import stage, ties
from judging.services.rubrics import new_version
from judging.services.scoresheets import Sent, save_mark
from leaderboard.models import (
    Advancement,
    AdvancementRow,
    Award,
    PreparedFile,
    Reveal,
    Scheme,
    Standing,
)
from leaderboard.services.standings import refresh
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

ROLES = (
    "anonymous",
    "other_team",
    "team",
    "judge",
    "recused",
    "other_organizer",
    "organizer",
    "staff",
)


@dataclass
class World:
    """``users`` by role (None: not signed in); ``objects`` that URLs are filled from."""

    users: dict
    objects: SimpleNamespace


def make_world() -> World:
    organizer, other_organizer = make_user(), make_user()
    event = make_event(organizer)
    make_event(other_organizer)
    track = make_track(event)
    captain, mate, other_captain = make_user(), make_user(), make_user()
    team, other_team = make_team(track, captain), make_team(track, other_captain)
    member = Membership.objects.create(team=team, user=mate)

    # An automated round with a submission, and a roadshow whose marks are not published.
    preliminary = make_round(track, slug="preliminary")
    roadshow = make_round(
        track, slug="roadshow", format="roadshow", kind="semifinal", board="after"
    )
    participation = make_participation(preliminary, team)
    make_participation(preliminary, other_team)
    on_stage = make_participation(roadshow, team, running_order=1)
    make_participation(roadshow, other_team, running_order=2)

    # A roadshow whose result is out.
    finished = make_round(
        track, slug="finished", format="roadshow", kind="final", status="published"
    )
    make_participation(finished, team)

    # One whose leaderboard is for its teams, in a track that holds nothing else.
    teams_only = make_round(make_track(event), slug="teams-only", board="teams")
    make_participation(teams_only, team)
    refresh(teams_only)

    judge, recused = make_judge(event), make_judge(event)
    rubric = make_rubric(event)
    panel = make_panel(roadshow, [judge, recused], rubric)
    assignment = panel.assignments.get(judge=judge, participation=on_stage)
    sheet = Scoresheet.objects.create(assignment=assignment)
    save_mark(sheet, rubric.criteria.first(), Decimal(7), sent=Sent("tap"), by=judge.user)
    mark = sheet.marks.get()
    recusal = Recusal.objects.create(judge=recused, team=team, reason="adviser")
    Panel.objects.filter(pk=panel.pk).update(chair=judge)
    tie = ties.ask(panel, list(roadshow.participations.all()), organizer)
    reminder = Reminder.objects.create(judge=judge, round=roadshow, by=organizer)
    stage.call(roadshow, organizer, on_stage)

    reference = b"id,label\n" + b"".join(b"%d,%d\n" % (n, n % 2) for n in range(20))
    benchmark = Benchmark(
        round=preliminary, metric="accuracy", reference_sha256=hashlib.sha256(reference).hexdigest()
    )
    benchmark.reference.save("reference.csv", ContentFile(reference), save=True)
    submission = Submission(
        participation=participation,
        number=1,
        kind="predictions",
        original_name="a.csv",
        size=13,
        sha256="1" * 64,
        client_key="k",
        submitted_by=captain,
        received_at=timezone.now(),
    )
    submission.file.save("a.csv", ContentFile(b"id,label\n1,0\n2,1\n"), save=True)
    candidate = Benchmark(
        round=preliminary, version=2, status="candidate", metric="f1_macro",
        reference_sha256=benchmark.reference_sha256, reference=benchmark.reference.name,
    )  # fmt: skip
    candidate.save()
    BenchmarkTask.objects.create(benchmark=candidate, scoring_program="hidden/x.zip")
    Worker.objects.create(
        name=f"worker@{event.slug}",
        sandbox="bubblewrap",
        started_at=timezone.now(),
        seen_at=timezone.now(),
    )
    run = ScoringRun.objects.create(submission=submission, benchmark=benchmark)
    entry_file = EntryFile(entry=team.entry, original_name="a.pdf", size=5, sha256="2" * 64)
    entry_file.file.save("a.pdf", ContentFile(b"%PDF-"), save=True)

    scheme = Scheme.objects.create(round=roadshow, advance_count=1)
    scheme.components.create(kind="judges", source=roadshow, weight=100)
    refresh(roadshow)
    standing = Standing.objects.get(round=roadshow, audience="full", is_current=True)
    row = standing.rows.get(participation=on_stage)
    reveal = Reveal.objects.create(round=roadshow, standing=standing)
    advancement = Advancement.objects.create(round=roadshow, standing=standing)
    AdvancementRow.objects.create(advancement=advancement, row=row, outcome="in")
    award = Award.objects.create(round=roadshow, name_en="Prize", first_rank=1, last_rank=1)

    prepared = PreparedFile(
        round=roadshow, document="scores", fmt="csv", language="en", status="ready", size=2,
        asked_by=organizer, started_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    prepared.file.save("downloads/unguessable", ContentFile(b"x\n"), save=True)

    LogEntry.write(event, "created", by=organizer)
    token = secrets.token_urlsafe()
    objects = SimpleNamespace(
        token=token,
        event=event,
        track=track,
        spare_track=make_track(event),
        role=EventRole.objects.get(event=event),
        preliminary=preliminary,
        round=roadshow,
        finished=finished,
        teams_only=teams_only,
        board_standing=Standing.objects.get(round=teams_only, audience="public"),
        team=team,
        member=member,
        entry=team.entry,
        entry_file=entry_file,
        participation=participation,
        on_stage=on_stage,
        invitation=Invitation.objects.create(team=team, email="n@example.org", invited_by=captain),
        submission=submission,
        benchmark=benchmark,
        candidate=candidate,
        run=run,
        judge=judge,
        recused=recused,
        rubric=rubric,
        version=new_version(rubric, organizer),
        criterion=rubric.criteria.first(),
        panel=panel,
        assignment=assignment,
        sheet=sheet,
        mark=mark,
        recusal=recusal,
        tie=tie,
        reminder=reminder,
        link=SignInLink.objects.create(
            user=judge.user,
            event=event,
            token_sha256=SignInLink.digest(token),
            expires_at=timezone.now() + timedelta(days=1),
        ),
        scheme=scheme,
        standing=standing,
        row=row,
        reveal=reveal,
        advancement=advancement,
        award=award,
        prepared=prepared,
    )
    users = {
        "anonymous": None,
        "other_team": other_captain,
        "team": captain,
        "judge": judge.user,
        "recused": recused.user,
        "other_organizer": other_organizer,
        "organizer": organizer,
        "staff": make_user(is_staff=True, is_superuser=True),
    }
    return World(users, objects)
