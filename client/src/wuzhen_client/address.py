"""Addresses of servers: as people write them, and what may be sent there unprotected."""

import ipaddress

import httpx

from wuzhen_client.errors import UsageProblem
from wuzhen_client.texts import text


def server_address(given: str) -> str:
    """``example.org/`` → ``https://example.org``; the platform may lie below a path."""
    given = given.strip()
    try:
        url = httpx.URL(given if "://" in given else f"https://{given}")
        if "://" not in given and is_local(url):
            url = url.copy_with(scheme="http")
    except httpx.InvalidURL:
        raise UsageProblem(text("bad_server", server=given)) from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        # A password in it must not be shown.
        raise UsageProblem(text("bad_server", server=url.host if url.userinfo else given))
    below = url.path.rstrip("/").removesuffix("/api/v1")
    clean = httpx.URL(scheme=url.scheme, host=url.host, port=url.port, path=below or "/")
    return str(clean).rstrip("/")


def is_local(url: httpx.URL) -> bool:
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost" or url.host.endswith(".localhost")


def is_plain(server: str) -> bool:
    """Whether others can read on the way what is sent there."""
    url = httpx.URL(server)
    return url.scheme == "http" and not is_local(url)
