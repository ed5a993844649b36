"""The pages of teams, asked as people ask for them."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contest.models import Entry, EntryFile, Invitation, Membership, Team
from contest.services.teams import invite
from tests.factories import (
    make_event,
    make_judge,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)

pytestmark = pytest.mark.django_db

FORM = {
    "name_zh": "灯塔",
    "organisation_zh": "某大学",
    "country": "CN",
    "title_en": "Lighthouse",
    "licence": "MulanPSL-2.0",
    "repository": "https://example.org/lighthouse",
}


@pytest.fixture
def captain():
    return make_user()


@pytest.fixture
def team(captain):
    return make_team(make_track(make_event(make_user())), captain)


def url(name, team, *args):
    return reverse(name, args=[team.event.slug, team.code, *args])


def register(client, track, **changes):
    address = reverse("team-register", args=[track.event.slug])
    return client.post(address, {"track": track.pk, **FORM, **changes})


# --- Registering -------------------------------------------------------------------------------


def test_registering_makes_the_team_with_its_entry(client, captain):
    client.force_login(captain)
    track = make_track(code_prefix="MA")
    response = register(client, track)
    team = Team.objects.get()
    assert response.url == team.get_absolute_url()
    assert (team.code, team.name_zh, team.country.code) == ("MA-001", "灯塔", "CN")
    assert Entry.objects.get(team=team).licence == "MulanPSL-2.0"
    assert team.memberships.get().user == captain
    assert "MA-001" in client.get(response.url).content.decode()


def test_one_language_is_enough_and_none_is_refused_at_the_field(client, captain):
    client.force_login(captain)
    track = make_track()
    response = register(client, track, name_zh="", title_en=" ")
    assert response.status_code == 200
    assert set(response.context["team_form"].errors) == {"name_zh", "name_en"}
    assert set(response.context["entry_form"].errors) == {"title_zh", "title_en"}
    assert not Team.objects.exists()
    register(client, track, name_zh="", name_en="Beacon")
    assert Team.objects.get().name_en == "Beacon"


def test_only_tracks_without_sub_tracks_of_this_event_are_offered(client, captain):
    client.force_login(captain)
    track = make_track()
    leaf = make_track(track.event, parent=track)
    elsewhere = make_track()
    address = reverse("team-register", args=[track.event.slug])
    form = client.get(address).context["track_form"]
    assert list(form.fields["track"].queryset) == [leaf]
    for wrong in (track, elsewhere):
        response = client.post(address, {"track": wrong.pk, **FORM})
        assert "track" in response.context["track_form"].errors
    assert not Team.objects.exists()


@pytest.mark.parametrize(
    ("opens", "closes"), [(timedelta(days=1), timedelta(days=2)), (None, timedelta(seconds=-1))]
)
def test_registration_that_is_not_open_is_refused(client, captain, opens, closes):
    now = timezone.now()
    event = make_event(
        registration_opens=now + opens if opens else None, registration_closes=now + closes
    )
    client.force_login(captain)
    response = register(client, make_track(event))
    assert response.status_code == 409
    assert not Team.objects.exists()
    assert client.get(reverse("team-register", args=[event.slug])).status_code == 200


def test_registering_again_opens_the_same_team(client, captain):
    client.force_login(captain)
    track = make_track()
    first = register(client, track)
    again = register(client, track, name_zh="另一队")
    assert again.url == first.url
    assert Team.objects.get().name_zh == "灯塔"
    other = make_track(track.event)
    register(client, other)
    assert Team.objects.count() == 2


def test_a_judge_cannot_register(client):
    track = make_track()
    client.force_login(
        make_judge(track.event).user, backend="django.contrib.auth.backends.ModelBackend"
    )
    assert register(client, track).status_code == 403


# --- Who sees what -----------------------------------------------------------------------------

PAGES = ["team", "team-edit", "entry-edit", "team-withdraw"]


@pytest.mark.parametrize("name", PAGES)
def test_who_opens_a_teams_pages(client, team, captain, name):
    address = url(name, team)
    assert "/accounts/login/" in client.get(address).url
    for stranger in (make_user(), make_team(team.track, make_user()).memberships.get().user):
        client.force_login(stranger)
        assert client.get(address).status_code == 403
    for insider in (captain, team.event.roles.get().user):
        client.force_login(insider)
        assert client.get(address).status_code == 200


def test_a_draft_event_is_unknown_to_its_teams(client, captain):
    team = make_team(make_track(make_event(status="draft")), captain)
    client.force_login(captain)
    assert client.get(team.get_absolute_url()).status_code == 404
    assert client.get(reverse("team-register", args=[team.event.slug])).status_code == 404
    assert team.code not in client.get(reverse("my-teams")).content.decode()


def test_a_code_means_a_team_of_its_own_event_only(client, team, captain):
    other = make_event()
    client.force_login(captain)
    assert client.get(reverse("team", args=[other.slug, team.code])).status_code == 404


def test_rounds_in_preparation_are_shown_to_organizers_alone(client, team, captain):
    round = make_round(team.track, status="draft", name_en="Secret", name_zh="保密轮")
    make_participation(round, team)
    client.force_login(captain)
    assert "保密轮" not in client.get(team.get_absolute_url()).content.decode()
    assert "保密轮" not in client.get(reverse("my-teams")).content.decode()
    client.force_login(team.event.roles.get().user)
    assert "保密轮" in client.get(team.get_absolute_url()).content.decode()


def test_the_team_page_leads_to_its_submissions(client, team, captain):
    round = make_round(team.track)
    make_participation(round, team)
    client.force_login(captain)
    address = reverse("participation-submissions", args=[team.event.slug, round.slug, team.code])
    response = client.get(team.get_absolute_url())
    assert address in response.content.decode()
    assert response.context["steps"][0]["url"] == address


@pytest.mark.parametrize("status", ["withdrawn", "disqualified"])
def test_a_team_that_is_out_is_asked_for_nothing(client, captain, status):
    team = make_team(captain=captain, status=status)
    make_participation(make_round(team.track), team)
    client.force_login(captain)
    response = client.get(team.get_absolute_url())
    (step,) = response.context["steps"]
    assert step["url"] == ""
    assert not response.context["may_edit"]
    assert not response.context["may_withdraw"]


def test_my_teams_says_what_to_do_when_there_is_none(client, captain):
    client.force_login(captain)
    assert 'class="empty"' in client.get(reverse("my-teams")).content.decode()
    event = make_event()
    assert reverse("team-register", args=[event.slug]) in (
        client.get(reverse("my-teams")).content.decode()
    )


def test_my_teams_asks_the_database_no_more_for_more_teams(
    client, captain, django_assert_num_queries, django_assert_max_num_queries
):
    client.force_login(captain)

    def one_more():
        team = make_team(captain=captain)
        make_participation(make_round(team.track), team)

    one_more()
    with django_assert_max_num_queries(20) as first:
        client.get(reverse("my-teams"))
    for _ in range(4):
        one_more()
    with django_assert_num_queries(len(first)):
        client.get(reverse("my-teams"))


# --- Editing -----------------------------------------------------------------------------------


def test_members_edit_until_registration_closes_and_organizers_later_too(client, team, captain):
    client.force_login(captain)
    fields = {"name_en": "Renamed", "organisation_en": "Lab", "country": "BR"}
    assert client.post(url("team-edit", team), fields).status_code == 302
    team.refresh_from_db()
    assert (team.name_en, team.country.code) == ("Renamed", "BR")
    team.event.registration_closes = timezone.now()
    team.event.save()
    late = {**fields, "name_en": "Too late"}
    assert client.post(url("team-edit", team), late).status_code == 409
    assert client.post(url("entry-edit", team), {"title_en": "Late"}).status_code == 409
    client.force_login(team.event.roles.get().user)
    assert client.post(url("team-edit", team), late).status_code == 302
    team.refresh_from_db()
    assert team.name_en == "Too late"


def test_a_refused_edit_changes_nothing(client, team, captain):
    client.force_login(captain)
    before = team.name_en
    response = client.post(url("team-edit", team), {"name_en": "", "name_zh": "", "country": "CN"})
    assert "name_en" in response.context["form"].errors
    assert response.context["team"].name_en == before
    team.refresh_from_db()
    assert team.name_en == before


def test_the_entry_keeps_what_was_typed_and_refuses_scripts_as_links(client, team, captain):
    client.force_login(captain)
    fields = {"title_en": "Beacon", "abstract_zh": "摘要", "repository": "javascript:alert(1)"}
    assert "repository" in client.post(url("entry-edit", team), fields).context["form"].errors
    fields["repository"] = "https://example.org/code"
    assert client.post(url("entry-edit", team), fields).status_code == 302
    team.entry.refresh_from_db()
    assert (team.entry.title_en, team.entry.abstract_zh) == ("Beacon", "摘要")


# --- Files -------------------------------------------------------------------------------------


def pptx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p/>")
    return buffer.getvalue()


def send(client, team, name, content):
    return client.post(
        url("entry-file-add", team), {"file": SimpleUploadedFile(name, content)}, follow=True
    )


def test_a_document_is_kept_and_comes_back_as_an_attachment(client, team, captain):
    client.force_login(captain)
    slides = pptx()
    send(client, team, "路演.pptx", slides)
    send(client, team, "路演.pptx", slides)
    kept = EntryFile.objects.get()
    response = client.get(url("entry-file", team, kept.pk))
    assert response["Content-Disposition"].startswith("attachment")
    assert b"".join(response.streaming_content) == slides
    client.force_login(make_team(team.track, make_user()).memberships.get().user)
    assert client.get(url("entry-file", team, kept.pk)).status_code == 403
    assert client.post(url("entry-file-remove", team, kept.pk)).status_code == 403
    client.force_login(captain)
    client.post(url("entry-file-remove", team, kept.pk))
    assert not EntryFile.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>"),
        ("page.pdf", b"<script>"),
        ("slides.pptx", b"PK\x03\x04 no archive"),
        ("none", b"%PDF-1.7"),
        ("empty.pdf", b""),
    ],
)
def test_what_is_no_document_is_refused_with_a_message(client, team, captain, name, content):
    client.force_login(captain)
    response = send(client, team, name, content)
    assert not EntryFile.objects.exists()
    assert [m.level_tag for m in response.context["messages"]] == ["error"]


def test_the_eleventh_document_is_refused(client, team, captain):
    client.force_login(captain)
    for n in range(11):
        send(client, team, f"{n}.pdf", b"%PDF-1.7 " + str(n).encode())
    assert EntryFile.objects.count() == 10


def test_a_document_over_20_mb_is_refused(client, team, captain):
    client.force_login(captain)
    response = send(client, team, "big.pdf", b"%PDF-" + bytes(20 * 1024 * 1024))
    assert not EntryFile.objects.exists()
    assert "big.pdf" in response.content.decode()


def test_a_file_of_another_team_is_not_reached_through_ones_own(client, team, captain):
    other = make_team(team.track, make_user())
    client.force_login(other.memberships.get().user)
    send(client, other, "a.pdf", b"%PDF-1.7")
    client.force_login(captain)
    assert client.get(url("entry-file", team, EntryFile.objects.get().pk)).status_code == 404


# --- Members -----------------------------------------------------------------------------------


def test_inviting_twice_keeps_one_invitation_and_sends_one_mail_a_minute(client, team, captain):
    client.force_login(captain)
    for _ in range(2):
        client.post(url("team-invite", team), {"email": "Mate@Example.org"})
    invitation = Invitation.objects.get()
    assert invitation.email == "mate@example.org"
    assert [m.to for m in mail.outbox] == [["mate@example.org"]]
    assert reverse("invitation", args=[invitation.token]) in mail.outbox[0].body
    mate = make_user()
    Membership.objects.create(team=team, user=mate)
    client.force_login(mate)
    assert client.post(url("team-invite", team), {"email": "x@example.org"}).status_code == 403


def test_an_invitation_shows_who_and_is_accepted_by_post_alone(client, team, captain):
    invitation = invite(team, "mate@example.org", captain)
    address = reverse("invitation", args=[invitation.token])
    assert "/accounts/login/" in client.get(address).url
    guest = make_user(email="other@example.org")
    client.force_login(guest)
    page = client.get(address).content.decode()
    assert captain.name in page
    assert "mate@example.org" in page
    assert "other@example.org" in page
    assert not team.memberships.filter(user=guest).exists()
    for _ in range(2):
        assert client.post(address).url == team.get_absolute_url()
    assert team.memberships.get(user=guest).role == "member"
    client.force_login(make_user())
    response = client.post(address, follow=True)
    assert [m.level_tag for m in response.context["messages"]] == ["error"]
    assert team.memberships.count() == 2
    assert client.get(reverse("invitation", args=["nonsense"])).status_code == 404


def test_who_takes_members_out(client, team, captain):
    mate, third = make_user(), make_user()
    first = Membership.objects.create(team=team, user=mate)
    second = Membership.objects.create(team=team, user=third)
    client.force_login(mate)
    assert client.post(url("member-remove", team, second.pk)).status_code == 403
    assert client.get(url("member-remove", team, first.pk)).status_code == 200
    assert team.memberships.count() == 3
    assert client.post(url("member-remove", team, first.pk)).url == reverse("my-teams")
    client.force_login(captain)
    client.post(url("member-remove", team, second.pk))
    assert [m.user for m in team.memberships.all()] == [captain]
    client.post(url("member-remove", team, team.memberships.get().pk))
    assert team.memberships.count() == 1


def test_withdrawing_asks_first(client, team, captain):
    participation = make_participation(make_round(team.track), team)
    client.force_login(captain)
    client.get(url("team-withdraw", team))
    team.refresh_from_db()
    assert team.status == "confirmed"
    client.post(url("team-withdraw", team), {"reason": "no time"})
    client.post(url("team-withdraw", team))
    team.refresh_from_db()
    participation.refresh_from_db()
    assert (team.status, participation.status) == ("withdrawn", "withdrawn")
    mate = make_user()
    Membership.objects.create(team=team, user=mate)
    client.force_login(mate)
    assert client.post(url("team-withdraw", team)).status_code == 403
