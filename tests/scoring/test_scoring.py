"""From a file a team sends to the score it sees, and every way in which that goes wrong."""

import io
import zipfile
from datetime import timedelta

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import timezone, translation
from sklearn import metrics as sk
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression

from contest.services.submissions import receive
from contest.states import SubmissionStatus
from judging import faults
from judging.metrics import METRICS, public_mask
from judging.models import ScoringRun
from judging.sandbox import bubblewrap
from judging.services import queue, rescoring
from judging.services import runs as scoring
from judging.services.benchmarks import define_benchmark, load_hidden, sample_submission
from judging.services.metric_results import counted_results
from judging.states import RunStatus
from tests.factories import make_participation, make_round, make_team, make_user

REFERENCE = b"id,label\n" + b"".join(f"r{n},{n % 3}\n".encode() for n in range(30))
RIGHT = {f"r{n}": str(n % 3) for n in range(30)}


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr(scoring, "wake", lambda *args, **kwargs: None)


@pytest.fixture
def captain(db):
    return make_user()


@pytest.fixture
def participation(captain):
    round = make_round(quota_per_day=100, quota_total=100)
    return make_participation(round, make_team(round.track, captain))


def file(content: bytes, name="a.csv"):
    return ContentFile(content, name=name)


def benchmark(participation, **fields):
    fields = {"metric": "accuracy", "public_percent": 50, **fields}
    fields.setdefault("reference", file(REFERENCE))
    return define_benchmark(participation.round, make_user(), **fields)


def csv(rows: dict, header="id,label") -> bytes:
    return (header + "\n" + "".join(f"{k},{v}\n" for k, v in rows.items())).encode()


def submit(participation, content, name="a.csv", kind="predictions"):
    submission, _ = receive(
        participation=participation,
        file=file(content, name),
        kind=kind,
        by=participation.team.memberships.get().user,
        client_key=str(timezone.now().timestamp()) + name,
    )
    return submission


def score(submission) -> ScoringRun:
    run = submission.runs.get(status=RunStatus.QUEUED)
    scoring.run(run.pk)
    run.refresh_from_db()
    submission.refresh_from_db()
    return run


def test_a_good_file_is_scored_as_scikit_learn_scores_it(participation):
    b = benchmark(participation, extra_metrics=["f1_macro"])
    answer = {**RIGHT, "r0": "1", "r7": "2", "r8": "0"}
    submission = submit(participation, csv(answer))
    run = score(submission)
    assert (run.status, submission.status) == (RunStatus.SUCCEEDED, SubmissionStatus.SCORED)
    hidden = load_hidden(b)
    given = np.array([answer[key] for key in hidden.ids])
    for part, rows in (("public", hidden.public), ("private", ~hidden.public)):
        truth, mine = hidden.truth[rows], given[rows]
        assert run.metrics[part]["accuracy"] == sk.accuracy_score(truth, mine)
        assert run.metrics[part]["f1_macro"] == sk.f1_score(truth, mine, average="macro")
    assert run.public_score == run.metrics["public"]["accuracy"]
    assert run.provenance["submission"] == submission.sha256


GOOD = csv(RIGHT)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbf" + GOOD, "bom.csv"),
        (GOOD.replace(b"\n", b"\r\n"), "crlf.csv"),
        (b"\n".join([b"label,id"] + [f"{v},{k}".encode() for k, v in RIGHT.items()]), "swap.csv"),
        (csv({k: f"{v}.0" for k, v in RIGHT.items()}), "floats.csv"),
        (GOOD + b"\n\n", "blank-lines.csv"),
    ],
)
def test_harmless_differences_are_accepted(participation, content, name):
    benchmark(participation)
    run = score(submit(participation, content, name))
    assert run.metrics["public"] == {"accuracy": 1.0}


