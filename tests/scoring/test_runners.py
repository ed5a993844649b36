"""What teams may send beside a CSV: tables, models, code; and metrics of the organizers' own."""

import io
import json
import stat

import pandas as pd
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from sklearn import metrics as sk

from judging import faults
from judging.metrics import METRICS
from judging.runners import container
from judging.services import rescoring
from judging.services.benchmarks import define_benchmark
from judging.services.metric_results import counted_results
from judging.services.verification import verify
from leaderboard.services import standings
from leaderboard.services.schemes import save_scheme
from tests.factories import make_participation, make_round, make_team, make_user
from tests.sandbox.test_attacks import archive
from tests.scoring.test_scoring import (  # noqa: F401
    RIGHT,
    _no_broker,
    benchmark,
    captain,
    file,
    participation,
    score,
    submit,
)

FRAME = pd.DataFrame({"id": list(RIGHT), "label": list(RIGHT.values())})
NUMBERS = b"id,x\n" + b"".join(f"{key},{n}\n".encode() for n, key in enumerate(RIGHT))
INPUTS = b"id,x,word\n" + b"".join(f"{key},{n},w{n}\n".encode() for n, key in enumerate(RIGHT))
MAIN = """
import csv, sys
print("reading", sys.argv[1])
out = open(sys.argv[2] + "/predictions.csv", "w")
with open(sys.argv[1] + "/inputs.csv") as source, out:
    out.write("id,label\\n")
    for row in csv.DictReader(source):
        out.write(f"{row['id']},{int(row['x']) % 3}\\n")
"""


def program(main=MAIN, command="python3 main.py $input $output") -> bytes:
    return archive({"metadata.yaml": f"command: {command}\n", "main.py": main})


def said(run) -> str:
    with translation.override("en"):
        return faults.message(run.error_code, run.error_params)


# --- Tables ------------------------------------------------------------------------------------


def parquet(frame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def json_lines(frame) -> bytes:
    return frame.to_json(orient="records", lines=True).encode()


@pytest.mark.parametrize(
    "frame", [FRAME, FRAME.astype({"label": int}), FRAME.iloc[::-1]], ids=["text", "int", "order"]
)
@pytest.mark.parametrize("write", [parquet, json_lines], ids=["parquet", "jsonl"])
def test_other_tables_score_as_a_csv_does(participation, frame, write):  # noqa: F811
    benchmark(participation)
    run = score(submit(participation, write(frame), f"p.{write.__name__}"))
    assert (run.status, run.public_score, run.private_score) == ("succeeded", 1.0, 1.0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"id":"r0","label":"0"}\n{"id":', "a.jsonl, row 2: expected one JSON object"),
        (b'{"id":"r0","label":"0"}\n[1]', "a.jsonl, row 2: expected one JSON object"),
        (b'{"id":"r0","label":[1]}', "a.jsonl, row 1, column “label”: expected text or a number"),
        (b'{"id":"r0","label":"0"}\n{"id":"r1"}', "row 2: expected the keys id, label, found id"),
        (b'{"id":"r0","label":null}', "a.jsonl, row 1, column “label”: the cell is empty"),
        (b'{"id":"r0","id":"r1","label":"0"}', "the column “id” appears twice"),
        (json_lines(FRAME[:29]), "1 ids are missing, among them r29"),
        (b"PAR1" + b"x" * 40 + b"PAR1", "the Parquet file cannot be read"),
        (parquet(FRAME)[:-20], "the Parquet file cannot be read"),
        (parquet(FRAME.assign(label=[[1]] * 30)), "row 1, column “label”: expected text or a"),
        (parquet(FRAME.assign(label=[None] * 30)), "row 1, column “label”: the cell is empty"),
        (parquet(FRAME.assign(more=1)), "expected the columns id, label, found id, label, more"),
        (parquet(pd.concat([FRAME] * 6)), "expected 30 rows of data, found more than that"),
    ],
)
def test_what_is_wrong_with_another_table_is_told(participation, content, told):  # noqa: F811
    benchmark(participation)
    run = score(submit(participation, content, "a.jsonl"))
    assert told in said(run)


