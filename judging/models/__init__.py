from judging.models.benchmark import Benchmark, ScoringRun
from judging.models.panel import Assignment, Judge, Panel, Recusal
from judging.models.rubric import Criterion, Rubric
from judging.models.scoresheet import Mark, MarkRevision, Scoresheet

__all__ = [
    "Assignment",
    "Benchmark",
    "Criterion",
    "Judge",
    "Mark",
    "MarkRevision",
    "Panel",
    "Recusal",
    "Rubric",
    "Scoresheet",
    "ScoringRun",
]
