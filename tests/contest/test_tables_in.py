"""Uploaded tables: however a spreadsheet wrote them, read right or refused by row and column."""

import io
import zipfile

import openpyxl
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from contest import tables_in
from contest.tables_in import BadTable, Column, read_table
from contest.tables_out import table as written

COLUMNS = (
    Column("name", ("姓名",), is_required=True),
    Column("email", ("邮箱", "e-mail")),
    Column("phone", ("电话",)),
)
TEXT = "姓名,邮箱\n林一,lin@example.org\n王二,\n"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def read(content, file="judges.csv", columns=COLUMNS):
    return read_table(content if isinstance(content, bytes) else content.encode(), file, columns)


def names(table):
    return [(row.number, row["name"], row["email"]) for row in table.rows]


def xlsx(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def told(content, file="judges.csv") -> str:
    with pytest.raises(BadTable) as caught:
        read(content, file)
    return "\n".join(str(fault) for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("codec", "form"),
    [
        ("utf-8", "CSV in UTF-8, separated by comma"),
        ("utf-8-sig", "CSV in UTF-8, separated by comma"),
        ("gb18030", "CSV in GB18030, separated by comma"),
        ("utf-16", "CSV in UTF-16, separated by comma"),
    ],
)
def test_every_encoding_that_excel_writes(codec, form):
    table = read(TEXT.encode(codec))
    assert names(table) == [(2, "林一", "lin@example.org"), (3, "王二", "")]
    assert table.form == form
    assert table.headings == {"name": "姓名", "email": "邮箱"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_delimiter_and_a_comma_in_a_name(delimiter):
    text = f'E-Mail{delimiter}NAME\r\na@example.org{delimiter}"Lin, Yi"\r\n'
    assert names(read(text)) == [(2, "Lin, Yi", "a@example.org")]


def test_a_single_column_and_blank_rows():
    table = read("\n  姓名 \n\n林一\n,,\n王二\n")
    assert [(row.number, row["name"]) for row in table.rows] == [(4, "林一"), (6, "王二")]


def test_xlsx_with_numbers_and_a_phone():
    content = xlsx(["姓名", "电话"], ["林一", 13800001111], [None, None], ["王二", "+86 571 1"])
    table = read(content, "评委.xlsx")
    assert [(row.number, row["phone"]) for row in table.rows] == [
        (2, "13800001111"), (4, "+86 571 1"),
    ]  # fmt: skip
    assert table.form == "XLSX"


def test_unknown_columns_are_told_and_not_read():
    table = read("name,emial,备注\nLin,a@example.org,x\n")
    assert table.unread == ("emial", "备注")
    assert table.rows[0]["email"] == ""


def test_faults_name_file_row_column_and_what_was_expected():
    text = 'name,email\nLin,=HYPERLINK("x")\n,b@example.org\nWang,+cmd\nOk,\nLi,a,b\n'
    said = told(text).splitlines()
    assert said == [
        "judges.csv, row 2, column “email”: Expected a value, found the formula "
        "“=HYPERLINK(\"x\")”.",
        "judges.csv, row 3, column “name”: Nothing is here.",
        "judges.csv, row 4, column “email”: Expected a value, found the formula “+cmd”.",
        "judges.csv, row 6, column “C”: This cell stands beyond the headings.",
    ]  # fmt: skip


def test_a_formula_of_a_spreadsheet_is_refused():
    content = xlsx(["name", "email"], ["Lin", "=1+1"])
    assert "row 2, column “email”: Expected a value, found the formula “=1+1”" in told(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \n", "The file is empty."),
        (b"\xff\xfe", "The file is empty."),
        (b"\xff\xfe\xff\xfe", "The file is empty."),
        ("\u3000\n\u3000".encode(), "The file is empty."),
        ("\u3000".encode("gb18030"), "The file is empty."),
        ("\xa0\r\n\u2003".encode("utf-16"), "The file is empty."),
        (b",,\n,,\n", "The file is empty."),
        (xlsx(), "The file is empty."),
        (xlsx(["\u3000", None], [" "]), "The file is empty."),
        (("name\n" + "x" * 140_000).encode(), "row 2: The cell has more than 2000 characters"),
        (("x" * 140_000 + "\nname\n").encode(), "row 1: The cell has more than 2000 characters"),
        (b'name\n"' + b"x,\n" * 50_000, "Is a quotation mark missing?"),
        (b'name\n"x', "row 2: The quotation marks do not match."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx", "old Excel file"),
        (b"PK\x03\x04nothing", "cannot be read as XLSX"),
        (b"\xff\x00\x81\x00", "no text in UTF-8 or GB18030"),
        (b"a\x00b", "no text in UTF-8 or GB18030"),
        ("email\na@example.org\n", "Columns are missing: name (姓名). The first row has: email."),
        ("name\n", "headings and no row"),
        ("name,姓名\na,b\n", "row 1, column “姓名”: This column is there twice: “name”"),
        ('name\n"a\n', "row 2: The quotation marks do not match."),
        ("name\n" + "x" * 2001, "more than 2000 characters"),
        ("name\na\x07b\n", "cannot be shown"),
    ],
)
def test_what_cannot_be_read_is_said(content, said):
    assert said in told(content)


def test_files_that_are_too_large(monkeypatch):
    monkeypatch.setattr(tables_in, "MAX_ROWS", 2)
    assert "more than 2 rows" in told("name\na\nb\nc\n")
    monkeypatch.setattr(tables_in, "MAX_LINES", 5)
    assert "more than 2 rows" in told("name\n" + "\n" * 10 + "a\n")
    monkeypatch.setattr(tables_in, "MAX_BYTES", 1024 * 1024)
    assert "larger than 1 MB" in told(b"x" * (1024 * 1024 + 1))
    assert "more than 200 columns" in told("name" + ",x" * 200 + "\na\n")


def test_a_zip_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(tables_in, "MAX_UNPACKED", 100_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 1_000_000)
    assert "unpacks to more" in told(out.getvalue())


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
@settings(max_examples=25, deadline=None)
@given(cells=st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_what_we_write_is_read_back(fmt, cells):
    """Also text that a spreadsheet would take for a formula."""
    cells = [" ".join("".join(c for c in cell if c.isprintable()).split()) for cell in cells]
    cells = [cell for cell in cells if cell and not cell.startswith("'")]
    if not cells:
        return
    table = read(written(fmt, ["name"], [[cell] for cell in cells])[1])
    assert [row["name"] for row in table.rows] == cells


# --- Columns that are said to be something --------------------------------------------------------

FOREIGN = "Who,Mail,Remark,Remark\n林一,lin@example.org,x,13800001111\n王二,,,\n"


def mapped(content, mapping):
    return read_table(content.encode(), "judges.csv", COLUMNS, mapping)


def refused(content, mapping):
    with pytest.raises(BadTable) as caught:
        mapped(content, mapping)
    return [str(fault) for fault in caught.value.faults], caught.value.found


def test_a_mapping_says_what_a_heading_is():
    table = mapped(FOREIGN, {"Who": "name", "Mail": "email", "Remark (2)": "phone"})
    assert names(table) == [(2, "林一", "lin@example.org"), (3, "王二", "")]
    assert table.rows[0]["phone"] == "13800001111"
    assert table.headings == {"name": "Who", "email": "Mail", "phone": "Remark (2)"}
    assert table.unread == ("Remark",)


def test_what_is_left_out_is_not_read_and_not_complained_of():
    text = "name,email,phone\nLin,not read,=1+1\n"
    table = mapped(text, {"email": "", "phone": ""})
    assert (table.rows[0]["email"], table.rows[0]["phone"], table.unread) == ("", "", ())


def test_what_is_said_goes_before_what_is_recognised():
    table = mapped("name,full name\nx,Lin Yi\n", {"full name": "name"})
    assert table.rows[0]["name"] == "Lin Yi"
    assert table.unread == ("name",)


def test_the_columns_of_the_file_are_told_with_an_example():
    table = read("Name, 邮箱 ,,Notes\nLin,,x," + "y" * 70 + "\nWang,w@example.org,,\n")
    assert [(found.text, found.example, found.column) for found in table.found] == [
        ("Name", "Lin", "name"),
        ("邮箱", "w@example.org", "email"),
        ("C", "x", ""),
        ("Notes", "y" * 59 + "…", ""),
    ]


def test_a_column_without_a_heading_is_named_by_its_letter():
    text = "name,,phone\nLin,lin@example.org,\n"
    assert mapped(text, {"B": "email"}).rows[0]["email"] == "lin@example.org"


def test_a_missing_column_is_told_with_what_the_file_has():
    said, found = refused(FOREIGN, None)
    assert said == [
        "judges.csv, row 1: Columns are missing: name (姓名). The first row has: Who, Mail, "
        "Remark, Remark. Known are: name (姓名), email (邮箱), phone (电话)."
    ]
    assert [heading.text for heading in found] == ["Who", "Mail", "Remark", "Remark (2)"]
    assert found[3].example == "13800001111"


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"Who": "name", "Whom": "email"}, "row 1: There is no column “Whom”."),
        (
            {"Who": "nom"},
            "column “Who”: Nothing is called “nom” here. Known are: name (姓名)",
        ),
        (
            {"Who": "name", "Mail": "name"},
            "column “Mail”: This column is there twice: “Who” is the same",
        ),
        ({"Who": ""}, "Columns are missing: name (姓名)."),
        ({"": "name"}, "There is no column “”."),
        ({"Who\x00": "\x00"}, "There is no column"),
    ],
)
def test_a_mapping_that_cannot_be(mapping, said):
    faults, found = refused(FOREIGN, mapping)
    assert said in faults[0]
    assert len(found) == 4, "so that another mapping can be chosen"


def test_faults_of_cells_come_with_the_columns_too():
    faults, found = refused("name,mail\nLin,=1\n", {"mail": "email"})
    assert "row 2, column “mail”: Expected a value, found the formula “=1”." in faults[0]
    assert [(heading.text, heading.column) for heading in found] == [
        ("name", "name"), ("mail", "email"),
    ]  # fmt: skip


def test_a_heading_is_one_line_and_no_text():
    table = read_table(b'"full\n name"\nLin\n', "a.csv", COLUMNS, {"full name": "name"})
    assert table.rows[0]["name"] == "Lin"
    assert "row 1, column “B”: The heading has more than 200 characters." in told(
        "name," + "x" * 201 + "\nLin,y\n"
    )


def test_a_column_may_take_longer_texts():
    columns = (Column("name", is_required=True), Column("text", most=3000))
    long = "x" * 2500
    assert read(f"name,text\nLin,{long}\n", columns=columns).rows[0]["text"] == long
    with pytest.raises(BadTable, match="more than 3000 characters"):
        read(f"name,text\nLin,{long * 2}\n", columns=columns)
