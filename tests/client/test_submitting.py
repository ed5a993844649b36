"""Sending files and following them, over networks good and bad."""

import json
import re
import tracemalloc
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone
from wuzhen_client.api import Api
from wuzhen_client.errors import Problem, UsageProblem
from wuzhen_client.submitting import guess_kind

from contest.models import Submission
from judging.models import ScoringRun
from tests.client.conftest import make_member, score_all
from tests.client.network import Failing, Lossy, Recorder, Scripted
from tests.factories import make_participation, make_team, set_status
from tests.scoring.test_scoring import GOOD, scoring, submit

TO_ROUND = ("--event", "cup", "--round", "pre")


@pytest.fixture
def predictions(folder):
    path = folder / "mine.csv"
    path.write_bytes(GOOD)
    return path


def stored() -> Submission:
    return Submission.objects.get()


# --- Sending ---------------------------------------------------------------------------------


def test_a_file_is_sent_and_its_number_and_id_are_told(wuzhen, signed_in, contest, predictions):
    result = wuzhen("submit", predictions, *TO_ROUND, "--note", "first try")
    assert result.exit_code == 0, result.stderr
    submission = stored()
    assert f"submission 1 of AI-001: {submission.pk}" in result.stdout
    assert (submission.kind, submission.original_name) == ("predictions", "mine.csv")
    assert submission.note == "first try"
    assert submission.file.read() == GOOD
    assert submission.submitted_by == contest.captain
    data = json.loads(wuzhen("--json", "submit", predictions, *TO_ROUND).stdout)
    assert (data["number"], data["run"]["status"]) == (2, "queued")


def test_a_lost_answer_makes_one_submission(wuzhen, signed_in, contest, predictions):
    network, pauses = Lossy(losses=2), []
    result = wuzhen("submit", predictions, *TO_ROUND, transport=network, sleep=pauses.append)
    assert result.exit_code == 0, result.stderr
    assert len(network.uploads()) == 3
    assert pauses == [1.0, 2.0]
    assert stored().file.read() == GOOD


def test_a_failing_gateway_is_tried_again(wuzhen, signed_in, contest, predictions):
    network = Failing()
    result = wuzhen("submit", predictions, *TO_ROUND, transport=network)
    assert result.exit_code == 0, result.stderr
    assert len(network.uploads()) == 3
    assert stored().file.read() == GOOD, "the file is read from its start each time"


def test_what_may_have_arrived_can_be_repeated(wuzhen, signed_in, contest, predictions):
    result = wuzhen("submit", predictions, *TO_ROUND, transport=Lossy(losses=99))
    assert result.exit_code == 3
    key = stored().client_key
    assert f"--key {key}" in result.stderr
    contest.round.closes_at = timezone.now()
    contest.round.save()
    again = wuzhen("submit", predictions, *TO_ROUND, "--key", key)
    assert again.exit_code == 0, again.stderr
    assert str(stored().pk) in again.stdout


def test_a_refusal_is_not_repeated(wuzhen, signed_in, contest, predictions):
    network = Recorder()
    result = wuzhen("submit", predictions, *TO_ROUND, "--kind", "onnx", transport=network)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"Error: This round takes: predictions[^,]*\.\n", result.stderr)
    assert len(network.uploads()) == 1


def test_the_kind_is_guessed_but_not_against_the_name(wuzhen, signed_in, contest, folder):
    (folder / "answer.txt").write_bytes(GOOD)
    (folder / "model.onnx").write_bytes(b"x")
    network = Recorder()
    result = wuzhen("submit", "model.onnx", *TO_ROUND, transport=network)
    assert result.exit_code == 1
    assert "looks like model (ONNX); this round takes: predictions." in result.stderr
    assert network.uploads() == []
    assert wuzhen("submit", "answer.txt", *TO_ROUND).exit_code == 0
    type(contest.benchmark).objects.update(accepts_onnx=True)
    assert wuzhen("submit", "model.onnx", *TO_ROUND).exit_code == 0
    unclear = wuzhen("submit", "answer.txt", *TO_ROUND)
    assert unclear.exit_code == 2
    assert "--kind: predictions, onnx." in unclear.stderr
    kinds = Submission.objects.order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["predictions", "onnx"]
    unknown = wuzhen("submit", "answer.txt", *TO_ROUND, "--kind", "poem")
    assert unknown.exit_code == 1
    assert unknown.stderr.startswith("Error: kind: ")


