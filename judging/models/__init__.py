from judging.models.benchmark import Benchmark, BenchmarkTask, ResourceClass, ScoringRun
from judging.models.panel import Assignment, Judge, Panel, Recusal
from judging.models.rubric import Criterion, Rubric
from judging.models.scoresheet import Mark, MarkRevision, Scoresheet
from judging.models.worker import Worker

__all__ = [
    "Assignment",
    "Benchmark",
    "BenchmarkTask",
    "Criterion",
    "Judge",
    "Mark",
    "MarkRevision",
    "Panel",
    "Recusal",
    "ResourceClass",
    "Rubric",
    "Scoresheet",
    "ScoringRun",
    "Worker",
]
