"""The main job as its people do it, in a browser, against the whole platform.

Staff make the event and hand it to an organizer; the organizer sets up track, rounds, task and
rubric; a team registers, uploads and sees its score; judges open their links on tablets and score;
the organizer checks the ranking, signs it off and downloads the ten finalists.
"""

import csv
import io
import re
from decimal import Decimal
from fractions import Fraction

import openpyxl
import pytest
from playwright.sync_api import expect
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.xdist_group("stack-story"),
]

PASSWORD = "correct-horse-9"
TEAMS = 13  # one of them by hand
ADVANCING = 12
JUDGES = 4
CRITERIA = [("Innovation", 40), ("Engineering", 35), ("Presentation", 25)]
EVENT = "/e/story-2026"
DESK = f"{EVENT}/desk"


def fill(page, **fields):
    for name, value in fields.items():
        control = page.locator(f"#id_{name}")
        if control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(label=value)
        elif control.get_attribute("type") == "checkbox":
            control.set_checked(value)
        else:
            control.fill(value)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def sign_off(first, second):
    """The event has two organizers, so both sign the ranking that the first has open."""
    press(first, "Sign off")
    expect(first.locator("main")).to_contain_text("It awaits the second signature")
    second.goto(first.url)
    press(second, "Sign off")
    expect(second.locator("main")).to_contain_text("Signed off by Olga Organizer")
    expect(second.locator("main")).to_contain_text("Signed off by Staff")
    first.reload()


def sign_up(stack, context, email, name):
    page = context.new_page()
    page.goto(f"{stack.url}/accounts/signup/")
    fill(page, name=name, email=email, password1=PASSWORD, password2=PASSWORD)
    page.locator("main form button").click()
    confirm_mail(stack, page, email)
    sign_in(stack, page, email)
    return page


def confirm_mail(stack, page, email):
    page.goto(stack.mail_link(email, r"http\S+/accounts/confirm-email/\S+/"))
    page.locator("main form button").click()


def sign_in(stack, page, email):
    page.goto(f"{stack.url}/accounts/login/")
    fill(page, login=email, password=PASSWORD)
    page.locator("main form button").click()


def task_files():
    """The wine data: a reference with true labels, and predictions of a chosen number of errors."""
    labels = [int(label) for label in load_wine().target]
    ids = [f"w{n:03}" for n in range(len(labels))]

    def table(values):
        out = io.StringIO()
        csv.writer(out).writerows([("id", "label"), *zip(ids, values, strict=True)])
        return out.getvalue().encode()

    def predictions(errors):
        return [(label + 1) % 3 if n < errors else label for n, label in enumerate(labels)]

    return labels, table, predictions


def mark_of(judge, team, criterion):
    """What each judge thinks: half points that make one tie for the tie-break and one shared rank,
    and none across the cut."""
    return Decimal((judge + team + 4 * criterion * team) % 11 + 9) / 2


