"""What is published leaves with the transaction, and never disturbs it; tickets open their own."""

import json
import logging
from pathlib import Path

import pytest
from django.core import signing
from django.db import transaction
from django.template import Context, Template

from contest import live


@pytest.fixture(autouse=True)
def _own_pause(monkeypatch):
    monkeypatch.setattr(live, "_quiet_until", 0.0)


@pytest.fixture
def folder(settings) -> Path:
    settings.REDIS_URL = ""
    return Path(settings.LIVE_DIR)


def kept(folder: Path) -> dict:
    if not folder.exists():
        return {}
    return {path.name: json.loads(path.read_text())["data"] for path in folder.iterdir()}


@pytest.mark.django_db(transaction=True)
def test_a_message_leaves_when_the_transaction_is_committed(folder):
    with transaction.atomic():
        live.publish("desk-1", {"n": 1})
        assert kept(folder) == {}
    assert kept(folder) == {"desk-1": {"n": 1}}


@pytest.mark.django_db(transaction=True)
def test_no_message_leaves_when_it_is_rolled_back(folder):
    with transaction.atomic():
        live.publish("desk-1")
        transaction.set_rollback(True)
    assert kept(folder) == {}


@pytest.mark.django_db(transaction=True)
def test_the_last_message_of_a_channel_stands(folder):
    for n in range(3):
        live.publish("stage-7", {"n": n})
    live.publish("stage-8")
    assert kept(folder) == {"stage-7": {"n": 2}, "stage-8": {}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("redis", ["", "redis://127.0.0.1:1/0"])
def test_what_cannot_be_sent_is_a_warning_and_slows_nobody_down(
    settings, tmp_path, caplog, redis, monkeypatch
):
    settings.REDIS_URL = redis
    settings.LIVE_DIR = tmp_path / "file" / "live"
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING, "contest.live"), transaction.atomic():
        live.publish("desk-1")
        live.publish("desk-2")
    assert [record.getMessage()[:47] for record in caplog.records] == [
        "no message could be sent to open pages (desk-1)"
    ]
    tries = []
    monkeypatch.setattr(live, "_write", lambda *args: tries.append(args))
    settings.REDIS_URL = ""
    live.publish("desk-3")
    assert tries == [], "for some seconds after a failure nothing is tried"
    monkeypatch.setattr(live, "_quiet_until", 0.0)
    live.publish("desk-4")
    assert len(tries) == 1


@pytest.mark.parametrize("name", ["", "desk_1", "Desk-1", "desk-1\n", "../desk", "a" * 65, "."])
def test_a_channel_has_a_plain_name(name):
    with pytest.raises(ValueError):
        live.publish(name)
    with pytest.raises(ValueError):
        live.ticket([name])


def test_a_ticket_names_its_channels():
    ticket = live.ticket([live.channel("desk", 12), "stage-12", "desk-12"])
    assert live.read_ticket(ticket) == ["desk-12", "stage-12"]


@pytest.mark.parametrize("channels", [[], [f"desk-{n}" for n in range(21)]])
def test_a_ticket_is_for_some_channels(channels):
    with pytest.raises(ValueError):
        live.ticket(channels)


def test_a_ticket_that_is_forged_or_of_another_kind_opens_nothing(settings):
    ticket = live.ticket(["desk-1"])
    forged = live.ticket(["desk-2"]).split(":", 1)[0] + ":" + ticket.split(":", 1)[1]
    other = signing.dumps(["desk-1"], salt="something else")
    for bad in ("", "x", ticket[:-1], ticket + "x", forged, other, "\ud800", "a:b:c"):
        with pytest.raises(live.BadTicket):
            live.read_ticket(bad)
    settings.SECRET_KEY = "another"
    with pytest.raises(live.BadTicket):
        live.read_ticket(ticket)


def test_a_ticket_lasts_for_two_days(monkeypatch, settings):
    assert settings.LIVE_TICKET_S == 2 * 24 * 3600
    import time

    ticket, now = live.ticket(["desk-1"]), time.time()
    monkeypatch.setattr(time, "time", lambda: now + settings.LIVE_TICKET_S - 60)
    assert live.read_ticket(ticket) == ["desk-1"]
    monkeypatch.setattr(time, "time", lambda: now + settings.LIVE_TICKET_S + 60)
    with pytest.raises(live.BadTicket, match="expired"):
        live.read_ticket(ticket)
    assert live.read_ticket(ticket, max_age=settings.LIVE_TICKET_S + 600) == ["desk-1"]


def test_a_template_makes_the_address():
    url = Template('{% live_url "desk" 3 "stage" 4 %}').render(Context())
    assert url.startswith("/live/?ticket=")
    assert live.read_ticket(url.partition("=")[2].replace("%3A", ":")) == ["desk-3", "stage-4"]
