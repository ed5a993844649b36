import pytest

from tests.live.listening import Listener


@pytest.fixture
def listen():
    """``listen(url)``: a stream as a browser reads it, greeted already."""
    listeners = []

    def make(url: str) -> Listener:
        listener = Listener(url)
        listeners.append(listener)
        name, hello = listener.next()
        assert name == "hello", (name, hello)
        listener.hello = hello
        return listener

    yield make
    for listener in listeners:
        listener.close()