def test_the_whole_story(stack, open_context, tmp_path):
    stack.start("--no-demo")
    labels, table, predictions = task_files()

    # --- Staff make the event and name its organizer -----------------------------------------
    stack.env |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    stack.manage("createsuperuser", "--noinput", "--email", "staff@example.org", "--name", "Staff")
    organizer = sign_up(stack, open_context(1440, 900), "organizer@example.org", "Olga Organizer")
    staff = open_context(1440, 900).new_page()
    sign_in(stack, staff, "staff@example.org")  # asks to confirm the address first
    confirm_mail(stack, staff, "staff@example.org")
    sign_in(stack, staff, "staff@example.org")
    for page in (organizer, staff):  # they mean what they press
        page.on("dialog", lambda dialog: dialog.accept())
    staff.goto(f"{stack.url}/desk/new/")
    fill(staff, name_en="Story 2026", name_zh="故事杯", slug="story-2026",
         time_zone="Asia/Shanghai")  # fmt: skip
    staff.locator("main form button.btn-primary").click()
    staff.wait_for_url(f"**{DESK}/tracks/")
    staff.goto(f"{stack.url}{DESK}/event/")
    fill(staff, email="organizer@example.org")
    press(staff, "Add organizer")
    expect(staff.locator("table")).to_contain_text("Olga Organizer")

    # --- The organizer sets the competition up -----------------------------------------------
    organizer.goto(f"{stack.url}{DESK}/tracks/")
    fill(organizer, name_en="Open models", name_zh="开源模型", slug="models", code_prefix="OM")
    press(organizer, "Add the track")
    expect(organizer.locator("table")).to_contain_text("Open models")
    organizer.goto(f"{stack.url}{DESK}/rounds/")
    fill(organizer, name_en="Preliminary", name_zh="初赛", slug="preliminary", track="Open models",
         ordinal="1", kind="preliminary", format="automated scoring",
         board="live while the round runs")  # fmt: skip
    press(organizer, "Add the round")
    organizer.wait_for_url(f"**{DESK}/r/preliminary/")
    organizer.goto(f"{stack.url}{DESK}/rounds/")
    fill(organizer, name_en="Semifinal", name_zh="半决赛", slug="semifinal", track="Open models",
         ordinal="2", kind="semifinal", format="roadshow")  # fmt: skip
    press(organizer, "Add the round")
    organizer.goto(f"{stack.url}{DESK}/rounds/")
    fill(organizer, name_en="Final", name_zh="决赛", slug="final", track="Open models",
         ordinal="3", kind="final", format="roadshow")  # fmt: skip
    press(organizer, "Add the round")
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/benchmark/")
    fill(organizer, metric="accuracy", public_percent="50")
    organizer.locator("#id_reference").set_input_files(
        {"name": "reference.csv", "mimeType": "text/csv", "buffer": table(labels)}
    )
    press(organizer, "Save")
    expect(organizer.locator(".badge").first).to_contain_text("version 1")
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/scheme/")
    fill(organizer, advance_count=str(ADVANCING))
    press(organizer, "Save")
    organizer.goto(f"{stack.url}{DESK}/rubrics/new/")
    fill(organizer, name_en="Roadshow", name_zh="路演评分表")
    for n, (name, weight) in enumerate(CRITERIA):
        if n:
            press(organizer, "Add a criterion")
        prefix = f"criteria-{n}-"
        fill(organizer, **{f"{prefix}name_en": name, f"{prefix}name_zh": name,
                           f"{prefix}weight": str(weight)})  # fmt: skip
    press(organizer, "Save")
    organizer.wait_for_url(f"**{DESK}/rubrics/")
    organizer.goto(f"{stack.url}{DESK}/event/")
    press(organizer, "Publish the event")
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/")
    press(organizer, "Open the round")
    expect(organizer.locator(".page-head .badge")).to_have_text("open")

    # --- A team registers, uploads, and sees what became of it -------------------------------
    team = sign_up(stack, open_context(390, 844), "captain@example.org", "Cai Captain")
    team.goto(f"{stack.url}{EVENT}/")
    team.get_by_role("link", name="Register a team").click()
    fill(team, track="Open models", name_en="Grape Minds", name_zh="葡萄思维",
         country="China", title_en="Wine origin", title_zh="葡萄酒溯源")  # fmt: skip
    press(team, "Register")
    team.wait_for_url(f"**{EVENT}/teams/OM-001/")
    submissions = f"{stack.url}{EVENT}/r/preliminary/teams/OM-001/submissions/"
    team.goto(submissions)
    bad = table(predictions(0)).replace(b"w003,0", b"w003,nine")
    team.locator("#id_file").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": bad}
    )
    team.locator("form[data-upload] button.btn-primary").click()
    team.wait_for_url("**/submissions/*-*/")
    expect(team.locator("#submission-status")).to_contain_text(
        "bad.csv, row 5, column “label”: “nine” is not one of the classes", timeout=60000
    )
    team.goto(submissions)
    team.locator("#id_file").set_input_files(
        {"name": "good.csv", "mimeType": "text/csv", "buffer": table(predictions(9))}
    )
    team.locator("form[data-upload] button.btn-primary").click()
    team.wait_for_url("**/submissions/*-*/")
    expect(team.locator("#submission-status .badge-ok")).to_have_text("scored", timeout=60000)
    shown = float(team.locator("#submission-status td.num").first.inner_text())
    assert 0.85 < shown < 1

    # The other teams come the same way, through the same services.
    stack.manage("shell", "-v0", script=f"""
from django.core.files.base import ContentFile
from contest.models import *
from contest.services.teams import register_team
from contest.services.submissions import receive
track = Track.objects.get(slug="models")
files = {[table(predictions(10 + 3 * n)) for n in range(TEAMS - 1)]!r}
for n, content in enumerate(files):
    captain = User.objects.create_user(f"captain{{n}}@example.org", name=f"Captain {{n}}")
    team = register_team(by=captain, track=track, team=dict(name_en=f"Team {{n}}", country="SG"),
                         entry=dict(title_en=f"Project {{n}}"))
    receive(participation=team.participations.get(), file=ContentFile(content, "p.csv"),
            kind="predictions", by=captain, client_key="1")
""")  # fmt: skip
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/submissions/?status=scored")
    for _attempt in range(60):
        if organizer.locator("tbody tr").count() == TEAMS:
            break
        organizer.wait_for_timeout(500)
        organizer.reload()
    assert organizer.locator("tbody tr").count() == TEAMS

    # --- The preliminary is decided ----------------------------------------------------------
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/")
    press(organizer, "Close the round")
    organizer.goto(f"{stack.url}{DESK}/r/preliminary/ranking/")
    press(organizer, "Propose who advances")
    sign_off(organizer, staff)
    assert organizer.get_by_text("advances", exact=True).count() == ADVANCING
    # Ranked by accuracy on the hidden half, which fewer errors cannot make worse.
    first = organizer.locator("tbody tr").first.inner_text()
    assert "OM-001" in first
    assert accuracy_score(labels, predictions(9)) > accuracy_score(labels, predictions(13))

    # --- Panel and judges ---------------------------------------------------------------------
    for n in range(JUDGES):
        organizer.goto(f"{stack.url}{DESK}/judges/")
        fill(organizer, name=f"Judge {n}", organisation_en=f"Fund {n}")
        press(organizer, "Add the judge")
    organizer.goto(f"{stack.url}{DESK}/r/semifinal/panels/")
    fill(organizer, name_en="Main panel", name_zh="评审组", rubric="Roadshow")
    for box in organizer.locator("input[name=judges]").all():
        box.check()
    press(organizer, "Add the panel")
    press(organizer, "Assign all teams to all judges")
    expect(organizer.locator("#messages")).to_contain_text(f"{JUDGES * ADVANCING} assignments")
    organizer.goto(f"{stack.url}{DESK}/r/semifinal/")
    press(organizer, "Open the round")
    tablets = []
    for n in range(JUDGES):
        organizer.goto(f"{stack.url}{DESK}/judges/")
        organizer.get_by_role("row", name=f"Judge {n}").get_by_role("button").first.click()
        link = organizer.locator("#link-url").inner_text()
        assert organizer.locator(".qr svg").is_visible()
        size = (768, 1024) if n == 1 else (1024, 768)
        tablet = open_context(*size, has_touch=True).new_page()
        tablet.goto(link)
        press(tablet, "Sign in on this device")
        tablets.append(tablet)

    # --- The roadshow: the first judge taps, the others' tablets talk to the same API ---------
    marks: dict[str, dict[int, list[Decimal]]] = {}
    first = tablets[0]
    expect(first.locator(".team")).to_have_count(ADVANCING)
    sheets = [a.get_attribute("href") for a in first.locator(".team").all()]
    for sheet in sheets:
        first.locator(f'.team[href="{sheet}"]').click()
        code = re.search(r"OM-\d{3}", first.locator(".side").inner_text())[0]
        number = int(code[3:])
        given = [mark_of(0, number, c) for c in range(3)]
        for c, mark in enumerate(given):
            first.locator(".criterion").nth(c).locator(
                f'input[value="{mark.normalize():f}"]'
            ).check()
        first.get_by_role("button", name="Submit…").click()
        first.locator("#confirm-submit").click()
        expect(first.locator("#sync")).to_have_text("Everything is saved on the server")
        first.get_by_role("link", name="Teams").click()
        expect(first.locator(f'.team[href="{sheet}"] .state')).to_have_text("submitted")
        marks.setdefault(code, {})[0] = given
    for n in range(1, JUDGES):
        tablet = tablets[n]
        expect(tablet.locator(".team")).to_have_count(ADVANCING)
        api = tablet.context.request
        token = next(c["value"] for c in tablet.context.cookies() if c["name"] == "csrftoken")
        headers = {"X-CSRFToken": token, "Referer": stack.url}

        def call(path, data, api=api, headers=headers):
            answer = api.post(f"{stack.url}/api/v1/{path}", data=data, headers=headers)
            assert answer.ok, answer.text()
            return answer.json()

        assigned = api.get(f"{stack.url}/api/v1/assignments/").json()["results"]
        assert len(assigned) == ADVANCING
        rubric = api.get(f"{stack.url}/api/v1/rubrics/").json()["results"][0]
        for item in assigned:
            given = [mark_of(n, int(item["code"][3:]), c) for c in range(3)]
            sheet = call("scoresheets/", {"assignment": item["id"]})["id"]
            for criterion, mark in zip(rubric["criteria"], given, strict=True):
                call(f"scoresheets/{sheet}/marks/",
                     {"key": f"{sheet}{criterion['id']}", "criterion": criterion["id"],
                      "value": str(mark)})  # fmt: skip
            call(f"scoresheets/{sheet}/submit/", {})
            marks[item["code"]][n] = given

    # --- The ranking is checked, signed and exported -----------------------------------------
    wanted = top_ten(marks)
    organizer.goto(f"{stack.url}{DESK}/r/semifinal/")
    press(organizer, "Close the round")
    organizer.goto(f"{stack.url}{DESK}/r/semifinal/ranking/")
    press(organizer, "Propose who advances")
    sign_off(organizer, staff)
    with organizer.expect_download() as download:
        organizer.get_by_role("link", name="XLSX").click()
    path = tmp_path / "finalists.xlsx"
    download.value.save_as(path)
    rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))
    heads = rows[0]
    got = [
        (row[heads.index("rank")], row[heads.index("team_code")],
         Decimal(str(row[heads.index("total")])))
        for row in rows[1:]
    ]  # fmt: skip
    assert got == wanted
    organizer.goto(f"{stack.url}{DESK}/r/final/")
    for _rank, code, _total in wanted:
        expect(organizer.locator("main")).to_contain_text(code)

    # --- The public sees the result once it is published -------------------------------------
    public = open_context(390, 844).new_page()
    public.goto(f"{stack.url}{EVENT}/r/semifinal/leaderboard/")
    expect(public.locator("main")).to_contain_text("has not been published yet")
    organizer.goto(f"{stack.url}{DESK}/r/semifinal/ranking/")
    press(organizer, "Publish the result")
    public.reload()
    for _attempt in range(20):
        if wanted[0][1] in public.locator("main").inner_text():
            break
        public.wait_for_timeout(500)
        public.reload()
    expect(public.locator("table.board tbody tr").first).to_contain_text(wanted[0][1])
    assert stack.stop() == 0
    assert "Traceback" not in stack.log()


def top_ten(marks) -> list[tuple[int, str, Decimal]]:
    """The ten by a second computation: trimmed mean of exact weighted totals, ranks 1, 2, 2, 4.

    Of four judges' totals the highest and the lowest are dropped. Ties are broken by the mean of
    the first criterion's marks. Totals are rounded half up to two decimals.
    """
    weights = [weight for _name, weight in CRITERIA]
    scored = []
    for code, by_judge in marks.items():
        totals = sorted(
            sum(Fraction(mark) * 10 * w for mark, w in zip(given, weights, strict=True))
            / sum(weights)
            for given in by_judge.values()
        )
        first = sum(Fraction(given[0]) for given in by_judge.values())
        scored.append(((sum(totals[1:-1]) / (len(totals) - 2), first), code))
    scored.sort(key=lambda item: (-item[0][0], -item[0][1], item[1]))
    keys = [key for key, _code in scored]
    assert keys[9] != keys[10], "the figures must not tie across the cut"
    return [
        (keys.index(key) + 1, code, Decimal(int(key[0] * 100 + Fraction(1, 2))) / 100)
        for key, code in scored[:10]
    ]
