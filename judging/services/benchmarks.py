"""Benchmarks: hidden data checked before they are kept, versions instead of changes."""

import hashlib
import json
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, Submission, User
from contest.uploads import safe_name
from judging.faults import SubmissionFault, message
from judging.metrics import (
    LABELS,
    MEASURES,
    METRICS,
    PROBABILITIES,
    TEXT,
    VALUES,
    class_name,
    compatible,
    public_mask,
)
from judging.models import Benchmark, BenchmarkTask
from judging.runners import archives
from judging.runners.base import Hidden
from judging.runners.predictions import columns_for, number
from judging.runners.tables import keyed, read_own
from judging.sandbox import Box
from judging.services.files import read
from judging.states import BenchmarkStatus

TABLE_FILES = ("reference", "inputs", "metric_program")


def _parse_reference(content: bytes, benchmark: Benchmark, name: str):
    columns, rows = read_own(content, name)
    target = benchmark.target_column
    found = keyed(columns, rows, name, benchmark.id_column, [target])
    ids = sorted(found)
    if benchmark.needs == VALUES:
        truth = [number(found[key][1][target], name, found[key][0], target) for key in ids]
        return ids, np.array(truth), []
    if benchmark.needs == TEXT:
        return ids, np.array([found[key][1][target] for key in ids], dtype=object), []
    truth = np.array([class_name(found[key][1][target]) for key in ids])
    return ids, truth, sorted(set(truth), key=_class_order)


