from judging.services.imports import import_codabench
from judging.services.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Make an event of a competition bundle of Codabench or CodaLab (competition.yaml)."
    service = staticmethod(import_codabench)
