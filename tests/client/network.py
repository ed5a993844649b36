"""Networks that misbehave, and one that only looks on."""

import json

import httpx


class Recorder(httpx.BaseTransport):
    """Hands requests on to the real server and keeps them."""

    def __init__(self):
        self.inner = httpx.HTTPTransport()
        self.seen: list[httpx.Request] = []

    def handle_request(self, request):
        self.seen.append(request)
        return self.answer(request)

    def answer(self, request):
        return self.inner.handle_request(request)

    def uploads(self):
        return [r for r in self.seen if r.method == "POST" and r.url.path.endswith("/submissions/")]


class Lossy(Recorder):
    """Loses the first answers to uploads, after the server has dealt with them."""

    def __init__(self, losses=1):
        super().__init__()
        self.losses = losses

    def answer(self, request):
        response = super().answer(request)
        if request in self.uploads() and len(self.uploads()) <= self.losses:
            response.read()
            raise httpx.ReadError("the connection was reset")
        return response


class Failing(Recorder):
    """A gateway that says 502 to the first uploads without handing them on."""

    def answer(self, request):
        if request in self.uploads() and len(self.uploads()) <= 2:
            for _chunk in request.stream:
                pass
            return httpx.Response(502, text="<h1>Bad gateway</h1>")
        return super().answer(request)


class Scripted(Recorder):
    """Answers some paths itself: ``{"/log/": (200, {"log": "…"})}``, by what the path contains."""

    def __init__(self, answers: dict):
        super().__init__()
        self.answers = answers

    def answer(self, request):
        for part, (status, body) in self.answers.items():
            if part in request.url.path:
                if isinstance(body, httpx.Headers):
                    return httpx.Response(status, headers=body)
                headers = {"Content-Type": "application/json"}
                return httpx.Response(status, headers=headers, content=json.dumps(body))
        return super().answer(request)
