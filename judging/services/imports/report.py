"""What an import did with each thing of a bundle, for the organizer to read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contest.models import Event


@dataclass(frozen=True)
class Item:
    """One line of the report; ``keys`` are the YAML's keys, by full name, that it answers for."""

    where: str
    text: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass
class Report:
    """Every key of the YAML is in one of the three lists; nothing is dropped in silence."""

    source: str
    event: Event | None = None
    slug: str = ""
    dry_run: bool = False
    carried: list[Item] = field(default_factory=list)
    adapted: list[Item] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)

    def carry(self, where: str, text: str, keys: Iterable[str] = ()) -> None:
        self.carried.append(Item(where, text, tuple(keys)))

    def adapt(self, where: str, text: str, keys: Iterable[str] = ()) -> None:
        self.adapted.append(Item(where, text, tuple(keys)))

    def leave(self, where: str, text: str, keys: Iterable[str] = ()) -> None:
        self.left.append(Item(where, text, tuple(keys)))

    def accounted(self) -> set[str]:
        """The full names of all keys that the report accounts for."""
        items = [*self.carried, *self.adapted, *self.left]
        return {key for item in items for key in item.keys}

    def lines(self) -> Iterator[str]:
        """The report in words."""
        if self.dry_run:
            yield f"{self.source} can be imported as “{self.slug}”. Nothing was made (--dry-run)."
        else:
            yield f"{self.source} was imported as “{self.slug}”, in preparation."
        sections = {
            "Carried over": self.carried,
            "Adapted": self.adapted,
            "Not carried over": self.left,
        }
        for title, items in sections.items():
            yield ""
            yield f"{title}:"
            yield from (f"  {line}" for line in _grouped(items) or ["nothing"])


def _grouped(items: list[Item]) -> list[str]:
    """One line for what is said of several things."""
    places: dict[str, list[str]] = {}
    for item in items:
        places.setdefault(item.text, []).append(item.where)
    return [
        str(Item(", ".join(dict.fromkeys(filter(None, where))), text))
        for text, where in places.items()
    ]
