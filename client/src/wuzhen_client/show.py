"""How things look on a terminal, and as JSON."""

import json
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wuzhen_client.texts import text

PIPED_WIDTH = 200  # so that nothing is folded where no terminal says how wide it is


def console(*, stderr: bool = False) -> Console:
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal:
        found.width = PIPED_WIDTH
    return found


def clean(value, *, keep: str = "") -> str:
    """Text of others, without what a terminal would obey."""
    return "".join(c if c.isprintable() or c in keep else "�" for c in str(value))


def say(message: str) -> None:
    click.echo(clean(message, keep="\n"))


def tell(message: str) -> None:
    """Beside the result: to standard error, which programs that read the result leave alone."""
    click.echo(clean(message, keep="\n"), err=True)


def warn(message: str) -> None:
    tell(text("warning", message=message))


def dump(value) -> None:
    """Escaped to ASCII, so that it is right whatever encoding the reader assumes."""
    click.echo(json.dumps(value, indent=2))


def table(columns: list[str], rows: list[list], *, whole=(), mark=()) -> None:
    """Rows under the columns of these names.

    Columns in ``whole`` are never folded: people copy what they hold. Rows whose places are in
    ``mark`` stand out.
    """
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        shown.add_column(text(f"column_{name}"), overflow="fold", no_wrap=name in whole)
    for place, row in enumerate(rows):
        cells = [Text(clean(cell)) for cell in row]
        shown.add_row(*cells, style="bold" if place in mark else None)
    console().print(shown)


def facts(rows: list[tuple[str, object]]) -> None:
    """Names and values; what is empty is left out."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, ""):
            shown.add_row(Text(name), Text(clean(value, keep="\n")))
    console().print(shown)


def zone(event: dict) -> ZoneInfo:
    try:
        return ZoneInfo(event["time_zone"])
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(given: str | datetime | None, event: dict, *, named: bool = True) -> str:
    """A time in the event's zone, with the zone's name: ``2026-11-25 18:00 (Asia/Shanghai)``."""
    if not given:
        return ""
    when = datetime.fromisoformat(given) if isinstance(given, str) else given
    where = zone(event)
    shown = f"{when.astimezone(where):%Y-%m-%d %H:%M}"
    return f"{shown} ({where.key})" if named else shown


def score(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def rounded(value: str | None, decimals: int) -> str:
    """An exact decimal as the platform's pages round it: half up."""
    if value is None:
        return "–"
    return str(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def size(count: int) -> str:
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KB"
    return text("megabytes", count=f"{count / 1024 / 1024:.1f}")


def duration(seconds: float) -> str:
    if seconds < 90:
        return text("seconds", count=max(1, round(seconds)))
    return text("minutes", count=round(seconds / 60))
