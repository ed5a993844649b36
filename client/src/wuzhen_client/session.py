"""What all commands of one call share: the options of every command, and the way to the server."""

import os
import time
from functools import cached_property

from wuzhen_client import config, show
from wuzhen_client.address import is_plain, server_address
from wuzhen_client.api import Api
from wuzhen_client.errors import Problem, UsageProblem
from wuzhen_client.texts import text


class Session:
    """``transport`` and ``sleep`` stand in for the network and the clock in tests."""

    def __init__(self, *, transport=None, sleep=time.sleep):
        self.server_option = ""
        self.as_json = False
        self.sleep = sleep
        self._transport = transport
        self._warned = False

    def known_server(self) -> str:
        """From --server, WUZHEN_SERVER or the last login; empty if none of them says."""
        given = self.server_option or os.environ.get("WUZHEN_SERVER", "")
        return server_address(given) if given.strip() else config.server()

    @cached_property
    def server(self) -> str:
        found = self.known_server()
        if not found:
            raise UsageProblem(text("no_server"))
        return found

    @cached_property
    def api(self) -> Api:
        """The server in use, with the token for it if there is one."""
        token = os.environ.get("WUZHEN_TOKEN", "").strip()
        if not token and (kept := config.login_at(self.server)):
            token = kept["token"]
        return self.connect(self.server, token)

    @property
    def signed_in(self) -> Api:
        """The same, for what only somebody known may ask."""
        if not self.api.has_token:
            raise Problem(text("not_signed_in", server=self.server))
        return self.api

    def connect(self, server: str, token: str = "") -> Api:
        if token:
            self.warn_if_plain(server)
        return Api(server, token, transport=self._transport, sleep=self.sleep)

    def warn_if_plain(self, server: str) -> None:
        """Before the first secret goes there."""
        if is_plain(server) and not self._warned:
            self._warned = True
            show.warn(text("plain_http", server=server))
