"""What organizers download of a round: the same in every format, and readable where it is read."""

import csv
import io
import json
from fractions import Fraction

import openpyxl
import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from contest.services import rounds
from leaderboard.exports import matrix, scores
from leaderboard.exports.columns import MEANINGS, both, explained
from leaderboard.exports.documents import DOCUMENTS
from leaderboard.exports.pdf import Paper
from leaderboard.exports.reliability import TABLES as RELIABILITY
from leaderboard.exports.workbook import TABLES as WORKBOOK
from leaderboard.services import advancement, standings
from leaderboard.services.explanation import explain_all
from tests.factories import make_event, make_judge, make_round, make_team, make_track, make_user
from tests.leaderboard.full_round import full_round, near, score_by
from tests.leaderboard.test_standings import roadshow

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def organizer():
    return make_user(name="林签署")


@pytest.fixture
def final(organizer):
    track = make_track(make_event(organizer, name_zh="直通乌镇", name_en="Straight to Wuzhen"))
    before, final = full_round(track)
    score_by(before, final, organizer, {"aggregation": "trimmed"})
    standings.refresh(final)
    return final


@pytest.fixture
def client(client, organizer):
    client.force_login(organizer, backend=BACKEND)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def fetch(client, round, document, fmt, language="en") -> bytes:
    url = reverse("desk-export", args=[round.event.slug, round.slug, document, fmt])
    answer = client.get(url, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, (document, fmt)
    name = f"{round.event.slug}-{round.slug}-{document}.{fmt}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    return b"".join(answer.streaming_content)


def of_csv(content: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def of_xlsx(content: bytes) -> dict[str, list[dict]]:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    tables = {}
    for name in book.sheetnames:
        heads, *rows = book[name].iter_rows(values_only=True)
        tables[name] = [dict(zip(heads, row, strict=True)) for row in rows]
    return tables


def of_pdf(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_the_page_lists_every_document_and_all_can_be_had(client, final, organizer):
    rounds.close_round(final, organizer)
    advancement.propose(final, organizer)
    page = client.get(reverse("desk-exports", args=[final.event.slug, final.slug]))
    shown = page.content.decode()
    for document in DOCUMENTS.values():
        with translation.override("en"):
            assert str(document.holds) in shown
        for fmt in document.formats:
            url = reverse("desk-export", args=[final.event.slug, final.slug, document.name, fmt])
            assert url in shown
            assert fetch(client, final, document.name, fmt)


def test_what_is_not_there_yet_is_said_and_not_found(client, organizer):
    round = make_round(make_track(make_event(organizer)), format="roadshow", status="draft")
    at = [round.event.slug, round.slug]
    shown = client.get(reverse("desk-exports", args=at)).content.decode()
    for document in DOCUMENTS.values():
        with translation.override("en"):
            assert str(document.not_yet) in shown
        for fmt in document.formats:
            assert (
                client.get(reverse("desk-export", args=[*at, document.name, fmt])).status_code
                == 404
            )
    for document, fmt in (("nothing", "csv"), ("scores", "pdf"), ("reliability", "csv")):
        assert client.get(reverse("desk-export", args=[*at, document, fmt])).status_code == 404


def test_score_sheets_say_the_same_in_every_format(client, final):
    """Every mark of every sheet, with what became of it; and so the total, exactly."""
    document = json.loads(fetch(client, final, "scores", "json"))
    rows = of_csv(fetch(client, final, "scores", "csv"))
    book = of_xlsx(fetch(client, final, "scores", "xlsx"))
    teams = document["teams"]
    known = {one.code: one for one in explain_all(final)}
    assert {team["team_code"] for team in teams} == set(known)
    for team in teams:
        one = known[team["team_code"]]
        assert team["rank"] == one.rank
        assert one.total is None or Fraction(team["total_exact"]) == one.total
    marks = [
        (team["team_code"], sheet["sheet"], sheet["state"], mark["criterion"], mark["mark"])
        for team in teams
        for part in team["components"]
        for sheet in part["sheets"]
        for mark in sheet["marks"]
    ]
    in_csv = [
        (r["team_code"], r["sheet"], r["state"], r["criterion"], r["mark"] or None)
        for r in rows
        if r["criterion"]
    ]
    assert in_csv == marks
    assert len(book["marks"]) == len(marks)
    left = [s for s in book["sheets"] if s["state"] == "left"]
    assert left, "what was given to a team that left is there"
    assert all(s["counts"] == 0 and s["sheet_total"] is not None for s in left)
    # A sheet that was opened and not submitted shows its marks, and no total.
    opened = [s for s in book["sheets"] if s["state"] == "not_submitted" and s["sheet"]]
    assert opened
    assert {s["sheet_total"] for s in opened} == {None}
    # A team without a sheet is there, too.
    assert {row["team_code"] for row in rows} == set(known)


def test_a_team_of_evil_name_stays_text(client, final):
    team = final.participations.filter(status="active").first().team
    team.name_en = '=HYPERLINK("http://evil")'
    team.save()
    for document in ("scores", "matrix", "reliability"):
        content = fetch(client, final, document, "xlsx")
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert any(str(cell.value).startswith("'=HYPERLINK") for cell in cells), document
        formulas = [str(cell.value) for cell in cells if cell.data_type == "f"]
        assert not any("HYPERLINK" in text for text in formulas)
        assert bool(formulas) == (document == "scores")


def test_columns_are_named_the_same_in_both_languages_and_explained(client, final):
    for document in ("scores", "matrix", "reliability"):
        english = of_xlsx(fetch(client, final, document, "xlsx"))
        chinese = of_xlsx(fetch(client, final, document, "xlsx", "zh-hans"))
        assert [list(rows[0]) for rows in english.values()] == [
            list(rows[0]) for rows in chinese.values()
        ]
        told = {(row["table"], row["column"]): row for row in english["columns"]}
        for table, rows in english.items():
            if table not in ("about", "columns"):
                for column in rows[0]:
                    assert told[table, column]["meaning_en"], (table, column)
    with pytest.raises(KeyError):
        list(explained({"x": ["not a column"]}))
    assert both(MEANINGS["rank"])[0].startswith("Rank")
    for tables in (WORKBOOK, scores.TABLES, RELIABILITY, {"flat": scores.FLAT}):
        for columns in tables.values():
            assert len(set(columns)) == len(columns)
            assert set(columns) <= set(MEANINGS) | {"points"}


def test_the_matrix_marks_what_was_dropped_or_does_not_count(client, final):
    content = fetch(client, final, "matrix", "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["matrix"]
    assert sheet.freeze_panes == "D3"
    rows = list(sheet.iter_rows())
    at = {cell.value: n for n, cell in enumerate(rows[0])}
    names = {cell.value for cell in rows[1] if cell.value}
    assert len(names) == 8, "a second row of heads names the judges"
    looks = set()
    for row in rows[2:]:
        kept = []
        for n in range(1, 9):
            cell, state = row[at[f"judge_{n}"]], row[at[f"judge_{n}_state"]].value
            if cell.value is None:
                continue
            looks.add((state, bool(cell.font.strike), cell.fill.fill_type))
            if state == "counted":
                kept.append(Fraction(cell.value))
        score = row[at["score"]].value
        assert score is None or near(sum(kept) / len(kept), score)
    assert looks == {
        ("counted", False, None),
        ("highest", True, None),
        ("lowest", True, None),
        ("recused", True, "solid"),
        ("left", True, "solid"),
    }
    told = json.loads(fetch(client, final, "matrix", "json"))
    lines = of_csv(fetch(client, final, "matrix", "csv"))
    assert lines[0]["judge_1"] == told["judges"]["judge_1"]
    assert [line["team_code"] for line in lines[1:]] == [r["team_code"] for r in told["matrix"]]
    assert [line["judge_3_state"] or None for line in lines[1:]] == [
        row["judge_3_state"] for row in told["matrix"]
    ]


def test_papers_hold_chinese_lines_to_sign_and_heads_on_every_page(client, final, monkeypatch):
    final.participations.filter(status="active")[0].team.__class__.objects.filter(
        track=final.track
    ).update(name_zh="乌篷船队")
    pages = of_pdf(fetch(client, final, "matrix", "pdf"))
    whole = "".join(pages)
    for text in ("乌篷船队", "Organizer, signature", "Asia/Shanghai", "Straight to Wuzhen"):
        assert text in whole
    assert len(pages) > 1
    for page in pages[:-1]:
        assert "Rank" in page
        assert f"/ {len(pages)}" in page
    assert "(" in whole
    assert "[" in whole
    chinese = "".join(of_pdf(fetch(client, final, "matrix", "pdf", "zh-hans")))
    assert "直通乌镇" in chinese
    # With more judges than fit side by side each team's are listed.
    monkeypatch.setattr(matrix, "SIDE_BY_SIDE", 3)
    listed = "".join(of_pdf(fetch(client, final, "matrix", "pdf")))
    assert "; Judge" in listed.replace("\n", " ")


def test_signatures_are_never_torn_apart(organizer):
    round = make_round(make_track(make_event(organizer)))
    for lines in range(20, 34):
        pdf = Paper(round, "x", orientation="portrait")
        for _line in range(lines):
            pdf.say("x", height=8)
        before = pdf.pages_count
        pdf.signatures(round.event)
        texts = of_pdf(bytes(pdf.output()))
        assert sum("Date" in text or "日期" in text for text in texts) == 1
        assert pdf.pages_count - before <= 1


def test_the_reliability_report_speaks_the_readers_language(client, organizer):
    track = make_track(make_event(organizer))
    teams, judges = [make_team(track) for _n in range(4)], [make_judge(track.event) for _n in "abc"]
    marks = [[9, 9, 8.5], [7, 7.5, 7], [5, 5, 5.5], [3, 2.5, 3]]
    round = roadshow(track, teams, judges, marks, advance=2)
    cache.clear()
    english = json.loads(fetch(client, round, "reliability", "json"))
    chinese = json.loads(fetch(client, round, "reliability", "json", "zh-hans"))
    assert english["teams"] == chinese["teams"]
    assert [row["in_top"] for row in english["teams"]] == [1, 1, 0, 0]
    assert "does not hang on single sheets" in english["findings"][0]["text"]
    assert not chinese["findings"][0]["text"].isascii()
    book = of_xlsx(fetch(client, round, "reliability", "xlsx"))
    assert [row["judge"] for row in book["judges"]] == [row["judge"] for row in english["judges"]]
    assert book["coefficients"][0]["coefficient"] == "ICC(1,1)"
    paper = "".join(of_pdf(fetch(client, round, "reliability", "pdf", "zh-hans")))
    assert teams[0].name_zh in paper
    assert chinese["findings"][0]["text"][:8] in paper.replace("\n", "")


def test_the_api_gives_the_same_to_organizers_alone(client, final):
    standing = standings.current(final, standings.FULL)
    path = reverse("api-standing-file", args=[standing.pk, "scores", "json"])
    answer = client.get(path)
    assert b"".join(answer.streaming_content) == fetch(client, final, "scores", "json")
    for document, fmt in (("scores", "pdf"), ("finalists", "csv")):
        wrong = path.replace("scores.json", f"{document}.{fmt}")
        assert client.get(wrong).status_code == 404
    other = make_user()
    make_event(other)
    client.force_login(other, backend=BACKEND)
    assert client.get(path).status_code == 404


def test_score_sheets_are_read_some_teams_at_a_time(
    final, django_assert_max_num_queries, monkeypatch
):
    """In parts it is the same as at once, and asks no more for more sheets of a part."""
    standing = standings.current(final, standings.FULL)
    whole = [team.team for team in scores.rows(standing)]
    monkeypatch.setattr("leaderboard.services.explanation.AT_ONCE", 3)
    assert [team.team for team in scores.rows(standing)] == whole
    monkeypatch.setattr("leaderboard.services.explanation.AT_ONCE", 200)
    with django_assert_max_num_queries(20):
        list(scores.rows(standing))
