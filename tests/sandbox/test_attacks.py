"""Hostile submissions, each run the way a team's file is run; the table is printed at the end.

Every attack ends in one of the ways a run may end, gets hold of nothing, leaves nothing behind, and
the worker (this process) goes on to score an honest submission.
"""

import io
import os
import pickle
import socket
import tarfile
import time
import zipfile

import numpy as np
import psutil
import pytest
from django.conf import settings

from contest.models import Submission
from judging.faults import SubmissionFault
from judging.models import Benchmark, BenchmarkTask
from judging.runners import RUNNERS, programs
from judging.runners.base import Hidden, Job
from judging.sandbox import bubblewrap, confinement
from tests.sandbox import attacks

# Of this process alone: tests beside it have marks of their own.
MARK = f"hidden-answer-{os.getpid()}-".encode()
IDS = [f"r{n}" for n in range(4)]
INPUTS = b"id,x\n" + b"".join(f"{key},1\n".encode() for key in IDS)
HONEST = (
    "import csv\n"
    "rows = list(csv.DictReader(open('/app/input_data/inputs.csv')))\n"
    "with open('/app/output/predictions.csv', 'w') as out:\n"
    "    out.write('id,label\\n' + ''.join(f\"{row['id']},a\\n\" for row in rows))\n"
    "print('honest')\n"
)