def without(key):
    return csv({k: v for k, v in RIGHT.items() if k != key})


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", GOOD)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"\n \n", "empty_file", ["a.csv", "empty"]),
        (b"\xef\xbb\xbf", "empty_file", ["a.csv"]),
        (b"id,label\n", "empty_file", ["a.csv", "header"]),
        (csv(RIGHT, "id,klass"), "wrong_columns", ["row 1", "id, label", "id, klass"]),
        (b"id,label,label\n1,2,3\n", "duplicate_column", ["row 1", "“label”"]),
        (GOOD + b"r5\n", "wrong_cells", ["row 32", "expected 2 cells, found 1"]),
        (without("r4"), "missing_ids", ["“id”", "1 ids", "r4"]),
        (GOOD + b"r4,1\n", "duplicate_id", ["row 32", "“id”", "“r4”", "row 6"]),
        (GOOD + b"r99,1\n", "unknown_id", ["row 32", "“id”", "“r99”"]),
        (csv({**RIGHT, "r2": "nan"}), "not_finite", ["row 4", "“label”", "“nan”"]),
        (csv({**RIGHT, "r2": "inf"}), "not_finite", ["row 4", "“label”", "“inf”"]),
        (csv({**RIGHT, "r2": ""}), "blank", ["row 4", "“label”"]),
        (csv({**RIGHT, "r2": "cat"}), "unknown_class", ["row 4", "“cat”", "0, 1, 2"]),
        (csv({**RIGHT, "r2": "中"}).decode().encode("gbk"), "not_utf8_gbk", ["row 4", "GBK"]),
        (GOOD + b"\xff\xff,1", "not_utf8", ["row 32", "UTF-8"]),
        (b"id,label\x00\x01\xff\n", "binary", ["row 1"]),
        (zipped(), "looks_like_zip", ["a.csv", "zip archive"]),
        (csv({**RIGHT, **{f"x{n}": 1 for n in range(200)}}), "too_many_rows", ["30 rows"]),
    ],
)
def test_each_fault_names_file_row_column_and_what_was_expected(participation, content, code, told):
    benchmark(participation)
    submission = submit(participation, content)
    run = score(submission)
    assert (run.status, run.cause, run.error_code) == ("failed", "submission", code)
    assert submission.status == SubmissionStatus.INVALID
    with translation.override("en"):
        text = faults.message(run.error_code, run.error_params)
    assert "a.csv" in text
    for piece in told:
        assert piece in text


def test_probabilities(participation):
    reference = b"id,label\n" + b"".join(f"r{n},{n % 2}\n".encode() for n in range(20))
    b = benchmark(participation, metric="roc_auc", extra_metrics=["log_loss", "accuracy"],
                  reference=file(reference))  # fmt: skip
    chances = {f"r{n}": ((n * 7) % 10) / 10 for n in range(20)}
    rows = {k: f"{1 - p:.1f},{p:.1f}" for k, p in chances.items()}
    run = score(submit(participation, csv(rows, "id,p_0,p_1")))
    hidden = load_hidden(b)
    p = np.array([chances[key] for key in hidden.ids])[hidden.public]
    truth = (hidden.truth == "1")[hidden.public]
    assert run.metrics["public"]["roc_auc"] == sk.roc_auc_score(truth, p)
    assert run.metrics["public"]["accuracy"] == sk.accuracy_score(truth, p > 0.5)
    for value, code in (("0.9,0.9", "bad_sum"), ("-1,2", "bad_probability"),
                        ("x,1", "not_number"), ("nan,1", "not_finite")):  # fmt: skip
        run = score(submit(participation, csv({**rows, "r3": value}, "id,p_0,p_1"), f"{code}.csv"))
        assert run.error_code == code
        assert run.error_params["row"] == 5


def test_numbers(participation):
    reference = b"id,y\n" + b"".join(f"r{n},{n / 4}\n".encode() for n in range(20))
    b = benchmark(participation, metric="rmse", target_column="y", reference=file(reference))
    rows = {f"r{n}": n / 4 + (n % 3) for n in range(20)}
    run = score(submit(participation, csv(rows, "id,y")))
    hidden = load_hidden(b)
    given = np.array([rows[key] for key in hidden.ids])
    wanted = np.sqrt(np.mean((given - hidden.truth)[hidden.public] ** 2))
    assert run.public_score == pytest.approx(wanted, abs=1e-12)
    run = score(submit(participation, csv({**rows, "r3": "1,5"}, "id,y"), "comma.csv"))
    assert run.error_code == "wrong_cells"