@pytest.mark.parametrize(
    ("name", "accepted", "kind"),
    [
        ("a.CSV", ["predictions", "onnx", "code"], "predictions"),
        ("a.parquet", ["predictions"], "predictions"),
        ("a.zip", ["predictions", "onnx"], "predictions"),
        ("a.zip", ["onnx", "code"], "code"),
        ("a.tar.gz", ["predictions", "container"], "container"),
        ("model.onnx", [], "onnx"),
        ("a.zip", ["predictions", "code"], UsageProblem),
        ("a", ["predictions", "onnx"], UsageProblem),
        ("a.zip", [], UsageProblem),
        ("a.csv", ["onnx"], Problem),
        ("a.zip", ["onnx"], Problem),
    ],
)
def test_kinds_by_name_and_round(name, accepted, kind):
    if isinstance(kind, str):
        assert guess_kind(name, accepted) == kind
        return
    with pytest.raises(Problem) as caught:
        guess_kind(name, accepted)
    assert type(caught.value) is kind


def test_a_used_up_quota_is_told(wuzhen, signed_in, contest, predictions):
    contest.round.quota_per_day = 1
    contest.round.save()
    assert wuzhen("submit", predictions, *TO_ROUND).exit_code == 0
    result = wuzhen("submit", predictions, *TO_ROUND)
    assert result.exit_code == 1
    assert "All 1 submissions of today are used; the next day begins at" in result.stderr
    assert "(Asia/Shanghai)" in result.stderr


def test_a_file_that_is_too_large_is_not_sent(wuzhen, signed_in, contest, folder):
    (folder / "big.csv").write_bytes(b"x" * (1024 * 1024 + 1))
    network = Recorder()
    result = wuzhen("submit", "big.csv", *TO_ROUND, transport=network)
    assert result.exit_code == 1
    assert "“big.csv” has 1.01 MB; this round takes files up to 1 MB." in result.stderr
    assert network.uploads() == []


def test_a_closed_round_is_told_before_sending(wuzhen, signed_in, contest, predictions):
    contest.round.closes_at = timezone.now() - timedelta(minutes=1)
    contest.round.save()
    network = Recorder()
    result = wuzhen("submit", predictions, *TO_ROUND, transport=network)
    assert result.exit_code == 1
    assert "“Preliminary” takes no submissions now" in result.stderr
    assert "(Asia/Shanghai)" in result.stderr
    assert network.uploads() == []


def test_a_deadline_that_passes_meanwhile_is_told_by_the_server(
    wuzhen, signed_in, contest, predictions
):
    class Late(Recorder):
        def answer(self, request):
            if request in self.uploads():
                type(contest.round).objects.update(closes_at=timezone.now())
            return super().answer(request)

    result = wuzhen("submit", predictions, *TO_ROUND, transport=Late())
    assert result.exit_code == 1
    assert "“Preliminary” closed at" in result.stderr


def test_whose_team_it_is(wuzhen, signed_in, contest, predictions):
    make_participation(contest.round, make_team(contest.track, make_member(), code="AI-009"))
    other = wuzhen("submit", predictions, *TO_ROUND, "--team", "AI-009")
    assert other.exit_code == 1
    assert "not a team of yours in “Preliminary”; yours: AI-001" in other.stderr
    make_participation(contest.round, make_team(contest.track, contest.captain, code="AI-002"))
    unclear = wuzhen("submit", predictions, *TO_ROUND)
    assert unclear.exit_code == 1
    assert "--team: AI-001, AI-002" in unclear.stderr
    assert wuzhen("submit", predictions, *TO_ROUND, "--team", "ai-002").exit_code == 0
    assert stored().participation.team.code == "AI-002"
    contest.captain.memberships.all().delete()
    nobody = wuzhen("submit", predictions, *TO_ROUND)
    assert "None of your teams takes part" in nobody.stderr


def test_files_that_cannot_be_sent(wuzhen, signed_in, contest, folder):
    (folder / "empty.csv").touch()
    empty = wuzhen("submit", "empty.csv", *TO_ROUND)
    assert empty.exit_code == 1
    assert "empty.csv: the file is empty." in empty.stderr
    missing = wuzhen("submit", "missing.csv", *TO_ROUND)
    assert missing.exit_code == 1
    assert missing.stderr == "Error: There is no such file or folder: “missing.csv”.\n"
    assert "is not a file" in wuzhen("submit", folder, *TO_ROUND).stderr
    long = folder / "long.csv"
    long.write_bytes(GOOD)
    note = wuzhen("submit", long, *TO_ROUND, "--note", "x" * 301)
    assert note.exit_code == 1
    assert note.stderr.startswith("Error: note: ")


