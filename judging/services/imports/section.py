"""Mappings of a bundle's YAML, read so that every key is accounted for."""

from judging.services.imports.bundle import wrong
from judging.services.imports.report import Report

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


class Section:
    """One mapping. Whatever is read of it is carried over, unless it is said to be something else.

    ``where`` is its name in the YAML, such as ``phases[0]``; ``file`` that of the YAML.
    """

    def __init__(self, values, file: str, where: str, report: Report):
        self.file, self.where, self.report = file, where, report
        if not isinstance(values, dict):
            raise wrong(self.at(), "expected a mapping of keys to values")
        self.values = {str(key): value for key, value in values.items()}
        self.read: list[str] = []  # not yet in the report
        self.told: set[str] = set()

    def at(self, key: str = "") -> str:
        """The file and the full name of a key, for messages."""
        name = self.name(key)
        return f"{self.file}, {name}" if name else self.file

    def name(self, key: str = "") -> str:
        return ".".join(part for part in (self.where, key) if part)

    def get(self, key: str, default=None):
        """A value as it stands; None for one that is left empty."""
        if key in self.values and key not in self.read:
            self.read.append(key)
        value = self.values.get(key)
        return default if value is None else value

    def need(self, key: str):
        value = self.get(key)
        if value is None or value == "":
            raise wrong(self.at(key), "this is missing")
        return value

    def text(self, key: str, default: str = "") -> str:
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise wrong(self.at(key), f"expected text, found {_kind(value)}")
        return cleaned(value)

    def need_text(self, key: str) -> str:
        self.need(key)
        text = self.text(key)
        if not text:
            raise wrong(self.at(key), "this is missing")
        return text

    def number(self, key: str, default: int) -> int:
        """A whole number that is not negative."""
        value = self.get(key, default)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise wrong(self.at(key), f"expected a whole number, found “{value}”")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.get(key, default)
        if isinstance(value, bool):
            return value
        if str(value).strip().lower() in (*TRUE, *FALSE):
            return str(value).strip().lower() in TRUE
        raise wrong(self.at(key), f"expected true or false, found “{value}”")

    def entries(self, key: str) -> list:
        value = self.get(key, [])
        if not isinstance(value, list):
            raise wrong(self.at(key), f"expected a list, found {_kind(value)}")
        return value

    def sections(self, key: str) -> list["Section"]:
        """The mappings of a list."""
        return [
            Section(value, self.file, f"{self.name(key)}[{n}]", self.report)
            for n, value in enumerate(self.entries(key))
        ]

    def section(self, key: str) -> "Section":
        return Section(self.need(key), self.file, self.name(key), self.report)

    def named_sections(self, key: str) -> dict[str, "Section"]:
        """The mappings of a mapping, by their keys."""
        inner = self.section(key)
        return {
            name: Section(value, self.file, inner.name(name), self.report)
            for name, value in inner.values.items()
        }

    def adapt(self, key: str, text: str) -> None:
        """Say what became of a key where it is not what it was."""
        self.get(key)
        self.told.add(key)
        self.report.adapt(self.name(key), text, [self.name(key)])

    def leave(self, key: str, why: str) -> None:
        """Say why a key is not carried over."""
        self.get(key)
        self.told.add(key)
        self.report.leave(self.name(key), why, [self.name(key)])

    def leave_all(self, reasons: dict[str, str]) -> None:
        """Leave those of the keys that are there; what is off or empty needs no place here."""
        off = []
        for key, why in reasons.items():
            if key not in self.values:
                continue
            value = self.get(key)
            if value is None or value in ("", [], {}) or str(value).lower() in ("false", "none"):
                off.append(key)
            else:
                self.leave(key, why)
        if off:
            self.told |= set(off)
            names = [self.name(key) for key in off]
            self.report.carry(self.where, f"{', '.join(off)} → off or empty, as here", names)

    def leave_whole(self, why: str) -> None:
        """Say why nothing of the mapping is carried over."""
        self.told |= set(self.values)
        self.report.leave(self.where, why, [self.name(key) for key in self.values])

    def done(self, what: str) -> None:
        """Report what was read as carried over, and every key that nothing has asked for."""
        carried = [key for key in self.read if key not in self.told]
        if carried:
            names = [self.name(key) for key in carried]
            said = f"{', '.join(carried)} → {what}" if what else ", ".join(carried)
            self.report.carry(self.where, said, names)
        for key in self.values:
            if key not in self.read and key not in self.told:
                self.leave(key, "unknown key; nothing here reads it")


def cleaned(value) -> str:
    """A scalar as text; no database keeps characters of code 0."""
    return str(value).replace("\x00", "").strip()


def _kind(value) -> str:
    names = {dict: "a mapping", list: "a list", bool: "true or false"}
    return names.get(type(value), f"“{value}”")
