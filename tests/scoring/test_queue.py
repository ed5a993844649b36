"""In which order runs are taken, how long one waits, and how one is ended."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from contest import heartbeat
from contest.errors import Refused
from contest.services.submissions import quota, withdraw_submission
from contest.states import SubmissionStatus
from judging.models import Benchmark, ScoringRun, Worker
from judging.services import queue, rescoring, runs, workers
from judging.services.benchmarks import define_benchmark
from judging.states import RunStatus
from tests.factories import make_participation, make_team, make_user
from tests.scoring.test_scoring import (  # noqa: F401
    GOOD,
    REFERENCE,
    _no_broker,
    benchmark,
    captain,
    file,
    participation,
    score,
    submit,
)

from tests.scoring.test_runners import INPUTS, program  # isort: skip


def variant(n: int) -> bytes:
    """A file of predictions like no other."""
    return GOOD + b"\n" * n


def send(participation, count: int, start=0):  # noqa: F811
    return [submit(participation, variant(start + n), f"{n}.csv") for n in range(count)]


def order(count: int) -> list[str]:
    """The teams of the next runs, in the order in which a worker takes them."""
    taken = []
    for _n in range(count):
        run = queue.claim("cpu", workers.runnable_kinds(), "w")
        taken.append(run.submission.participation.team.code)
        ScoringRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
    return taken


@pytest.fixture
def other(participation):  # noqa: F811
    return make_participation(
        participation.round, make_team(participation.round.track, make_user())
    )


def test_fifty_uploads_of_one_team_do_not_delay_the_others(participation, other):  # noqa: F811
    benchmark(participation)
    send(participation, 50)
    a, b = participation.team.code, other.team.code
    assert order(10) == [a] * 10
    send(other, 1, start=100)
    assert b in order(2), "the one of the other team is among the next two"
    send(other, 3, start=200)
    assert order(6).count(b) == 3, "both teams take turns"
    assert order(36) == [a] * 36
    assert queue.claim("cpu", workers.runnable_kinds(), "w") is None


def test_a_team_that_comes_back_has_no_advantage(participation, other):  # noqa: F811
    benchmark(participation)
    send(participation, 6)
    send(other, 6, start=100)
    taken = order(12)
    assert taken.count(participation.team.code) == 6
    first = taken[:6]
    assert first.count(participation.team.code) == 3


def test_submissions_come_before_rescoring(participation, other):  # noqa: F811
    benchmark(participation)
    for submission in send(participation, 3):
        score(submission)
    candidate = define_benchmark(participation.round, make_user(), public_percent=40)
    assert rescoring.start(candidate, make_user()) == 3
    send(other, 1, start=50)
    assert order(1) == [other.team.code]
    assert sorted(order(4)) == sorted([other.team.code, *[participation.team.code] * 3])


def test_a_trial_does_not_make_a_team_wait_for_another(participation, other):  # noqa: F811
    """Runs of rescoring have turns of their own."""
    benchmark(participation)
    for submission in send(participation, 12):
        score(submission)
    candidate = define_benchmark(participation.round, make_user(), public_percent=40)
    rescoring.start(candidate, make_user())
    send(other, 6, start=50)
    send(participation, 1, start=90)
    assert participation.team.code in order(2)


def test_a_run_is_taken_once(participation):  # noqa: F811
    benchmark(participation)
    run = submit(participation, GOOD).runs.get()
    assert queue.take(run.pk, "one").status == RunStatus.RUNNING
    assert queue.take(run.pk, "other") is None
    assert queue.claim("cpu", workers.runnable_kinds(), "other") is None


def test_a_run_waits_for_the_worker_it_needs(participation):  # noqa: F811
    b = benchmark(participation, accepts_code=True, inputs=file(INPUTS), resource_class="gpu")
    submission = submit(participation, program(), "c.zip", "code")
    run = submission.runs.get()
    assert queue.claim("cpu", workers.runnable_kinds(), "w") is None, "another queue"
    assert queue.claim("gpu", ["predictions", "onnx"], "w") is None, "no sandbox there"
    wait = queue.expected_wait(run)
    assert (wait.ahead, wait.seconds) == (0, None), "nobody who could"
    workers.tell("gpu@host", ["gpu"], 2, timezone.now())
    assert queue.expected_wait(run).seconds == 0
    assert b.resource_class == run.resource_class == "gpu"
    assert queue.claim("gpu", workers.runnable_kinds(), "w").pk == run.pk


def test_the_wait_is_what_runs_took(participation, other):  # noqa: F811
    benchmark(participation)
    workers.tell("w@host", ["cpu"], 2, timezone.now())
    for n, submission in enumerate(send(participation, 3)):
        score(submission)
        submission.runs.update(duration_s=10 + 2 * n, finished_at=timezone.now())
    waiting = send(participation, 8, start=50)
    last = waiting[-1].runs.get()
    assert (queue.expected_wait(last).ahead, queue.expected_wait(last).seconds) == (7, 36)
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert queue.expected_wait(last).seconds is None, "the worker is silent"
    assert queue.expected_wait(score(waiting[0])) is None


# --- Ending a run ------------------------------------------------------------------------------


def test_an_organizer_cancels_a_run_and_the_quota_is_given_back(participation):  # noqa: F811
    benchmark(participation)
    submission = submit(participation, GOOD)
    run, by = submission.runs.get(), make_user()
    with pytest.raises(Refused):
        runs.cancel(run, by, " ")
    runs.cancel(run, by, "wrong file of ours")
    runs.cancel(run, by, "again")
    run.refresh_from_db()
    submission.refresh_from_db()
    assert (run.status, submission.status) == ("cancelled", SubmissionStatus.FAILED)
    assert quota(participation).used_total == 0
    assert runs.rescore(participation.round, by) == 1
    assert score(submission).attempt == 2
    assert submission.status == SubmissionStatus.SCORED


def test_a_run_that_is_cancelled_while_it_runs_stops(participation, monkeypatch):  # noqa: F811
    """The program would run for minutes; it ends within seconds and its result is dropped."""
    from django.conf import settings

    monkeypatch.setattr(settings, "RUN_HEARTBEAT_S", 0.2)
    benchmark(participation, accepts_code=True, inputs=file(INPUTS), wall_seconds=120)
    submission = submit(participation, program("import time; time.sleep(100)"), "c.zip", "code")
    run = submission.runs.get()
    scored = runs.score_submission

    def cancelled_meanwhile(*args):
        ScoringRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
        return scored(*args)

    monkeypatch.setattr(runs, "score_submission", cancelled_meanwhile)
    started = timezone.now()
    # The heartbeat reads what this test has not committed only where both share a connection.
    monkeypatch.setattr(heartbeat.threading, "Thread", SameConnection)
    assert runs.run(run.pk) == RunStatus.CANCELLED
    assert (timezone.now() - started).total_seconds() < 20
    run.refresh_from_db()
    assert run.public_score is None


class SameConnection:
    """A thread that beats once, in the test's own thread, before anything runs."""

    def __init__(self, target, daemon):
        self.target = target

    def start(self):
        import types

        closure = dict(
            zip(
                self.target.__code__.co_freevars,
                (cell.cell_contents for cell in self.target.__closure__),
                strict=True,
            )
        )
        closure["over"].set()
        assert isinstance(self.target, types.FunctionType)

    def join(self):
        pass