def test_a_name_in_chinese_arrives(wuzhen, signed_in, contest, folder):
    path = folder / '预测 "1".csv'
    path.write_bytes(GOOD)
    assert wuzhen("submit", path, *TO_ROUND).exit_code == 0
    assert stored().original_name.startswith("预测")


def test_a_large_file_is_read_piece_by_piece(folder):
    class Sink(httpx.BaseTransport):
        total = largest = 0

        def handle_request(self, request):
            assert int(request.headers["Content-Length"]) > 100 * 1024 * 1024
            for chunk in request.stream:
                self.total += len(chunk)
                self.largest = max(self.largest, len(chunk))
            return httpx.Response(201, json={"id": "x"})

    path = folder / "large.onnx"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    sink = Sink()
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            Api("http://127.0.0.1:9", transport=sink).upload(
                "submissions/", {"client_key": "k"}, file, "large.onnx"
            )
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sink.total > 100 * 1024 * 1024
    assert sink.largest <= 1024 * 1024
    assert peak < 10 * 1024 * 1024


# --- Following -------------------------------------------------------------------------------


class Workers:
    """Stands in for time passing: starts the run at the first pause, scores it at the second."""

    def __init__(self):
        self.pauses = []

    def __call__(self, seconds):
        self.pauses.append(seconds)
        if len(self.pauses) == 2:
            ScoringRun.objects.filter(status="queued").update(status="running")
        if len(self.pauses) == 4:
            ScoringRun.objects.filter(status="running").update(status="queued")
            score_all()


def test_watching_ends_with_the_score(wuzhen, signed_in, contest, predictions):
    wuzhen("submit", predictions, *TO_ROUND)
    result = wuzhen("status", stored().pk, "--watch", sleep=Workers())
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines() == ["queued", "running"]
    shown = " ".join(result.stdout.split())
    for told in ("AI-001 no. 1", "mine.csv (predictions, ", "Status scored", "Public score 1"):
        assert told in shown
    assert "Hidden score" not in shown
    run = ScoringRun.objects.get()
    assert (run.status, run.public_score) == ("succeeded", 1.0)


def test_submit_and_wait(wuzhen, signed_in, contest, predictions, folder):
    result = wuzhen("--json", "submit", predictions, *TO_ROUND, "--wait", sleep=Workers())
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    assert (data["status"], data["run"]["public_score"]) == ("scored", 1.0)
    (folder / "bad.csv").write_bytes(GOOD.replace(b"r2,2", b"r2,cat"))
    bad = wuzhen("submit", "bad.csv", *TO_ROUND, "--wait", sleep=Workers())
    assert bad.exit_code == 1
    shown = " ".join(bad.stdout.split())
    assert "Status invalid" in shown
    assert "bad.csv, row 4" in shown
    assert "Public score" not in shown


def test_watching_without_an_id_follows_the_newest(wuzhen, signed_in, contest):
    nothing = wuzhen("status", "--watch")
    assert nothing.exit_code == 1
    assert "not submitted anything yet" in nothing.stderr
    assert wuzhen("status").exit_code == 0
    submit(contest.participation, GOOD, "one.csv")
    newest = submit(contest.participation, GOOD, "two.csv")
    result = wuzhen("status", "--watch", "--json", sleep=Workers())
    assert json.loads(result.stdout)["id"] == str(newest.pk)


def test_watching_grows_patient_and_bears_an_absent_server(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)

    class Flaky(Recorder):
        def answer(self, request):
            if 6 <= len(self.seen) < 12:
                raise httpx.ConnectError("down for an update")
            return super().answer(request)

    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 20:
            score_all()

    result = wuzhen("status", submission.pk, "--watch", transport=Flaky(), sleep=sleep)
    assert result.exit_code == 0, result.stderr
    assert pauses[:5] == pytest.approx([1.0, 1.4, 1.96, 2.744, 3.8416])
    assert max(pauses) == 10.0

    gone = Scripted({"/submissions/": (503, {})})
    assert wuzhen("status", submission.pk, "--watch", transport=gone).exit_code == 3