@pytest.fixture
def wine(participation):
    """A real task: wine, with a model that was really trained, and its inputs."""
    data = load_wine()
    ids = [f"w{n}" for n in range(len(data.target))]
    reference = csv(dict(zip(ids, data.target, strict=True)))
    features = [f"x{n}" for n in range(data.data.shape[1])]
    lines = [",".join(["id", *features])]
    lines += [",".join([k, *map(repr, map(float, x))]) for k, x in zip(ids, data.data, strict=True)]
    b = benchmark(participation, reference=file(reference), accepts_onnx=True, wall_seconds=30,
                  inputs=file("\n".join(lines).encode(), "inputs.csv"))  # fmt: skip
    model = LogisticRegression(max_iter=200, C=0.01).fit(data.data[::2], data.target[::2])
    return b, model, data


def to_onnx(model, data, **options) -> bytes:
    from skl2onnx import to_onnx as convert

    return convert(model, data.data[:1].astype(np.float32), options=options).SerializeToString()


@pytest.mark.parametrize("options", [{"zipmap": False}, {}])
def test_an_onnx_model_is_run_and_scored(participation, wine, options):
    b, model, data = wine
    run = score(submit(participation, to_onnx(model, data, **options), "m.onnx", "onnx"))
    assert run.error_code == ""
    hidden = load_hidden(b)
    order = [int(key[1:]) for key in hidden.ids]
    mine = model.predict(data.data[order].astype(np.float32)).astype(str)
    rows = hidden.public
    assert run.public_score == pytest.approx(sk.accuracy_score(hidden.truth[rows], mine[rows]))
    assert run.peak_memory_mb > 10
    assert run.provenance["sandbox"].startswith("bubblewrap")


def test_a_corrupt_model_gets_its_error(participation, wine):
    _b, model, data = wine
    good = to_onnx(model, data)
    for content in (b"not a model", good[: len(good) // 2], b"\x80\x04pickle"):
        run = score(submit(participation, content, "m.onnx", "onnx"))
        assert run.error_code == "corrupt_onnx"
        with translation.override("en"):
            assert "m.onnx" in faults.message(run.error_code, run.error_params)


def test_a_model_with_other_inputs_gets_its_error(participation, wine):
    _b, _model, data = wine
    from skl2onnx import to_onnx as convert

    small = LogisticRegression().fit(data.data[:, :4], data.target)
    content = convert(small, data.data[:1, :4].astype(np.float32)).SerializeToString()
    run = score(submit(participation, content, "m.onnx", "onnx"))
    assert run.error_code == "onnx_inputs"
    assert run.error_params["features"] == 13


def endless_model(data) -> bytes:
    """A loop that never ends, in ONNX."""
    import onnx
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]),
         helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("v", TensorProto.FLOAT, [None, 13])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("w", TensorProto.FLOAT, [None, 13])],
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["n"], value=helper.make_tensor(
            "n", TensorProto.INT64, [], [2**62])),
         helper.make_node("Constant", [], ["t"], value=helper.make_tensor(
             "t", TensorProto.BOOL, [], [True])),
         helper.make_node("Loop", ["n", "t", "x"], ["y"], body=body)],
        "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 13])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 13])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize("sandboxed", [True, False])
def test_an_endless_model_is_stopped(participation, wine, monkeypatch, sandboxed):
    b, _model, data = wine
    if not sandboxed:
        monkeypatch.setattr(
            bubblewrap, "confinement", lambda: bubblewrap.Confinement(None, problem="a test")
        )
    type(b).objects.filter(pk=b.pk).update(wall_seconds=2)
    run = score(submit(participation, endless_model(data), "m.onnx", "onnx"))
    assert run.error_code == "timeout"
    assert run.duration_s < 15


