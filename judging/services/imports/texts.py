"""Pages of a bundle as plain text, the way descriptions of events are shown."""

import re
from html.parser import HTMLParser

BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl",
    "dt", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot",
    "thead", "ul",
}  # fmt: skip
INLINE = {
    "a", "abbr", "b", "bdi", "br", "button", "caption", "cite", "code", "col", "colgroup", "dfn",
    "del", "em", "font", "head", "html", "i", "img", "input", "ins", "kbd", "label", "li", "link",
    "mark", "meta", "option", "q", "s", "samp", "select", "small", "span", "strike", "strong",
    "sub", "sup", "td", "textarea", "th", "time", "title", "tr", "tt", "u", "var", "wbr",
}  # fmt: skip
# Their content is no text for people; each is named in the report.
DROPPED = {"script", "style", "iframe", "object", "svg", "video", "audio", "canvas", "noscript"}
KNOWN = BLOCKS | INLINE | DROPPED | {"embed", "source"}
HTML_NAMES = (".html", ".htm", ".xhtml")
AUTOLINK = re.compile(r"<((?:https?|mailto):[^\s<>]+)>")
PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")


def plain(text: str, name: str) -> tuple[str, dict[str, int]]:
    """A page as plain text, and how many pictures, scripts and the like it lost.

    Markdown stays as it is but for the HTML in it; it reads well as text.
    """
    is_html = name.lower().endswith(HTML_NAMES)
    lost: dict[str, int] = {}
    if not is_html:
        text = AUTOLINK.sub(r"\1", text)
        text, pictures = PICTURE.subn(lambda found: found[1] and f"[{found[1]}]", text)
        if pictures:
            lost["picture"] = pictures
    reader = _Reader(keeps_space=not is_html)
    reader.feed(text)
    reader.close()
    for what, count in reader.lost.items():
        lost[what] = lost.get(what, 0) + count
    return reader.text(), lost


class _Reader(HTMLParser):
    def __init__(self, *, keeps_space: bool):
        super().__init__(convert_charrefs=True)
        self.keeps_space = keeps_space
        self.pieces: list[str] = []
        self.lost: dict[str, int] = {}
        self.inside: list[str] = []  # of what is dropped
        self.verbatim = 0
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag, attributes):
        if self.inside:
            if tag == self.inside[-1]:
                self.inside.append(tag)
            return
        if tag not in KNOWN:
            self.pieces.append(self.get_starttag_text() if self.keeps_space else "")
        elif tag in DROPPED:
            self.lost[tag] = self.lost.get(tag, 0) + 1
            self.inside.append(tag)
        elif tag == "img":
            self.lost["picture"] = self.lost.get("picture", 0) + 1
            alt = dict(attributes).get("alt")
            self.pieces.append(f"[{alt}]" if alt else "")
        elif tag == "a":
            self.links.append((dict(attributes).get("href") or "", len(self.pieces)))
        else:
            self._break(tag)
            self.verbatim += tag == "pre"

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag in DROPPED:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if self.inside:
            if tag == self.inside[-1]:
                self.inside.pop()
            return
        if tag not in KNOWN:
            self.pieces.append(f"</{tag}>" if self.keeps_space else "")
        elif tag == "a" and self.links:
            self._close_link()
        elif tag == "pre":
            self.verbatim = max(0, self.verbatim - 1)
            self.pieces.append("\n\n")
        elif tag in BLOCKS and not self.keeps_space:
            self.pieces.append("\n\n")

    def _break(self, tag: str) -> None:
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag == "tr":
            self.pieces.append("\n")
        elif tag in ("td", "th"):
            self.pieces.append(" | ")
        elif tag in BLOCKS and not self.keeps_space:
            self.pieces.append("\n\n")

    def _close_link(self) -> None:
        target, start = self.links.pop()
        said = "".join(self.pieces[start:]).strip()
        if target.startswith(("http://", "https://", "mailto:")) and target not in said:
            self.pieces.append(f" ({target})")

    def handle_data(self, data):
        if self.inside:
            return
        keep = self.keeps_space or self.verbatim
        self.pieces.append(data if keep else re.sub(r"\s+", " ", data))

    def text(self) -> str:
        joined = "".join(self.pieces).replace("\r\n", "\n").replace("\x00", "")
        lines = [re.sub(r"^ (?=\S)", "", line.rstrip()) for line in joined.split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def language_of(text: str) -> str:
    """``zh`` or ``en``: which of an event's two columns a text belongs in."""
    letters = [char for char in text if char.isalpha()]
    chinese = sum("\u4e00" <= char <= "\u9fff" for char in letters)
    return "zh" if chinese * 5 >= max(1, len(letters)) else "en"