def test_a_withdrawn_submission_is_not_scored(participation, captain):  # noqa: F811
    benchmark(participation)
    submission = submit(participation, GOOD)
    withdraw_submission(submission, captain)
    assert submission.runs.get().status == RunStatus.CANCELLED
    assert runs.run_next("cpu") is None


def test_no_run_outlives_its_time(participation):  # noqa: F811
    """Alive or not, beyond what its benchmark allows a run is given up."""
    b = benchmark(participation, wall_seconds=10)
    run = queue.take(submit(participation, GOOD).runs.get().pk, "w")
    assert run.deadline_at - run.started_at == timedelta(seconds=b.longest_run_s)
    assert b.longest_run_s == 10 + 3 * 120 + 120
    assert runs.sweep()["lost"] == 0
    ScoringRun.objects.update(deadline_at=timezone.now())
    assert runs.sweep()["lost"] == 1
    run.refresh_from_db()
    assert (run.status, run.cause) == ("failed", "infrastructure")
    assert run.submission.runs.get(attempt=2).status == RunStatus.QUEUED


def test_a_submission_that_kills_its_workers_is_at_fault(participation):  # noqa: F811
    benchmark(participation)
    submission = submit(participation, GOOD)
    for n in range(runs.LOST_AT_MOST):
        ScoringRun.objects.update(not_before=None)
        run = queue.take(submission.runs.get(status=RunStatus.QUEUED).pk, "w")
        ScoringRun.objects.filter(pk=run.pk).update(
            heartbeat_at=timezone.now() - timedelta(minutes=2)
        )
        assert runs.sweep()["lost"] == 1, n
    submission.refresh_from_db()
    last = submission.runs.order_by("-attempt").first()
    assert (last.error_code, last.cause, submission.status) == (
        "worker_lost", "submission", SubmissionStatus.INVALID,
    )  # fmt: skip
    assert last.duration_s is None
    assert quota(participation).used_total == 1


def test_a_worker_gives_back_what_it_must_not_run(participation, monkeypatch):  # noqa: F811
    from judging.sandbox import SandboxUnavailable

    def refuse(*args):
        raise SandboxUnavailable("none here")

    benchmark(participation)
    submission = submit(participation, GOOD)
    monkeypatch.setattr(runs, "score_submission", refuse)
    assert runs.run_next("cpu") == RunStatus.QUEUED
    run = submission.runs.get()
    assert (run.attempt, run.started_at) == (1, None)
    assert run.not_before > timezone.now(), "others first"


