"""Every string of pages, API, admin and mails is there in Chinese; none is fuzzy or left over."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
PLACES = re.compile(r"%\(\w+\)s|%s|%%")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The catalogue as the sources are now, extracted beside the project."""
    if shutil.which("msgmerge") is None:
        pytest.fail("gettext is not installed; run .ci/system-packages")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("config", "contest", "judging", "leaderboard", "templates", "locale"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.mo", "demo"))
    shutil.copy(ROOT / "manage.py", copy)
    subprocess.run(
        [sys.executable, copy / "manage.py", "makemessages", "-l", "zh_Hans", "--no-obsolete"],
        cwd=copy, check=True, capture_output=True,
    )  # fmt: skip
    return polib.pofile(str(copy / "locale/zh_Hans/LC_MESSAGES/django.po"))


def keys(catalogue):
    return {(e.msgctxt, e.msgid, e.msgid_plural) for e in catalogue if not e.obsolete}


def test_the_catalogue_holds_every_string_and_no_other(fresh):
    stored = polib.pofile(str(CATALOGUE))
    assert keys(fresh) - keys(stored) == set(), "run `make translations` and translate these"
    assert keys(stored) - keys(fresh) == set(), "run `make translations` to drop these"


def test_nothing_is_untranslated_or_fuzzy():
    stored = polib.pofile(str(CATALOGUE))
    assert [e.msgid for e in stored.untranslated_entries()] == []
    assert [e.msgid for e in stored.fuzzy_entries()] == []
    assert len(stored) > 500


def test_translations_keep_what_is_filled_in():
    wrong = [
        entry.msgid
        for entry in polib.pofile(str(CATALOGUE))
        for text in ([entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values())
        if sorted(PLACES.findall(entry.msgid_plural or entry.msgid)) != sorted(PLACES.findall(text))
    ]
    assert wrong == []
