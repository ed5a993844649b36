import pytest

from judging.services import runs
from tests.factories import make_user


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr(runs, "wake", lambda *args: None)


@pytest.fixture
def organizer(db):
    return make_user()