def archive(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return out.getvalue()


def code(source: str, **names) -> bytes:
    assigned = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return archive(
        {"main.py": attacks.HEAD + assigned + source, "metadata.yaml": "command: python3 main.py\n"}
    )


HIDDEN = Hidden(
    IDS, np.array(["a", "b", "a", "b"]), ["a", "b"], np.array([True, True, False, False]),
    np.ones((4, 1)), INPUTS,
)  # fmt: skip


@pytest.fixture
def run(tmp_path, record_property, request, monkeypatch):
    """``run(content)``: what came of a file, as (fault or None, what its program printed)."""
    monkeypatch.setenv("SECRET_KEY", MARK.decode())
    monkeypatch.setenv("DATABASE_URL", MARK.decode())
    assert confinement().bwrap, confinement().problem
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    monkeypatch.setattr(settings, "SANDBOX_DIR", str(boxes))
    before = set(psutil.pids())

    def play(content: bytes, kind="code", name="attack.zip", **limits):
        path = tmp_path / "file"
        path.write_bytes(content)
        path.chmod(0o644)
        fields = {"wall_seconds": 20, "memory_mb": 512, "disk_mb": 64, **limits}
        benchmark = Benchmark(metric="accuracy", accepts_code=True, **fields)
        job = Job(path, name, benchmark, HIDDEN)
        started = time.monotonic()
        try:
            log, fault = RUNNERS[kind].run(job).log, None
        except SubmissionFault as error:
            log, fault = error.log, error
        took = time.monotonic() - started
        ended = fault.code if fault else "ran to its end"
        record_property("attack", (request.node.callspec_id_or_name, ended, f"{took:.1f} s"))
        assert "GOT" not in log, log
        assert took < fields["wall_seconds"] + 10
        assert list(boxes.iterdir()) == [], "the run's folders are gone"
        left = [p for p in psutil.process_iter(["cmdline"]) if p.pid not in before
                and MARK.decode() in " ".join(p.info["cmdline"] or [])]  # fmt: skip
        assert left == [], "and so is every process"
        return fault, log

    request.node.callspec_id_or_name = (
        request.node.callspec.id if hasattr(request.node, "callspec") else request.node.name
    )
    yield play
    # The worker goes on: the next submission is scored as ever.
    fault, log = play(code(HONEST))
    assert (fault, log) == (None, "honest\n")


def test_reading_shadow_and_other_files_of_the_host(run):
    fault, log = run(code(attacks.READ_SHADOW))
    assert fault.code == "no_predictions"
    assert log.count("no: FileNotFoundError") + log.count("no: PermissionError") == 5


def test_reading_the_settings_and_the_environment(run):
    root = settings.BASE_DIR
    secret = settings.DATA_DIR / "secret-key"
    secret.touch()
    paths = [*map(str, (root / "config/settings.py", root / ".env", root / "manage.py", secret))]
    fault, log = run(code(attacks.READ_SETTINGS, PATHS=paths, MARK=MARK))
    assert fault.code == "no_predictions"
    assert log.count("no: FileNotFoundError") == len(paths)


def test_reading_another_teams_files(run, tmp_path):
    others = tmp_path / "files" / "submissions"
    others.mkdir(parents=True)
    (others / "theirs").write_bytes(MARK)
    other_box = tmp_path / "box-of-another-run"
    other_box.mkdir()
    (other_box / "predictions.csv").write_bytes(MARK)
    source = attacks.FIND_MARK + "attempt(read, OTHERS)\n"
    prefix = tuple(bubblewrap.python_prefixes())
    fault, log = run(
        code(source.replace("PREFIX)", "*PREFIX)").replace("MARK", "(HALF + REST)"),
             PREFIX=prefix, HALF=MARK[:6], REST=MARK[6:], OTHERS=str(others / "theirs")),
    )  # fmt: skip
    assert fault.code == "no_predictions"
    assert "searched" in log
    assert "no: FileNotFoundError" in log


def test_connecting_to_loopback(run):
    with socket.socket() as server, socket.socket(socket.AF_UNIX) as local:
        server.bind(("127.0.0.1", 0))
        server.listen()
        local.bind(f"\0wuzhen-{os.getpid()}")
        local.listen()
        fault, log = run(
            code(attacks.LOOPBACK, PORT=server.getsockname()[1], ABSTRACT=f"wuzhen-{os.getpid()}")
        )
    assert fault.code == "no_predictions"
    assert log.count("no: ") == 4


def test_a_fork_bomb(run):
    fault, log = run(code(attacks.FORK_BOMB, LIMIT=64), wall_seconds=5)
    assert "Resource temporarily unavailable" in log
    assert fault.code in ("no_predictions", "timeout")


def test_ten_gigabytes_of_memory(run):
    fault, log = run(code(attacks.TEN_GIGABYTES))
    assert fault.code == "out_of_memory"
    assert "no: MemoryError" in log


def test_memory_spread_over_many_processes(run):
    fault, _log = run(code(attacks.MEMORY_OF_MANY))
    assert fault.code == "out_of_memory"


@pytest.mark.parametrize("source", [attacks.ENDLESS, attacks.SLEEP], ids=["busy", "idle"])
def test_an_endless_loop(run, source):
    fault, _log = run(code(source), wall_seconds=2)
    assert fault.code == "timeout"


def test_a_gigabyte_of_output(run):
    fault, log = run(code(attacks.PRINT_GIGABYTE))
    assert fault.code == "too_much_output"
    assert "bytes left out" in log
    assert len(log) < 70_000


def test_memory_that_no_process_owns(run):
    fault, log = run(code(attacks.MEMORY_OF_NOBODY))
    assert fault.code in ("out_of_memory", "disk_full"), "such memory counts as a removed file, too"
    assert "no: PermissionError" in log


@pytest.mark.parametrize(
    "source",
    [attacks.FILL_DISK, attacks.MANY_FILES, attacks.UNLINKED, attacks.SHUT_FOLDER],
    ids=["large", "many", "unlinked", "shut"],
)
def test_filling_the_disk(run, source):
    fault, _log = run(code(source))
    assert fault.code == "disk_full"


@pytest.mark.parametrize("target", ["/etc/hostname", "secret", "inputs.csv", "/dev/zero"])
def test_a_symbolic_link_out(run, tmp_path, target):
    if target == "secret":
        secret = tmp_path / "secret.csv"
        secret.write_text("id,label\nr0,a\nr1,b\nr2,a\nr3,b\n")
        target = str(secret)
    fault, log = run(code(attacks.SYMLINK_OUT, TARGET=target))
    assert "linked" in log
    assert fault.code == "no_predictions", "a link is no file of predictions, wherever it leads"


def test_a_hard_link_out(run):
    fault, log = run(code(attacks.HARD_LINK_OUT))
    assert fault.code == "no_predictions"
    assert log.count("no: ") == 3


def test_a_zip_bomb(run):
    fault, _log = run(archive({"metadata.yaml": "command: x\n", "zeros": bytes(300 << 20)}))
    assert fault.code == "archive_too_large"


def test_a_zip_that_lies_about_its_size(run):
    content = bytearray(archive({"zeros": bytes(100 << 20)}))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    fault, _log = run(bytes(content))
    assert fault.code in ("archive_corrupt", "archive_too_large")


def test_a_zip_of_too_many_files(run):
    fault, _log = run(archive({f"f{n}": b"" for n in range(10_001)}))
    assert fault.code == "archive_too_many"


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/cron.d/evil", "a/../../evil", "..\\..\\evil", "C:\\evil"]
)
def test_zip_slip(run, tmp_path, name):
    fault, _log = run(archive({name: b"x", "metadata.yaml": b"command: x"}))
    assert fault.code == "archive_escapes"
    assert not list(tmp_path.rglob("evil"))


