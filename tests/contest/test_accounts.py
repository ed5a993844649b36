"""Accounts: sign-up by e-mail, throttled sign-in, one-time links for judges."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contest.models import SignInLink, User
from contest.services.signin import (
    CODE_LENGTH,
    CODE_LETTERS,
    CODE_MINUTES,
    link_url,
    make_link,
    qr_svg,
    revoke_link,
)
from tests.factories import make_event, make_judge, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-9"


def sign_up(client, language="en", email="New@Example.org"):
    return client.post(
        reverse("account_signup"),
        {"name": "New Person", "email": email, "password1": PASSWORD, "password2": PASSWORD},
        headers={"Accept-Language": language},
    )


@pytest.mark.parametrize(("language", "subject"), [("en", "Confirm"), ("zh-hans", "确认")])
def test_signing_up_needs_a_confirmed_address(client, mailoutbox, language, subject):
    assert sign_up(client, language).status_code == 302
    user = User.objects.get()
    assert (user.email, user.name, user.language) == ("new@example.org", "New Person", language)
    (mail,) = mailoutbox
    assert subject in mail.subject
    assert "example.com" not in mail.body
    signed_in = client.get(reverse("my-teams"))
    assert signed_in.status_code == 302, "not before the address is confirmed"
    path = re.search(r"/accounts/confirm-email/[^/\s]+/", mail.body)[0]
    assert client.get(path).status_code == 200, "a mail scanner that opens it confirms nothing"
    login = {"login": "new@example.org", "password": PASSWORD}
    client.post(reverse("account_login"), login)
    assert client.get(reverse("my-teams")).status_code == 302
    assert client.post(path).status_code == 302
    client.post(reverse("account_login"), login)
    assert client.get(reverse("my-teams")).status_code == 200


def test_an_address_that_is_taken_is_not_told(client, mailoutbox):
    make_user(email="taken@example.org")
    answer = sign_up(client, email="taken@example.org")
    assert answer.status_code == 302
    assert User.objects.count() == 1
    assert [mail.to for mail in mailoutbox] == [["taken@example.org"]]


def test_a_password_can_be_reset_by_mail(client, mailoutbox):
    sign_up(client)
    client.post(re.search(r"/accounts/confirm-email/[^/\s]+/", mailoutbox[0].body)[0])
    client.post(reverse("account_reset_password"), {"email": "new@example.org"})
    path = re.search(r"/accounts/password/reset/key/\S+", mailoutbox[-1].body)[0]
    form = client.get(path, follow=True).redirect_chain[-1][0]
    changed = client.post(form, {"password1": "another-horse-9", "password2": "another-horse-9"})
    assert changed.status_code == 302
    assert User.objects.get().check_password("another-horse-9")


def test_guessing_is_slowed_down(client):
    make_user(email="known@example.org")
    for _guess in range(6):
        answer = client.post(
            reverse("account_login"), {"login": "known@example.org", "password": "wrong"}
        )
    right = client.post(
        reverse("account_login"), {"login": "known@example.org", "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert right.status_code == 200, "even the right password waits"


# --- Links -----------------------------------------------------------------------------------


@pytest.fixture
def judge():
    return make_judge(make_event())


def open_link(client, token, method="post"):
    return getattr(client, method)(reverse("sign-in-link", args=[token]))


def test_a_link_signs_in_once_on_one_device(client, judge):
    _link, token = make_link(judge.user, judge.event, by=None)
    assert open_link(client, token, "get").status_code == 200
    assert "_auth_user_id" not in client.session, "a preview of the address uses nothing up"
    assert open_link(client, token).url == reverse("judge-home")
    assert client.get(reverse("api-tablet-list")).status_code == 200
    second = Client()
    assert open_link(second, token, "get").status_code == 404
    assert open_link(second, token).status_code == 409
    assert "_auth_user_id" not in second.session
    assert client.get(reverse("api-tablet-list")).status_code == 200


def test_the_secret_is_stored_nowhere(judge):
    link, token = make_link(judge.user, judge.event, by=None)
    assert token not in str(SignInLink.objects.filter(pk=link.pk).values())
    assert qr_svg(link_url(token)).startswith("<svg")


def test_a_new_link_ends_the_unused_one_before_it(client, judge):
    _first, lost = make_link(judge.user, judge.event, by=None)
    _second, token = make_link(judge.user, judge.event, by=None)
    assert open_link(client, lost).status_code == 409
    assert open_link(client, token).status_code == 302


def test_revoking_ends_the_session_too(client, judge):
    link, token = make_link(judge.user, judge.event, by=None)
    open_link(client, token)
    revoke_link(link, make_user())
    assert client.get(reverse("api-tablet-list")).status_code == 401


def test_an_expired_link_opens_nothing_and_ends_what_it_opened(client, judge):
    link, token = make_link(judge.user, judge.event, by=None)
    open_link(client, token)
    SignInLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(reverse("api-tablet-list")).status_code == 401
    assert open_link(Client(), token).status_code == 409


def test_an_inactive_person_is_not_let_in(client, judge):
    _link, token = make_link(judge.user, judge.event, by=None)
    judge.user.is_active = False
    judge.user.save()
    assert open_link(client, token).status_code == 409


def test_who_came_by_a_link_cannot_outlive_it_with_a_password(client, judge):
    _link, token = make_link(judge.user, judge.event, by=None)
    open_link(client, token)
    for name in ("account_email", "account_set_password", "account_change_password"):
        assert client.get(reverse(name)).status_code == 403
    assert client.post(reverse("account_logout")).status_code == 302


@pytest.mark.parametrize("name", ["home", "account_login", "account_signup"])
def test_every_page_offers_the_other_language(client, name):
    chinese = client.get(reverse(name), headers={"Accept-Language": "zh-CN"}).content.decode()
    assert 'lang="zh-Hans"' in chinese
    assert ">English</button>" in chinese
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    english = client.get(reverse(name), headers={"Accept-Language": "zh-CN"}).content.decode()
    assert 'lang="en"' in english
    assert ">中文</button>" in english


# --- Codes for the app installed beside the browser ------------------------------------------


def ask_code(client):
    return client.post(reverse("api-tablet-code"))


@pytest.fixture
def signed_in(client, judge):
    link, token = make_link(judge.user, judge.event, by=None)
    open_link(client, token)
    return link


@pytest.mark.parametrize("typed", ["{}", " {} ", "as read", "small"])
def test_a_code_signs_in_once_beside_the_browser(client, judge, signed_in, typed):
    answer = ask_code(client)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    code = answer.json()["code"]
    typed = {"as read": code.replace("-", " "), "small": code.lower()}.get(
        typed, typed.format(code)
    )
    app, second = Client(), Client()
    assert open_link(app, typed).status_code == 302
    assert app.get(reverse("api-tablet-list")).json()["judge"]["id"] == judge.pk
    assert client.get(reverse("api-tablet-list")).status_code == 200, "the browser stays signed in"
    assert open_link(second, typed).status_code == 409
    assert "_auth_user_id" not in second.session


def test_a_code_is_hard_to_guess_and_stored_nowhere(client, signed_in):
    code = ask_code(client).json()["code"].replace("-", "")
    assert len(CODE_LETTERS) ** CODE_LENGTH > 8 * 10**11
    assert re.fullmatch(f"[{CODE_LETTERS}]{{{CODE_LENGTH}}}", code)
    kept = signed_in.handed_on.get()
    assert code not in str(SignInLink.objects.filter(pk=kept.pk).values())
    assert kept.usable_until <= timezone.now() + timedelta(minutes=CODE_MINUTES)


def test_a_code_ends_after_minutes_and_with_the_next_one(client, signed_in):
    first = ask_code(client).json()["code"]
    second = ask_code(client).json()["code"]
    assert open_link(Client(), first).status_code == 409
    signed_in.handed_on.update(usable_until=timezone.now())
    assert open_link(Client(), second, "get").status_code == 404
    assert open_link(Client(), second).status_code == 409


def test_a_code_leaves_links_for_other_tablets_alone(client, judge, signed_in):
    _link, other = make_link(judge.user, judge.event, by=None)
    ask_code(client)
    assert open_link(Client(), other).status_code == 302


def test_what_a_code_opened_ends_with_its_link(client, signed_in):
    app, third = Client(), Client()
    open_link(app, ask_code(client).json()["code"])
    open_link(third, ask_code(app).json()["code"])
    waiting = ask_code(third).json()["code"]
    assert app.session.get_expiry_date() == signed_in.expires_at
    revoke_link(signed_in, by=None)
    for one in (client, app, third):
        assert one.get(reverse("api-tablet-list")).status_code == 401
    assert open_link(Client(), waiting).status_code == 409


def test_revoking_what_a_code_opened_ends_its_link_too(client, signed_in):
    app = Client()
    open_link(app, ask_code(client).json()["code"])
    revoke_link(SignInLink.objects.get(handed_from=signed_in), by=None)
    for one in (client, app):
        assert one.get(reverse("api-tablet-list")).status_code == 401


def test_only_a_session_opened_by_a_link_is_handed_on(client, judge):
    assert ask_code(client).status_code == 401
    client.force_login(judge.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = ask_code(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_sign_in_link")
    assert not SignInLink.objects.exists()


def test_the_judges_page_shows_links_and_no_codes(client, judge, signed_in):
    open_link(Client(), ask_code(client).json()["code"])
    organizer = Client()
    staff = make_user(is_staff=True, is_superuser=True)
    organizer.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    page = organizer.get(reverse("desk-judges", args=[judge.event.slug]))
    assert str(signed_in.pk) in page.content.decode()
