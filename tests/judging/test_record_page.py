"""The record as organizers read it and take it away; the program of docs/auditors.md."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone, translation

from contest.services.rounds import close_round
from judging.exports import COLUMNS, FORMATS, export
from judging.models import Criterion, Mark, Record, RecordEntry, Scoresheet
from judging.services.record_check import verify
from judging.services.scoresheets import Sent, save_mark, save_text
from judging.views import record as views
from tests.factories import make_round, make_track, make_user
from tests.judging.test_record import meddle, round  # noqa: F401 - the fixture

pytestmark = pytest.mark.django_db
NOTE = "between us: weak"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def desk(client, round):  # noqa: F811
    organizer = round.event.roles.get().user
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"

    def ask(of=round, **query):
        address = reverse("desk-record", args=[of.event.slug, of.slug])
        answer = client.get(address, query)
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


@pytest.fixture
def returned(round):  # noqa: F811
    """The sheet that its judge may still write on, with a private note."""
    sheet = Scoresheet.objects.get(status="returned")
    by = sheet.assignment.judge.user
    save_text(sheet, "private_note", NOTE, sent=Sent("note"), by=by)
    return sheet


def mark(sheet, value, key, device_at, **fields):
    return save_mark(
        sheet, Criterion.objects.first(), Decimal(value), by=sheet.assignment.judge.user,
        sent=Sent(key, device="tablet 3", device_at=device_at, base=99), **fields,
    )  # fmt: skip


def test_an_empty_record_says_what_comes(desk, round):  # noqa: F811
    empty = make_round(make_track(round.event), format="roadshow")
    assert "From the first mark on" in desk(empty)


def test_what_a_late_or_early_tablet_says(desk, returned):
    now = timezone.now()
    mark(returned, 3, "t1", now - timedelta(minutes=12, seconds=1), reason="slip of the finger")
    page = desk()
    assert "received 12 min" in page
    assert "tablet 3" in page
    assert "slip of the finger" in page
    assert "5 → 3" in page
    mark(returned, 4, "t2", now + timedelta(minutes=5, seconds=30))
    assert "5 min" in desk()
    assert "ahead" in desk()
    mark(returned, 5, "t3", now - timedelta(seconds=30))
    newest = RecordEntry.objects.order_by("number").last()
    assert (newest.late_s, newest.ahead_s) == (0, 0)


def test_newest_first_in_pages(desk, returned, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 5)
    numbers = re.findall(r'data-label="No\.">(\d+)<', desk())
    length = Record.objects.get().length
    assert [int(n) for n in numbers] == list(range(length, length - 5, -1))
    assert re.findall(r'data-label="No\.">(\d+)<', desk(page=2))[0] == str(length - 5)


def test_filters_by_judge_team_and_kind(desk, returned):
    judge = returned.assignment.judge_id
    team = returned.assignment.participation_id

    def numbers(**query):
        return {int(n) for n in re.findall(r'data-label="No\.">(\d+)<', desk(**query))}

    def stored(**query):
        return set(RecordEntry.objects.filter(**query).values_list("number", flat=True))

    assert numbers(judge=judge) == stored(judge=judge)
    assert numbers(team=team, kind="mark") == stored(participation=team, kind="mark")
    assert numbers(kind="draw") == stored(kind="draw")
    assert "No entry matches." in desk(kind="tie")
    assert numbers(judge="x", team="9" * 30, kind="nothing") == stored()


def test_a_private_note_is_shown_nowhere(desk, returned, round):  # noqa: F811
    page = desk()
    assert "changed; only the judge can read it" in page
    kept = RecordEntry.objects.get(kind="note").text
    assert NOTE not in page
    assert kept not in page
    for fmt in ("csv", "json"):
        assert NOTE not in export(round, fmt)[2].decode()
    book = openpyxl.load_workbook(io.BytesIO(export(round, "xlsx")[2]))
    assert NOTE not in str(list(book.active.iter_rows(values_only=True)))


def test_the_page_checks_the_record(desk, round):  # noqa: F811
    assert 'hx-trigger="load"' in desk()
    page = desk(check=1)
    assert "The record fits." in page
    assert Record.objects.get().head in page
    Mark.objects.filter(pk=Mark.objects.first().pk).update(value=1)
    assert "The record does not fit." in desk(check=1)
    meddle(4, reason="because")
    page = desk(check=1)
    assert "Entry 4" in page
    assert "was changed" in page


def test_a_long_record_is_checked_when_asked(desk, client, round, monkeypatch):  # noqa: F811
    monkeypatch.setattr(views, "CHECKED_AT_ONCE", 3)
    page = desk()
    assert 'hx-trigger="load"' not in page
    assert "this takes some seconds" in page
    address = reverse("desk-record", args=[round.event.slug, round.slug])
    part = client.get(address, {"check": 1}, headers={"HX-Request": "true"}).content.decode()
    assert "The record fits." in part
    assert "<html" not in part


# --- Files -----------------------------------------------------------------------------------


def test_csv_and_xlsx_have_the_documented_columns(round, returned):  # noqa: F811
    mark(returned, 2, "evil", None, reason="=1+1")
    content = export(round, "csv")[2]
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == Record.objects.get().length
    assert rows[-1]["reason"] == "'=1+1"
    assert (rows[-1]["previous"], rows[-1]["value"]) == ("5.00", "2.00")
    assert rows[-1]["digest"] == Record.objects.get().head
    assert rows[-1]["by_name"] == returned.assignment.judge.name
    sheet = openpyxl.load_workbook(io.BytesIO(export(round, "xlsx")[2])).active
    heads, *cells = sheet.iter_rows(values_only=True)
    assert heads == COLUMNS
    assert cells[-1][COLUMNS.index("reason")] == "'=1+1"
    assert len(cells) == len(rows)
    described = (django_settings.BASE_DIR / "docs/auditors.md").read_text()
    for name in COLUMNS:
        assert f"`{name}`" in described, name


def program() -> str:
    text = (django_settings.BASE_DIR / "docs/auditors.md").read_text()
    (found,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return found


def check(tmp_path: Path, document: dict):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    script = tmp_path / "check.py"
    script.write_text(program(), encoding="utf-8")
    # Isolated: it needs nothing of ours.
    return subprocess.run(
        [sys.executable, "-I", script, path], capture_output=True, text=True, check=False
    )


def test_the_documented_program_checks_an_export(round, returned, tmp_path):  # noqa: F811
    mark(returned, 2, "zh", timezone.now(), reason="手滑了 “" + "\\ \u2028 é")
    close_round(round, make_user())
    document = json.loads(export(round, "json")[2])
    head = Record.objects.get()
    assert (document["length"], document["head"]) == (head.length, head.head)
    assert document["heads_in_the_log"][0]["head"] == head.head
    assert set(document["entries"][0]["content"]) < set(COLUMNS)
    done = check(tmp_path, document)
    assert (done.returncode, done.stdout.strip()) == (
        0, f"{head.length} entries fit; head {head.head}",
    )  # fmt: skip
    document["entries"][3]["content"]["reason"] = "because"
    assert check(tmp_path, document).stderr.strip() == "entry 4 does not fit"
    document = json.loads(export(round, "json")[2])
    document["entries"].pop()
    assert check(tmp_path, document).stderr.strip() == "the end is missing"
    assert verify(round, head.head) == []


def test_an_empty_record_exports_too(tmp_path):
    empty = make_round(format="roadshow")
    for fmt in FORMATS:
        assert export(empty, fmt)[2]
    assert check(tmp_path, json.loads(export(empty, "json")[2])).returncode == 0


def test_the_page_gives_every_format_as_an_attachment(client, desk, round):  # noqa: F811
    for fmt in FORMATS:
        address = reverse("desk-record-export", args=[round.event.slug, round.slug, fmt])
        assert address in desk()
        answer = client.get(address)
        assert "attachment" in answer["Content-Disposition"]
        assert answer["Content-Type"] == FORMATS[fmt][0]
    address = reverse("desk-record-export", args=[round.event.slug, round.slug, "exe"])
    assert client.get(address).status_code == 404
