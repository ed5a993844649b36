"""Pages that take tables in: the file goes with the page, and a mapping comes back with it."""

import base64
import re
from html import unescape

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contest.models import Team, User
from contest.tables_in import MAX_BYTES
from judging.models import Judge
from tests.factories import make_event, make_round, make_team, make_track, make_user

pytestmark = pytest.mark.django_db

FOREIGN = "Crew,Land,What,Boss,Boss mail,Notes\nBeacon,China,Light,Lin,lin@example.org,none\n"
SAID = {
    "Crew": "name_en",
    "Land": "country",
    "What": "title_en",
    "Boss": "captain_name",
    "Boss mail": "captain_email",
    "Notes": "",
}


@pytest.fixture
def organizer(client):
    user = make_user(language="en")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = "en"
    return user


@pytest.fixture
def event(organizer):
    return make_track(make_event(organizer), slug="models").event


@pytest.fixture
def page(event):
    return reverse("desk-team-import", args=[event.slug])


def upload(client, page, text, **more):
    content = text if isinstance(text, bytes) else text.encode()
    return client.post(page, {"file": SimpleUploadedFile("teams.csv", content), **more})


def shown(response) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def form(text: str, **changes) -> dict:
    """What pressing a button of the form sends, with these columns chosen."""
    content = base64.b64encode(text.encode()).decode()
    return {
        "content": content,
        "name": "teams.csv",
        "heading": list(SAID),
        "column": list(SAID.values()),
        **changes,
    }


def digest(response) -> str:
    return re.search(r'name="seen" value="([0-9a-f]{64})"', response.content.decode())[1]


def test_a_file_with_foreign_headings_is_mapped_looked_at_and_written(client, event, page):
    answer = shown(upload(client, page, FOREIGN))
    assert (
        "Expected at least one of these columns: code (队伍编号), captain_email (队长邮箱)."
        in answer
    )
    assert "Columns of your file" in answer
    assert base64.b64encode(FOREIGN.encode()).decode() in answer, "it need not be chosen again"
    assert re.findall(r'name="heading" value="([^"]*)"', answer) == list(SAID)
    assert "lin@example.org" in answer, "as an example"

    looked = client.post(page, form(FOREIGN))
    answer = shown(looked)
    assert "Write all of it" in answer
    assert answer.count(" selected>") == 5
    assert '<option value="captain_email" selected>captain_email (队长邮箱)' in answer
    assert "Columns that nobody knows" not in answer, "what is left out on purpose is not missed"
    assert not Team.objects.exists()

    answer = client.post(page, form(FOREIGN, seen=digest(looked)), follow=True)
    assert "teams.csv: 1 new, 0 changed, 0 unchanged." in shown(answer)
    assert event.teams.get().name_en == "Beacon"
    assert mail.outbox == []
    assert "Everything is as the table says already." in shown(client.post(page, form(FOREIGN)))


def test_known_headings_need_no_mapping(client, page):
    text = "队名,国家,项目名称,队长,队长邮箱,备注\n灯塔,中国,灯,林一,lin@example.org,x\n"
    answer = shown(upload(client, page, text.encode("gb18030")))
    assert "CSV in GB18030, separated by comma" in answer
    assert "Columns that nobody knows, and that are not read: 备注" in answer
    assert answer.count(" selected>") == 5
    assert "captain_email" in answer


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heading": ["Whom"], "column": ["name_en"]}, "There is no column “Whom”."),
        ({"heading": ["Crew"], "column": ["crew"]}, "Nothing is called “crew” here."),
        ({"column": ["name_en"] * 6}, "This column is there twice: “Crew” is the same."),
        ({"column": ["name_en"]}, "Say of each column of the file once what it is."),
        ({"heading": ["Crew"] * 6}, "Say of each column of the file once what it is."),
        ({"content": "*"}, "Choose a file."),
        ({"content": ""}, "Choose a file."),
        ({"content": base64.b64encode(b"PK\x03\x04x").decode()}, "cannot be read as XLSX"),
    ],
)
def test_a_form_that_says_what_cannot_be(client, page, changes, said):
    answer = shown(client.post(page, form(FOREIGN, **changes)))
    assert said in answer
    assert "Nothing was written" in answer


def test_a_file_that_is_chosen_anew_is_read_anew(client, page):
    """Not by what was said of the columns of another."""
    answer = shown(upload(client, page, "name_en,country\nA,CN\n", heading="x", column="y"))
    assert "Expected at least one of these columns" in answer