def test_an_organizers_reference_may_be_parquet(participation):  # noqa: F811
    benchmark(participation, reference=file(parquet(FRAME), "truth.parquet"))
    assert score(submit(participation, json_lines(FRAME), "p.jsonl")).private_score == 1.0


# --- Metrics -----------------------------------------------------------------------------------


def test_every_named_scorer_of_scikit_learn_is_in_the_catalogue():
    renamed = {
        "roc_auc_ovr": "roc_auc", "roc_auc_ovr_weighted": "roc_auc_weighted",
        "top_k_accuracy": "top_2_accuracy", "matthews_corrcoef": "matthews",
        "neg_brier_score": "brier", "neg_mean_squared_error": "mse",
        "neg_root_mean_squared_error": "rmse", "neg_mean_absolute_error": "mae",
        "neg_median_absolute_error": "median_ae", "neg_mean_absolute_percentage_error": "mape",
        "neg_mean_squared_log_error": "msle", "neg_root_mean_squared_log_error": "rmsle",
        "neg_mean_poisson_deviance": "poisson_deviance",
        "neg_mean_gamma_deviance": "gamma_deviance",
        "neg_negative_likelihood_ratio": "negative_likelihood_ratio",
    }  # fmt: skip

    def ours(name):
        return renamed.get(name) or name.removeprefix("neg_").removesuffix("_score")

    # Several labels a row are no table of one answer a row.
    wanted = {ours(name) for name in sk.get_scorer_names() if not name.endswith("_samples")}
    assert wanted - set(METRICS) == set()


OWN = b"""
def score(truth, predicted):
    if (predicted == "2").all():
        raise ValueError("all the same")
    right = (truth == predicted)
    return {"half": right.mean() / 2, "wrong": int((~right).sum()), "rows": len(truth)}
"""
COLUMNS = [
    {"key": "half", "label_zh": "半", "label_en": "half of it", "worst": 0.0, "best": 0.5},
    {"key": "wrong", "greater_is_better": False, "worst": 30, "best": 0, "hidden": True},
]


def own_metric(participation, program=OWN, **fields):  # noqa: F811
    fields = {
        "metric": "half",
        "extra_metrics": ["wrong", "accuracy"],
        "columns": COLUMNS,
        **fields,
    }
    return benchmark(participation, metric_program=file(program, "metric.py"), **fields)


def test_an_organizers_own_metric(participation):  # noqa: F811
    own = own_metric(participation)
    run = score(submit(participation, json_lines(FRAME.assign(label="1"))))
    assert run.status == "succeeded", (said(run), run.scoring_log)
    assert run.public_score == pytest.approx(run.metrics["public"]["accuracy"] / 2)
    assert run.metrics["private"]["wrong"] == 10
    assert "wrong" not in run.metrics["public"], "a hidden column is for organizers"
    with translation.override("zh-hans"):
        assert own.main.label == "半"
    assert run.provenance["metric_program"] == own.metric_program_sha256
    found = verify(run)
    assert found.inputs_are_the_same
    assert found.result_is_the_same


def test_an_own_metric_can_refuse_answers(participation):  # noqa: F811
    own_metric(participation)
    run = score(submit(participation, json_lines(FRAME.assign(label="2"))))
    assert said(run).endswith("the metric refused the answers: all the same")


