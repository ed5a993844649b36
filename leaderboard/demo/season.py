"""Plays a season through the same services that pages and API use.

One track runs to its end (digits: 30 teams, 20 in the semifinal, ten in the final, prizes), one
stands in the middle of its roadshow (breast cancer), one is open for uploads (wine). Every score
comes out of the platform: automated ones from the worker, human ones from judges whose taste is
drawn from a seeded generator around what the worker measured.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import numpy as np
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from contest.models import Event, Participation, Round, Submission, Team, Track, User
from contest.services.baselines import submit_baseline
from contest.services.events import create_event, publish_event, save_track
from contest.services.rounds import close_round, open_round, publish_round
from contest.services.submissions import receive
from contest.services.teams import confirm_team, register_team
from contest.states import ParticipationStatus, SubmissionStatus
from judging.models import Judge, Panel, Rubric, Stage
from judging.services import panels, rubrics, scoresheets, stage
from judging.services import runs as scoring
from judging.services.benchmarks import define_benchmark
from judging.services.metric_results import counted_results
from leaderboard.demo.cast import (
    CLINIC_TEAMS,
    CRITERIA,
    JUDGES,
    MODEL_TEAMS,
    WINE_TEAMS,
    CastTeam,
)
from leaderboard.demo.tasks import (
    CLINIC,
    DIGITS,
    SEED,
    WINE,
    Task,
    know_nothing_csv,
    onnx_model,
    predictions_csv,
)
from leaderboard.demo.tasks import train as train_model
from leaderboard.models import Award
from leaderboard.services import advancement, awards, schemes, standings

SLUG = "wuzhen-2026"
SCORING_TIMEOUT_S = 300


class DemoFailed(Exception):
    """The demo could not go on; the message says where."""


class Season:
    """The demo season. ``say`` is told each step; ``inline`` scores without a worker."""

    def __init__(self, say: Callable[[str], None], *, inline: bool = False):
        self.say = say
        self.inline = inline
        self.random = np.random.default_rng(SEED)
        self.now = timezone.now()

    def play(self) -> Event:
        self.say("Making the event, its organizer and its judges")
        self.organizer = User.objects.create_user(
            "organizer@demo.example", name="组委会 Organizing Committee"
        )
        User.objects.create_user(
            "staff@demo.example", name="平台运维 Platform Staff", is_staff=True, is_superuser=True
        )
        self.event = self._event()
        self.judges = [
            panels.add_judge(
                self.event, self.organizer, name=name, organisation_zh=zh, organisation_en=en
            )
            for name, zh, en in JUDGES
        ]
        self.rubric = self._rubric()
        self._model_track()
        self._clinic_track()
        self._wine_track()
        return self.event

    # --- The frame ---------------------------------------------------------------------------

    def _event(self) -> Event:
        event = create_event(
            self.organizer,
            slug=SLUG,
            name_zh="直通乌镇 · 开源赛演示",
            name_en="Straight to Wuzhen · open-source demo",
            organiser_zh="演示组委会",
            organiser_en="Demo organizing committee",
            description_zh="一届演示赛事：真实数据集、真正训练的模型、由平台计算的成绩。",
            description_en="A demo season: real data sets, really trained models, scores that "
            "the platform computed.",
            time_zone="Asia/Shanghai",
            registration_opens=self.now - timedelta(days=60),
            registration_closes=self.now + timedelta(days=14),
        )
        self.open_source = self._track(
            event, None, "open-source", "开源赛道", "Open source", "OS", 1
        )
        self.models = self._track(
            event,
            self.open_source,
            "model-application",
            "开源模型应用赛",
            "Open-source model application",
            "MA",
            2,
        )
        challenge = self._track(
            event, self.open_source, "challenge", "开源挑战赛", "Open-source challenge", "OC", 3
        )
        self.clinic = self._track(
            event, challenge, "clinic", "医学筛查挑战", "Clinical screening challenge", "CS", 4
        )
        self.wine = self._track(
            event, challenge, "wine", "产地溯源挑战", "Origin tracing challenge", "OT", 5
        )
        publish_event(event, self.organizer)
        return event

    def _track(self, event, parent, slug, zh, en, prefix, ordinal) -> Track:
        track = Track(
            event=event,
            parent=parent,
            slug=slug,
            name_zh=zh,
            name_en=en,
            code_prefix=prefix,
            ordinal=ordinal,
        )
        return save_track(track, self.organizer)

    def _round(self, track: Track, slug: str, ordinal: int, **fields) -> Round:
        names = {
            "preliminary": ("网络初赛", "Online preliminary"),
            "semifinal": ("半决赛路演", "Semifinal roadshow"),
            "final": ("决赛", "Final"),
        }
        zh, en = names[fields["kind"]]
        round = Round(
            track=track,
            event=self.event,
            slug=f"{track.slug}-{slug}",
            ordinal=ordinal,
            name_zh=zh,
            name_en=en,
            **fields,
        )
        round.full_clean()
        round.save()
        return round

    def _rubric(self) -> Rubric:
        criteria = [
            {
                "name_zh": zh,
                "name_en": en,
                "guide_zh": guide_zh,
                "guide_en": guide_en,
                "weight": Decimal(weight),
                "minimum": Decimal(0),
                "maximum": Decimal(10),
                "step": Decimal("0.5"),
            }
            for zh, en, guide_zh, guide_en, weight in CRITERIA
        ]
        names = {"name_zh": "路演评分表", "name_en": "Roadshow rubric"}
        return rubrics.save_rubric(self.event, self.organizer, fields=names, criteria=criteria)

    # --- The automated preliminary -----------------------------------------------------------

    def _preliminary(
        self,
        track: Track,
        dataset: str,
        cast: list[CastTeam],
        *,
        opened_days_ago: int,
        closes_in_days: int,
        advance: int,
        metric: str,
        extra: list[str],
        onnx: bool = False,
    ) -> Round:
        """Open a preliminary, let the teams in, and have everything they send scored."""
        round = self._round(
            track,
            "preliminary",
            1,
            kind="preliminary",
            format="automated",
            board="live",
            opens_at=self.now - timedelta(days=opened_days_ago),
            closes_at=self.now + timedelta(days=closes_in_days),
        )
        task = Task.load(dataset)
        define_benchmark(
            round,
            self.organizer,
            reference=ContentFile(task.reference_csv(), name=f"{dataset}-reference.csv"),
            inputs=ContentFile(task.inputs_csv(), name=f"{dataset}-inputs.csv") if onnx else None,
            metric=metric,
            extra_metrics=extra,
            accepts_predictions=True,
            accepts_onnx=onnx,
            public_percent=30,
        )
        worst, best = (0.5, 1.0) if metric == "roc_auc" else (0.0, 1.0)
        schemes.save_scheme(
            round,
            self.organizer,
            advance_count=advance,
            decimals=2,
            tie_breaks=["metric", "earliest"],
            components=[
                {
                    "kind": "metric",
                    "source": round,
                    "weight": Decimal(100),
                    "worst": worst,
                    "best": best,
                }
            ],
        )
        open_round(round, self.organizer)
        submissions = []
        for number, member in enumerate(cast):
            team = self._team(track, member)
            fitted = train_model(member.model, task)
            if member.kind == "onnx":
                content, name = onnx_model(fitted, task), f"{member.model}.onnx"
            else:
                content = predictions_csv(fitted, task, probabilities=metric == "roc_auc")
                name = f"{member.model}.csv"
            submissions.append(
                receive(
                    participation=round.participations.get(team=team),
                    file=ContentFile(content, name=name),
                    kind=member.kind,
                    by=team.memberships.get().user,
                    client_key=f"demo-{member.model}",
                    now=self.now - timedelta(days=opened_days_ago) + timedelta(hours=2 + number),
                )[0]
            )
            self.say(
                f"{track.name_en}: trained and submitted {number + 1}/{len(cast)} ({member.model})"
            )
        submissions.append(self._baseline(round, task, metric))
        self._wait_for(submissions, track)
        return round

    def _baseline(self, round: Round, task: Task, metric: str) -> Submission:
        """What knowing nothing gets: the largest class, or each class's share, for every row."""
        content = know_nothing_csv(task, probabilities=metric == "roc_auc")
        submission, _created = submit_baseline(
            round,
            self.organizer,
            file=ContentFile(content, name="know-nothing.csv"),
            kind="predictions",
            client_key="demo-baseline",
            name_zh="一无所知（最大类）",
            name_en="Know-nothing (largest class)",
        )
        return submission

    def _team(self, track: Track, member: CastTeam) -> Team:
        captain = User.objects.create_user(
            f"{member.name_en.lower().replace(' ', '.').replace('-', '.')}@demo.example",
            name=f"{member.name_zh}队长 {member.name_en} captain",
        )
        team = register_team(
            by=captain,
            track=track,
            team={
                "name_zh": member.name_zh,
                "name_en": member.name_en,
                "country": member.country,
                "organisation_zh": member.organisation_zh,
                "organisation_en": member.organisation_en,
            },
            entry={
                "title_zh": member.title_zh,
                "title_en": member.title_en,
                "licence": "Apache-2.0",
            },
        )
        confirm_team(team, self.organizer)
        return team

    def _wait_for(self, submissions: list[Submission], track: Track) -> None:
        """Until the worker has scored them all; with ``inline`` score them here."""
        if self.inline:
            for submission in submissions:
                for run in submission.runs.all():
                    scoring.run(run.pk)
        waiting = [submission.pk for submission in submissions]
        deadline = time.monotonic() + SCORING_TIMEOUT_S
        said = -1
        while True:
            states = list(
                Submission.objects.filter(pk__in=waiting).values_list("status", flat=True)
            )
            done = sum(state != SubmissionStatus.RECEIVED for state in states)
            if done != said:
                self.say(f"{track.name_en}: scored {done}/{len(waiting)}")
                said = done
            if done == len(waiting):
                break
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"The worker scored only {done} of {len(waiting)} submissions in "
                    f"{SCORING_TIMEOUT_S} s. Is a Celery worker running?"
                )
            time.sleep(0.3)
        bad = [state for state in states if state != SubmissionStatus.SCORED]
        if bad:
            raise DemoFailed(f"{len(bad)} of the demo's submissions could not be scored.")

    # --- The roadshows -----------------------------------------------------------------------

    def _close_and_advance(self, round: Round) -> None:
        """The organizer closes the round, signs the ranking off and publishes it."""
        close_round(round, self.organizer)
        standings.refresh(round)
        proposal = advancement.propose(round, self.organizer)
        tied = [row.row.participation_id for row in proposal.rows.all() if row.outcome == "tied"]
        if tied:
            advancement.decide_tie(
                proposal,
                self.organizer,
                tied,
                "并列的队伍全部晋级。 / All tied teams advance.",
            )
        advancement.sign_off(proposal, self.organizer)
        round.refresh_from_db()
        publish_round(round, self.organizer)
        standings.refresh(round)

    def _roadshow(
        self,
        track: Track,
        kind: str,
        ordinal: int,
        preliminary: Round,
        *,
        days: tuple[int, int],
        advance: int,
        metric_weight: int,
    ) -> Round:
        round = self._round(
            track,
            kind,
            ordinal,
            kind=kind,
            format="roadshow",
            board="after",
            opens_at=self.now + timedelta(days=days[0]),
            closes_at=self.now + timedelta(days=days[1]),
        )
        components = [
            {
                "kind": "judges",
                "source": round,
                "weight": Decimal(100 - metric_weight),
                "aggregation": "trimmed",
            }
        ]
        if metric_weight:
            components.append(
                {
                    "kind": "metric",
                    "source": preliminary,
                    "weight": Decimal(metric_weight),
                    "worst": 0.5,
                    "best": 1.0,
                }
            )
        schemes.save_scheme(
            round,
            self.organizer,
            advance_count=advance,
            decimals=2,
            tie_breaks=["judges", "metric", "criterion"],
            components=components,
            # The preliminary's scores are known by now.
            reason="规则已公布 As published in the rules",
        )
        return round

    def _seat(self, round: Round) -> Panel:
        """Open the roadshow, draw the running order, seat the seven judges."""
        open_round(round, self.organizer)
        stage.draw(round, self.organizer, seed=f"{SLUG} {round.slug}")
        panel = Panel(round=round, rubric=self.rubric, name_zh="评审组", name_en="Panel")
        panel.full_clean()
        panel.save()
        panel.judges.set(self.judges)
        panels.assign_all(panel, self.organizer)
        return panel

    def _score(
        self,
        panel: Panel,
        quality: dict[int, float],
        judges: list[Judge],
        participations: list[Participation],
    ) -> None:
        """Each judge marks each team: the team's quality, the judge's own severity, and chance.

        ``quality`` (0–1 by team) is the worker's score blended with a seeded gift for the stage.
        """
        criteria = list(self.rubric.criteria.all())
        severity = self.random.normal(0, 0.5, len(judges))
        for n, judge in enumerate(judges):
            with transaction.atomic():
                for participation in participations:
                    assignment = panel.assignments.filter(
                        judge=judge, participation=participation
                    ).first()
                    if assignment is None:  # of the team's own organisation
                        continue
                    sheet = scoresheets.open_sheet(assignment)
                    for criterion in criteria:
                        wanted = 4.5 + 5 * quality[participation.team_id] + severity[n]
                        wanted += self.random.normal(0, 0.6)
                        value = Decimal(int(np.clip(round(wanted * 2), 0, 20))) / 2
                        scoresheets.save_mark(
                            sheet,
                            criterion,
                            value,
                            by=judge.user,
                            sent=scoresheets.Sent(f"demo-{criterion.pk}"),
                        )
                    scoresheets.submit_sheet(sheet, judge.user)
            self.say(
                f"{panel.round.name_en}: {judge.name} submitted {len(participations)} sheets "
                f"({n + 1}/{len(judges)})"
            )

    def _quality(self, preliminary: Round) -> dict[int, float]:
        results = counted_results(preliminary, "private")
        teams = dict(preliminary.participations.values_list("pk", "team_id"))
        return {
            teams[pk]: 0.5 * float(result.value) + 0.5 * float(self.random.random())
            for pk, result in results.items()
        }

    # --- The tracks --------------------------------------------------------------------------

    def _model_track(self) -> None:
        preliminary = self._preliminary(
            self.models,
            DIGITS,
            MODEL_TEAMS,
            opened_days_ago=50,
            closes_in_days=-20,
            advance=20,
            metric="f1_macro",
            extra=["accuracy"],
            onnx=True,
        )
        semifinal = self._roadshow(
            self.models, "semifinal", 2, preliminary, days=(-12, -11), advance=10, metric_weight=30
        )
        final = self._roadshow(
            self.models, "final", 3, preliminary, days=(-4, -3), advance=0, metric_weight=0
        )
        self._close_and_advance(preliminary)
        quality = self._quality(preliminary)

        panel = self._seat(semifinal)
        taking_part = list(semifinal.participations.order_by("running_order"))
        # The first judge once advised one of the teams and says so: that sheet does not count.
        panels.recuse(
            self.judges[0],
            taking_part[4].team,
            self.judges[0].user,
            "曾任该团队顾问 / Former adviser to the team",
        )
        self._score_all(panel, quality, taking_part)
        self._close_and_advance(semifinal)

        panel = self._seat(final)
        self._score_all(panel, quality, list(final.participations.order_by("running_order")))
        self._awards(final)
        self.say("Final: prizes are decided")

    def _score_all(self, panel: Panel, quality, taking_part) -> None:
        recused = set(panel.round.event.judges.values_list("recusals__judge", "recusals__team"))
        free = [p for p in taking_part if not any(team == p.team_id for _j, team in recused)]
        conflicted = [p for p in taking_part if p not in free]
        self._score(panel, quality, self.judges, free)
        for participation in conflicted:
            judges = [j for j in self.judges if (j.pk, participation.team_id) not in recused]
            self._score(panel, quality, judges, [participation])

    def _awards(self, final: Round) -> None:
        prizes = [
            ("一等奖", "First prize", 1, 1),
            ("二等奖", "Second prize", 2, 3),
            ("三等奖", "Third prize", 4, 6),
        ]
        special = Award(round=final, ordinal=0, name_zh="特别奖", name_en="Special prize")
        special.save()
        for ordinal, (zh, en, first, last) in enumerate(prizes, start=1):
            Award.objects.create(
                round=final,
                ordinal=ordinal,
                name_zh=zh,
                name_en=en,
                first_rank=first,
                last_rank=last,
            )
        close_round(final, self.organizer)
        standings.refresh(final)
        awards.allocate(final, self.organizer)
        # The special prize goes to the best team of a country that has no other prize.
        standing = standings.current(final, "full")
        rows = standing.rows.select_related("participation__team").order_by("position")
        honoured = {
            row.participation.team.country.code for row in rows if row.rank and row.rank <= 6
        }
        for row in rows:
            if row.rank and row.participation.team.country.code not in honoured:
                awards.give(special, row.participation, self.organizer)
                break
        proposal = advancement.propose(final, self.organizer)
        advancement.sign_off(proposal, self.organizer)
        final.refresh_from_db()
        publish_round(final, self.organizer)
        standings.refresh(final)

    def _clinic_track(self) -> None:
        preliminary = self._preliminary(
            self.clinic,
            CLINIC,
            CLINIC_TEAMS,
            opened_days_ago=40,
            closes_in_days=-5,
            advance=5,
            metric="roc_auc",
            extra=["log_loss"],
        )
        semifinal = self._roadshow(
            self.clinic, "semifinal", 2, preliminary, days=(-1, 2), advance=3, metric_weight=40
        )
        self._close_and_advance(preliminary)
        panel = self._seat(semifinal)
        # Four judges have scored the first three teams; the last judge has everything to do.
        first_three = stage.taking_part(semifinal)[:3]
        self._score(panel, self._quality(preliminary), self.judges[:4], first_three)
        # Two teams had their turn; the third answers questions, its clock held.
        for _team in first_three:
            stage.call_next(semifinal, self.organizer)
        stage.go_to_phase(semifinal, self.organizer, Stage.Phase.QUESTIONS)
        standings.refresh(semifinal)

    def _wine_track(self) -> None:
        preliminary = self._preliminary(
            self.wine,
            WINE,
            WINE_TEAMS,
            opened_days_ago=10,
            closes_in_days=14,
            advance=3,
            metric="accuracy",
            extra=["f1_macro"],
        )
        # The last team has tried more than once; its page shows how it went.
        active = preliminary.participations.filter(status=ParticipationStatus.ACTIVE)
        participation = active.order_by("pk").last()
        task = Task.load(WINE)
        later = [
            receive(
                participation=participation,
                file=ContentFile(predictions_csv(train_model(model, task), task), f"{model}.csv"),
                kind=Submission.Kind.PREDICTIONS,
                by=participation.team.memberships.get().user,
                client_key=f"demo-{model}",
                now=self.now - timedelta(days=days_ago),
            )[0]
            for model, days_ago in (("w_tree", 8), ("w_logistic", 5), ("w_forest", 2))
        ]
        self._wait_for(later, self.wine)
        standings.refresh(preliminary)
