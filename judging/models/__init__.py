from judging.models.benchmark import Benchmark, BenchmarkTask, ResourceClass, ScoringRun
from judging.models.panel import Assignment, Judge, Panel, Recusal
from judging.models.record import Record, RecordEntry
from judging.models.rubric import Criterion, Rubric
from judging.models.scoresheet import Mark, Scoresheet
from judging.models.stage import Appearance, Reminder, Stage
from judging.models.tie import Tie, TiedTeam
from judging.models.worker import Worker

__all__ = [
    "Appearance",
    "Assignment",
    "Benchmark",
    "BenchmarkTask",
    "Criterion",
    "Judge",
    "Mark",
    "Panel",
    "Record",
    "RecordEntry",
    "Recusal",
    "Reminder",
    "ResourceClass",
    "Rubric",
    "Scoresheet",
    "ScoringRun",
    "Stage",
    "Tie",
    "TiedTeam",
    "Worker",
]
