"""Certificates as PDF: one page each, A4 landscape, in both languages, with a code to verify it."""

from collections.abc import Sequence

import segno
from django.utils import translation
from django.utils.translation import gettext as _
from fpdf import FPDF

from leaderboard.exports.pdf import FONT
from leaderboard.services.certificates import Certificate

LANGUAGES = ("zh-hans", "en")
MARGIN, QR_MM = 12, 30
INK, GOLD, GREY = (24, 44, 62), (166, 128, 53), (95, 105, 115)


def pdf(certificates: Sequence[Certificate]) -> bytes:
    """All of them, in order, in one file."""
    document = FPDF(orientation="landscape", format="A4")
    document.set_auto_page_break(False)
    document.set_margin(MARGIN + 12)
    document.add_font("noto", fname=FONT)
    for certificate in certificates:
        _page(document, certificate)
    if certificates:
        document.set_title(f"{certificates[0].event.name} {certificates[0].round.name}")
    return bytes(document.output())


def _both(certificate: Certificate, text) -> list[str]:
    """What ``text(certificate)`` gives in each language, once where they are the same."""
    said = []
    for language in LANGUAGES:
        with translation.override(language):
            line = str(text(certificate))
        if line and line not in said:
            said.append(line)
    return said


def awarded(certificate: Certificate) -> str:
    """For what it is given, in the active language."""
    if certificate.award is not None:
        return certificate.award.name
    if certificate.following is not None:
        return _("Advances to “%(round)s”") % {"round": certificate.following.name}
    return _("Finalist of “%(round)s”") % {"round": certificate.round.name}


def _page(document: FPDF, certificate: Certificate) -> None:
    document.add_page()
    width, height = document.w, document.h
    document.set_draw_color(*GOLD)
    for inset, thickness in ((MARGIN - 4, 1.2), (MARGIN - 1, 0.3)):
        document.set_line_width(thickness)
        document.rect(inset, inset, width - 2 * inset, height - 2 * inset)
    team = certificate.participation.team
    document.set_y(MARGIN + 9)
    _lines(document, _both(certificate, lambda c: c.event.name), 15, GREY)
    document.ln(3)
    _lines(document, [" · ".join(_both(certificate, lambda c: _("Certificate")))], 30, GOLD)
    document.ln(4)
    _lines(document, _both(certificate, lambda c: c.participation.team.name), 23, INK)
    under = [*_both(certificate, lambda c: c.participation.team.organisation), team.code]
    _lines(document, [" · ".join(under)], 10, GREY)
    _lines(document, ["、".join(certificate.members)], 12, INK, most=2)
    document.ln(4)
    _lines(document, _both(certificate, awarded), 20, GOLD)
    _lines(document, [" · ".join(_both(certificate, lambda c: c.round))], 10, GREY)
    _foot(document, certificate)


def _lines(document: FPDF, texts: list[str], size: float, color, most: int = 1) -> None:
    """Centred lines, each made smaller until it fits into ``most`` lines of the page."""
    document.set_text_color(*color)
    for text in filter(None, texts):
        fitting = size
        document.set_font("noto", size=fitting)
        while fitting > 6 and document.get_string_width(text) > document.epw * most * 0.96:
            fitting -= 0.5
            document.set_font("noto", size=fitting)
        document.multi_cell(0, fitting * 0.5, text, align="C", new_x="LMARGIN", new_y="NEXT")


def _foot(document: FPDF, certificate: Certificate) -> None:
    left, bottom = document.l_margin, document.h - MARGIN - 6
    zone = certificate.event.tzinfo
    day = certificate.signed_at.astimezone(zone).strftime("%Y-%m-%d")
    lines = [
        *(f"{label}  {', '.join(certificate.signers)}" for label in
          [" · ".join(_both(certificate, lambda c: _("Signed by")))]),
        f"{day} ({certificate.event.time_zone})",
        *_both(certificate, lambda c: c.event.organiser),
    ]  # fmt: skip
    document.set_text_color(*INK)
    document.set_font("noto", size=11)
    document.set_xy(left, bottom - 7 * len(lines))
    for line in lines:
        document.cell(document.epw - QR_MM - 8, 7, line, new_x="LEFT", new_y="NEXT")
    code = segno.make(certificate.url, error="m", micro=False)
    rows = [list(row) for row in code.matrix]
    step = QR_MM / len(rows)
    x0, y0 = document.w - left - QR_MM, bottom - QR_MM - 5
    document.set_fill_color(0, 0, 0)
    for y, row in enumerate(rows):
        start = None
        for x, dark in enumerate([*row, 0]):  # runs, so that no gaps show between modules
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                document.rect(x0 + start * step, y0 + y * step, (x - start) * step, step, "F")
                start = None
    document.set_font("noto", size=7)
    document.set_text_color(*GREY)
    document.set_xy(x0 - 20, bottom - 4)
    label = " · ".join(_both(certificate, lambda c: _("Verify")))
    document.cell(QR_MM + 20, 4, label, align="R", link=certificate.url)
