"""Template tags that every template has without loading."""

from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contest import live
from contest.numbers import plain, round_half_up

register = template.Library()


def _in_zone(moment, event, pattern: str, *, named: bool) -> str:
    if moment is None:
        return ""
    local = timezone.localtime(moment, ZoneInfo(event.time_zone)).strftime(pattern)
    return f"{local} ({event.time_zone})" if named else local


@register.filter
def event_time(moment, event):
    """A moment in the event's zone, with the zone's name: ``2026-11-25 18:00 (Asia/Shanghai)``."""
    return _in_zone(moment, event, "%Y-%m-%d %H:%M", named=True)


@register.filter
def event_second(moment, event):
    """The same to the second: ``2026-11-25 18:00:03 (Asia/Shanghai)``."""
    return _in_zone(moment, event, "%Y-%m-%d %H:%M:%S", named=True)


@register.filter
def clock_time(moment, event):
    """The time of day in the event's zone, where the day and the zone are known: ``18:00``."""
    return _in_zone(moment, event, "%H:%M", named=False)


@register.filter
def score(value, decimals=2):
    """A score for people: rounded half up, here and nowhere earlier."""
    if value is None or value == "":
        return "–"
    return formats.number_format(round_half_up(value, int(decimals)), int(decimals))


@register.filter
def duration(seconds):
    """Seconds as people say them: ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    if minutes:
        return _("%(m)s min %(s)s s") % {"m": minutes, "s": rest}
    return _("%(s)s s") % {"s": rest}


register.filter(plain)


@register.filter
def bare(value):
    """A measured number with every digit it has: 0.1234567, and 1 for 1.0."""
    return repr(float(value)).removesuffix(".0")


@register.filter
def said(texts, field):
    """``field`` of a dict that holds it as ``_zh`` and ``_en``, in the reader's language."""
    zh, en = texts.get(f"{field}_zh"), texts.get(f"{field}_en")
    return (zh or en) if (get_language() or "").startswith("zh") else (en or zh)


@register.filter
def item(mapping, key):
    """``mapping[key]``, or nothing."""
    return mapping.get(key, ())


@register.simple_tag(takes_context=True)
def query(context, **changes):
    """The page's query string with some parameters changed; None removes one."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
    return f"?{params.urlencode()}" if params else "?"


@register.simple_tag
def live_url(*parts):
    """Where a page listens: ``{% live_url "desk" round.pk "stage" round.pk %}``.

    Only on pages whose reader may know that something changed there.
    """
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return live.url(*(live.channel(kind, pk) for kind, pk in pairs))
