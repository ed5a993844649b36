"""The texts of the tablet: what its scripts ask for is there in both languages, and no more."""

import re
from pathlib import Path

from django.conf import settings

from judging.states import ScoresheetStatus
from judging.tablet_texts import TEXTS, texts

SCRIPTS = "\n".join(
    script.read_text() for script in (Path(settings.BASE_DIR) / "static/js/judge").glob("*.js")
)
# Names that scripts put together: t(`state_${state}`).
FAMILIES = ("state_", "round_", "phase_", "what_")
ASKED = set(re.findall(r"""\bt\("(\w+)["]""", SCRIPTS))


def test_every_text_that_a_script_asks_for_is_there():
    assert {"undo", "all_saved"} < ASKED
    assert ASKED - texts()["en"].keys() == set()
    families = set(re.findall(r"\bt\(`(\w+)\$\{", SCRIPTS))
    assert families <= {"state_", "round_", "phase_", "what_"}
    assert {f"state_{status}" for status in ScoresheetStatus.values if status != "draft"} <= set(
        TEXTS
    )


def test_no_text_is_left_over():
    dynamic = {name for name in TEXTS if name.startswith(FAMILIES)}
    quoted = set(re.findall(r'"(\w+)"', SCRIPTS)) | {
        f"{name}_help" for name in ("comment", "private_note")
    }
    links = {"repository", "demo", "video", "bonus", "penalty"}
    assert TEXTS.keys() - ASKED - dynamic - quoted - links == set()


def test_both_languages_have_the_same_places_to_fill():
    both = texts()
    for name, text in both["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", both["zh"][name])), (
            name
        )
