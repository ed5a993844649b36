"""The demo's tasks: data sets that scikit-learn ships, and the models the teams train on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import datasets, discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors

from sklearn import neural_network, svm, tree  # isort: skip
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 2026
DIGITS, CLINIC, WINE = "digits", "clinic", "wine"
LOADERS = {
    DIGITS: datasets.load_digits,
    CLINIC: datasets.load_breast_cancer,
    WINE: datasets.load_wine,
}


@dataclass(frozen=True)
class Task:
    """A data set cut in two: what teams may train on, and what is hidden from them.

    ``train_x`` is (n, features) and ``train_y`` (n,); the hidden part has m rows with ``ids``.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    hidden_x: np.ndarray
    hidden_y: np.ndarray
    ids: list[str]

    @classmethod
    def load(cls, name: str, hidden_share: float = 0.4) -> "Task":
        data = LOADERS[name]()
        train_x, hidden_x, train_y, hidden_y = train_test_split(
            data.data, data.target, test_size=hidden_share, random_state=SEED, stratify=data.target
        )
        ids = [f"{name}-{n:04}" for n in range(len(hidden_y))]
        return cls(train_x, train_y, hidden_x, hidden_y, ids)

    def reference_csv(self) -> bytes:
        return _csv(pd.DataFrame({"id": self.ids, "label": self.hidden_y}))

    def inputs_csv(self) -> bytes:
        columns = [f"x{n}" for n in range(self.hidden_x.shape[1])]
        frame = pd.DataFrame(self.hidden_x, columns=columns)
        frame.insert(0, "id", self.ids)
        return _csv(frame)


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _scaled(model):
    return make_pipeline(StandardScaler(), model)


class _SmallSample(neighbors.KNeighborsClassifier):
    """A beginner's model: looks at the first forty examples only."""

    def fit(self, x, y):
        return super().fit(x[:40], y[:40])


MODELS = {
    # Digits
    "svm_rbf": lambda: svm.SVC(gamma=0.001, C=10),
    "svm_poly": lambda: svm.SVC(kernel="poly", degree=3),
    "nusvc": lambda: svm.NuSVC(nu=0.1),
    "linear_svm": lambda: svm.LinearSVC(C=0.01, random_state=SEED),
    "pca_svm": lambda: make_pipeline(PCA(12, random_state=SEED), svm.SVC()),
    "knn3": lambda: neighbors.KNeighborsClassifier(3),
    "knn5": lambda: neighbors.KNeighborsClassifier(15),
    "knn_distance": lambda: neighbors.KNeighborsClassifier(25, weights="distance"),
    "small_sample_knn": lambda: _SmallSample(1),
    "bagged_knn": lambda: ensemble.BaggingClassifier(
        neighbors.KNeighborsClassifier(5), max_features=0.3, random_state=SEED
    ),
    "extra_trees_500": lambda: ensemble.ExtraTreesClassifier(300, random_state=SEED),
    "extra_trees_100": lambda: ensemble.ExtraTreesClassifier(60, random_state=SEED),
    "random_forest_300": lambda: ensemble.RandomForestClassifier(200, random_state=SEED),
    "random_forest_100": lambda: ensemble.RandomForestClassifier(40, random_state=SEED),
    "hist_gb": lambda: ensemble.HistGradientBoostingClassifier(max_iter=40, random_state=SEED),
    "gradient_boosting": lambda: ensemble.GradientBoostingClassifier(
        n_estimators=25, random_state=SEED
    ),
    "adaboost": lambda: ensemble.AdaBoostClassifier(
        tree.DecisionTreeClassifier(max_depth=3), n_estimators=40, random_state=SEED
    ),
    "mlp_128": lambda: _scaled(
        neural_network.MLPClassifier((128,), max_iter=300, random_state=SEED)
    ),
    "mlp_64": lambda: _scaled(neural_network.MLPClassifier((24,), max_iter=300, random_state=SEED)),
    "logistic": lambda: _scaled(linear_model.LogisticRegression(max_iter=500)),
    "ridge": lambda: linear_model.RidgeClassifier(),
    "perceptron": lambda: linear_model.Perceptron(random_state=SEED),
    "lda": lambda: discriminant_analysis.LinearDiscriminantAnalysis(),
    "qda": lambda: discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.5),
    "centroid": lambda: neighbors.NearestCentroid(),
    "tree_deep": lambda: tree.DecisionTreeClassifier(random_state=SEED),
    "tree_shallow": lambda: tree.DecisionTreeClassifier(max_depth=5, random_state=SEED),
    "bernoulli_nb": lambda: naive_bayes.BernoulliNB(binarize=8),
    "gaussian_nb": lambda: naive_bayes.GaussianNB(var_smoothing=0.01),
    "multinomial_nb": lambda: naive_bayes.MultinomialNB(),
    # Breast cancer: probabilities
    "c_logistic": lambda: _scaled(linear_model.LogisticRegression()),
    "c_forest": lambda: ensemble.RandomForestClassifier(100, random_state=SEED),
    "c_gb": lambda: ensemble.GradientBoostingClassifier(random_state=SEED),
    "c_svm": lambda: _scaled(linear_model.LogisticRegression(C=0.01)),
    "c_knn": lambda: _scaled(neighbors.KNeighborsClassifier(9)),
    "c_nb": lambda: naive_bayes.GaussianNB(),
    "c_tree": lambda: tree.DecisionTreeClassifier(max_depth=3, random_state=SEED),
    # Wine
    "w_forest": lambda: ensemble.RandomForestClassifier(100, random_state=SEED),
    "w_logistic": lambda: linear_model.LogisticRegression(C=0.001, max_iter=2000),
    "w_tree": lambda: tree.DecisionTreeClassifier(max_depth=2, random_state=SEED),
    "w_knn": lambda: neighbors.KNeighborsClassifier(5),
}


def train(model: str, task: Task):
    """The named model, fitted on the task's training part."""
    return MODELS[model]().fit(task.train_x, task.train_y)


def predictions_csv(fitted, task: Task, *, probabilities: bool = False) -> bytes:
    """What the fitted model says of the hidden part, in the form that the platform asks for."""
    frame = pd.DataFrame({"id": task.ids})
    if probabilities:
        for label, column in zip(
            fitted.classes_, fitted.predict_proba(task.hidden_x).T, strict=True
        ):
            frame[f"p_{label}"] = column
    else:
        frame["label"] = fitted.predict(task.hidden_x)
    return _csv(frame)


def know_nothing_csv(task: Task, *, probabilities: bool = False) -> bytes:
    """The same answer for every row, from the training part's labels alone."""
    labels, counts = np.unique(task.train_y, return_counts=True)
    frame = pd.DataFrame({"id": task.ids})
    if probabilities:
        shares = counts / counts.sum()
        for label, share in zip(labels, shares, strict=True):
            frame[f"p_{label}"] = share
    else:
        frame["label"] = labels[np.argmax(counts)]
    return _csv(frame)


def onnx_model(fitted, task: Task) -> bytes:
    """The fitted model as an ONNX file with one float input of shape (n, features)."""
    from skl2onnx import to_onnx

    options = {} if not hasattr(fitted, "predict_proba") else {"zipmap": False}
    sample = task.train_x[:1].astype(np.float32)
    return to_onnx(fitted, sample, options=options).SerializeToString()
