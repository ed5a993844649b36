"""The language of a call, and texts in it. The table itself is in messages.py."""

import os

from wuzhen_client.messages import MESSAGES

LANGUAGES = ("en", "zh")
# What the server calls them.
ACCEPT_LANGUAGE = {"en": "en", "zh": "zh-hans"}

_chosen = "en"


def supported(name: str) -> str | None:
    """``zh_CN.UTF-8`` → ``zh``; None for a language that there are no texts in."""
    start = name.lower().replace("-", "_").split(".")[0].split("_")[0]
    return start if start in LANGUAGES else None


def from_environment() -> str:
    """WUZHEN_LANG, or else the locale as POSIX names it: the first variable that is set decides."""
    if found := supported(os.environ.get("WUZHEN_LANG", "")):
        return found
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return supported(value) or "en"
    return "en"


def from_arguments(arguments: list[str]) -> str | None:
    """What ``--lang`` says. Looked for before the command line is parsed, since the errors of
    parsing and the help are texts as well."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            return None
        if argument.startswith("--lang="):
            return supported(argument.removeprefix("--lang="))
        if argument == "--lang" and place + 1 < len(arguments):
            return supported(arguments[place + 1])
    return None


def choose(language: str) -> None:
    global _chosen
    _chosen = language


def language() -> str:
    return _chosen


def text(key: str, /, **values) -> str:
    """The message in the user's language, with ``values`` filled in."""
    message = MESSAGES[key][LANGUAGES.index(_chosen)]
    return message.format(**values) if values else message


def label(group: str, value: str | None) -> str:
    """The name of a state or kind; one that this client does not know yet is shown as it is."""
    if not value:
        return ""
    key = f"{group}_{value}"
    return text(key) if key in MESSAGES else value


def named(thing: dict, field: str = "name") -> str:
    """A text that the platform keeps in two languages: the user's, or the other if it is empty."""
    first, second = ("zh", "en") if _chosen == "zh" else ("en", "zh")
    return thing.get(f"{field}_{first}") or thing.get(f"{field}_{second}") or ""
