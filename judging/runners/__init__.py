"""How a submission of each kind becomes predictions: one module a kind, one interface (base)."""

from contest.models import Submission
from judging.runners.base import Runner
from judging.runners.code import CodeRunner
from judging.runners.container import ContainerRunner
from judging.runners.onnx import OnnxRunner
from judging.runners.predictions import PredictionsRunner

RUNNERS: dict[str, Runner] = {
    Submission.Kind.PREDICTIONS: PredictionsRunner(),
    Submission.Kind.ONNX: OnnxRunner(),
    Submission.Kind.CODE: CodeRunner(),
    Submission.Kind.CONTAINER: ContainerRunner(),
}
