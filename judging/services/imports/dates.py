"""Dates of a bundle, in the forms that organizers write them in."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from judging.services.imports.bundle import wrong
from judging.services.imports.section import Section

# Month first, as both platforms read them; the day first where a month it cannot be.
DAYS = ("%Y/%m/%d", "%m-%d-%Y", "%m/%d/%Y", "%d-%m-%Y", "%d/%m/%Y", "%B %d %Y", "%d %B %Y",
        "%b %d %Y", "%d %b %Y")  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S")


def moment(section: Section, key: str, zone: ZoneInfo) -> datetime | None:
    """A date of the YAML in UTC; None where it is left empty. Raises ValidationError."""
    value = section.get(key)
    if value is None or str(value).strip().lower() in ("", "null", "none"):
        return None
    found = _read(value)
    if found is None:
        raise wrong(
            section.at(key),
            f"“{value}” is no date; write it as 2026-01-31 or 2026-01-31 13:30:00",
        )
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    found = found.astimezone(UTC)
    if isinstance(value, str) and not _is_iso(value):
        section.adapt(key, f"“{value}” was read as {shown(found)}")
    return found


def need_moment(section: Section, key: str, zone: ZoneInfo) -> datetime:
    """A date that must be there. Raises ValidationError."""
    found = moment(section, key, zone)
    if found is None:
        raise wrong(section.at(key), "this is missing")
    return found


def shown(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "no end"


def _read(value) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    text = " ".join(str(value).replace(",", " ").split())
    if _is_iso(text):
        return datetime.fromisoformat(text)
    for day in DAYS:
        for hour in TIMES:
            try:
                return datetime.strptime(text, day + hour)  # noqa: DTZ007 - see ``moment``
            except ValueError:
                continue
    return None


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return True
