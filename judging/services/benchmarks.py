"""Benchmarks: hidden data checked before they are kept, versions instead of changes."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.states import RoundStatus
from judging.faults import SubmissionFault, message
from judging.metrics import (
    LABELS,
    METRICS,
    PROBABILITIES,
    VALUES,
    class_name,
    compatible,
    public_mask,
)
from judging.models import Benchmark
from judging.runners.predictions import columns_for, number, read_predictions
from judging.runners.tables import read_keyed


@dataclass(frozen=True)
class Hidden:
    """A benchmark's hidden data, in the order of the sorted ids.

    ``truth`` (n,): str labels or floats. ``inputs`` (n, features) floats or None. ``public`` (n,)
    bool. ``classes`` are the labels in order, empty for a metric of numbers.
    """

    ids: list[str]
    truth: np.ndarray
    classes: list[str]
    public: np.ndarray
    inputs: np.ndarray | None


def _parse_reference(content: bytes, benchmark: Benchmark, name: str):
    found = read_keyed(content, name, benchmark.id_column, [benchmark.target_column])
    ids = sorted(found)
    if METRICS[benchmark.metric].needs == VALUES:
        truth = [
            number(found[key][1][benchmark.target_column], name, found[key][0],
                   benchmark.target_column)
            for key in ids
        ]  # fmt: skip
        return ids, np.array(truth), []
    truth = np.array([class_name(found[key][1][benchmark.target_column]) for key in ids])
    return ids, truth, sorted(set(truth), key=_class_order)


def _class_order(label: str):
    """Numeric labels by number, so that class 10 comes after 9 as models order them."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def _parse_inputs(content: bytes, benchmark: Benchmark, name: str, ids: list[str]) -> np.ndarray:
    """Features by id, numbers all, for exactly the reference's ids. Raises SubmissionFault."""
    found = read_keyed(content, name, benchmark.id_column, None)
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
    return np.array(
        [
            [number(cell, name, found[key][0], column) for column, cell in found[key][1].items()]
            for key in ids
        ]
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _field_error(field: str, fault: SubmissionFault) -> ValidationError:
    return ValidationError({field: message(fault.code, fault.params)})


def define_benchmark(round: Round, by: User, *, reference=None, inputs=None, **fields) -> Benchmark:
    """Define the task of a round, or change it.

    ``reference`` and ``inputs`` are uploaded CSV files; left out, those of the benchmark in force
    go on. Once a submission was queued, a change makes the next version, which scores all of them
    again; what was scored stays on record. A save that changes nothing makes none. Raises
    ValidationError that names file, row and column, Refused once the ranking is signed off.
    """
    from judging.services.scoring import enqueue_all

    with transaction.atomic():
        _require_undecided(Round.objects.select_for_update(of=("self",)).get(pk=round.pk))
        old = round.benchmarks.filter(is_current=True).first()
        new = Benchmark(round=round)
        if old is not None:
            for field in Benchmark._meta.concrete_fields:
                if field.name not in ("id", "version", "created_at"):
                    setattr(new, field.attname, getattr(old, field.attname))
            if not old.runs.exists():
                new.pk, new.version = old.pk, old.version
                new.created_at, new._state.adding = old.created_at, False
        for name, value in fields.items():
            setattr(new, name, value)
        _check_settings(new)
        _take_files(new, old, reference, inputs)
        if old is not None and _same(old, new):
            return old
        if old is not None and new.pk is None:
            last = round.benchmarks.aggregate(last=Max("version"))["last"]
            new.version = last + 1
            round.benchmarks.filter(pk=old.pk).update(is_current=False)
        new.full_clean()
        new.save()
        LogEntry.write(new, "benchmark_defined", by=by, after=f"v{new.version} {new.metric}")
        enqueue_all(new)
    return new


def _require_undecided(round: Round) -> None:
    if round.status in (RoundStatus.DECIDED, RoundStatus.PUBLISHED):
        raise Refused(
            _("The ranking of “%(round)s” is signed off; revoke that first."),
            code="round_decided",
            params={"round": round.name},
        )


def _same(old: Benchmark, new: Benchmark) -> bool:
    """Whether nothing that a score depends on differs; files are compared by their digests."""
    ignored = ("id", "version", "created_at", "reference", "inputs")
    names = [f.attname for f in Benchmark._meta.concrete_fields if f.name not in ignored]
    return all(getattr(old, name) == getattr(new, name) for name in names)


def _check_settings(benchmark: Benchmark) -> None:
    if benchmark.metric not in METRICS:
        raise ValidationError({"metric": _("Choose one of the metrics.")})
    wrong = [
        name
        for name in benchmark.extra_metrics
        if name not in METRICS or not compatible(benchmark.metric, name)
    ]
    if wrong:
        raise ValidationError(
            {
                "extra_metrics": _("Cannot be computed beside “%(metric)s”: %(wrong)s.")
                % {"metric": METRICS[benchmark.metric].label, "wrong": ", ".join(wrong)}
            }
        )
    if not benchmark.accepted_kinds():
        raise ValidationError({"accepts_predictions": _("Accept predictions, models, or both.")})


def _take_files(new: Benchmark, old: Benchmark | None, reference, inputs) -> None:
    if reference is None and old is None:
        raise ValidationError({"reference": _("Upload the hidden reference.")})
    if reference is not None:
        content, name = reference.read(), reference.name
    else:
        with old.reference.open("rb") as file:
            content, name = file.read(), _("reference")
    try:
        ids, truth, classes = _parse_reference(content, new, str(name))
    except SubmissionFault as fault:
        raise _field_error("reference", fault) from None
    needs = METRICS[new.metric].needs
    if needs in (LABELS, PROBABILITIES) and not 2 <= len(classes) <= 1000:
        raise ValidationError(
            {
                "reference": _("Expected 2 to 1000 different labels, found %(count)s.")
                % {"count": len(classes)}
            }
        )
    if reference is not None:
        new.reference = ContentFile(content, name="reference.csv")
        new.reference_sha256 = _digest(content)
    _check_split(new, truth, needs)
    if inputs is not None:
        content = inputs.read()
        try:
            _parse_inputs(content, new, inputs.name, ids)
        except SubmissionFault as fault:
            raise _field_error("inputs", fault) from None
        new.inputs = ContentFile(content, name="inputs.csv")
        new.inputs_sha256 = _digest(content)
    elif new.inputs and reference is not None:
        with new.inputs.open("rb") as file:
            try:
                _parse_inputs(file.read(), new, str(_("inputs")), ids)
            except SubmissionFault as fault:
                raise _field_error("inputs", fault) from None
    if new.accepts_onnx and not new.inputs:
        raise ValidationError({"inputs": _("Models need hidden inputs to run on; upload them.")})


def _check_split(benchmark: Benchmark, truth: np.ndarray, needs: str) -> None:
    """A probability metric must be computable on both parts: each needs every class."""
    if needs != PROBABILITIES:
        return
    public = public_mask(truth, benchmark.public_percent, benchmark.split_seed, stratify=True)
    classes = set(truth)
    parts = [truth[public]] if public.all() else [truth[public], truth[~public]]
    if any(set(part) != classes for part in parts):
        raise ValidationError(
            {"public_percent": _("The public and the hidden part must each hold every label.")}
        )


def load_hidden(benchmark: Benchmark) -> Hidden:
    """The hidden data of a benchmark, checked against their digests.

    Kept in memory by digest, so that a worker reads them once for many submissions. Raises
    RuntimeError if a stored file is not what was defined.
    """
    return _load_hidden(
        benchmark.pk, benchmark.reference_sha256, benchmark.inputs_sha256,
        benchmark.public_percent, benchmark.split_seed, benchmark.id_column,
        benchmark.target_column, METRICS[benchmark.metric].needs,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _load_hidden(pk: int, reference_sha256: str, inputs_sha256: str, *_how_it_is_read) -> Hidden:
    benchmark = Benchmark.objects.get(pk=pk)
    content = _read_checked(benchmark.reference, reference_sha256)
    ids, truth, classes = _parse_reference(content, benchmark, "reference")
    inputs = None
    if benchmark.inputs:
        content = _read_checked(benchmark.inputs, inputs_sha256)
        inputs = _parse_inputs(content, benchmark, "inputs", ids)
    public = public_mask(
        truth, benchmark.public_percent, benchmark.split_seed, stratify=bool(classes)
    )
    return Hidden(ids, truth, classes, public, inputs)


def _read_checked(file, sha256: str) -> bytes:
    with file.open("rb") as opened:
        content = opened.read()
    if _digest(content) != sha256:
        raise RuntimeError(f"{file.name} is not the file that was defined")
    return content


def read_for(benchmark: Benchmark, hidden: Hidden, content: bytes, name: str) -> np.ndarray:
    """A file of predictions in the order of the hidden ids. Raises SubmissionFault."""
    return read_predictions(
        content,
        name,
        metric=benchmark.metric,
        id_column=benchmark.id_column,
        target_column=benchmark.target_column,
        ids=hidden.ids,
        classes=hidden.classes,
    )


def sample_submission(benchmark: Benchmark) -> bytes:
    """A submission of the right form that answers nothing: every id, with a neutral value."""
    hidden = load_hidden(benchmark)
    columns = columns_for(benchmark.metric, benchmark.target_column, hidden.classes)
    needs = METRICS[benchmark.metric].needs
    if needs == LABELS:
        cells = [hidden.classes[0]]
    elif needs == PROBABILITIES:
        share = round(1 / len(columns), 6)
        cells = [str(share)] * len(columns)
    else:
        cells = ["0"]
    lines = [",".join([benchmark.id_column, *columns])]
    lines += [",".join([key, *cells]) for key in hidden.ids]
    return ("\n".join(lines) + "\n").encode()


def current_benchmark(round: Round) -> Benchmark | None:
    return round.benchmarks.filter(is_current=True).first()


def rescore(round: Round, by: User) -> int:
    """Queue every counted submission that the benchmark in force has not scored; how many.

    Raises Refused while there is no benchmark, and once the ranking is signed off.
    """
    from judging.services.scoring import enqueue_all

    _require_undecided(round)
    benchmark = current_benchmark(round)
    if benchmark is None:
        raise Refused(_("Define the benchmark first."), code="no_benchmark")
    queued = enqueue_all(benchmark)
    LogEntry.write(benchmark, "rescore", by=by, after=str(queued))
    return queued
