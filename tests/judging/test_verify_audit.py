"""`manage.py verify_audit`: what it prints, and how it ends."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from contest.services.rounds import close_round
from judging.models import Mark, Record, RecordEntry
from tests.factories import make_event, make_round, make_track, make_user
from tests.judging.test_record import meddle, round  # noqa: F401 - the fixture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def run(*args) -> str:
    out = StringIO()
    try:
        call_command("verify_audit", *args, stdout=out, stderr=out)
    except CommandError as error:
        return f"{out.getvalue()}CommandError: {error}"
    return out.getvalue()


def test_what_fits_is_said_with_length_and_head(round):  # noqa: F811
    close_round(round, make_user())
    head = Record.objects.get()
    said = run()
    assert f"{round.event.slug}/{round.slug}: fits; {head.length} entries, head {head.head}" in said
    assert "Everything fits: 1 rounds." in said


def test_every_fault_is_named_and_the_command_fails(round):  # noqa: F811
    meddle(4, reason="because")
    said = run()
    assert "DOES NOT FIT" in said
    assert "entry 4: The entry was changed, or one before it was." in said
    assert said.endswith("CommandError: Something is off in 1 of 1 rounds.")


def test_data_that_the_record_does_not_explain_fail_it_too(round):  # noqa: F811
    Mark.objects.filter(pk=Mark.objects.first().pk).update(value=1)
    assert "the record says" in run()


def test_a_head_from_paper(round):  # noqa: F811
    early = RecordEntry.objects.get(number=3).digest
    assert "Everything fits" in run("--head", early)
    assert "is not in the record" in run("--head", "0" * 64)
    assert "16 are needed" in run("--head", "0123")
    # With several rounds one of them must have it.
    make_round(make_track(round.event), format="roadshow")
    assert "Everything fits: 2 rounds." in run("--head", early[:20])
    assert f"No record that was checked has the head {'0' * 64}." in run("--head", "0" * 64)


def test_it_checks_what_it_is_told_to(round):  # noqa: F811
    other = make_round(make_track(make_event()), slug=round.slug, format="roadshow")
    meddle(4, reason="because")
    assert "Everything fits: 1 rounds." in run("--event", other.event.slug)
    assert "DOES NOT FIT" in run("--event", round.event.slug, "--round", round.slug)
    assert "There is no event nowhere." in run("--event", "nowhere")
    assert "There is no round nowhere." in run("--round", "nowhere")
    assert "There is no round nowhere." in run("--event", other.event.slug, "--round", "nowhere")
    assert "add --event" in run("--round", round.slug)


def test_a_long_record_says_how_far_it_is(round, monkeypatch):  # noqa: F811
    from judging.management.commands import verify_audit
    from judging.services import record

    monkeypatch.setattr(verify_audit, "EVERY_S", -1)
    for _n in range(100):
        record.append(round, RecordEntry.Kind.DRAW)
    assert "100 of" in run()
