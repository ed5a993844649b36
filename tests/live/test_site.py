"""What Django gets from the server is what it always got: addresses, headers, whole bodies."""

import json
import socket
import time

import httpx
import pytest
from django.core.cache import caches
from django.db import connection
from django.urls import reverse
from django.utils.translation import get_language, override

from contest.models import Submission
from contest.services.signin import make_link
from tests.contest.test_upload_limit import MB, Body
from tests.factories import make_participation, make_round, make_team, make_user
from tests.site import RunningSite


@pytest.fixture
def told():
    """``told(**server_options)``: a server whose pages say what they were asked with."""
    running = []

    def make(application=None, **options):
        def echo(environ, start_response):
            start_response("200 OK", [("Content-Type", "application/json")])
            known = {k: v for k, v in environ.items() if isinstance(v, str)}
            return [json.dumps(known).encode()]

        site = RunningSite(application or echo, **options)
        site.start()
        running.append(site)
        return site

    yield make
    for site in running:
        site.stop()


def test_addresses_are_not_changed(told):
    site = told()
    environ = httpx.get(f"{site.url}/e/%E8%8C%B6/live/?next=/a%20b").json()
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"].encode("latin1").decode() == "/e/茶/live/"
    assert environ["QUERY_STRING"] == "next=/a%20b"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == site.url.removeprefix("http://")


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X_Forwarded_Proto": "http",
    "X_FORWARDED_HOST": "evil.example",
}


def test_what_a_sender_says_of_a_proxy_changes_nothing(told):
    environ = httpx.get(told().url, headers=FORWARDED).json()
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["wsgi.url_scheme"] == "http"
    # As sent, for Django to trust where it is told to; the look-alikes are gone.
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
    assert "HTTP_X_FORWARDED_HOST" not in environ


@pytest.mark.parametrize(("trusted", "address"), [
    ("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1"),
])  # fmt: skip
def test_behind_a_proxy_that_is_known_the_client_s_address_counts(told, trusted, address):
    site = told(proxy_headers=True, forwarded_allow_ips=trusted)
    headers = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    assert httpx.get(site.url, headers=headers).json()["REMOTE_ADDR"] == address


def test_what_a_thread_keeps_it_keeps_from_request_to_request(told, settings):
    settings.WEB_THREADS = 1
    seen = []

    def pages(environ, start_response):
        seen.append((caches["default"], get_language()))
        start_response("200 OK", [])
        with override("en"):
            yield str(get_language()).encode()

    site = told(pages)
    assert [httpx.get(site.url).text for _n in range(3)] == ["en"] * 3
    assert len({id(cache) for cache, _language in seen}) == 1
    assert len({language for _cache, language in seen}) == 1


def test_a_small_request_that_comes_slowly_takes_no_thread(told, settings):
    settings.WEB_THREADS = 1
    site = told()
    with socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2]))) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        time.sleep(0.3)
        assert httpx.get(site.url, timeout=5).status_code == 200
        slow.sendall(b"defghij")
        assert b"200 OK" in slow.recv(1000)


def test_django_redirects_to_where_it_is_asked(site):
    my_teams = reverse("my-teams")
    answer = httpx.get(site.url + my_teams)
    assert answer.headers["Location"] == f"/accounts/login/?next={my_teams}"
    assert httpx.get(f"{site.url}/static/js/live.js").text.startswith("// What changed")
    assert httpx.get(f"{site.url}/live").status_code == 404


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server to count them")
def test_no_connection_to_the_database_is_left(site):
    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity where datname = current_database()"
            )
            return cursor.fetchone()[0]

    before = connections()
    for _n in range(3):
        httpx.get(f"{site.url}/healthz")
    site.stop()
    for _n in range(100):
        if connections() == before:
            return
        time.sleep(0.05)  # the server sees the end of a connection a little later
    pytest.fail(f"{connections()} connections, {before} before")


# --- Bodies ----------------------------------------------------------------------------------


@pytest.fixture
def upload(site):
    """The page of a team's submissions, with the captain signed in."""
    captain = make_user(language="en")
    round = make_round(max_upload_mb=20)
    participation = make_participation(round, make_team(round.track, captain))
    _link, token = make_link(captain, round.event, by=None)
    client = httpx.Client(base_url=site.url, headers={"Accept-Language": "en"}, timeout=60)
    link = reverse("sign-in-link", args=[token])
    client.get(link)
    form = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
    assert client.post(link, data=form).status_code == 302
    client.path = reverse(
        "participation-submissions", args=[round.event.slug, round.slug, participation.team.code]
    )
    client.form = {
        "kind": "predictions", "client_key": "k",
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
    }  # fmt: skip
    yield client
    client.close()


def body_of(client, size: int) -> tuple[Body, dict]:
    body = Body(size, client.form)
    return body, {
        "Content-Type": f"multipart/form-data; boundary={body.BOUNDARY}",
        "Content-Length": str(body.size),
        "Referer": str(client.base_url),
    }


@pytest.mark.parametrize("megabytes", [21, 120])
def test_a_file_over_the_limit_gets_its_answer(upload, megabytes):
    body, headers = body_of(upload, megabytes * MB)
    answer = upload.post(upload.path, content=iter(lambda: body.read(), b""), headers=headers)
    assert answer.status_code == 422
    assert "big.csv: the file is larger than the limit of 20 MB." in answer.text
    assert upload.get(upload.path).status_code == 200
    assert not Submission.objects.exists()


def test_a_body_that_nobody_reads_is_in_nobody_s_way(upload):
    body, headers = body_of(upload, 30 * MB)
    answer = upload.post("/nowhere/", content=iter(lambda: body.read(), b""), headers=headers)
    assert answer.status_code == 404
    assert upload.get("/healthz").text == "ok"


def test_a_file_that_was_cut_off_on_its_way_is_not_taken(upload, caplog):
    body, headers = body_of(upload, 2 * MB)
    head = [f"POST {upload.path} HTTP/1.1", f"Host: {upload.base_url.netloc.decode()}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    head.append("Cookie: " + "; ".join(f"{n}={v}" for n, v in upload.cookies.items()))
    with socket.create_connection(("127.0.0.1", upload.base_url.port)) as wire:
        wire.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + body.read(MB))
        time.sleep(0.3)
    for _n in range(100):
        if caplog.records:
            break
        time.sleep(0.05)
    # What was read is not taken for the form: it ends before its view is asked.
    assert [record.getMessage()[:9] for record in caplog.records] == ["Forbidden"]
    assert not Submission.objects.exists()


def test_the_whole_of_a_file_arrives(upload):
    body, headers = body_of(upload, 5 * MB)
    answer = upload.post(upload.path, content=iter(lambda: body.read(), b""), headers=headers)
    assert answer.status_code == 302, answer.text
    assert Submission.objects.get().size == 5 * MB
