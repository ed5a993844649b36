"""The finalist list as files, opened as their readers open them."""

import csv
import io
import json
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from contest.services import rounds
from contest.tables_out import neutral
from judging.models import Record
from judging.services import record
from leaderboard.exports.finalists import FORMATS, export, records
from leaderboard.services import advancement
from leaderboard.services.schemes import ensure_scheme
from tests.factories import (
    make_event,
    make_judge,
    make_round,
    make_team,
    make_track,
    make_user,
)
from tests.leaderboard.test_standings import roadshow

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizer():
    return make_user(name="林签署")


@pytest.fixture
def signed(organizer):
    track = make_track(make_event(organizer, name_zh="直通乌镇", name_en="Straight to Wuzhen"))
    teams = [make_team(track) for _ in range(3)]
    teams[0].name_zh = '=HYPERLINK("http://evil")'
    teams[1].name_zh, teams[1].country = "乌篷船", "SG"
    for team in teams:
        team.save()
    judges = [make_judge(track.event) for _ in range(3)]
    marks = [[9, 9, 9.5], [8, 8, 8.5], [1, 1, 1]]
    round = roadshow(track, teams, judges, marks, advance=2)
    rounds.close_round(round, organizer)
    return advancement.sign_off(advancement.propose(round, organizer), organizer)


def test_csv_opens_right_in_a_spreadsheet(signed):
    _name, content_type, content = export(signed, "csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert content_type.startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["team_name_zh"] == '\'=HYPERLINK("http://evil")'
    assert rows[1]["team_name_zh"] == "乌篷船"
    # (90 + 90 + 95) / 3 = 91.666… and 81.666…, rounded half up
    assert [row["total"] for row in rows] == ["91.67", "81.67"]


def test_xlsx_holds_numbers_as_numbers_and_no_formula(signed):
    _name, _type, content = export(signed, "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["finalists"]
    rows = list(sheet.iter_rows())
    heads = [cell.value for cell in rows[0]]
    assert sheet.freeze_panes == "C2"
    total = rows[1][heads.index("total")]
    assert total.value == 91.67
    assert total.number_format == "0.00"
    evil = rows[1][heads.index("team_name_zh")]
    assert evil.data_type == "s"
    assert evil.value.startswith("'=")
    assert all(cell.data_type != "f" for row in rows for cell in row)


def test_pdf_embeds_the_chinese_font(signed):
    _name, _type, content = export(signed, "pdf")
    reader = PdfReader(io.BytesIO(content))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "乌篷船" in text
    assert "91.67" in text
    assert "林签署" in text
    fonts = reader.pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        below = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile2" in below["/FontDescriptor"].get_object()


def test_two_organizers_can_sign_the_paper(signed):
    with translation.override("en"):
        content = export(signed, "pdf")[2]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert text.count("Organizer, signature") == text.count("Date") == 2
    assert text.count("(Asia/Shanghai)") == 2, "when it was made, when it was signed"
    assert signed.standing.input_digest in text.replace("\n", "")


def test_every_column_is_explained_in_both_languages(signed):
    book = openpyxl.load_workbook(io.BytesIO(export(signed, "xlsx")[2]))
    heads = [cell.value for cell in book["finalists"][1]]
    told = list(book["columns"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in told] == heads
    component = next(row for row in told if row[1].startswith("judges_"))
    assert "Preliminary" in component[2]
    assert "初赛" in component[3]
    assert [r["column"] for r in json.loads(export(signed, "json")[2])["columns"]] == heads


def test_json_names_its_inputs(signed):
    _name, _type, content = export(signed, "json")
    document = json.loads(content)
    assert document["input_digest"] == signed.standing.input_digest
    assert [row["rank"] for row in document["finalists"]] == [1, 2]
    assert document["finalists"][0]["total"] == "91.67"
    assert document["finalists"][1]["country"] == "SG"


def test_the_head_of_the_record_goes_out_with_the_list(signed):
    kept = Record.objects.get(round=signed.round)
    (told,) = json.loads(export(signed, "json")[2])["judging_records"]
    assert told == {"round": signed.round.slug, "entries": kept.length, "head": kept.head}
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(export(signed, "pdf")[2])).pages)
    assert kept.head in text.replace("\n", "")


def test_a_list_names_the_records_of_every_round_it_rests_on(signed, organizer):
    final = make_round(signed.round.track, format="roadshow", kind="final")
    ensure_scheme(final).components.create(kind="judges", source=signed.round, weight=50)
    record.append(final, "draw", text="7: A")
    assert [told["round"] for told in records(final)] == [signed.round.slug, final.slug]
    assert records(make_round(make_track(), format="automated")) == []


def test_all_formats_tell_the_same(signed):
    table = {
        "csv": [
            row["team_code"]
            for row in csv.DictReader(io.StringIO(export(signed, "csv")[2].decode("utf-8-sig")))
        ],
        "json": [row["team_code"] for row in json.loads(export(signed, "json")[2])["finalists"]],
        "xlsx": [
            row[1] for row in openpyxl.load_workbook(
                io.BytesIO(export(signed, "xlsx")[2])
            ).active.iter_rows(min_row=2, values_only=True)
        ],
    }  # fmt: skip
    assert table["csv"] == table["json"] == table["xlsx"]
    assert len(table["csv"]) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=1"])
def test_what_begins_like_a_formula_is_neutralised(text):
    assert neutral(text) == f"'{text}"


def test_other_values_stay_as_they_are():
    assert neutral("乌镇") == "乌镇"
    assert neutral(Decimal("-1.5")) == Decimal("-1.5")


def test_the_page_gives_every_format_as_an_attachment(client, organizer, signed):
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    round = signed.round
    for fmt in FORMATS:
        answer = client.get(reverse("desk-finalists", args=[round.event.slug, round.slug, fmt]))
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
    answer = client.get(reverse("desk-finalists", args=[round.event.slug, round.slug, "exe"]))
    assert answer.status_code == 404
