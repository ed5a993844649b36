"""Where everything runs that a team sent: no network, no secrets, limits on all it can use.

``Box`` makes the folders, ``Box.run`` runs one command in them, ``files`` reads what it left.
docs/decisions/0009-sandbox.md says what is promised and how.
"""

from judging.sandbox.box import Box, SandboxUnavailable
from judging.sandbox.bubblewrap import confinement
from judging.sandbox.process import End, Finished, Limits

__all__ = ["Box", "End", "Finished", "Limits", "SandboxUnavailable", "confinement"]
