"""Submits to an API that is watched and to one that is not, in turns; and what a scrape costs."""

import itertools
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import func, insert, select

from deploy.local.servers import Servers, erase, start_servers
from deploy.prepare import prepare
from shared.db.engine import Sessions, make_engine, make_sessions
from shared.db.tables import JobRow
from shared.ids import new_id
from shared.jobs import depths
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.benchmarks.load.bench import _say
from tests.integration.shared.builders import grey_png, meta, stored_dataset
from tests.integration.watched.processes import Collector
from tests.live import LiveApi, live_api

PAIRS, TRACED_PAIRS = 60, 10
REQUESTS = 100
SCRAPES = 16
QUEUED = 10_000
#: Longer than OpenTelemetry keeps spans before it sends them.
FLUSH_SECONDS = 6.0
SIGNALS = {"bare": signal.SIGUSR1, "watched": signal.SIGUSR2, "traced": signal.SIGHUP}


class Client:
    """Sends submits one after the other, and reads what they cost the API's process."""

    def __init__(self, api: LiveApi, dataset: str, seeds: Iterator[int]) -> None:
        self._http = api.client()
        self._pid = api.pid
        self._dataset = dataset
        self._seeds = seeds

    def cpu_seconds(self, requests: int) -> float:
        """Of the API's process, a request."""
        before = self._spent()
        for _ in range(requests):
            body = {"dataset": self._dataset, "copies": 1, "seed": next(self._seeds)}
            answer = self._http.post("/augment", json=body)
            assert answer.status_code == 202, answer.text
        return (self._spent() - before) / requests

    def _spent(self) -> float:
        """Of all threads, to the nanosecond: the process's own figure comes in hundredths."""
        tasks = Path(f"/proc/{self._pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) * 1e-9


def main() -> None:
    home, collector = Path(tempfile.mkdtemp(prefix="watched-")), Collector()
    try:
        with start_servers(home) as servers:
            given = {
                name.removeprefix("LESIONGAN_").lower(): value
                for name, value in servers.environment.items()
            }
            settings = Settings.model_validate(given)
            prepare(settings)
            engine = make_engine(settings.database_url)
            sessions = make_sessions(engine)
            images = [(grey_png(n), meta()) for n in range(8)]
            dataset = stored_dataset(sessions, S3Store(settings), images)
            _submits(servers, sessions, dataset, home, collector.url)
            _scrape(sessions)
            engine.dispose()
    finally:
        collector.close()
        erase(home)


def _submits(servers: Servers, sessions: Sessions, dataset: str, home: Path, traces: str) -> None:
    """One process, switched from turn to turn; what is traced is sent before the next begins."""
    app = "tests.benchmarks.watching.switched:app"
    log = home / "api.log"
    with live_api(servers, sessions, log, app=app, LESIONGAN_OTLP_ENDPOINT=traces) as api:
        client = Client(api, dataset, itertools.count(1))
        client.cpu_seconds(3 * REQUESTS)
        _turns(api, client, "watched", PAIRS, pause=0.0)
        _turns(api, client, "traced", TRACED_PAIRS, pause=FLUSH_SECONDS)


def _turns(api: LiveApi, client: Client, name: str, pairs: int, *, pause: float) -> None:
    """So many pairs of turns, the first of each pair in turn."""
    spent: dict[str, list[float]] = {name: [], "bare": []}
    for turn in range(pairs):
        for each in (name, "bare") if turn % 2 else ("bare", name):
            os.kill(api.pid, SIGNALS[each])
            spent[each].append(client.cpu_seconds(REQUESTS))
            if each == name:
                time.sleep(pause)
    _say(f"CPU of a submit, {name} / bare: {_ratio(spent[name], spent['bare'])}")


def _ratio(these: Sequence[float], those: Sequence[float]) -> str:
    ratios = sorted(a / b for a, b in zip(these, those, strict=True))
    quarter = len(ratios) // 4
    return (
        f"{1000 * statistics.median(these):.2f} / {1000 * statistics.median(those):.2f} ms, "
        f"ratio {statistics.median(ratios):.3f} (quartiles {ratios[quarter]:.3f} to "
        f"{ratios[-1 - quarter]:.3f}, n = {len(ratios)} pairs of {REQUESTS})"
    )


def _scrape(sessions: Sessions) -> None:
    """The gateway's grouped query beside a plain count of the same rows."""
    with sessions() as session:
        rows = [
            {"id": new_id("job"), "kind": "augment", "queue": "augmentation", "input": {}}
            for _ in range(QUEUED)
        ]
        session.execute(insert(JobRow), rows)
        session.commit()
        count = select(func.count()).where(JobRow.finished_at.is_(None))
        grouped, plain = [], []
        for _ in range(SCRAPES):
            began = time.perf_counter()
            depths.by_queue(session)
            middle = time.perf_counter()
            waiting = session.scalar(count)
            grouped.append(middle - began)
            plain.append(time.perf_counter() - middle)
    _say(
        f"depths of {waiting} jobs / a count of them: {1000 * statistics.median(grouped):.1f} / "
        f"{1000 * statistics.median(plain):.1f} ms (n = {SCRAPES})"
    )


if __name__ == "__main__":
    main()
