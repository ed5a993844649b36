"""Checking before sending, and files that were sent before."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import translation

from judging.services import runs as scoring
from judging.services.metric_results import counted_results
from judging.services.verification import verify
from tests.factories import make_event, make_participation, make_team, make_user
from tests.scoring.test_scoring import (  # noqa: F401
    GOOD,
    _no_broker,
    benchmark,
    captain,
    participation,
    score,
    submit,
)


@pytest.fixture
def page(client, participation, captain):  # noqa: F811
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    round = participation.round
    return reverse(
        "participation-submissions", args=[round.event.slug, round.slug, participation.team.code]
    )


def check(client, page, content):
    with translation.override("en"):
        return client.post(
            page,
            {"check": "1", "kind": "predictions", "file": SimpleUploadedFile("mine.csv", content)},
            headers={"Accept": "application/json", "Accept-Language": "en"},
        ).json()  # fmt: skip


def test_a_check_tells_the_form_and_costs_nothing(client, page, participation):  # noqa: F811
    benchmark(participation)
    assert check(client, page, GOOD)["fine"]
    wrong_answers = GOOD.replace(b",0", b",1")
    assert check(client, page, wrong_answers) == check(client, page, GOOD), "nothing of the truth"
    bad = check(client, page, GOOD.replace(b"r3,0", b"r3,nine"))
    assert not bad["fine"]
    assert "mine.csv, row 5, column “label”: “nine” is not one of the classes" in bad["said"]
    assert not participation.submissions.exists()


def test_a_check_without_script_says_so_on_the_page(client, page, participation):  # noqa: F811
    benchmark(participation)
    answer = client.post(
        page,
        {"check": "1", "kind": "predictions", "file": SimpleUploadedFile("mine.csv", GOOD)},
        follow=True,
    )
    assert "message-success" in answer.content.decode()
    nothing = client.post(page, {"check": "1"}, follow=True)
    assert "message-error" in nothing.content.decode()


def test_checks_are_limited(client, page, participation):  # noqa: F811
    benchmark(participation)
    answers = [check(client, page, GOOD) for _ in range(12)]
    assert [answer["fine"] for answer in answers].count(True) == 10
    assert "10 checks a minute" in answers[-1]["said"]


def test_the_same_file_of_the_same_team_has_its_result_at_once(participation):  # noqa: F811
    benchmark(participation)
    first = submit(participation, GOOD)
    run = score(first)
    again = submit(participation, GOOD, name="again.csv")
    again.refresh_from_db()
    assert again.status == "scored"
    (reused,) = again.runs.all()
    assert (reused.status, reused.metrics) == ("succeeded", run.metrics)
    assert reused.provenance["reused_from"] == str(run.pk)
    assert verify(reused).result_is_the_same
    counted = counted_results(participation.round, "public")[participation.pk]
    assert counted.submission_id == first.pk, "the earlier of two equal ones"
    assert scoring.sweep()["forgotten"] == 0


def test_the_same_file_of_another_team_is_scored_and_shown_to_organizers(client, participation):  # noqa: F811
    benchmark(participation)
    score(submit(participation, GOOD))
    other = make_participation(
        participation.round, make_team(participation.round.track, make_user())
    )
    theirs = submit(other, GOOD)
    assert theirs.runs.get().status == "queued", "nothing of one team's result goes to another"
    organizer = make_user()
    event = participation.round.event
    event.roles.create(user=organizer)
    assert make_event() != event
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("desk-submissions", args=[event.slug, participation.round.slug])
    with translation.override("en"):
        text = client.get(path, headers={"Accept-Language": "en"}).content.decode()
    assert f"the same file as {participation.team.code}" in text
    assert f"the same file as {other.team.code}" in text


def test_the_team_is_told_that_a_result_was_reused(client, page, participation):  # noqa: F811
    benchmark(participation)
    score(submit(participation, GOOD))
    again = submit(participation, GOOD, name="again.csv")
    text = client.get(
        reverse("submission", args=[again.pk]), headers={"Accept-Language": "en"}
    ).content.decode()
    assert "You sent the same file before, as submission 1" in text


def test_details_of_a_programs_failure_can_be_withheld(client, participation):  # noqa: F811
    """What a program did on hidden inputs can tell of them; organizers may keep it."""
    from judging import faults
    from tests.scoring.test_runners import INPUTS, file, program, said

    task = benchmark(participation, accepts_code=True, inputs=file(INPUTS), logs_for="organizers")
    leak = (
        "secret = open('/app/input_data/inputs.csv').read().split()[1].split(',')[2]\n"
        "open('/app/output/predictions.csv', 'w').write(f'id,label\\nr0,{secret}\\n')\n"
    )
    run = score(submit(participation, program(leak), "c.zip", "code"))
    assert "“w0” is not one of the classes" in said(run)
    with translation.override("en"):
        told = faults.message_for_team(run)
    assert told == "c.zip: it failed; the organizers keep the details to themselves."
    member = participation.team.memberships.get().user
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"/api/v1/runs/{run.pk}/", f"/submissions/{run.submission_id}/"):
        assert "w0" not in client.get(path).content.decode()
    assert client.get(f"/api/v1/runs/{run.pk}/log/").status_code == 403
    task.logs_for = "errors"
    task.save()
    run.refresh_from_db()
    assert "w0" in faults.message_for_team(type(run).objects.get(pk=run.pk))
