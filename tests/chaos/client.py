"""A client that wants its answer whatever is killed: it asks again until it has one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

#: Answers of a server that is away, or behind which one is.
AWAY = frozenset({429, 502, 503, 504})
PAUSE_SECONDS = 0.3
PATIENCE_SECONDS = 480.0


@dataclass
class Tally:
    """What the clients met with."""

    resent: int = 0
    replayed: int = 0
    #: Answers that no server should give, whatever is killed.
    wrong: list[str] = field(default_factory=list)


class Client:
    """HTTP with a key. For use by several threads."""

    def __init__(self, url: str, key: str, tally: Tally) -> None:
        self.tally = tally
        self.http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(30, connect=3),
            limits=httpx.Limits(max_connections=50),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **sent: Any
    ) -> httpx.Response:
        """The answer, as soon as there is one. Only for requests that may be sent twice."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.http.request(method, path, headers=headers, **sent)
                if answer.status_code not in AWAY and not self._failed(answer):
                    self.tally.replayed += "idempotency-replayed" in answer.headers
                    return answer
                met = f"{answer.status_code} {answer.text[:300]}"
            except httpx.TransportError as error:
                met = repr(error)
            assert time.monotonic() < deadline, f"{method} {path} is not answered: {met}"
            self.tally.resent += 1
            time.sleep(PAUSE_SECONDS)

    def json(self, path: str, **params: Any) -> dict[str, Any]:
        """A resource."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text[:300]}"
        body: dict[str, Any] = answer.json()
        return body

    def _failed(self, answer: httpx.Response) -> bool:
        """Whether the server fell over the request; one that failed behind it says so (500)."""
        if answer.status_code != 500 or answer.json().get("type") == "/errors/job-failed":
            return False
        self.tally.wrong.append(f"{answer.request.method} {answer.request.url}: {answer.text}")
        return True