def tar_of(*members) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as opened:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            member.devmajor, member.devminor = 8, 0
            opened.addfile(member)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/shadow"),
        (tarfile.LNKTYPE, "/etc/shadow"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
    ids=["symlink", "hardlink", "character device", "block device", "pipe"],
)
def test_links_and_devices_in_a_tar(run, kind, link):
    fault, _log = run(tar_of(("x", kind, link)), name="attack.tar.gz")
    assert fault.code == "archive_special"


def test_names_that_are_no_text(run):
    fault, _log = run(tar_of((b"a\xff".decode("utf-8", "surrogateescape"), tarfile.SYMTYPE, "x")))
    assert fault.code == "archive_special"
    assert fault.params["member"].encode(), "what is kept and shown can be written"
    fault, _log = run(archive({"main.py": "", "metadata.yaml": 'command: "python3 main.py\\0"\n'}))
    assert fault.code == "bad_command"
    for line in (r'{"id":"r\u0000","label":"a"}', r'{"id":"\ud800","label":"a"}'):
        fault, _log = run(line.encode(), kind="predictions", name="p.jsonl")
        assert fault.code == "unknown_id"
        assert "\x00" not in fault.params["value"].encode().decode()


def test_a_small_table_of_a_thousand_columns(run):
    import pandas as pd

    out = io.BytesIO()
    pd.DataFrame({f"c{n}": [True] * 3000 for n in range(1000)}).to_parquet(out)
    fault, _log = run(out.getvalue(), kind="predictions", name="p.parquet")
    assert fault.code == "wrong_columns"


def test_a_symbolic_link_in_a_zip(run):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        member = zipfile.ZipInfo("predictions.csv")
        member.external_attr = 0o120777 << 16
        opened.writestr(member, "/app/input/ref/truth.csv")
    fault, _log = run(out.getvalue())
    assert fault.code == "archive_special"


def test_device_nodes(run):
    fault, log = run(code(attacks.DEVICES))
    assert fault.code == "no_predictions"
    assert log.count("no: ") == 9


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("predictions", "p.csv"), ("predictions", "p.parquet"), ("onnx", "m.onnx"), ("code", "c.zip")],
)
def test_a_pickle_payload(run, tmp_path, kind, name):
    marker = tmp_path / "unpickled"
    fault, _log = run(pickle.dumps(Payload(marker)), kind=kind, name=name)
    assert fault.code in ("binary", "not_utf8", "not_utf8_gbk", "corrupt_onnx", "archive_corrupt")
    assert not marker.exists()


def test_killing_the_parent(run):
    fault, _log = run(code(attacks.KILL_PARENT))
    assert fault.code in ("program_failed", "no_predictions", "crashed")


def test_what_is_left_behind(run):
    fault, log = run(code(attacks.LEAVE_BEHIND, MARK=MARK))
    assert "left" in log
    assert fault.code in ("disk_full", "no_predictions")


def test_writing_to_the_system(run):
    fault, log = run(code(attacks.WRITE_SYSTEM))
    assert fault.code == "no_predictions"
    assert log.count("no: ") == 9


def test_becoming_root(run):
    fault, log = run(code(attacks.BECOME_ROOT))
    assert fault.code == "no_predictions"
    assert "uid 0\n" not in log


# --- The reference, where programs score -------------------------------------------------------


INGEST = (
    "import subprocess, sys\n"
    "sys.exit(subprocess.call([sys.executable, '/app/ingested_program/main.py']))\n"
)
SCORE = (
    "import json, os\n"
    "truth = open('/app/input/ref/truth.csv').read()\n"
    "path = '/app/input/res/predictions.csv'\n"
    "right = os.path.exists(path) and open(path).read() == truth\n"
    "json.dump({'score': float(right)}, open('/app/output/scores.json', 'w'))\n"
    "print(truth)\n"
)


