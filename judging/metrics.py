"""The metrics an organizer can choose from; scikit-learn computes them all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from sklearn import metrics as sk
from sklearn.model_selection import train_test_split

LABELS, PROBABILITIES, VALUES = "labels", "probabilities", "values"


@dataclass(frozen=True)
class Metric:
    """``compute(truth, predicted, classes)`` → float.

    ``needs`` says what ``predicted`` is: class labels (n,), probabilities (n, classes) in the
    order of ``classes``, or numbers (n,). ``worst`` and ``best`` are the bounds that a scheme
    starts from.
    """

    name: str
    label: str | Promise
    needs: str
    compute: Callable
    greater_is_better: bool = True
    worst: float = 0.0
    best: float = 1.0


def _labels(function, **options):
    return lambda truth, predicted, classes: function(truth, predicted, **options)


def class_name(label) -> str:
    """The name of a class: 3 and 3.0 are the same one, as spreadsheets and pandas write either."""
    text = str(label)
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdecimal() else text


def _codes(truth, classes) -> np.ndarray:
    """Places of the labels among ``classes``.

    scikit-learn takes columns of probabilities to be in the order of sorted labels, which for
    text is not ours: "10" comes before "9".
    """
    place = {label: n for n, label in enumerate(classes)}
    return np.array([place[label] for label in truth])


def _roc_auc(truth, predicted, classes):
    """Area under the ROC curve; with more than two classes the mean of one against the rest."""
    codes = _codes(truth, classes)
    if len(classes) == 2:
        return sk.roc_auc_score(codes, predicted[:, 1])
    return sk.roc_auc_score(codes, predicted, multi_class="ovr", labels=range(len(classes)))


def _log_loss(truth, predicted, classes):
    return sk.log_loss(_codes(truth, classes), predicted, labels=range(len(classes)))


_averaged = [
    Metric(
        f"{name}_{average}",
        label,
        LABELS,
        _labels(function, average=average, zero_division=0.0),
    )
    for name, function, labels in (
        ("f1", sk.f1_score, (_("F1 (macro)"), _("F1 (micro)"), _("F1 (weighted)"))),
        (
            "precision",
            sk.precision_score,
            (_("precision (macro)"), _("precision (micro)"), _("precision (weighted)")),
        ),
        (
            "recall",
            sk.recall_score,
            (_("recall (macro)"), _("recall (micro)"), _("recall (weighted)")),
        ),
    )
    for average, label in zip(("macro", "micro", "weighted"), labels, strict=True)
]
_error = partial(Metric, needs=VALUES, greater_is_better=False, worst=1.0, best=0.0)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in [
        Metric("accuracy", _("accuracy"), LABELS, _labels(sk.accuracy_score)),
        Metric(
            "balanced_accuracy",
            _("balanced accuracy"),
            LABELS,
            _labels(sk.balanced_accuracy_score),
        ),
        *_averaged,
        Metric("cohen_kappa", _("Cohen's kappa"), LABELS, _labels(sk.cohen_kappa_score), worst=0.0),
        Metric(
            "matthews", _("Matthews correlation"), LABELS, _labels(sk.matthews_corrcoef), worst=0.0
        ),
        Metric("roc_auc", _("area under the ROC curve"), PROBABILITIES, _roc_auc, worst=0.5),
        Metric("log_loss", _("log loss"), PROBABILITIES, _log_loss, False, worst=1.0, best=0.0),
        _error(
            "rmse",
            _("root mean squared error"),
            compute=_labels(sk.root_mean_squared_error),
        ),
        _error("mae", _("mean absolute error"), compute=_labels(sk.mean_absolute_error)),
        _error(
            "mape",
            _("mean absolute percentage error"),
            compute=_labels(sk.mean_absolute_percentage_error),
        ),
        Metric("r2", _("coefficient of determination (R²)"), VALUES, _labels(sk.r2_score)),
    ]
}

METRIC_CHOICES = [(metric.name, metric.label) for metric in METRICS.values()]


def compatible(main: str, other: str) -> bool:
    """Whether ``other`` can be computed from what submissions for ``main`` contain."""
    needs, wants = METRICS[main].needs, METRICS[other].needs
    return needs == wants or (needs == PROBABILITIES and wants == LABELS)


def public_mask(truth: np.ndarray, percent: int, seed: int, *, stratify: bool) -> np.ndarray:
    """Which rows (of ids in sorted order) are public: (n,) of bool, the same for the same seed.

    Classes keep their shares where each has at least two rows. At 100 % everything is public; both
    parts hold at least one row otherwise.
    """
    count = len(truth)
    if percent >= 100 or count < 2:
        return np.ones(count, dtype=bool)
    size = min(max(1, round(count * percent / 100)), count - 1)
    options = {"train_size": size, "random_state": seed}
    try:
        chosen, _rest = train_test_split(
            np.arange(count), stratify=truth if stratify else None, **options
        )
    except ValueError:  # a class too small to be stratified
        chosen, _rest = train_test_split(np.arange(count), **options)
    mask = np.zeros(count, dtype=bool)
    mask[chosen] = True
    return mask


def compute(name: str, main: str, truth, predicted, classes) -> float:
    """The metric ``name`` of predictions made for the metric ``main``."""
    metric = METRICS[name]
    if METRICS[main].needs == PROBABILITIES and metric.needs == LABELS:
        predicted = np.asarray(classes)[np.argmax(predicted, axis=1)]
    return float(metric.compute(truth, predicted, classes))
