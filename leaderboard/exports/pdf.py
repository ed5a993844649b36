"""Documents for paper: A4 with the Chinese font embedded (only the glyphs that are used)."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from contest.models import Event, Round
from contest.templatetags.wuzhen import event_time

FONT = settings.BASE_DIR / "static/vendor/noto-sans-sc/NotoSansSC_400Regular.ttf"
# The font has one weight; the heading is told by its ground.
HEADINGS = FontFace(emphasis="", fill_color=(223, 233, 239))
# What a block of signatures takes of a page.
SIGNATURES_MM = 42


class Paper(FPDF):
    """A document on one round: its head, tables whose head is repeated, and places to sign."""

    def __init__(self, round: Round, title: str, *, orientation: str = "landscape"):
        super().__init__(orientation=orientation, format="A4")
        self.round, self.named = round, title
        self.set_title(f"{title} · {round.event.name} {round}")
        self.set_lang(get_language() or "en")
        self.add_font("noto", fname=FONT)
        self.set_font("noto", size=16)
        self.add_page()
        self.say(round.event.name, size=16, height=9)
        self.say(f"{round} · {title}", size=11, height=7)

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font("noto", size=8)
        self.cell(0, 6, f"{self.round} · {self.named} · {self.page_no()} / {{nb}}", align="C")

    def say(self, text: str, *, size: float = 9, height: float = 6) -> None:
        self.set_font("noto", size=size)
        self.multi_cell(0, height, text, align="LEFT", new_x="LMARGIN", new_y="NEXT")

    def made(self) -> None:
        """When the document was made, in the event's zone and with its name."""
        when = event_time(timezone.now(), self.round.event)
        self.say(_("Made at %(when)s") % {"when": when})

    def grid(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
        *,
        aligns: Sequence[str] | None = None,
        size: float = 9,
    ) -> None:
        """A table with its head on each page."""
        self.set_font("noto", size=size)
        with self.table(
            col_widths=tuple(widths),
            text_align=tuple(aligns or ["LEFT"] * len(heads)),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=size * 0.61,
            repeat_headings=1,
            headings_style=HEADINGS,
        ) as table:
            table.row(heads)
            for row in rows:
                table.row(row)
        self.ln(4)

    def heads_of_records(self, told: Iterable[dict]) -> None:
        for record in told:
            self.say(
                _("Judging record of “%(round)s”: %(entries)s entries, head %(head)s") % record,
                size=8,
                height=5,
            )

    def ending(self, told: Iterable[dict], inputs: str) -> None:
        """What it rests on, and lines to sign."""
        self.heads_of_records(told)
        self.say(_("Digest of the inputs: %(digest)s") % {"digest": inputs}, size=8, height=5)
        self.signatures(self.round.event)

    def signatures(self, event: Event, count: int = 2) -> None:
        """Lines for so many organizers to sign on, never alone on the next page by half."""
        if self.will_page_break(SIGNATURES_MM):
            self.add_page()
        self.ln(6)
        zone = _("Times are those of %(zone)s.") % {"zone": event.time_zone}
        self.say(zone, size=8, height=5)
        self.ln(14)
        top, gap = self.get_y(), 12
        width = (self.epw - gap * (count - 1)) / count
        self.set_font("noto", size=8)
        for n in range(count):
            left = self.l_margin + n * (width + gap)
            parts = ((_("Organizer, signature"), 0.45), (_("Name"), 0.32), (_("Date"), 0.23))
            for label, share in parts:
                self.line(left, top, left + width * share - 3, top)
                self.set_xy(left, top + 1)
                self.cell(width * share - 3, 5, label)
                left += width * share
        self.set_xy(self.l_margin, top + 8)


def both_names(zh: str, en: str) -> str:
    return "\n".join(text for text in (zh, en) if text)
