"""Signing in and out."""

import os
import sys
from datetime import datetime

import click

from wuzhen_client import config, show
from wuzhen_client.address import server_address
from wuzhen_client.commands import Command
from wuzhen_client.errors import Problem
from wuzhen_client.texts import label, text


@click.command("login", cls=Command, help="help_login")
@click.argument("address", required=False, metavar="[SERVER]")
@click.option("--token", "with_token", is_flag=True, help="help_login_token")
@click.pass_obj
def login(session, address, with_token):
    server = _server(session, address)
    session.warn_if_plain(server)
    if with_token:
        token, expiry = _ask_secret(text("ask_token")).strip(), None
        me = session.connect(server, token).get("me/")
        config.remember(server, token, expiry)
    else:
        email = click.prompt(text("ask_email"), err=True)
        password = _ask_secret(text("ask_password"))
        asked = {"email": email.strip(), "password": password}
        given = session.connect(server).post("auth/token/", asked)
        token, expiry = given["token"], given["expiry"]
        # Kept at once: nothing else knows this token, should the next answer be lost.
        config.remember(server, token, expiry)
        me = session.connect(server, token).get("me/")
    show.say(text("signed_in", server=server, name=me["name"], email=me["email"]))
    if expiry:
        # No event is meant here: the time is that of this computer.
        local = datetime.fromisoformat(expiry).astimezone()
        show.say(text("signed_in_until", when=f"{local:%Y-%m-%d %H:%M (UTC%z)}"))


def _server(session, address: str | None) -> str:
    if address:
        return server_address(address)
    return session.known_server() or server_address(click.prompt(text("ask_server"), err=True))


def _ask_secret(question: str) -> str:
    """Typed without being shown; or the next line of what is piped in."""
    if sys.stdin.isatty():
        return click.prompt(question, hide_input=True, err=True)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line.strip():
        raise Problem(text("no_input"))
    return line


@click.command("logout", cls=Command, help="help_logout")
@click.pass_obj
def logout(session):
    server = session.server
    if os.environ.get("WUZHEN_TOKEN"):
        show.warn(text("token_from_environment"))
    kept = config.login_at(server)
    if kept is None:
        show.say(text("nothing_to_forget", server=server))
        return
    config.forget(server)
    try:
        session.connect(server, kept["token"]).post("auth/logout/")
    except Problem as problem:
        if problem.status != 401:  # a token that has ended is what was wanted
            raise type(problem)(text("forgotten_only_here", reason=problem)) from None
    show.say(text("signed_out", server=server))


@click.command("whoami", cls=Command, help="help_whoami")
@click.pass_obj
def whoami(session):
    me = session.signed_in.get("me/")
    if session.as_json:
        show.dump(me)
        return
    show.say(f"{me['name']} <{me['email']}> · {session.server}")
    if me["teams"]:
        show.table(
            ["event", "team", "role"],
            [[t["event"], t["code"], label("role", t["role"])] for t in me["teams"]],
        )
