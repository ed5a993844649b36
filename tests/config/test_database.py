"""What keeps a machine that is cut off from holding the others up."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_a_session_that_does_nothing_in_a_transaction_is_ended():
    """Without it, locks of a worker whose network is gone are held until TCP gives up, hours on:
    tests/stack/test_two_hosts.py stood still for that."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no machines to be cut off")
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    assert connection.get_connection_params()["tcp_user_timeout"] == 30_000