def _class_order(label: str):
    """Numeric labels by number, so that class 10 comes after 9 as models order them."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _parse_inputs(
    content: bytes, benchmark: Benchmark, name: str, ids: list[str]
) -> np.ndarray | None:
    """Features by id, for exactly the reference's ids; None where models do not need numbers and
    not all are. Raises SubmissionFault."""
    columns, rows = read_own(content, name)
    found = keyed(columns, rows, name, benchmark.id_column, None)
    known = set(ids)
    for key, (row, _record) in found.items():
        if key not in known:
            raise SubmissionFault(
                "unknown_id", file=name, row=row, column=benchmark.id_column, value=key
            )
    if missing := [key for key in ids if key not in found]:
        raise SubmissionFault(
            "missing_ids", file=name, column=benchmark.id_column, count=len(missing),
            examples=", ".join(missing[:3]),
        )  # fmt: skip
    try:
        return np.array(
            [
                [number(cell, name, found[key][0], column)
                 for column, cell in found[key][1].items()]
                for key in ids
            ]
        )  # fmt: skip
    except SubmissionFault:
        if benchmark.accepts_onnx:
            raise
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _field_error(field: str, fault: SubmissionFault) -> ValidationError:
    return ValidationError({field: message(fault.code, fault.params)})


def current_benchmark(round: Round) -> Benchmark | None:
    return round.benchmarks.filter(status=BenchmarkStatus.CURRENT).first()


def candidate_benchmark(round: Round) -> Benchmark | None:
    return round.benchmarks.filter(status=BenchmarkStatus.CANDIDATE).first()


def define_benchmark(
    round: Round,
    by: User,
    *,
    reference=None,
    inputs=None,
    metric_program=None,
    sample=None,
    tasks: list[dict] | None = None,
    **fields,
) -> Benchmark:
    """Define the task of a round, or change it.

    Files left out stay as they are; ``tasks`` are those of a benchmark that programs score, each a
    dict with ``name`` and the files of BenchmarkTask. Once a submission was queued, a change makes
    the next version, which is on trial until it is put in force; what was scored stays on record. A
    save that changes nothing makes none. Raises ValidationError that names file, row and column,
    Refused once the ranking is signed off or while another version is being tried.
    """
    from judging.services.runs import Priority, enqueue_all

    Round.objects.get(pk=round.pk).require_undecided()
    old = candidate_benchmark(round) or current_benchmark(round)
    new = _copy(old, round)
    for name, value in fields.items():
        setattr(new, name, value)
    _check_settings(new)
    # Files are read and programs tried before anything is locked: that can take minutes.
    if new.is_table:
        _take_files(new, reference=reference, inputs=inputs, metric_program=metric_program)
        made = []
    else:
        made = _take_tasks(new, old, tasks)
    _take_sample(new, sample)
    with transaction.atomic():
        Round.objects.select_for_update(of=("self",)).get(pk=round.pk).require_undecided()
        newest = candidate_benchmark(round) or current_benchmark(round)
        if newest != old:
            raise Refused(
                _("Somebody else has changed the benchmark; look at it again."),
                code="changed_meanwhile",
            )
        if old is not None and not _changes_scores(old, new, made):
            return _take_over(old, new)
        # Locked as well: a submission that is queued in this moment waits for what comes of it.
        in_place = (
            old is not None
            and not Benchmark.objects.select_for_update(of=("self",)).get(pk=old.pk).runs.exists()
        )
        if in_place:
            new.pk, new.version, new.status = old.pk, old.version, old.status
            new.created_at, new._state.adding = old.created_at, False
        if old is not None and not in_place:
            if old.status == BenchmarkStatus.CANDIDATE:
                raise Refused(
                    _("Version %(version)s is on trial; put it in force or drop it first."),
                    code="candidate_exists",
                    params={"version": old.version},
                )
            new.version = round.benchmarks.aggregate(last=Max("version"))["last"] + 1
            new.status = BenchmarkStatus.CANDIDATE
        new.full_clean()
        new.save()
        if made:
            new.tasks.all().delete()
            for task in made:
                task.pk, task.benchmark = None, new
                task._state.adding = True
                task.save()
        LogEntry.write(new, "benchmark_defined", by=by, after=f"v{new.version} {new.metric}")
        if new.is_current:
            enqueue_all(new, priority=Priority.SUBMISSION)
    return new


def define_from_upload(round: Round, by: User, files: dict, fields: dict) -> Benchmark:
    """``define_benchmark`` from one form: where programs score, its files are those of one task."""
    protocol = fields.get("protocol")
    if protocol is None:
        known = candidate_benchmark(round) or current_benchmark(round)
        protocol = known.protocol if known else Benchmark.Protocol.TABLE
    files = dict(files)
    programs = {name: files.pop(name, None) for name in ("scoring_program", "ingestion_program")}
    if protocol == Benchmark.Protocol.TABLE:
        return define_benchmark(round, by, **files, **fields)
    files.pop("metric_program", None)
    programs |= {name: files.pop(name, None) for name in ("reference", "inputs")}
    tasks = [programs] if any(programs.values()) else None
    return define_benchmark(round, by, tasks=tasks, **files, **fields)


def _copy(old: Benchmark | None, round: Round) -> Benchmark:
    new = Benchmark(round=round)
    if old is not None:
        for field in Benchmark._meta.concrete_fields:
            if field.name not in ("id", "version", "created_at", "status"):
                setattr(new, field.attname, getattr(old, field.attname))
    return new


# What no score depends on: it is changed without a new version.
_WITHOUT_EFFECT = ("sample", "sample_name", "logs_for", "resource_class")


def _changes_scores(old: Benchmark, new: Benchmark, tasks: list[BenchmarkTask]) -> bool:
    """Whether anything that a score depends on differs; files are compared by their digests."""
    ignored = ("id", "version", "created_at", "status", *TABLE_FILES, *_WITHOUT_EFFECT)
    names = [f.attname for f in Benchmark._meta.concrete_fields if f.name not in ignored]
    if any(getattr(old, name) != getattr(new, name) for name in names):
        return True
    if new.is_table:
        return False
    digests = [f"{name}_sha256" for name in BenchmarkTask.FILES] + ["name"]
    before, after = (
        [[getattr(task, name) for name in digests] for task in listed]
        for listed in (old.tasks.all(), tasks)
    )
    return before != after


def _take_over(old: Benchmark, new: Benchmark) -> Benchmark:
    """Write what no score depends on to the old version; the old version."""
    differing = [name for name in _WITHOUT_EFFECT if getattr(old, name) != getattr(new, name)]
    for name in differing:
        setattr(old, name, getattr(new, name))
    if differing:
        old.save(update_fields=differing)
    return old


def _check_settings(benchmark: Benchmark) -> None:
    own = benchmark.own_metrics()
    if benchmark.metric not in own and (benchmark.metric not in METRICS or not benchmark.is_table):
        raise ValidationError({"metric": _("Choose one of the metrics.")})
    if benchmark.metric in benchmark.hidden_columns():
        raise ValidationError({"metric": _("The metric that ranks cannot be a hidden one.")})
    clashes = sorted(set(own) & (set(METRICS) | set(MEASURES)))
    if clashes and benchmark.is_table:
        raise ValidationError(
            {"columns": _("These names are taken: %(names)s.") % {"names": ", ".join(clashes)}}
        )
    wrong = [
        name
        for name in benchmark.extra_metrics
        if name not in own
        and not (benchmark.is_table and name in METRICS and compatible(benchmark.needs, name))
    ]
    if wrong:
        raise ValidationError(
            {
                "extra_metrics": _("Cannot be computed beside “%(metric)s”: %(wrong)s.")
                % {"metric": benchmark.main.label, "wrong": ", ".join(wrong)}
            }
        )
    if not benchmark.accepted_kinds():
        raise ValidationError({"accepts_predictions": _("Accept predictions, models, or both.")})
    if not benchmark.is_table:
        _check_kinds_of_programs(benchmark)


def _check_kinds_of_programs(benchmark: Benchmark) -> None:
    for kind in (Submission.Kind.ONNX, Submission.Kind.CONTAINER):
        if kind in benchmark.accepted_kinds():
            raise ValidationError(
                {f"accepts_{kind}": _("Programs score predictions and code alone.")}
            )
    if benchmark.protocol == Benchmark.Protocol.EVALAI and benchmark.accepts_code:
        raise ValidationError({"accepts_code": _("EvalAI's scripts take files of results alone.")})


def _content(new: Benchmark, name: str, uploaded) -> tuple[bytes, str] | None:
    """A file's content and name: as uploaded now, or as it was kept; None where there is none."""
    if uploaded is not None:
        return uploaded.read(), uploaded.name
    stored = getattr(new, name)
    if not stored:
        return None
    return read(stored, getattr(new, f"{name}_sha256")), str(_(name))


