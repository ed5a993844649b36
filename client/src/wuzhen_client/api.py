"""The platform's REST API over HTTP: answers as Python objects, refusals as Problems."""

import email.message
import email.utils
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import httpx

from wuzhen_client import __version__
from wuzhen_client.errors import NetworkProblem, Problem
from wuzhen_client.texts import ACCEPT_LANGUAGE, language, text

PAGE_SIZE = 200
QUICK = httpx.Timeout(30, connect=10)
# The server copies a file of 100 MB into its store before it answers.
UPLOAD = httpx.Timeout(60, connect=10, read=300)
TRIES, UPLOAD_TRIES = 3, 6
LONGEST_WAIT_S = 60


class Api:
    """A server as one person sees it. ``transport`` and ``sleep`` are for tests."""

    def __init__(self, server: str, token: str = "", *, transport=None, sleep=time.sleep):
        self.server, self.has_token, self._sleep = server, bool(token), sleep
        headers = {
            "Accept": "application/json",
            "Accept-Language": ACCEPT_LANGUAGE[language()],
            "User-Agent": f"wuzhen-client/{__version__}",
        }
        if token:
            if not (token.isascii() and token.isprintable() and " " not in token):
                raise Problem(text("bad_token"))
            headers["Authorization"] = f"Token {token}"
        # Redirects are never followed: the token and files go to this server alone.
        try:
            self._http = httpx.Client(
                base_url=f"{server}/api/v1/", headers=headers, timeout=QUICK, transport=transport,
                follow_redirects=False,
            )  # fmt: skip
        except (ValueError, ImportError) as error:
            raise Problem(text("bad_proxy", reason=error)) from None
        self._server_time: datetime | None = None

    def now(self) -> datetime:
        """The time at the server, as of its last answer: a quota's day is the server's day."""
        return self._server_time or datetime.now(UTC)

    def get(self, path: str, **query):
        return _json(self._try(TRIES, lambda: self._http.get(path, params=query)), self.server)

    def pages(self, path: str, **query) -> Iterator[dict]:
        """Every item of a list, page after page.

        Pages are counted, not taken from the answer's ``next``, so that no answer can lead the
        token to another address.
        """
        page = 1
        while True:
            answer = self.get(path, page=page, page_size=PAGE_SIZE, **query)
            yield from answer["results"]
            if not answer["next"]:
                return
            page += 1

    def post(self, path: str, data: dict | None = None):
        """Sent once: to repeat it could do something twice."""
        response = self._try(1, lambda: self._http.post(path, json=data or {}))
        return None if response.status_code == 204 else _json(response, self.server)

    def upload(self, path: str, data: dict, file: BinaryIO, name: str) -> dict:
        """Send a file with its fields, read piece by piece, until an answer comes back.

        ``data`` must name the request by a key of its own, so that the server takes a repeat for
        what it is.
        """

        def send():
            files = {"file": (name, file, "application/octet-stream")}
            return self._http.post(path, data=data, files=files, timeout=UPLOAD)

        return _json(self._try(UPLOAD_TRIES, send), self.server)

    @contextmanager
    def download(self, path: str) -> Iterator[httpx.Response]:
        """The open answer, whose content is still to be read."""
        try:
            with self._http.stream("GET", path, headers={"Accept": "*/*"}) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response, self.server)
                yield response
        except httpx.RequestError as error:
            raise _unreachable(self.server, error) from None

    def _try(self, tries: int, send) -> httpx.Response:
        """Send, and again with growing pauses while it may help: no answer, 5xx, too many."""
        pause = 1.0
        while True:
            tries -= 1
            try:
                response = send()
            except httpx.RequestError as error:
                problem, wait = _unreachable(self.server, error), pause
            else:
                self._note_time(response)
                if response.is_success:
                    return response
                problem, wait = _refusal(response, self.server), _wait(response, pause)
            if not tries or wait is None:
                raise problem
            self._sleep(wait)
            pause *= 2

    def _note_time(self, response: httpx.Response) -> None:
        try:
            self._server_time = email.utils.parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            self._server_time = None


def _wait(response: httpx.Response, pause: float) -> float | None:
    """How long until it may go through; None if a repeat would get the same answer."""
    if response.status_code == 429:
        asked = response.headers.get("Retry-After", "")
        wait = float(asked) if asked.isdecimal() else pause
        return wait if wait <= LONGEST_WAIT_S else None
    return pause if response.status_code >= 500 else None


def _json(response: httpx.Response, server: str):
    try:
        return response.json()
    except ValueError:
        raise Problem(text("not_the_platform", server=server)) from None


def _unreachable(server: str, error: httpx.RequestError) -> NetworkProblem:
    if isinstance(error, httpx.TimeoutException):
        return NetworkProblem(text("timed_out", server=server))
    reason = str(error) or type(error).__name__
    return NetworkProblem(text("unreachable", server=server, reason=reason))


def _refusal(response: httpx.Response, server: str) -> Problem:
    """The answer as a sentence: the server's own where it gave one."""
    status = response.status_code
    if response.has_redirect_location or 300 <= status < 400:
        target = response.headers.get("Location", "").split("?")[0]
        return Problem(text("redirected", server=server, target=target), status)
    if status >= 500:
        return NetworkProblem(text("server_failed", server=server, status=status), status)
    try:
        said = sentence(response.json())
    except ValueError:
        said = ""
    if status == 401:
        return Problem(text("sign_in_again", server=server, said=said).strip(), status)
    if not said:
        key = {404: "not_found", 413: "too_large_for_server"}.get(status, "refused")
        said = text(key, server=server, status=status)
    return Problem(said, status)


def sentence(answer) -> str:
    """An error answer of the API in one line; faults of fields keep the names of their fields."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return " ".join(filter(None, map(sentence, answer)))
    if not isinstance(answer, dict):
        return ""
    if "detail" in answer:
        return sentence(answer["detail"])
    parts = []
    for field, faults in answer.items():
        said = sentence(faults)
        if said and field not in ("code", "non_field_errors", "__all__"):
            said = f"{field}: {said}"
        if field != "code":
            parts.append(said)
    return " ".join(filter(None, parts))


def file_name(response: httpx.Response, otherwise: str) -> str:
    """The name that the server gives a download, as one that is safe to create here.

    Only the last component is kept; what some system would read as something else is replaced.
    """
    header = email.message.Message()
    header["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    name = Path((header.get_filename() or "").replace("\\", "/")).name
    name = "".join("_" if c in '<>:"|?*' or not c.isprintable() else c for c in name)
    name = name.strip(". ")
    reserved = name.split(".")[0].upper() in _WINDOWS_DEVICES
    return name[-150:] if name and not reserved else otherwise


_WINDOWS_DEVICES = {"CON", "PRN", "AUX", "NUL"} | {
    f"{device}{n}" for device in ("COM", "LPT") for n in range(1, 10)
}
