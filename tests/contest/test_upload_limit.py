"""A request body that is far too large is not kept, and gets a clear error."""

import pytest
from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.urls import reverse
from django.utils import translation

from tests.factories import make_participation, make_round, make_team, make_user

pytestmark = pytest.mark.django_db
MB = 1024 * 1024


class Body:
    """A multipart body with one file of ``size`` bytes, made while it is read."""

    BOUNDARY = "wuzhen-boundary"

    def __init__(self, size: int, fields: dict):
        head = "".join(
            f'--{self.BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += (
            f'--{self.BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            'filename="big.csv"\r\nContent-Type: text/csv\r\n\r\n'
        )
        self.head, self.tail = head.encode(), f"\r\n--{self.BOUNDARY}--\r\n".encode()
        self.size = len(self.head) + size + len(self.tail)
        self.read_bytes = 0

    def read(self, amount=65536):
        start, end = self.read_bytes, min(self.read_bytes + amount, self.size)
        self.read_bytes = end
        whole = self.head[start:end]
        middle_end = self.size - len(self.tail)
        whole += b"7" * max(0, min(end, middle_end) - max(start, len(self.head)))
        if end > middle_end:
            whole += self.tail[max(0, start - middle_end) : end - middle_end]
        return whole

    def readline(self, limit=65536):
        return self.read(limit)


def send(client, path, body):
    return client.request(
        REQUEST_METHOD="POST", PATH_INFO=path, CONTENT_LENGTH=str(body.size),
        CONTENT_TYPE=f"multipart/form-data; boundary={body.BOUNDARY}", **{"wsgi.input": body},
    )  # fmt: skip


@pytest.fixture
def captain():
    return make_user(language="en")


@pytest.fixture
def participation(captain):
    round = make_round(max_upload_mb=20)
    return make_participation(round, make_team(round.track, captain))


@pytest.mark.parametrize("megabytes", [21, 200])
def test_a_file_over_the_limit_is_told_and_counts_nothing(
    client, captain, participation, megabytes, monkeypatch
):
    written = []
    write = TemporaryFileUploadHandler.receive_data_chunk
    monkeypatch.setattr(
        TemporaryFileUploadHandler,
        "receive_data_chunk",
        lambda self, data, start: written.append(len(data)) or write(self, data, start),
    )
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    round = participation.round
    path = reverse(
        "participation-submissions", args=[round.event.slug, round.slug, participation.team.code]
    )
    body = Body(megabytes * MB, {"kind": "predictions", "client_key": "k"})
    with translation.override("en"):
        client.cookies["django_language"] = "en"
        answer = send(client, path, body)
    assert answer.status_code == 422
    assert "big.csv: the file is larger than the limit of 20 MB." in answer.content.decode()
    assert not participation.submissions.exists()
    # Read to its end, so that the browser gets the answer, but kept nowhere.
    assert body.read_bytes == body.size
    assert sum(written) <= settings.MAX_UPLOAD_BYTES


def test_the_api_says_the_same(client, captain, participation):
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    body = Body(
        200 * MB, {"participation": participation.pk, "kind": "predictions", "client_key": "k"}
    )
    answer = send(client, reverse("api-submission-list"), body)
    assert answer.status_code == 409
    assert answer.json()["code"] == "file_too_large"
    assert not participation.submissions.exists()