def _keep(target, name: str, content: bytes, file_name: str) -> None:
    setattr(target, name, ContentFile(content, name=safe_name(file_name)))
    setattr(target, f"{name}_sha256", _digest(content))


def _take_files(new: Benchmark, reference, inputs, metric_program) -> None:
    """Check and keep the files of a benchmark whose answers are a table."""
    uploads = {"reference": reference, "inputs": inputs, "metric_program": metric_program}
    found = {name: _content(new, name, uploaded) for name, uploaded in uploads.items()}
    if found["reference"] is None:
        raise ValidationError({"reference": _("Upload the hidden reference.")})
    try:
        ids, truth, classes = _parse_reference(found["reference"][0], new, found["reference"][1])
    except SubmissionFault as fault:
        raise _field_error("reference", fault) from None
    if new.needs in (LABELS, PROBABILITIES) and not 2 <= len(classes) <= 1000:
        raise ValidationError(
            {
                "reference": _("Expected 2 to 1000 different labels, found %(count)s.")
                % {"count": len(classes)}
            }
        )
    _check_split(new, truth)
    if found["inputs"] is not None:
        try:
            _parse_inputs(found["inputs"][0], new, found["inputs"][1], ids)
        except SubmissionFault as fault:
            raise _field_error("inputs", fault) from None
    elif new.accepts_onnx or new.accepts_code or new.accepts_container:
        raise ValidationError({"inputs": _("Models need hidden inputs to run on; upload them.")})
    if new.columns and found["metric_program"] is None:
        raise ValidationError({"metric_program": _("Upload the program of your own metrics.")})
    for name, uploaded in uploads.items():
        if uploaded is not None:
            _keep(new, name, *found[name])
    if found["metric_program"] is not None:
        _try_metric(new, found["metric_program"][0], ids, truth, classes)


def _try_metric(new: Benchmark, program: bytes, ids, truth, classes) -> None:
    """Call an organizer's metric once, with the truth as the answers."""
    from judging.services.scoring import own_metrics

    public = public_mask(truth, new.public_percent, new.split_seed, stratify=bool(classes))
    hidden = Hidden(ids, truth, classes, public, None)
    perfect = truth
    if new.needs == PROBABILITIES:
        perfect = np.eye(len(classes))[[classes.index(label) for label in truth]]
    try:
        scores = own_metrics(
            new, hidden, perfect, {"public": public}, "metric.py", program=program
        )["public"]
    except SubmissionFault as fault:
        detail = getattr(fault, "scoring_log", "") or message(fault.code, fault.params)
        raise ValidationError({"metric_program": detail}) from None
    except RuntimeError as error:
        raise ValidationError({"metric_program": str(error)[:500]}) from None
    missing = [column["key"] for column in new.columns if column["key"] not in scores]
    if missing:
        raise ValidationError(
            {
                "metric_program": _("It gave %(found)s; these are missing: %(missing)s.")
                % {"found": json.dumps(scores), "missing": ", ".join(missing)}
            }
        )


def _check_split(benchmark: Benchmark, truth: np.ndarray) -> None:
    """A probability metric must be computable on both parts: each needs every class."""
    if benchmark.needs != PROBABILITIES:
        return
    public = public_mask(truth, benchmark.public_percent, benchmark.split_seed, stratify=True)
    classes = set(truth)
    parts = [truth[public]] if public.all() else [truth[public], truth[~public]]
    if any(set(part) != classes for part in parts):
        raise ValidationError(
            {"public_percent": _("The public and the hidden part must each hold every label.")}
        )