@pytest.mark.parametrize(
    ("program", "fields", "field", "told"),
    [
        (b"def score(truth, predicted): return 1/0", {}, "metric_program", "ZeroDivisionError"),
        (b"def scores(): pass", {}, "metric_program", "AttributeError"),
        (b"def score(", {}, "metric_program", "SyntaxError"),
        (b"def score(t, p): return {'half': 1}", {}, "metric_program", "wrong"),
        (b"open('/etc/shadow')", {}, "metric_program", "FileNotFoundError"),
        (OWN, {"metric": "wrong"}, "metric", "hidden"),
        (OWN, {"metric": "nothing"}, "metric", "Choose one"),
        (OWN, {"columns": [{"key": "accuracy"}], "metric": "accuracy"}, "columns", "taken"),
    ],
)
def test_a_broken_metric_is_told_when_it_is_defined(
    participation,  # noqa: F811
    program,
    fields,
    field,
    told,
):
    with translation.override("en"):
        with pytest.raises(ValidationError) as caught:
            own_metric(participation, program, **fields)
        assert told in " ".join(caught.value.message_dict[field])


# --- Code --------------------------------------------------------------------------------------


@pytest.fixture
def code_task(participation):  # noqa: F811
    return benchmark(participation, accepts_code=True, inputs=file(INPUTS), wall_seconds=20)


@pytest.mark.parametrize(
    "command", ["python3 main.py $input $output", "python3 main.py /app/input_data /app/output"]
)
def test_code_is_run_on_hidden_inputs(participation, code_task, command):  # noqa: F811
    run = score(submit(participation, program(command=command), "code.zip", "code"))
    assert run.status == "succeeded", (said(run), run.log)
    assert run.private_score == 1.0
    assert run.log.startswith("reading /app/input_data")
    measured = run.metrics["measured"]
    assert set(measured) == {"wall_s", "cpu_s", "peak_memory_mb", "size_mb"}
    assert measured["peak_memory_mb"] > 1
    assert run.provenance["sandbox"].startswith("bubblewrap")


def test_code_in_a_tar_with_a_folder_around_it(participation, code_task):  # noqa: F811
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as opened:
        for name, content in (("metadata.yaml", b"command: sh run.sh"),
                              ("run.sh", b"python3 main.py /app/input_data /app/output"),
                              ("main.py", MAIN.encode())):  # fmt: skip
            member = tarfile.TarInfo(f"our-solution/{name}")
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    run = score(submit(participation, out.getvalue(), "code.tar.gz", "code"))
    assert run.private_score == 1.0, (said(run), run.log)


