"""The page of a submission follows it to its end."""

import pytest
from django.urls import reverse

from judging.models import ScoringRun
from tests.factories import set_status
from tests.permissions.world import make_world

pytestmark = pytest.mark.django_db


def polls(client, submission) -> bool:
    page = client.get(reverse("submission", args=[submission.pk])).content.decode()
    return 'hx-trigger="every 1s"' in page


def test_the_page_asks_until_submission_and_run_agree(client):
    """A result may arrive between the query for the submission and that for its runs."""
    world = make_world()
    client.force_login(world.users["team"], backend="django.contrib.auth.backends.ModelBackend")
    submission = world.objects.submission
    assert polls(client, submission)
    metrics = {"public": {"accuracy": 1.0}, "private": {"accuracy": 1.0}}
    ScoringRun.objects.update(status="succeeded", public_score=1.0, metrics=metrics)
    assert submission.status == "received"
    assert polls(client, submission), "the run has ended, the submission does not know yet"
    submission.move_to("scored")
    assert not polls(client, submission)
    page = client.get(reverse("submission", args=[submission.pk])).content.decode()
    assert "1.00000" in page


def test_hidden_scores_are_for_organizers_until_publication(client):
    world = make_world()
    submission, round = world.objects.submission, world.objects.preliminary
    metrics = {"public": {"accuracy": 0.5}, "private": {"accuracy": 0.12345}}
    ScoringRun.objects.update(
        status="succeeded", public_score=0.5, private_score=0.12345, metrics=metrics
    )

    def sees_hidden(role) -> bool:
        client.force_login(world.users[role], backend="django.contrib.auth.backends.ModelBackend")
        listing = reverse(
            "participation-submissions",
            args=[round.event.slug, round.slug, world.objects.team.code],
        )
        pages = [reverse("submission", args=[submission.pk]), listing]
        found = {"0.12345" in client.get(page).content.decode() for page in pages}
        assert len(found) == 1
        return found.pop()

    assert not sees_hidden("team")
    assert sees_hidden("organizer")
    set_status(round, "published")
    assert sees_hidden("team")
