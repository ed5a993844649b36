"""What every import of a table has in common: a plan that is looked at, and then written as seen.

Nothing is kept between the two: the table is read and planned again, and what is written is what
was looked at, or nothing.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest.errors import Refused
from contest.models import LogEntry, User
from contest.tables_in import Table

# How one cell names a person: whatever stands before the last address in brackets. Each part can
# end in one place alone, so that a cell made to be slow is read as fast as any other.
NAME_AND_EMAIL = re.compile(r"(.*)[<＜]([^<>＜＞]+)[>＞]", re.DOTALL)
NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
OUTCOMES = {
    NEW: gettext_lazy("new"),
    CHANGED: gettext_lazy("different"),
    UNCHANGED: gettext_lazy("unchanged"),
}


@dataclass(frozen=True)
class Change:
    """What one row comes to."""

    row: int
    outcome: str
    what: str
    details: str = ""
    # What is written beyond what ``details`` shows; no two writings have the same.
    exactly: str = ""

    @property
    def label(self) -> str:
        return str(OUTCOMES[self.outcome])


@dataclass
class Plan:
    """Everything that a table would do. Nothing is written by making it."""

    kind: str
    table: Table
    changes: list[Change] = field(default_factory=list)
    # What is to be done, as the writing part takes it.
    steps: list = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Names the whole plan, so that what is written is what was looked at."""
        said = [(c.row, c.outcome, c.what, c.details, c.exactly) for c in self.changes]
        return hashlib.sha256(repr((self.kind, said)).encode()).hexdigest()

    def count(self, outcome: str) -> int:
        return sum(change.outcome == outcome for change in self.changes)

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        return [(name, str(label), self.count(name)) for name, label in OUTCOMES.items()]

    @property
    def changes_anything(self) -> bool:
        return bool(self.steps)

    def require(self, seen: str) -> None:
        """Raise Refused unless ``seen``, the digest that was looked at, is that of this plan."""
        if self.digest != seen:
            raise plan_changed()

    def log(self, about, by: User) -> None:
        """Write into the log of ``about`` that the table was taken in; nothing, if it did nothing.

        Each thing that came of it is in the log besides.
        """
        if self.changes_anything:
            counts = f"+{self.count(NEW)}, ~{self.count(CHANGED)}"
            LogEntry.write(about, "imported", by=by, after=f"{self.table.file[:150]}: {counts}")


def exactly(fields: dict[str, str]) -> str:
    """Names what a row writes into which fields."""
    return repr(sorted(fields.items()))


def plan_changed() -> Refused:
    return Refused(
        _("Something has changed since the table was checked. Look at it again."),
        code="plan_changed",
    )


def key(text: str) -> str:
    """A name or address without what people write differently: case, width, spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def address_key(text: str) -> str:
    """An e-mail address as accounts have it. Letters are made small and not folded: ß is not ss."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def name_and_email(text: str) -> tuple[str, str] | None:
    """``Lin Yi <lin@example.org>`` as name and address; None for anything else."""
    match = NAME_AND_EMAIL.fullmatch(text.strip())
    return (" ".join(match[1].split()), match[2].strip()) if match else None
