"""The three measurements: submits beside their bare cost, mixed load, and what waits."""

import asyncio
import multiprocessing
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
from sqlalchemy import text

from deploy.local.servers import erase, start_servers
from deploy.prepare import prepare
from shared.db.engine import Sessions, make_engine, make_sessions
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.benchmarks.load.bare import bare_rate
from tests.benchmarks.load.crowd import Crowd, Tally, hold_open
from tests.integration.shared.builders import grey_png, meta, stored_dataset
from tests.live import LiveApi, live_api

Result = TypeVar("Result")
ROUNDS = 3
#: Clients that keep one API process busy.
BUSY = 16
WARM_SECONDS = 5.0


def run(*, seconds: float, clients: int, held: int) -> None:
    """Print every figure of one run on one machine; exits where there is an error but 429."""
    home = Path(tempfile.mkdtemp(prefix="load-"))
    _say(
        f"{psutil.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    )
    try:
        with start_servers(home) as servers:
            names = {
                n.removeprefix("LESIONGAN_").lower(): v for n, v in servers.environment.items()
            }
            settings = Settings.model_validate(names)
            prepare(settings)
            engine = make_engine(settings.database_url)
            sessions = make_sessions(engine)
            raw, preprocessed = _datasets(sessions, S3Store(settings))
            floor = live_api(
                servers, sessions, home / "floor.log", app="tests.benchmarks.load.floor:app"
            )
            with live_api(servers, sessions, home / "api.log") as api, floor as empty:
                bench = _Bench(api, empty, settings, raw, preprocessed)
                bench.warm_up()
                # As after its first minutes: a new database plans for tables that are empty.
                with sessions() as session:
                    session.execute(text("ANALYZE"))
                    session.commit()
                bench.submit_beside_bare(seconds / (2 * ROUNDS))
                bench.mixed(clients, seconds)
                bench.held(held, max(10.0, seconds / 2))
            engine.dispose()
    finally:
        erase(home)


def _datasets(sessions: Sessions, store: S3Store) -> tuple[str, str]:
    images = [(grey_png(number), meta(patient=f"p{number}")) for number in range(200)]
    raw = stored_dataset(sessions, store, images, kind="raw")
    return raw, stored_dataset(sessions, store, images)


class _Bench:
    """The three measurements of one API process."""

    def __init__(
        self, api: LiveApi, empty: LiveApi, settings: Settings, raw: str, preprocessed: str
    ) -> None:
        self._api = api
        self._empty = empty
        self._settings = settings
        self._raw = raw
        self._preprocessed = preprocessed

    def warm_up(self) -> None:
        """Make connections, statements and caches."""
        self._crowd(BUSY, WARM_SECONDS)
        self._crowd(BUSY, WARM_SECONDS, self._empty)

    def submit_beside_bare(self, seconds: float) -> None:
        """Submits, requests that are checked and make nothing, and the bare cost, in turns."""
        redis = self._settings.redis_url.get_secret_value()
        pairs, floors = [], []
        for _ in range(ROUNDS):
            bare = bare_rate(self._settings.database_url, redis, seconds)
            tally = self._crowd(BUSY, seconds)
            alone = self._crowd(1, seconds / 2)
            nothing = self._crowd(BUSY, seconds / 2, self._empty)
            floors.append(len(nothing.seconds["submit"]) / nothing.elapsed / bare)
            pairs.append((bare, len(tally.seconds["submit"]) / tally.elapsed, tally, alone))
        ratios = sorted(rate / bare for bare, rate, _, _ in pairs)
        _say(
            f"submits: {statistics.median(p[1] for p in pairs):.0f}/s with {BUSY} clients; bare "
            f"INSERT and push: {statistics.median(p[0] for p in pairs):.0f}/s; "
            f"ratio {statistics.median(ratios):.1%} "
            f"(min {ratios[0]:.1%}, max {ratios[-1]:.1%}, n = {ROUNDS})"
        )
        _say(f"  the same request where it makes nothing: {statistics.median(floors):.1%} of bare")
        alone_seconds = [each for *_, tally in pairs for each in tally.seconds["submit"]]
        _say(f"  latency of one client: {_quantiles(alone_seconds)}")
        busy_seconds = [each for *_, tally, _ in pairs for each in tally.seconds["submit"]]
        _say(f"  latency of {BUSY} clients: {_quantiles(busy_seconds)}")

    def mixed(self, clients: int, seconds: float) -> None:
        """Everything at once, and whether the process still says that it lives."""
        crowd = Crowd(*self._arguments(), clients=clients)
        with _Alive(self._api.url) as alive:
            tally = _elsewhere(crowd.mixed, seconds)
        _say(f"{clients} clients, {seconds:.0f} s: {sum(tally.statuses.values())} answers")
        _say(f"  statuses {dict(tally.statuses)}, broken {dict(tally.failures)}")
        for kind, spent in tally.seconds.items():
            _say(f"  {kind}: {len(spent) / tally.elapsed:.0f}/s, {_quantiles(spent)}")
        _say(f"  GET /health/live beside it: {_quantiles(alive.seconds)}, failed {alive.failed}")
        errors = {s: n for s, n in tally.statuses.items() if s >= 400 and s != 429}
        if errors or tally.failures or alive.failed:
            sys.exit("errors under load")

    def held(self, count: int, seconds: float) -> None:
        """Threads and memory of the process while many wait."""
        process = psutil.Process(self._api.pid)
        before = process.num_threads(), process.memory_info().rss
        most = [0, 0]
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.2):
                most[0] = max(most[0], process.num_threads())
                most[1] = max(most[1], process.memory_info().rss)

        watcher = threading.Thread(target=look)
        watcher.start()
        seen = _elsewhere(_hold, self._api.url, self._api.key, self._raw, count, seconds)
        done.set()
        watcher.join()
        _say(f"{count} event streams and {count} Prefer: wait for {seconds:.0f} s: {dict(seen)}")
        _say(
            f"  threads {before[0]} before, {most[0]} during; memory {before[1] >> 20} MiB before, "
            f"{most[1] >> 20} MiB during"
        )

    def _crowd(self, clients: int, seconds: float, api: LiveApi | None = None) -> Tally:
        return _elsewhere(Crowd(*self._arguments(api), clients=clients).submits, seconds)

    def _arguments(self, api: LiveApi | None = None) -> tuple[str, str, str, str]:
        asked = api or self._api
        return asked.url, asked.key, self._raw, self._preprocessed


class _Alive:
    """Asks for ``/health/live`` twenty times a second, on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.seconds: list[float] = []
        self.failed = 0

    def __enter__(self) -> "_Alive":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            while not self._done.wait(0.05):
                started = time.perf_counter()
                try:
                    self.failed += client.get("/health/live").status_code != 200
                except httpx.TransportError:
                    self.failed += 1
                self.seconds.append(time.perf_counter() - started)


def _hold(url: str, key: str, raw: str, count: int, seconds: float) -> Counter[str]:
    return asyncio.run(hold_open(url, key, raw, streams=count, waits=count, seconds=seconds))


def _elsewhere(work: Callable[..., Result], *arguments: object) -> Result:
    """What ``work`` returns, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        future: Future[Result] = pool.submit(work, *arguments)
        return future.result()


def _quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "none"
    middle, late = (ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.99))
    return f"p50 {1000 * middle:.1f} ms, p99 {1000 * late:.1f} ms (n = {len(ordered)})"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