@pytest.fixture
def two_steps(tmp_path, run, record_property, request, monkeypatch):
    """``two_steps(source)``: what came of code that an ingestion program runs."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    truth = f"id,label\nr0,a\n# {MARK.decode()}\n".encode()
    stored = {
        "ingestion_program": archive({"go.py": INGEST, "metadata.yaml": "command: python3 go.py"}),
        "scoring_program": archive({"go.py": SCORE, "metadata.yaml": "command: python3 go.py"}),
        "reference": archive({"truth.csv": truth}),
        "inputs": archive({"inputs.csv": INPUTS}),
    }
    task = BenchmarkTask(**dict.fromkeys(stored, "stored"))
    for name in stored:
        setattr(task, f"{name}_sha256", f"{name}-{tmp_path.name}")

    def fetch(_task, name, path):
        path.write_bytes(stored[name])

    def play(source: str, **names):
        path = tmp_path / "code.zip"
        path.write_bytes(code(source, **names))
        path.chmod(0o644)
        benchmark = Benchmark(
            protocol="codabench", metric="score", wall_seconds=20, memory_mb=512, disk_mb=64
        )
        try:
            result = programs.score_task(
                Job(path, "code.zip", benchmark), Submission.Kind.CODE, task, fetch
            )
            fault, log, scores = None, result.log, result.scores
        except SubmissionFault as error:
            fault, log, scores = error, error.log, {}
        record_property(
            "attack", (request.node.name, fault.code if fault else f"scored {scores}", "")
        )
        assert "GOT" not in log, log
        assert MARK.decode() not in log, "nothing of the reference is in what the team may read"
        return fault, log, scores

    return play


def test_reading_the_reference_during_ingestion(two_steps):
    prefix = tuple(bubblewrap.python_prefixes())
    half = MARK.decode()[:6]
    source = attacks.FIND_MARK.replace("PREFIX)", "*PREFIX)").replace("MARK", "(HALF + REST)")
    source += (
        "for path in ('/app/input/ref/truth.csv', '/app/input/ref', '/app/results'):\n"
        "    attempt(read, path)\n"
    )
    fault, log, scores = two_steps(
        source, PREFIX=prefix, HALF=half.encode(), REST=MARK[len(half) :]
    )
    assert (fault, scores) == (None, {"score": 0.0})
    assert "searched" in log


@pytest.mark.parametrize(
    "target", ["/app/input/ref/truth.csv", "../ref/truth.csv", "/proc/self/root/app/input/ref"]
)
def test_a_link_that_would_be_the_reference_where_it_is_scored(two_steps, target):
    fault, _log, _scores = two_steps(attacks.SYMLINK_OUT, TARGET=target)
    assert fault.code == "links_left"


def test_a_pipe_among_the_results(two_steps):
    fault, _log, _scores = two_steps("os.mkfifo('/app/output/predictions.csv')\n")
    assert fault.code == "links_left"


# --- Where there is no sandbox -----------------------------------------------------------------


def test_without_a_sandbox_code_is_refused_and_not_run_bare(tmp_path, monkeypatch):
    from judging.sandbox import SandboxUnavailable
    from judging.services import workers

    none = bubblewrap.Confinement(None, problem="the kernel refuses it")
    monkeypatch.setattr(bubblewrap, "confinement", lambda: none)
    monkeypatch.setattr(workers, "confinement", lambda: none)
    marker, path = tmp_path / "ran", tmp_path / "file"
    path.write_bytes(code("open(MARKER, 'w')", MARKER=str(marker)))
    benchmark = Benchmark(metric="accuracy", accepts_code=True)
    with pytest.raises(SandboxUnavailable, match="the kernel refuses it"):
        RUNNERS["code"].run(Job(path, "c.zip", benchmark, HIDDEN))
    assert not marker.exists()
    assert "code" not in workers.runnable_kinds()
    assert "code is refused" in workers.problems()[0]
    monkeypatch.setattr(settings, "SANDBOX", "required")
    assert workers.runnable_kinds() == []
    path.write_bytes(b"id,label\nr0,a\nr1,a\nr2,a\nr3,a\n")
    with pytest.raises(SandboxUnavailable):
        RUNNERS["predictions"].run(Job(path, "p.csv", benchmark, HIDDEN))
