"""The workbook of score sheets, computed anew by LibreOffice, comes to the ranking."""

import shutil
import subprocess

import openpyxl
import pytest
from django.utils import translation

from contest.services.entries import save_entry
from leaderboard.exports.workbook import TABLES, to_xlsx
from leaderboard.services import standings
from tests.factories import make_event, make_track, make_user
from tests.leaderboard.full_round import METHODS, TERMS, full_round, near, score_by

pytestmark = [pytest.mark.django_db, pytest.mark.long]
CHECKS = {
    "teams": ["check_rank", "check_total"],
    "components": ["check_score"],
    "sheets": ["check_sheet"],
}


@pytest.fixture(scope="module")
def soffice() -> str:
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if not found:
        pytest.fail("no LibreOffice on this machine; run .ci/system-packages")
    return found


def computed(soffice, folder, files) -> dict[str, dict]:
    """What LibreOffice makes of the workbooks, which hold formulas alone and nothing computed."""
    bare = folder / "bare"
    bare.mkdir()
    for file in files:
        book = openpyxl.load_workbook(file)
        book.save(bare / file.name)  # openpyxl keeps formulas and drops what they came to
    subprocess.run(
        [
            soffice,
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder / "computed"),
            *map(str, sorted(bare.iterdir())),
        ],
        check=True,
        timeout=600,
        capture_output=True,
    )
    return {file.stem: read(folder / "computed" / file.name) for file in files}


def read(path) -> dict[str, list[dict]]:
    """Every table of a workbook as rows, by what its formulas came to."""
    book = openpyxl.load_workbook(path, data_only=True)
    tables = {}
    for name in book.sheetnames:
        heads, *rows = book[name].iter_rows(values_only=True)
        tables[name] = [dict(zip(heads, row, strict=True)) for row in rows]
    return tables


def lower_mark(path, to, code: str) -> None:
    """A copy in which one counted mark of the team is the lowest of its scale."""
    book = openpyxl.load_workbook(path)
    rows = list(book["marks"].iter_rows())
    at = {cell.value: n for n, cell in enumerate(rows[0])}
    for row in rows[1:]:
        said = {name: row[n].value for name, n in at.items()}
        if said["team_code"] == code and said["counts"] == 1 and said["kind"] == "scored":
            row[at["mark"]].value = said["lowest"]
            break
    book.save(to)


def test_libreoffice_comes_to_the_ranking_by_every_method(soffice, tmp_path):
    organizer = make_user()
    before, final = full_round(make_track(make_event(organizer)))
    for seat in list(final.participations.select_related("team"))[::2]:
        save_entry(seat.team, organizer, repository="https://example.org/r")
    files, wanted = [], {}
    asked = [{"judges": method} for method in METHODS] + TERMS
    for n, terms in enumerate(asked):
        judges = {"aggregation": "mean"} | terms.get("judges", {})
        score_by(before, final, organizer, judges, terms.get("metric"), **terms.get("scheme", {}))
        standings.refresh(final)
        standing = standings.current(final, standings.FULL)
        file = tmp_path / f"{n:02}.xlsx"
        with file.open("wb") as out, translation.override("en"):
            to_xlsx(standing, out)
        files.append(file)
        wanted[file.stem] = {
            row.participation.team.code: (row.rank, row.total) for row in standing.rows.all()
        }
    (best,) = (code for code, (rank, _total) in wanted["00"].items() if rank == 1)
    lower_mark(files[0], tmp_path / "changed.xlsx", best)
    found = computed(soffice, tmp_path, [*files, tmp_path / "changed.xlsx"])

    # Everything that may happen to a sheet is there, teams are parted, and one pair by the clock.
    first = found["00"]
    assert {row["state"] for row in first["sheets"]} >= {
        "counted", "recused", "not_submitted", "left"
    }  # fmt: skip
    assert {row["state"] for row in found["01"]["sheets"]} >= {"highest", "lowest"}
    assert {row["vetoed"] for row in first["components"]} == {0, 1, None}
    assert {row["status"] for row in first["teams"]} == {"active", "baseline", "withdrawn"}
    assert "judges, metric, criterion, earliest" in {row["tie_breaks"] for row in first["teams"]}
    assert any(not 0 <= row["sheet_points"] <= 100 for row in first["sheets"] if row["counts"])

    for file in files:
        method, tables, ranks = asked[int(file.stem)], found[file.stem], wanted[file.stem]
        assert len(tables["teams"]) == len(ranks)
        for row in tables["teams"]:
            rank, total = ranks[row["team_code"]]
            assert (row["rank"] or None) == rank, (method, row)
            if row["status"] != "withdrawn":
                assert (row["total"] in (None, "")) == (total is None), (method, row)
                assert total is None or near(row["total"], total), (method, row)
        for table, columns in CHECKS.items():
            said = [row[c] for row in tables[table] for c in columns if row[c] not in (None, "")]
            assert set(said) == {"OK"}, (method, table)
        # What viewers without a calculator show is what LibreOffice came to.
        shown = read(file)
        for table in TABLES.keys() & shown.keys():
            for known, new in zip(shown[table], tables[table], strict=True):
                for column, value in known.items():
                    if isinstance(value, (int, float)):
                        assert near(value, new[column]), (method, table, column, known, new)
                    else:
                        assert (value or None) == (new[column] or None), (method, table, column)

    # Every term of a scheme has taken somebody's rank, or parted somebody.
    by_terms = [found[f"{n:02}"]["teams"] for n in range(len(METHODS), len(asked))]
    assert all(row["total"] == round(row["total"]) for row in by_terms[0] if row["total"])
    for tables in (by_terms[2], by_terms[4]):
        assert any(row["below_minimum"] for row in tables)
    assert "head_to_head, draw" in {row["tie_breaks"] for row in by_terms[3]}
    assert any(row["conditions_unmet"] and not row["rank"] for row in by_terms[4])

    # It does compute: with another mark the sheet, the score and the total are others, and said so.
    changed = {row["team_code"]: row for row in found["changed"]["teams"]}
    assert changed[best]["check_total"] < 0
    assert changed[best]["total"] < float(wanted["00"][best][1])
    assert {row["check_total"] for code, row in changed.items() if code != best} <= {"OK", None, ""}
    differing = [r for r in found["changed"]["sheets"] if r["check_sheet"] not in ("OK", None, "")]
    assert [row["team_code"] for row in differing] == [best]
