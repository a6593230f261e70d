"""Sends the asks of a plan at their times, and cancels those that are to be cancelled."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos import material
from tests.chaos.client import PATIENCE_SECONDS, PAUSE_SECONDS, Client
from tests.chaos.mix import Ask

THREADS = 12
#: How long a stream may be silent: its job may wait for others. A client that leaves cancels it.
STREAM_SECONDS = 120.0


@dataclass
class Answered:
    """What a client was told about one ask."""

    ask: Ask
    #: Jobs that an answer named: they must exist.
    job_ids: set[str] = field(default_factory=set)
    #: The status of the last answer; 0 if there was none.
    status: int = 0
    #: How often a ZIP was asked for until one came whole.
    streams: int = 0


class Asking:
    """Clients, one thread each. ``names`` says what the plan's stand-ins stand for."""

    def __init__(self, client: Client, names: Mapping[str, str], *, run: str) -> None:
        self.answered: dict[int, Answered] = {}
        self._client = client
        self._names = names
        self._run = run
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="client")
        self._sent: list[Future[None]] = []

    def start(self, ask: Ask) -> None:
        """Have a client send ``ask`` as soon as one is free."""
        self.answered[ask.number] = Answered(ask)
        self._sent.append(self._pool.submit(self._send, ask))

    @property
    def waiting(self) -> int:
        """Asks that have not been answered yet."""
        return sum(not sent.done() for sent in self._sent)

    def raise_failures(self) -> None:
        """Raises what a client did."""
        for sent in self._sent:
            if sent.done():
                sent.result()

    def close(self) -> None:
        """Wait for the clients."""
        self._pool.shutdown(cancel_futures=True)

    def key(self, ask: Ask) -> str:
        """The Idempotency-Key of ``ask``."""
        return f"{self._run}-{ask.number}"

    def request(self, ask: Ask) -> dict[str, Any]:
        """What of ``ask`` is sent, without its key."""
        sent: dict[str, Any] = {"params": self._filled(ask.params)}
        if ask.body == "json":
            sent["json"] = self._filled(ask.json)
        elif ask.interactive:
            sent["content"] = material.image(ask.seed, deep=ask.body == "deep-image")
        elif ask.body != "none":
            make = material.archive if ask.body == "archive" else material.bad_archive
            sent["data"] = {"layout": "folders", "name": f"ask {ask.number}"}
            sent["files"] = {"file": ("images.zip", make(ask.seed))}
        return sent

    def _filled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(given)
        for name, made in self._names.items():
            text = text.replace(f'"{name}"', f'"{made}"')
        filled: dict[str, Any] = json.loads(text)
        return filled

    def _send(self, ask: Ask) -> None:
        if ask.streamed:
            self._stream(ask)
            return
        if ask.twice:
            twin = threading.Thread(target=self._post, args=(ask,))
            twin.start()
            self._post(ask)
            twin.join()
        else:
            self._post(ask)
        if ask.cancel_after is not None:
            time.sleep(ask.cancel_after)
            self.cancel(ask)

    def cancel(self, ask: Ask) -> None:
        """Cancel the job of an ask."""
        for job_id in self.answered[ask.number].job_ids:
            answer = self._client.ask("POST", f"/jobs/{job_id}/cancel")
            assert answer.status_code == 200, answer.text

    def _post(self, ask: Ask) -> None:
        headers = {"Idempotency-Key": self.key(ask)}
        answer = self._client.ask("POST", ask.path, headers=headers, **self.request(ask))
        known = self.answered[ask.number]
        known.status = answer.status_code
        if answer.status_code == 202 or (answer.status_code == 200 and not ask.interactive):
            known.job_ids.add(answer.json()["id"])
        elif "x-job-id" in answer.headers:
            known.job_ids.add(answer.headers["x-job-id"])
        refused = answer.status_code == 422 and ask.interactive and ask.expected == "failed"
        lost = answer.status_code == 500  # its job was given up; the settling tries it again
        if answer.status_code not in (200, 202) and not refused and not lost:
            self._client.tally.wrong.append(f"ask {ask.number} {ask.kind}: {answer.text[:300]}")

    def _stream(self, ask: Ask) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._read_zip(ask):
            assert time.monotonic() < deadline, f"no stream of {ask} came to its end"
            time.sleep(PAUSE_SECONDS)

    def _read_zip(self, ask: Ask) -> bool:
        """Whether a whole ZIP came; half of one is a broken connection, never a ZIP."""
        http, known = self._client.http, self.answered[ask.number]
        try:
            sent = {**self.request(ask), "timeout": STREAM_SECONDS}
            with http.stream("GET", ask.path, **sent) as answer:
                known.streams += 1
                data = answer.read()
        except httpx.TransportError:
            return False
        known.status = answer.status_code
        if answer.status_code != 200:
            return False
        known.job_ids.add(answer.headers["x-job-id"])
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            images = [name for name in archive.namelist() if name.endswith(".png")]
            assert archive.testzip() is None
            assert "manifest.json" in archive.namelist()
        assert len(images) == ask.params["n"], f"{len(images)} images in the stream of {ask}"
        return True