def test_where_it_stands_in_the_queue_is_told_if_the_server_knows(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)

    class Knows(Recorder):
        def answer(self, request):
            response = super().answer(request)
            if f"/submissions/{submission.pk}/" not in request.url.path:
                return response
            response.read()
            data = response.json()
            data["run"] |= {"ahead": 3, "wait_seconds": 150.0}
            return httpx.Response(200, json=data)

    result = wuzhen("status", submission.pk, "--watch", transport=Knows(), sleep=Workers())
    assert result.stderr.splitlines()[0] == "queued · 3 ahead · about 2 min"


def test_status_lists_your_own_newest_first(wuzhen, signed_in, contest):
    for name in ("one.csv", "two.csv"):
        submit(contest.participation, GOOD, name)
    other = make_team(contest.track, make_member(), code="AI-009")
    submit(make_participation(contest.round, other), GOOD, "theirs.csv")
    score_all()
    type(contest.captain).objects.filter(pk=contest.captain.pk).update(is_staff=True)
    result = wuzhen("status")
    assert result.exit_code == 0, result.stderr
    assert "theirs.csv" not in result.stdout
    assert result.stdout.index("two.csv") < result.stdout.index("one.csv")
    (line,) = [line for line in result.stdout.splitlines() if "two.csv" in line]
    assert "pre AI-001 no. 2" in line
    assert "scored" in line
    assert "Times in Asia/Shanghai" in result.stdout
    names = [s["original_name"] for s in json.loads(wuzhen("--json", "status").stdout)]
    assert names == ["two.csv", "one.csv"]


def test_what_the_platform_failed_at_is_told(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)
    set_status(submission, "failed")
    ScoringRun.objects.update(status="failed", cause="infrastructure")
    result = wuzhen("status", submission.pk)
    assert result.exit_code == 1
    assert "does not count against the quota" in result.stdout


def test_a_rescoring_is_waited_for(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)
    set_status(submission, "scored")
    result = wuzhen("status", submission.pk, "--watch", sleep=Workers())
    assert result.stderr.splitlines()[0] == "queued"
    assert result.exit_code == 0
    assert ScoringRun.objects.get().status == "succeeded"


def test_ids_of_others_and_nonsense(wuzhen, signed_in, contest):
    other = make_participation(contest.round, make_team(contest.track, make_member()))
    theirs = submit(other, GOOD)
    for command in ("status", "log"):
        for wrong in (theirs.pk, uuid4()):
            result = wuzhen(command, wrong)
            assert result.exit_code == 1
            assert f"Your teams have no submission {wrong}." in result.stderr
        nonsense = wuzhen(command, "12")
        assert nonsense.exit_code == 2
        assert "SUBMISSION_ID" in nonsense.stderr


def test_ctrl_c_ends_quietly(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)

    def interrupt(seconds):
        raise KeyboardInterrupt

    result = wuzhen("status", submission.pk, "--watch", sleep=interrupt)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert result.stderr.split() == ["queued"]


# --- The log ---------------------------------------------------------------------------------


def test_the_log_is_printed_without_what_a_terminal_obeys(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)
    network = Scripted({"/log/": (200, {"log": "epoch 1\tok\n\x1b[31mred\x1b[0m\n"})})
    result = wuzhen("log", submission.pk, transport=network)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "epoch 1\tok\n�[31mred�[0m\n"
    run = submission.runs.get()
    assert network.seen[-1].url.path == f"/api/v1/runs/{run.pk}/log/"


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (403, {"detail": "The organizers keep this log."}, "Error: The organizers keep this log."),
        (404, {"detail": "Not found."}, "There is no log of this submission."),
        (200, {"log": ""}, "There is no log of this submission."),
        (503, {}, "HTTP 503"),
    ],
)
def test_a_log_that_cannot_be_had(wuzhen, signed_in, contest, status, answer, told):
    submission = submit(contest.participation, GOOD)
    network = Scripted({"/log/": (status, answer)})
    result = wuzhen("log", submission.pk, transport=network)
    assert result.exit_code == (3 if status == 503 else 1)
    assert told in result.stderr


def test_the_log_of_what_never_ran(wuzhen, signed_in, contest):
    submission = submit(contest.participation, GOOD)
    submission.runs.all().delete()
    result = wuzhen("log", submission.pk)
    assert result.exit_code == 1
    assert "has not been run yet" in result.stderr
    assert "received" in wuzhen("status", submission.pk).stdout


def test_scoring_as_the_workers_do_it(wuzhen, signed_in, contest, predictions):
    wuzhen("submit", predictions, *TO_ROUND)
    assert scoring.run(ScoringRun.objects.get().pk) == "succeeded"
    assert wuzhen("status", stored().pk).exit_code == 0