def test_queueing_twice_makes_one_run(participation):
    benchmark(participation)
    submission = submit(participation, GOOD)
    assert scoring.enqueue(submission) is None
    run = submission.runs.get()
    assert scoring.run(run.pk) == RunStatus.SUCCEEDED
    assert scoring.run(run.pk) is None
    assert scoring.enqueue(submission) is None
    assert submission.runs.count() == 1


def test_the_platforms_fault_is_tried_again_and_gives_the_quota_back(participation, monkeypatch):
    benchmark(participation)
    submission = submit(participation, GOOD)
    monkeypatch.setattr(scoring, "score_submission", lambda *args, **kwargs: 1 / 0)
    for attempt in range(1, scoring.MAX_ATTEMPTS + 1):
        run = submission.runs.get(status=RunStatus.QUEUED)
        assert run.attempt == attempt
        ScoringRun.objects.filter(pk=run.pk).update(not_before=None)
        assert scoring.run(run.pk) == RunStatus.FAILED
        run.refresh_from_db()
        assert run.cause == ScoringRun.Cause.INFRASTRUCTURE
    submission.refresh_from_db()
    assert submission.status == SubmissionStatus.FAILED
    assert not submission.runs.filter(status=RunStatus.QUEUED).exists()


def test_a_lost_run_is_found_and_its_late_result_dropped(participation, monkeypatch):
    benchmark(participation)
    submission = submit(participation, GOOD)
    first = submission.runs.get()
    claimed = queue.take(first.pk, "a worker")
    ScoringRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert scoring.sweep()["lost"] == 1
    second = submission.runs.get(status=RunStatus.QUEUED)
    ScoringRun.objects.filter(pk=second.pk).update(not_before=None)
    assert scoring.run(second.pk) == RunStatus.SUCCEEDED
    assert scoring._finish(claimed, RunStatus.SUCCEEDED, 0.0) is False
    assert submission.runs.filter(status=RunStatus.SUCCEEDED).count() == 1


def test_a_run_nobody_woke_for_is_woken(participation, monkeypatch):
    benchmark(participation)
    submission = submit(participation, GOOD)
    woken = []
    monkeypatch.setattr(scoring, "wake", lambda name, **how: woken.append((name, how)))
    assert scoring.sweep()["woken"] == 0
    ScoringRun.objects.update(queued_at=timezone.now() - timedelta(seconds=31))
    assert scoring.sweep()["woken"] == 1
    assert woken == [("cpu", {"chain": True})], "from then on it goes from run to run"
    assert scoring.run_next("cpu") == RunStatus.SUCCEEDED
    assert submission.runs.get().status == RunStatus.SUCCEEDED


def test_the_best_public_score_counts_whatever_the_private_one(participation):
    benchmark(participation)
    hidden = load_hidden(participation.round.benchmarks.get())
    public = {k for k, p in zip(hidden.ids, hidden.public, strict=True) if p}
    wrong = {k: str((int(v) + 1) % 3) for k, v in RIGHT.items()}
    overfit = {k: (v if k in public else wrong[k]) for k, v in RIGHT.items()}
    honest = {k: (wrong[k] if k in public else v) for k, v in RIGHT.items()}
    # The third answers like the second, in another order of rows: as good, and later.
    reordered = dict(reversed(overfit.items()))
    for n, answer in enumerate((honest, overfit, reordered)):
        score(submit(participation, csv(answer), f"{n}.csv"))
    result = counted_results(participation.round, "private")[participation.pk]
    assert (result.public, result.private, result.value) == (1.0, 0.0, 0.0)
    assert result.submission_id == participation.submissions.get(number=2).pk
    first = participation.submissions.get(number=2).received_at
    early = counted_results(participation.round, "public", before=first)
    assert early[participation.pk].value == 0.0


