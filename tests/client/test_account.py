"""Signing in: what is kept, who may read it, and where tokens go."""

import json
import os
import stat

import httpx
import pytest
from knox.models import get_token_model
from wuzhen_client import config
from wuzhen_client.address import server_address
from wuzhen_client.errors import UsageProblem

from tests.client.conftest import PASSWORD, make_member, sign_in
from tests.client.network import Recorder, Scripted


def test_login_keeps_a_token_for_its_owner_alone(wuzhen, live_server, contest):
    before = os.umask(0)
    try:
        result = sign_in(wuzhen, live_server.url, contest.captain)
    finally:
        os.umask(before)
    assert result.exit_code == 0, result.stderr
    assert f"Signed in to {live_server.url} as Ada <{contest.captain.email}>" in result.stdout
    assert "The token is good until" in result.stdout
    kept = json.loads(config.path().read_text())
    token = kept["tokens"][live_server.url]["token"]
    assert token.startswith("wz_")
    assert token not in result.output
    assert PASSWORD not in result.output
    assert stat.S_IMODE(config.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(config.folder().stat().st_mode) == 0o700
    assert [path.name for path in config.folder().iterdir()] == ["login.json"]
    me = wuzhen("whoami")
    assert "Ada" in me.stdout
    assert "AI-001" in me.stdout
    assert "captain" in me.stdout
    assert json.loads(wuzhen("whoami", "--json").stdout)["email"] == contest.captain.email


def test_a_wrong_password_is_told_in_the_servers_words(wuzhen, live_server, contest):
    result = wuzhen("login", live_server.url, input=f"{contest.captain.email}\nwrong\n")
    assert result.exit_code == 1
    assert "Error: The e-mail or the password is wrong." in result.stderr
    result = wuzhen("login", live_server.url, input="not-an-address\nx\n")
    assert result.exit_code == 1
    assert "email: Enter a valid email address." in result.stderr
    assert not config.path().exists()


def test_an_input_that_ends_is_told(wuzhen, live_server):
    result = wuzhen("login", live_server.url, input="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing to read" in result.stderr


def test_a_token_can_be_given_instead(wuzhen, live_server, contest):
    _instance, token = get_token_model().objects.create(user=contest.captain)
    result = wuzhen("login", live_server.url, "--token", input=f"  {token}\n")
    assert result.exit_code == 0, result.stderr
    assert token not in result.output
    assert "Ada" in wuzhen("whoami").stdout
    wrong = wuzhen("login", live_server.url, "--token", input="wz_nonsense\n")
    assert wrong.exit_code == 1
    assert "Invalid token." in wrong.stderr
    assert "wz_nonsense" not in wrong.output
    assert wuzhen("login", live_server.url, "--token", input="no token\n").exit_code == 1
    assert wuzhen("login", live_server.url, "--token", input="").exit_code == 1
    assert "Ada" in wuzhen("whoami").stdout, "what failed must not replace the login"


def test_logout_ends_the_token_on_the_server_and_here(wuzhen, signed_in):
    token = config.login_at(signed_in)["token"]
    result = wuzhen("logout")
    assert result.exit_code == 0, result.stderr
    assert not get_token_model().objects.exists()
    assert token not in config.path().read_text()
    assert stat.S_IMODE(config.path().stat().st_mode) == 0o600
    who = wuzhen("whoami")
    assert who.exit_code == 1
    assert "wuzhen login" in who.stderr
    again = wuzhen("logout")
    assert again.exit_code == 0
    assert "No token is kept" in again.stdout


def test_logout_without_the_server_forgets_and_says_so(wuzhen, signed_in):
    class Away(httpx.BaseTransport):
        def handle_request(self, request):
            raise httpx.ConnectError("no route")

    result = wuzhen("logout", transport=Away())
    assert result.exit_code == 3
    assert "on the server it may stay good" in result.stderr
    assert config.login_at(signed_in) is None


def test_a_token_that_has_ended_is_told(wuzhen, signed_in):
    get_token_model().objects.all().delete()
    result = wuzhen("list")
    assert result.exit_code == 1
    assert "Invalid token. Sign in with “wuzhen login”." in result.stderr
    assert wuzhen("logout").exit_code == 0


def test_the_environment_comes_before_what_is_kept(wuzhen, signed_in, monkeypatch):
    other = make_member(name="Grace")
    _instance, token = get_token_model().objects.create(user=other)
    monkeypatch.setenv("WUZHEN_TOKEN", token)
    assert "Grace" in wuzhen("whoami").stdout
    monkeypatch.setenv("WUZHEN_TOKEN", "with a space")
    assert wuzhen("whoami").exit_code == 1
    monkeypatch.delenv("WUZHEN_TOKEN")
    monkeypatch.setenv("WUZHEN_SERVER", "http://127.0.0.1:9")
    assert wuzhen("whoami").exit_code == 1, "no token is known for that server"
    assert "Ada" in wuzhen("--server", signed_in, "whoami").stdout
    assert "Ada" in wuzhen("whoami", "--server", signed_in).stdout


def test_a_token_goes_to_its_own_server_alone(wuzhen, signed_in):
    network = Scripted({"/": (200, {"results": [], "next": None})})
    assert wuzhen("--server", "https://elsewhere.example", "list", transport=network).exit_code == 0
    assert network.seen
    assert all(r.url.host == "elsewhere.example" for r in network.seen)
    assert not any("Authorization" in r.headers for r in network.seen)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(wuzhen, signed_in, status):
    away = httpx.Headers({"Location": "https://thief.example/api/v1/me/?token=x"})
    network = Scripted({"/me/": (status, away)})
    result = wuzhen("whoami", transport=network)
    assert result.exit_code == 1
    assert "https://thief.example/api/v1/me/" in result.stderr
    assert "which was not followed" in result.stderr
    assert {r.url.host for r in network.seen} == {httpx.URL(signed_in).host}
    assert len(network.seen) == 1


def test_a_list_does_not_lead_to_another_host(wuzhen, signed_in):
    class TwoPages(Recorder):
        def answer(self, request):
            if not request.url.path.endswith("/events/"):
                return super().answer(request)
            first = request.url.params["page"] == "1"
            return httpx.Response(
                200, json={"results": [], "next": "https://thief.example/x" if first else None}
            )

    network = TwoPages()
    assert wuzhen("list", transport=network).exit_code == 0
    assert {r.url.host for r in network.seen} == {httpx.URL(signed_in).host}
    assert len([r for r in network.seen if r.url.path.endswith("/events/")]) == 2


def test_secrets_over_plain_http_are_warned_about(wuzhen, signed_in, monkeypatch):
    network = Scripted({"/": (200, {"results": [], "next": None})})
    monkeypatch.setenv("WUZHEN_TOKEN", "wz_abc")
    result = wuzhen("--server", "http://platform.example", "list", transport=network)
    assert result.stderr.count("not protected by https") == 1
    for safe in ("https://platform.example", "http://localhost:8000", "http://[::1]:8000"):
        assert wuzhen("--server", safe, "list", transport=network).stderr == ""
    monkeypatch.delenv("WUZHEN_TOKEN")
    assert wuzhen("--server", "http://platform.example", "list", transport=network).stderr == ""
    before_asking = wuzhen("login", "http://platform.example", input="")
    assert before_asking.stderr.startswith("Warning:")


def test_a_broken_file_is_as_if_nobody_had_signed_in(wuzhen, live_server, contest):
    for broken in ("{", "[]", '{"server": 1, "tokens": {}}'):
        config.folder().mkdir(exist_ok=True)
        config.path().write_text(broken)
        result = wuzhen("whoami")
        assert result.exit_code == 2
        assert "wuzhen login SERVER" in result.stderr
    assert sign_in(wuzhen, live_server.url, contest.captain).exit_code == 0


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("http://example.org:8000/api/v1/", "http://example.org:8000"),
        ("https://example.org/contest/", "https://example.org/contest"),
        ("localhost:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses_are_taken_as_people_write_them(given, address):
    assert server_address(given) == address


@pytest.mark.parametrize("given", ["", "ftp://example.org", "https://", "https://a:secret@b.org"])
def test_what_is_no_address_is_refused(given):
    with pytest.raises(UsageProblem) as caught:
        server_address(given)
    assert "secret" not in str(caught.value)