@pytest.mark.parametrize(
    ("content", "told", "in_log"),
    [
        (b"PK\x03\x04broken", "this is no zip or tar archive", ""),
        (archive({"main.py": MAIN}), "no command is declared", ""),
        (archive({"metadata.yaml": "command: [1]", "x": ""}), "no command is declared", ""),
        (archive({"metadata.yaml": "a: b: c", "x": ""}), "is not YAML that can be read", ""),
        (program(command="'python3 main.py"), "not YAML", ""),
        (program(command='python3 "main.py'), "cannot be read", ""),
        (program("raise SystemExit(3)"), "ended with status 3", ""),
        (program("1/0"), "ended with status 1", "ZeroDivisionError"),
        (program("print('nothing')"), "left no predictions", "nothing"),
        (program("open('/app/output/predictions.csv','w').write('id,label\\nr0,9\\n')"),
         "predictions.csv, row 2, column “label”", ""),
        (program(command="nosuchprogram"), "ended with status 127", "nosuchprogram"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_code_is_told(
    participation,  # noqa: F811
    code_task,
    content,
    told,
    in_log,
):
    run = score(submit(participation, content, "code.zip", "code"))
    assert run.cause == "submission", (run.error_code, run.log)
    assert told in said(run)
    assert in_log in run.log


def test_what_a_run_took_can_be_part_of_the_score(participation, code_task):  # noqa: F811
    score(submit(participation, program(), "code.zip", "code"))
    round, by = participation.round, make_user()
    components = [
        {"kind": "metric", "source": round, "weight": 80},
        {"kind": "metric", "source": round, "weight": 20, "metric": "wall_s", "worst": 40,
         "best": 0},
    ]  # fmt: skip
    save_scheme(
        round,
        by,
        advance_count=1,
        tie_breaks=["metric"],
        decimals=2,
        reason="test",
        components=components,
    )
    standings.refresh(round)
    row = standings.current(round, "full").rows.get()
    took = counted_results(round, "private", metric="wall_s")[participation.pk].value
    assert 0 < took < 20
    assert float(row.total) == pytest.approx(80 + 20 * (1 - took / 40), abs=1e-6)
    # Programs can hide their processor time; models cannot.
    for name in ("nothing", "cpu_s"):
        with pytest.raises(ValidationError, match=name):
            save_scheme(
                round, by, advance_count=1, tie_breaks=[], decimals=2, reason="test",
                components=[{"kind": "metric", "source": round, "weight": 1, "metric": name}],
            )  # fmt: skip
    models = benchmark(
        make_participation(make_round(quota_per_day=9), make_team()), accepts_onnx=True,
        accepts_predictions=False, inputs=file(NUMBERS),
    )  # fmt: skip
    assert {"cpu_s", "peak_memory_mb"} <= set(models.known_names())


def test_an_executable_keeps_its_right(participation, code_task):  # noqa: F811
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("metadata.yaml", "command: ./run.sh\n")
        opened.writestr("main.py", MAIN)
        script = zipfile.ZipInfo("run.sh")
        script.external_attr = 0o100755 << 16
        opened.writestr(script, "#!/bin/sh\npython3 main.py /app/input_data /app/output\n")
    run = score(submit(participation, out.getvalue(), "code.zip", "code"))
    assert run.private_score == 1.0, (said(run), run.log)


# --- Container images --------------------------------------------------------------------------

ENGINE = """#!/usr/bin/env python3
import json, os, pathlib, sys
args = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(args) + "\\n")
if args[0] == "info":
    print(json.dumps({{"ServerVersion": "99.1"}}))
elif args[0] == "load":
    print("Loaded image: team/model:1")
elif args[0] == "run":
    mounts = [args[n + 1].rsplit(":", 2) for n, a in enumerate(args) if a == "--volume"]
    places = {{inside: pathlib.Path(outside) for outside, inside, _mode in mounts}}
    rows = (places["/app/input_data"] / "inputs.csv").read_text().split("\\n")[1:-1]
    lines = [f"{{r.split(',')[0]}},{{int(r.split(',')[1]) % 3}}" for r in rows]
    (places["/app/output"] / "predictions.csv").write_text("\\n".join(["id,label", *lines]) + "\\n")
    print("from the container")
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """A stand-in for Docker that writes down what it is told; none runs on test machines."""
    log, path = tmp_path / "engine.log", tmp_path / "docker"
    path.write_text(ENGINE.format(log=str(log)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    monkeypatch.setattr(settings, "CONTAINER_ENGINE", str(path))
    container.engine.cache_clear()
    yield lambda: [json.loads(line) for line in log.read_text().splitlines()]
    container.engine.cache_clear()


def image(*manifest) -> bytes:
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as opened:
        members = {"manifest.json": json.dumps(manifest).encode(), "layer.tar": bytes(1000)}
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return out.getvalue()


IMAGE = image({"Config": "c.json", "RepoTags": ["team/model:1"], "Layers": ["layer.tar"]})


def test_a_container_image_is_run_without_network_and_rights(participation, engine):  # noqa: F811
    benchmark(participation, accepts_container=True, inputs=file(INPUTS), memory_mb=512)
    run = score(submit(participation, IMAGE, "image.tar", "container"))
    assert run.private_score == 1.0, (said(run), run.log)
    assert run.log == "from the container\n"
    assert run.provenance["sandbox"] == "docker 99.1"
    told = {call[0]: call for call in engine()}
    command = " ".join(told["run"])
    for option in ("--network none", "--read-only", "--cap-drop ALL", "--pids-limit 64",
                   "--security-opt no-new-privileges", "--user 65534:65534", "--memory 512m",
                   "--pull never", ":/app/input_data:ro"):  # fmt: skip
        assert option in command
    assert "reference" not in command
    assert told["rm"][-1] == told["run"][told["run"].index("--name") + 1], "it is removed"
    # The file's own name for its image could be another team's; it runs under this run's.
    assert told["tag"] == ["tag", "team/model:1", told["run"][-1]]
    assert told["run"][-1] == told["rmi"][-1] != "team/model:1"


def test_without_an_engine_images_wait_and_it_is_said(participation):  # noqa: F811
    from judging.services import runs, workers

    benchmark(participation, accepts_container=True, inputs=file(INPUTS))
    submission = submit(participation, IMAGE, "image.tar", "container")
    assert "CONTAINER_ENGINE is not set" in "".join(workers.problems())
    assert "container" not in workers.runnable_kinds()
    assert runs.run_next("cpu") is None, "another worker may have one"
    assert submission.runs.get().status == "queued"


def test_no_image(participation, engine):  # noqa: F811
    benchmark(participation, accepts_container=True, inputs=file(INPUTS))
    run = score(submit(participation, b"hello", "image.tar", "container"))
    assert "this is no container image" in said(run)
    two = image({"Config": "a.json"}, {"Config": "b.json"})
    run = score(submit(participation, two, "image.tar", "container"))
    assert "expected one image, found 2" in said(run)


# --- ONNX --------------------------------------------------------------------------------------


def model(opset=17, domain="", rows=None, features=1):
    import onnx
    from onnx import TensorProto, helper

    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT64)
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, features])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, [rows, features])],
    )  # fmt: skip
    imports = [helper.make_opsetid("", opset)]
    if domain:
        imports.append(helper.make_opsetid(domain, 1))
    made = helper.make_model(graph, opset_imports=imports)
    made.ir_version = 8
    return onnx.ModelProto.SerializeToString(made)


@pytest.fixture
def onnx_task(participation):  # noqa: F811
    inputs = b"id,x\n" + b"".join(f"{key},{value}\n".encode() for key, value in RIGHT.items())
    return benchmark(participation, accepts_onnx=True, inputs=file(inputs))


def test_a_models_run_is_measured(participation, onnx_task):  # noqa: F811
    run = score(submit(participation, model(), "m.onnx", "onnx"))
    assert run.private_score == 1.0, said(run)
    measured = run.metrics["measured"]
    assert 0 <= measured["cpu_s"] < 5
    assert 10 < run.peak_memory_mb < 2048
    assert measured["size_mb"] < 1


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (model(opset=6), "the model is of opset 6. Expected one from 7 to"),
        (model(opset=400), "the model is of opset 400"),
        (model(domain="evil.ops"), "uses operators of “evil.ops”"),
        (model(features=3), "expected one input of shape (rows, 1)"),
        (b"not a model", "this is not an ONNX model"),
    ],
)
def test_what_a_model_says_of_itself_is_checked(participation, onnx_task, made, told):  # noqa: F811
    run = score(submit(participation, made, "m.onnx", "onnx"))
    assert told in said(run)


# --- A version that changes the kinds ----------------------------------------------------------


def test_inputs_need_not_be_numbers_unless_models_read_them(participation):  # noqa: F811
    with translation.override("en"), pytest.raises(ValidationError) as caught:
        benchmark(participation, accepts_onnx=True, inputs=file(INPUTS))
    assert "row 2, column “word”: expected a number" in str(caught.value.message_dict["inputs"])
    assert benchmark(participation, accepts_code=True, inputs=file(INPUTS)).pk


def test_a_change_without_effect_on_scores_makes_no_version(participation, code_task):  # noqa: F811
    score(submit(participation, program(), "code.zip", "code"))
    same = define_benchmark(
        participation.round, make_user(), logs_for="team", sample=file(b"x", "start.zip")
    )
    assert (same.pk, same.logs_for, same.sample_name) == (code_task.pk, "team", "start.zip")
    changed = define_benchmark(participation.round, make_user(), wall_seconds=19)
    assert (changed.version, changed.status) == (2, "candidate")
    assert rescoring.cost(changed).runs == 1