def test_a_change_after_scoring_makes_a_version_and_rescoring_keeps_the_old(participation):
    old = benchmark(participation)
    submission = submit(participation, GOOD)
    score(submission)
    swapped = csv({k: str((int(v) + 1) % 3) for k, v in RIGHT.items()})
    new = define_benchmark(participation.round, make_user(), reference=file(swapped))
    assert (old.version, new.version) == (1, 2)
    assert not submission.runs.filter(benchmark=new).exists(), "tried only when it is asked for"
    assert rescoring.start(new, make_user()) == 1
    assert rescoring.start(new, make_user()) == 0, "it is on its way already"
    score(submission)
    again = define_benchmark(participation.round, make_user(), reference=file(swapped))
    assert again == new, "what changes nothing makes no version"
    assert [r.public_score for r in submission.runs.order_by("benchmark__version")] == [1.0, 0.0]


def test_a_change_before_scoring_changes_it_in_place(participation):
    old = benchmark(participation)
    new = define_benchmark(participation.round, make_user(), metric="f1_macro")
    assert (new.pk, new.version, new.metric) == (old.pk, 1, "f1_macro")
    assert new.reference_sha256 == old.reference_sha256


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"reference": None}, "reference", "hidden reference"),
        ({"reference": file(b"id,label\n1,a\n1,b\n")}, "reference", "row 3"),
        ({"reference": file(b"id,label\n1,a\n")}, "reference", "2 to 1000"),
        ({"metric": "rmse", "reference": file(b"id,label\n1,a\n")}, "reference", "row 2"),
        ({"extra_metrics": ["rmse"]}, "extra_metrics", "rmse"),
        ({"accepts_onnx": True}, "inputs", "hidden inputs"),
        ({"inputs": file(b"id,x\nr0,1\n")}, "inputs", "29 ids are missing"),
        ({"accepts_predictions": False}, "accepts_predictions", "models"),
    ],
)
def test_an_organizers_mistake_is_told(participation, fields, field, told):
    with translation.override("en"):
        with pytest.raises(ValidationError) as caught:
            benchmark(participation, **fields)
        assert told in " ".join(caught.value.message_dict[field])
    assert not participation.round.benchmarks.exists()


def test_the_sample_can_be_sent_and_tells_nothing(participation):
    b = benchmark(participation)
    sample, _name = sample_submission(b)
    assert set(sample.decode().split("\n")[1:-1]) == {f"{key},0" for key in RIGHT}
    assert score(submit(participation, sample)).status == RunStatus.SUCCEEDED


def test_the_split_is_the_same_for_the_same_seed_and_keeps_shares():
    truth = np.array(["a"] * 60 + ["b"] * 40)
    mask = public_mask(truth, 30, 7, stratify=True)
    assert (mask == public_mask(truth, 30, 7, stratify=True)).all()
    assert not (mask == public_mask(truth, 30, 8, stratify=True)).all()
    assert ((truth == "a") & mask).sum() == 18
    assert public_mask(truth, 100, 7, stratify=True).all()
    assert 0 < public_mask(np.array(["a", "b"]), 1, 7, stratify=True).sum() < 2


def test_every_metric_knows_its_perfect_score():
    numbers = np.array([1.0, 2.0, 3.0, 4.0])
    truth, two = np.array(list("0101260123456")), np.array(list("01001"))
    unbounded = {"positive_likelihood_ratio", "negative_likelihood_ratio", "mutual_info"}
    of_two = {"f1", "precision", "recall", "jaccard"}
    for metric in METRICS.values():
        if metric.name in unbounded:
            continue
        labels = two if metric.name in of_two else truth
        classes = sorted(set(labels))
        if metric.needs in ("labels", "text"):
            value = metric.compute(labels, labels, classes)
        elif metric.needs == "probabilities":
            perfect = np.array([[t == c for c in classes] for t in labels], dtype=float)
            value = metric.compute(labels, perfect, classes)
        else:
            value = metric.compute(numbers, numbers, [])
        assert value == pytest.approx(metric.best, abs=1e-6), metric.name
