from contest.models.entry import Entry, EntryFile
from contest.models.event import Event, EventRole, Track
from contest.models.log import LogEntry
from contest.models.round import Participation, Round
from contest.models.signin import SignInLink
from contest.models.submission import Submission
from contest.models.team import Invitation, Membership, Team
from contest.models.user import User

__all__ = [
    "Entry",
    "EntryFile",
    "Event",
    "EventRole",
    "Invitation",
    "LogEntry",
    "Membership",
    "Participation",
    "Round",
    "SignInLink",
    "Submission",
    "Team",
    "Track",
    "User",
]