def test_a_run_that_no_living_worker_can_do_is_given_up_as_well(participation):  # noqa: F811
    benchmark(participation, accepts_code=True, inputs=file(INPUTS))
    submission = submit(participation, program(), "c.zip", "code")
    workers.tell("w@host", ["cpu"], 2, timezone.now())
    Worker.objects.update(kinds=["predictions", "onnx"])
    assert queue.expected_wait(submission.runs.get()).seconds is None
    ScoringRun.objects.update(queued_at=timezone.now() - timedelta(hours=25))
    assert runs.sweep()["hopeless"] == 1


def test_a_run_nobody_could_take_is_given_up_after_a_day(participation):  # noqa: F811
    benchmark(participation, resource_class="gpu")
    submission = submit(participation, GOOD)
    ScoringRun.objects.update(queued_at=timezone.now() - timedelta(hours=25))
    assert runs.sweep()["hopeless"] == 1
    submission.refresh_from_db()
    assert (submission.runs.get().status, submission.status) == ("cancelled", "failed")


# --- A version on trial ------------------------------------------------------------------------


SWAPPED = b"id,label\n" + b"".join(f"r{n},{(n + 1) % 3}\n".encode() for n in range(30))


def test_a_version_is_tried_and_then_put_in_force(participation, other):  # noqa: F811
    by = make_user()
    old = benchmark(participation)
    good, worse = submit(participation, GOOD), submit(other, SWAPPED)
    for submission in (good, worse):
        score(submission)
    new = define_benchmark(participation.round, by, reference=file(SWAPPED))
    cost = rescoring.cost(new)
    assert (cost.runs, cost.teams, cost.seconds) == (2, 2, None)
    workers.tell("w@host", ["cpu"], 2, timezone.now())
    assert rescoring.cost(new).seconds is not None
    with pytest.raises(Refused, match="2"):
        rescoring.adopt(new, by, "the labels were shifted")
    assert rescoring.start(new, by) == 2
    assert (rescoring.progress(new).percent, rescoring.progress(new).waiting) == (0, 2)
    score(good)
    assert (rescoring.progress(new).percent, rescoring.progress(new).scored) == (50, 1)
    late = submit(participation, b"broken", "late.csv")
    assert late.runs.count() == 2, "what comes meanwhile is scored by both"
    while runs.run_next("cpu"):
        pass
    state = rescoring.progress(new)
    assert (state.total, state.scored, state.faults, state.is_complete) == (3, 2, 1, True)

    from judging.services.metric_results import counted_results

    assert counted_results(participation.round, "private")[participation.pk].value == 1.0
    with pytest.raises(Refused):
        rescoring.adopt(new, by, "")
    rescoring.adopt(new, by, "the labels were shifted")
    rescoring.adopt(new, by, "pressed twice")
    assert counted_results(participation.round, "private")[participation.pk].value == 0.0
    assert counted_results(participation.round, "private")[other.pk].value == 1.0
    old.refresh_from_db()
    assert (old.status, old.runs.filter(status="succeeded").count()) == ("retired", 2)
    late.refresh_from_db()
    assert late.status == SubmissionStatus.INVALID
    # The old one again: what shows beside a submission is of the version in force.
    rescoring.try_again(old, by)
    rescoring.start(old, by)
    while runs.run_next("cpu"):
        pass
    rescoring.adopt(old, by, "they were right after all")
    assert good.runs.all().shown().first().benchmark == old


def test_a_version_is_dropped_and_leaves_everything_as_it_was(participation):  # noqa: F811
    by = make_user()
    old = benchmark(participation)
    submission = submit(participation, GOOD)
    score(submission)
    new = define_benchmark(participation.round, by, metric="f1_macro")
    rescoring.start(new, by)
    with pytest.raises(ValidationError):
        define_benchmark(participation.round, by, metric="recall_macro")
    rescoring.drop(new, by)
    assert new.runs.get().status == RunStatus.CANCELLED
    old.refresh_from_db()
    submission.refresh_from_db()
    assert (old.status, submission.status) == ("current", SubmissionStatus.SCORED)
    third = define_benchmark(participation.round, by, metric="recall_macro")
    assert third.version == 3
    rescoring.drop(third, by)
    new.refresh_from_db()
    rescoring.try_again(new, by)
    assert rescoring.start(new, by) == 1
    assert Benchmark.objects.filter(status="current").get() == old


def test_a_candidate_that_nothing_was_scored_by_is_changed_in_place(participation):  # noqa: F811
    benchmark(participation)
    score(submit(participation, GOOD))
    new = define_benchmark(participation.round, make_user(), metric="f1_macro")
    again = define_benchmark(participation.round, make_user(), metric="recall_macro")
    assert (again.pk, again.version, again.status) == (new.pk, 2, "candidate")


def test_a_worker_is_listed_with_its_kinds_in_words(db):
    worker = workers.tell("w@host", ["celery", "cpu", "large"], 2, timezone.now())
    with translation.override("zh-hans"):
        assert [str(label) for label in worker.resource_class_labels] == ["普通", "大内存"]
