"""Competitions of other platforms, made into events in preparation."""

from judging.services.imports.codabench import import_codabench
from judging.services.imports.evalai import import_evalai
from judging.services.imports.report import Item, Report

__all__ = ["Item", "Report", "import_codabench", "import_evalai"]
