"""Why a command could not do what was asked: one sentence for people and an exit status."""

FAILED, USAGE, NETWORK, INTERRUPTED = 1, 2, 3, 130


class Problem(Exception):
    """The thing asked for failed; the message is already in the user's language.

    ``status`` is the HTTP status of the answer that said so, where there was one.
    """

    exit_code = FAILED

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class UsageProblem(Problem):
    """The command line lacks something or contradicts itself."""

    exit_code = USAGE


class NetworkProblem(Problem):
    """The server could not be reached, or it failed."""

    exit_code = NETWORK
