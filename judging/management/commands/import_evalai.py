from judging.services.imports import import_evalai
from judging.services.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Make an event of a challenge configuration of EvalAI (challenge_config.yaml)."
    service = staticmethod(import_evalai)
