"""The metrics an organizer can choose from; scikit-learn computes them all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from sklearn import metrics as sk
from sklearn.model_selection import train_test_split

# What an answer to one row is: one of the task's classes, a probability for each class, a number,
# or any text at all (names of clusters, translations).
LABELS, PROBABILITIES, VALUES, TEXT = "labels", "probabilities", "values", "text"
NEEDS = {
    LABELS: _("one of the classes"),
    PROBABILITIES: _("a probability for each class"),
    VALUES: _("a number"),
    TEXT: _("any text"),
}


@dataclass(frozen=True)
class Metric:
    """``compute(truth, predicted, classes)`` → float.

    ``needs`` says what ``predicted`` is: class labels or text (n,), probabilities (n, classes) in
    the order of ``classes``, or numbers (n,). ``worst`` and ``best`` are the bounds that a scheme
    starts from. ``compute`` is None where something else comes up with the value.
    """

    name: str
    label: str | Promise
    needs: str
    compute: Callable | None
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


def _roc_auc(multi_class="ovr", average="macro"):
    """Area under the ROC curve; ``multi_class`` says how more than two classes are compared."""

    def compute(truth, predicted, classes):
        codes = _codes(truth, classes)
        if len(classes) == 2:
            return sk.roc_auc_score(codes, predicted[:, 1])
        return sk.roc_auc_score(
            codes, predicted, multi_class=multi_class, average=average, labels=range(len(classes))
        )

    return compute


def _with_all_classes(function, **options):
    return lambda truth, predicted, classes: function(
        _codes(truth, classes), predicted, labels=range(len(classes)), **options
    )


def _average_precision(truth, predicted, classes):
    codes = _codes(truth, classes)
    if len(classes) == 2:
        return sk.average_precision_score(codes, predicted[:, 1])
    return sk.average_precision_score(np.eye(len(classes))[codes], predicted, average="macro")


def _top_k(k: int):
    def compute(truth, predicted, classes):
        if len(classes) <= k:
            raise ValueError(f"there are only {len(classes)} classes")
        codes = _codes(truth, classes)
        return sk.top_k_accuracy_score(codes, predicted, k=k, labels=range(len(classes)))

    return compute


def _of_two_classes(function):
    """A metric of two classes, the second of which is the one looked for."""

    def compute(truth, predicted, classes):
        if len(classes) != 2:
            raise ValueError("it is defined for two classes")
        return function(truth, predicted, classes)

    return compute


def _averaged(name: str, label, function) -> list[Metric]:
    averages = {"macro": _("macro"), "micro": _("micro"), "weighted": _("weighted")}
    over_classes = [
        Metric(
            f"{name}_{average}",
            format_lazy("{} ({})", label, word),
            LABELS,
            _labels(function, average=average, zero_division=0.0),
        )
        for average, word in averages.items()
    ]
    one = _of_two_classes(lambda t, p, c: function(t, p, pos_label=c[1], zero_division=0.0))
    word = _("second of two classes")
    return [*over_classes, Metric(name, format_lazy("{} ({})", label, word), LABELS, one)]


def _likelihood_ratio(place: int):
    return _of_two_classes(lambda t, p, c: sk.class_likelihood_ratios(t, p, labels=c)[place])


def _error(name: str, label, function, needs=VALUES) -> Metric:
    return Metric(name, label, needs, _labels(function), False, worst=1.0, best=0.0)


def _probabilities(name: str, label, function, **options) -> Metric:
    return Metric(name, label, PROBABILITIES, function, **options)


def _clusters(name: str, label, function) -> Metric:
    """Names of clusters say nothing; who is together with whom does."""
    return Metric(name, label, TEXT, _labels(function))


_FALLING = {"greater_is_better": False, "worst": 1.0, "best": 0.0}
_LISTED = [
    # Classes
    Metric("accuracy", _("accuracy"), LABELS, _labels(sk.accuracy_score)),
    Metric(
        "balanced_accuracy", _("balanced accuracy"), LABELS, _labels(sk.balanced_accuracy_score)
    ),
    *_averaged("f1", "F1", sk.f1_score),
    *_averaged("precision", _("precision"), sk.precision_score),
    *_averaged("recall", _("recall"), sk.recall_score),
    *_averaged("jaccard", _("Jaccard index"), sk.jaccard_score),
    Metric("cohen_kappa", _("Cohen's kappa"), LABELS, _labels(sk.cohen_kappa_score)),
    Metric("matthews", _("Matthews correlation"), LABELS, _labels(sk.matthews_corrcoef)),
    _error("hamming_loss", _("Hamming loss"), sk.hamming_loss, LABELS),
    Metric(
        "positive_likelihood_ratio",
        _("positive likelihood ratio"),
        LABELS,
        _likelihood_ratio(0),
        worst=1.0,
        best=10.0,
    ),
    Metric(
        "negative_likelihood_ratio",
        _("negative likelihood ratio"),
        LABELS,
        _likelihood_ratio(1),
        **_FALLING,
    ),
    # Probabilities
    _probabilities("roc_auc", _("area under the ROC curve"), _roc_auc(), worst=0.5),
    _probabilities(
        "roc_auc_weighted",
        _("area under the ROC curve (weighted)"),
        _roc_auc(average="weighted"),
        worst=0.5,
    ),
    _probabilities(
        "roc_auc_ovo", _("area under the ROC curve (pairs of classes)"), _roc_auc("ovo"), worst=0.5
    ),
    _probabilities(
        "roc_auc_ovo_weighted",
        _("area under the ROC curve (pairs of classes, weighted)"),
        _roc_auc("ovo", "weighted"),
        worst=0.5,
    ),
    _probabilities("average_precision", _("average precision"), _average_precision),
    _probabilities("top_2_accuracy", _("accuracy among the first two"), _top_k(2)),
    _probabilities("top_5_accuracy", _("accuracy among the first five"), _top_k(5)),
    _probabilities("log_loss", _("log loss"), _with_all_classes(sk.log_loss), **_FALLING),
    _probabilities(
        "brier",
        _("Brier score"),
        _with_all_classes(sk.brier_score_loss, scale_by_half=True),
        **_FALLING,
    ),
    _probabilities(
        "d2_log_loss",
        _("share of the log loss explained (D²)"),
        _with_all_classes(sk.d2_log_loss_score),
    ),
    _probabilities(
        "d2_brier",
        _("share of the Brier score explained (D²)"),
        _with_all_classes(sk.d2_brier_score),
    ),
    # Numbers
    _error("rmse", _("root mean squared error"), sk.root_mean_squared_error),
    _error("mse", _("mean squared error"), sk.mean_squared_error),
    _error("mae", _("mean absolute error"), sk.mean_absolute_error),
    _error("median_ae", _("median absolute error"), sk.median_absolute_error),
    _error("max_error", _("largest error"), sk.max_error),
    _error("mape", _("mean absolute percentage error"), sk.mean_absolute_percentage_error),
    _error("rmsle", _("root mean squared logarithmic error"), sk.root_mean_squared_log_error),
    _error("msle", _("mean squared logarithmic error"), sk.mean_squared_log_error),
    _error("poisson_deviance", _("mean Poisson deviance"), sk.mean_poisson_deviance),
    _error("gamma_deviance", _("mean gamma deviance"), sk.mean_gamma_deviance),
    Metric("r2", _("coefficient of determination (R²)"), VALUES, _labels(sk.r2_score)),
    Metric(
        "explained_variance",
        _("explained variance"),
        VALUES,
        _labels(sk.explained_variance_score),
    ),
    Metric(
        "d2_absolute_error",
        _("share of the absolute error explained (D²)"),
        VALUES,
        _labels(sk.d2_absolute_error_score),
    ),
    # Clusters
    _clusters("adjusted_rand", _("adjusted Rand index"), sk.adjusted_rand_score),
    _clusters("rand", _("Rand index"), sk.rand_score),
    _clusters(
        "adjusted_mutual_info", _("adjusted mutual information"), sk.adjusted_mutual_info_score
    ),
    _clusters(
        "normalized_mutual_info",
        _("normalized mutual information"),
        sk.normalized_mutual_info_score,
    ),
    _clusters("mutual_info", _("mutual information"), sk.mutual_info_score),
    _clusters("homogeneity", _("homogeneity"), sk.homogeneity_score),
    _clusters("completeness", _("completeness"), sk.completeness_score),
    _clusters("v_measure", _("V-measure"), sk.v_measure_score),
    _clusters("fowlkes_mallows", _("Fowlkes–Mallows index"), sk.fowlkes_mallows_score),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in _LISTED}
METRIC_CHOICES = [(metric.name, metric.label) for metric in _LISTED]

# What running a submission took. Schemes can weigh it beside the metric; it never is the metric.
MEASURES: dict[str, Metric] = {
    name: Metric(name, label, "", None, greater_is_better=False, worst=worst, best=0.0)
    for name, label, worst in (
        ("wall_s", _("time taken (s)"), 60.0),
        ("cpu_s", _("processor time (s)"), 60.0),
        ("peak_memory_mb", _("memory (MB)"), 2048.0),
        ("size_mb", _("size of the file (MB)"), 100.0),
    )
}


def compatible(needs: str, other: str) -> bool:
    """Whether the metric ``other`` can be computed from answers that are ``needs``."""
    wants = METRICS[other].needs
    return needs == wants or (needs, wants) in ((PROBABILITIES, LABELS), (LABELS, TEXT))


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


def compute(name: str, needs: str, truth, predicted, classes) -> float:
    """The metric ``name`` of answers that are ``needs``. Raises ValueError where undefined."""
    metric = METRICS[name]
    if needs == PROBABILITIES and metric.needs == LABELS:
        predicted = np.asarray(classes)[np.argmax(predicted, axis=1)]
    return float(metric.compute(truth, predicted, classes))