def _take_tasks(
    new: Benchmark, old: Benchmark | None, given: list[dict] | None
) -> list[BenchmarkTask]:
    """The tasks of a benchmark that programs score, each archive unpacked once to see that it can
    be. Raises ValidationError."""
    kept = list(old.tasks.all()) if old is not None and not old.is_table else []
    if given is None:
        if not kept:
            raise ValidationError({"scoring_program": _("Upload the scoring program.")})
        return kept
    evalai = new.protocol == Benchmark.Protocol.EVALAI
    tasks = []
    for n, fields in enumerate(given):
        before = kept[n] if n < len(kept) else None
        task = BenchmarkTask(ordinal=n, name=str(fields.get("name") or "")[:100])
        for name in BenchmarkTask.FILES:
            uploaded = fields.get(name)
            if uploaded is not None:
                content = uploaded.read()
                if not (evalai and name == "reference"):
                    needs_command = name == "ingestion_program" or (
                        name == "scoring_program" and not evalai
                    )
                    _try_archive(name, content, uploaded.name, needs_command)
                _keep(task, name, content, uploaded.name)
            elif before is not None:
                setattr(task, name, getattr(before, name))
                setattr(task, f"{name}_sha256", getattr(before, f"{name}_sha256"))
        if not task.scoring_program:
            raise ValidationError({"scoring_program": _("Upload the scoring program.")})
        if evalai and not task.reference:
            raise ValidationError({"reference": _("Upload the hidden reference.")})
        tasks.append(task)
    if not tasks:
        raise ValidationError({"scoring_program": _("Upload the scoring program.")})
    return tasks


def _try_archive(field: str, content: bytes, name: str, needs_command: bool) -> None:
    with Box() as box, tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        archive.write_bytes(content)
        archive.chmod(0o644)
        try:
            command = archives.unpack(box, archive, "/app/tree", safe_name(name),
                                      disk_mb=archives.OWN_MB)  # fmt: skip
        except SubmissionFault as fault:
            raise _field_error(field, fault) from None
    if needs_command and command is None:
        raise _field_error(field, SubmissionFault("no_command", file=safe_name(name)))


def _take_sample(new: Benchmark, sample) -> None:
    if sample is None:
        return
    new.sample_name = safe_name(sample.name)
    new.sample = ContentFile(sample.read(), name=new.sample_name)


def load_hidden(benchmark: Benchmark) -> Hidden:
    """The hidden data of a benchmark, checked against their digests.

    Kept in memory by digest, so that a worker reads them once for many submissions. Raises
    RuntimeError if a stored file is not what was defined.
    """
    return _load_hidden(
        benchmark.pk, benchmark.reference_sha256, benchmark.inputs_sha256,
        benchmark.public_percent, benchmark.split_seed, benchmark.id_column,
        benchmark.target_column, benchmark.needs,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _load_hidden(pk: int, reference_sha256: str, inputs_sha256: str, *_how_it_is_read) -> Hidden:
    benchmark = Benchmark.objects.get(pk=pk)
    content = read(benchmark.reference, reference_sha256)
    ids, truth, classes = _parse_reference(content, benchmark, "reference")
    inputs, inputs_csv = None, b""
    if benchmark.inputs:
        inputs_csv = read(benchmark.inputs, inputs_sha256)
        inputs = _parse_inputs(inputs_csv, benchmark, "inputs", ids)
    public = public_mask(
        truth, benchmark.public_percent, benchmark.split_seed, stratify=bool(classes)
    )
    return Hidden(ids, truth, classes, public, inputs, inputs_csv)


def sample_submission(benchmark: Benchmark) -> tuple[bytes, str] | None:
    """(content, file name) of a sample: the organizers' own, or predictions of the right form that
    answer nothing, every id with a neutral value. None where there is neither."""
    if benchmark.sample:
        with benchmark.sample.open("rb") as file:
            return file.read(), benchmark.sample_name or "sample"
    if not has_sample(benchmark):
        return None
    hidden = load_hidden(benchmark)
    columns = columns_for(benchmark, hidden.classes)
    if benchmark.needs == LABELS:
        cells = [hidden.classes[0]]
    elif benchmark.needs == PROBABILITIES:
        share = round(1 / len(columns), 6)
        cells = [str(share)] * len(columns)
    else:
        cells = ["0"]
    lines = [",".join([benchmark.id_column, *columns])]
    lines += [",".join([key, *cells]) for key in hidden.ids]
    return ("\n".join(lines) + "\n").encode(), "sample.csv"


def has_sample(benchmark: Benchmark | None) -> bool:
    return benchmark is not None and bool(
        benchmark.sample or (benchmark.is_table and benchmark.accepts_predictions)
    )
