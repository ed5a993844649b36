"""Whether two names mean the same organisation, as far as a name can tell. Pure, free of Django.

Nobody writes 清华大学 the same way twice: with a department, in full-width letters, in English.
What is found here is asked about and may be confirmed with a reason; it forbids nothing by itself.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# A name that stands within another says something from so many letters on: 清华大学, but not 大学.
SHORTEST = 4
CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# A Chinese character is a word by itself, of other scripts it is a run of letters and digits.
WORDS = re.compile(f"[{CJK}]|[^\\W_{CJK}]+")


@lru_cache(maxsize=20_000)
def plain(name: str) -> str:
    """The words of a name between spaces; case, width, spaces and punctuation say nothing."""
    words = WORDS.findall(unicodedata.normalize("NFKC", name).casefold())
    return f" {' '.join(words)} " if words else ""


def plain_names(names: Iterable[str]) -> frozenset[str]:
    """An organisation's names as ``akin`` compares them, without empty ones."""
    return frozenset(map(plain, names)) - {""}


def akin(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether a name of one side is a name of the other, or stands in it as whole words.

    Both sides' Chinese and English names are compared with each other: either may stand in the
    other's column.
    """
    return any(a == b or _within(a, b) or _within(b, a) for a in ours for b in theirs)


def _within(short: str, long: str) -> bool:
    return short in long and len(short.replace(" ", "")) >= SHORTEST
