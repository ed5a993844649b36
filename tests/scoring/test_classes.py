"""Classes whose names are numbers, and files whose shape is hostile."""

import time

import numpy as np
import pytest
from sklearn import metrics as sk

from contest.errors import Refused
from contest.services.submissions import receive
from judging.metrics import class_name, compute
from judging.models import ScoringRun
from judging.services import runs as scoring
from judging.services.benchmarks import define_benchmark, sample_submission
from judging.states import RunStatus
from tests.factories import make_participation, make_round, make_team, make_user, set_status
from tests.scoring.test_scoring import (  # noqa: F401
    _no_broker,
    benchmark,
    captain,
    file,
    participation,
    score,
    submit,
)


@pytest.mark.parametrize("names", [[str(n) for n in range(12)], ["2", "10"]])
def test_probabilities_belong_to_their_class_whatever_the_order_of_text(names):
    random = np.random.default_rng(7)
    numbers = np.array([int(name) for name in names])
    truth = random.choice(numbers, 400)
    truth[: len(numbers)] = numbers
    predicted = random.dirichlet(np.ones(len(names)), 400)
    predicted[np.arange(400), np.searchsorted(numbers, truth)] += 2
    predicted /= predicted.sum(axis=1, keepdims=True)
    text = truth.astype(str)
    assert compute("log_loss", "probabilities", text, predicted, names) == pytest.approx(
        sk.log_loss(truth, predicted, labels=numbers)
    )
    wanted = (
        sk.roc_auc_score(truth == numbers[1], predicted[:, 1])
        if len(names) == 2
        else sk.roc_auc_score(truth, predicted, multi_class="ovr", labels=numbers)
    )
    assert compute("roc_auc", "probabilities", text, predicted, names) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("written", "name"), [("3", "3"), ("3.0", "3"), ("-1.0", "-1"), ("v1.0", "v1.0"), (3.0, "3")]
)
def test_the_name_of_a_class(written, name):
    assert class_name(written) == name


@pytest.mark.parametrize(("reference", "sent"), [("{}.0", "{}"), ("{}", "{}.0"), ("{}", "{}")])
def test_three_and_three_point_nought_are_one_class(participation, reference, sent):  # noqa: F811
    def table(form):
        rows = "".join(f"r{n},{form.format(n % 2)}\n" for n in range(20))
        return f"id,label\n{rows}".encode()

    benchmark(participation, reference=file(table(reference)))
    assert score(submit(participation, table(sent))).public_score == 1.0


def test_a_header_of_many_columns_takes_no_time(participation):  # noqa: F811
    benchmark(participation)
    wide = ("id," + ",".join(f"c{n}" for n in range(100_000)) + "\n").encode()
    start = time.process_time()
    run = score(submit(participation, wide))
    assert run.error_code == "too_many_columns"
    assert time.process_time() - start < 5, "linear, not quadratic: 100 s before"


def test_the_sample_follows_a_benchmark_that_changes_in_place(participation):  # noqa: F811
    two = b"id,label\n" + b"".join(b"r%d,%d\n" % (n, n % 2) for n in range(30))
    first = benchmark(participation, metric="rmse", reference=file(two))
    assert b"r0,0" in sample_submission(first)[0]
    second = define_benchmark(participation.round, make_user(), metric="accuracy")
    assert second.pk == first.pk
    assert b"r0,0" in sample_submission(second)[0]


# --- What a round takes ------------------------------------------------------------------------


def refused(code, participation, kind):  # noqa: F811
    with pytest.raises(Refused) as caught:
        receive(
            participation=participation, file=file(b"x"), kind=kind,
            by=participation.team.memberships.get().user, client_key=kind,
        )  # fmt: skip
    assert caught.value.code == code
    assert not participation.submissions.exists()


def test_a_kind_that_the_benchmark_does_not_take_is_refused_by_every_way_in(participation):  # noqa: F811
    benchmark(participation)
    refused("wrong_kind", participation, "onnx")


def test_what_was_sent_before_the_benchmark_was_defined_gets_its_fault(participation):  # noqa: F811
    submission = submit(participation, b"x", kind="onnx")
    benchmark(participation)
    run = score(submission)
    assert (run.status, run.error_code) == (RunStatus.FAILED, "kind_not_accepted")
    assert run.cause == "submission"


@pytest.mark.django_db
def test_a_roadshow_and_an_event_that_is_not_public_take_no_files():
    captain = make_user()  # noqa: F811
    round = make_round(format="roadshow")
    stage = make_participation(round, make_team(round.track, captain))
    refused("round_not_open", stage, "predictions")
    draft = make_round()
    other = make_participation(draft, make_team(draft.track, make_user()))
    set_status(draft.event, "draft")
    other.refresh_from_db()
    refused("round_not_open", other, "predictions")


def test_a_submission_that_nobody_queued_is_found(participation, monkeypatch):  # noqa: F811
    """Its transaction and that which defined the benchmark did not see each other."""
    submission = submit(participation, b"id,label\nr0,0\n")
    defined = benchmark(participation)
    ScoringRun.objects.filter(submission=submission).delete()
    assert scoring.sweep()["forgotten"] == 0, "not at once: it may be on its way"
    monkeypatch.setattr(scoring, "WAKE_AGAIN_AFTER_S", -1)
    assert scoring.sweep()["forgotten"] == 1
    assert submission.runs.get().benchmark == defined


def test_a_decided_round_is_not_scored_again(participation):  # noqa: F811
    benchmark(participation)
    set_status(participation.round, "decided")
    with pytest.raises(Refused) as caught:
        benchmark(participation, metric="f1_macro")
    assert caught.value.code == "round_decided"