def test_a_file_that_is_too_large(client, page):
    assert "larger than the limit of 8 MB" in shown(upload(client, page, b"x" * (MAX_BYTES + 1)))


def test_what_changed_since_is_looked_at_again(client, event, page):
    looked = client.post(page, form(FOREIGN))
    make_team(event.tracks.get(), make_user(email="lin@example.org"), code="MA-9")
    answer = client.post(page, form(FOREIGN, seen=digest(looked)))
    assert "Something has changed since the table was checked. Look at it again." in shown(answer)
    assert digest(answer) != digest(looked)
    assert "MA-9" in shown(answer)
    # Another choice of columns is another plan, too.
    other = form(FOREIGN, seen=digest(answer), column=["name_zh", *list(SAID.values())[1:]])
    assert "Something has changed" in shown(client.post(page, other))
    assert event.teams.count() == 1


def test_what_was_fine_and_is_a_fault_by_now(client, event, page):
    looked = client.post(page, form(FOREIGN))
    event.roles.create(user=make_user(email="lin@example.org"))
    answer = shown(client.post(page, form(FOREIGN, seen=digest(looked))))
    assert "Who organizes the event cannot compete in it." in answer
    assert not Team.objects.exists()


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_the_template_is_taken_in_unchanged(client, event, page, fmt):
    track = event.tracks.get()
    for _n in range(3):
        make_team(track, make_user())
    url = reverse("desk-team-template", args=[event.slug, fmt])
    answer = client.get(url)
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{event.slug}-teams.{fmt}"'
    )
    file = SimpleUploadedFile(f"teams.{fmt}", answer.content)
    answer = shown(client.post(page, {"file": file}))
    assert "unchanged: 3" in answer
    assert "Everything is as the table says already." in answer


def test_judges_and_assignments_are_mapped_too(client, event):
    round = make_round(event.tracks.get(), format="roadshow", kind="semifinal")
    page = reverse("desk-panel-import-kind", args=[event.slug, round.slug, "judges"])
    text = "Expert,Firm\nLin Yi,Fund\n"
    answer = shown(upload(client, page, text))
    assert "Columns are missing: name (姓名)." in answer
    assert re.findall(r'name="heading" value="([^"]*)"', answer) == ["Expert", "Firm"]
    columns = {"heading": ["Expert", "Firm"], "column": ["name", "organisation_en"]}
    looked = client.post(page, form(text, **columns))
    answer = client.post(page, form(text, **columns, seen=digest(looked)), follow=True)
    assert "1 new, 0 changed, 0 unchanged" in shown(answer)
    judge = Judge.objects.get()
    assert (judge.name, judge.organisation_en) == ("Lin Yi", "Fund")
    page = reverse("desk-panel-import-kind", args=[event.slug, round.slug, "assignments"])
    answer = shown(upload(client, page, "Nr,Expert\nMA-1,Lin Yi\n"))
    assert "Columns are missing: team (队伍编号), judge (评委)." in answer
    assert '<option value="judge"' in answer


def test_whoever_came_in_by_a_table_signs_in_as_the_page_says(client, event, page):
    looked = client.post(page, form(FOREIGN))
    client.post(page, form(FOREIGN, seen=digest(looked)))
    client.logout()
    client.cookies["django_language"] = "en"
    login = client.get(reverse("account_login"))
    assert "Forgot your password?" in shown(login)
    client.post(reverse("account_reset_password"), {"email": "Lin@example.org"})
    (link,) = re.findall(r"https?://\S+/accounts/password/reset/key/\S+", mail.outbox[-1].body)
    path = client.get(re.sub("^https?://[^/]+", "", link)).url
    words = {"password1": "battery-staple-7", "password2": "battery-staple-7"}
    assert client.post(path, words).status_code == 302
    given = {"login": "lin@example.org", "password": "battery-staple-7"}
    client.post(reverse("account_login"), given)
    # The address is confirmed once, as after signing up.
    (link,) = re.findall(r"https?://\S+/accounts/confirm-email/\S+", mail.outbox[-1].body)
    client.post(re.sub("^https?://[^/]+", "", link))
    assert EmailAddress.objects.get().verified
    client.post(reverse("account_login"), given)
    assert "Beacon" in shown(client.get(reverse("my-teams")))
    assert User.objects.filter(email="lin@example.org").count() == 1
