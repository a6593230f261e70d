"""A chaos run from the start of its stack to the last check."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from shared.db.tables import JobRow
from shared.storage.s3 import S3Store
from tests.chaos import checks, remake, report
from tests.chaos.asking import Asking
from tests.chaos.checks import Scene
from tests.chaos.client import Client, Tally
from tests.chaos.collect import collect
from tests.chaos.kills import Killer
from tests.chaos.ledger import Ledger
from tests.chaos.plan import Plan
from tests.chaos.prepare import prepare
from tests.chaos.rows import read
from tests.chaos.settle import settle
from tests.chaos.stack import ChaosStack, running
from tests.chaos.watch import Watch

KEEP_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a run does beside its plan."""

    #: From the last blow until everything has ended.
    settle_seconds: float = 240.0
    #: Results that are made again and compared.
    remade: int = 40


class Clock:
    """Says what happens, and when."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.seconds: dict[str, float] = {}
        self._lap = self.begun

    def say(self, text: str) -> None:
        """A line with the seconds since the start."""
        sys.stdout.write(f"{time.monotonic() - self.begun:7.1f}  {text}\n")
        sys.stdout.flush()

    def lap(self, name: str) -> None:
        """Note how long ``name`` took."""
        now = time.monotonic()
        self.seconds[name], self._lap = now - self._lap, now
        self.say(f"{name}: {self.seconds[name]:.1f} s")


def run(plan: Plan, home: Path, limits: Limits, *, logs: Path | None = None) -> list[str]:
    """Carry ``plan`` out, print what happens, and return all that is broken afterwards.

    The stack lives in ``home``, a new folder; its logs are kept in ``logs``.
    """
    clock = Clock()
    clock.say(f"seed {plan.seed}: {len(plan.asks)} jobs, {len(plan.kills)} kills")
    with ExitStack() as stack:
        chaos = stack.enter_context(running(home, second=plan.long, logs=logs))
        clock.lap("start")
        return _Run(plan, chaos, limits, clock, stack).carry_out()


class _Run:
    def __init__(
        self,
        plan: Plan,
        chaos: ChaosStack,
        limits: Limits,
        clock: Clock,
        stack: ExitStack,
    ) -> None:
        self._plan, self._chaos, self._limits, self._clock = plan, chaos, limits, clock
        self._tally = Tally()
        description = chaos.description
        client = Client(description["url"], description["key"], self._tally)
        self._client = stack.enter_context(closing(client))
        self._ledger = stack.enter_context(closing(Ledger(chaos.settings)))
        self._store = S3Store(chaos.settings)
        names = prepare(client)
        with self._ledger.sessions() as session:
            self._prepared = set(session.scalars(select(JobRow.id)))
        clock.lap("preparation")
        asking = Asking(client, names, run=f"chaos-{plan.seed}")
        self._asking = stack.enter_context(closing(asking))
        self._killer = Killer(chaos, self._ledger, clock.say)
        stack.callback(self._killer.stop)

    def carry_out(self) -> list[str]:
        """Everything; returns what is broken."""
        watch = Watch(self._ledger, self._killer, self._clock.say)
        watch.start()
        try:
            self._chaos_itself()
            self._clock.lap("chaos")
            retried = settle(
                self._client,
                self._ledger,
                self._asking,
                keep=self._chaos.keep,
                seconds=self._limits.settle_seconds,
            )
            self._clock.lap("settling")
        finally:
            watch.stop()
        orphans = len(checks.orphans(self._scene(), self._sizes()))
        collected = collect(self._ledger.sessions, self._store)
        self._clock.say(f"collected: {collected}")
        scene, sizes = self._scene(), self._sizes()
        broken = list(self._broken(scene, sizes))
        for line in broken:
            self._clock.say(f"BROKEN: {line}")
        self._clock.lap("collection and checks")
        chosen = remake.chosen(
            scene.rows, self._plan.asks, limit=self._limits.remade, seed=self._plan.seed
        )
        changed = list(remake.differences(self._client, self._asking, scene.rows, chosen))
        for line in changed:
            self._clock.say(f"BROKEN: {line}")
        self._clock.lap("making again")
        counts = report.Counts(
            rows=scene.rows,
            answered=self._asking.answered,
            blows=self._killer.blows,
            missed=self._killer.missed,
            dropped=self._killer.dropped,
            tally=self._tally,
            setbacks=self._ledger.setbacks(),
            retried=retried,
            orphans=orphans,
            left=len(checks.orphans(scene, sizes)),
            objects=len(scene.rows.named_objects()),
            remade=len(chosen),
            seconds=self._clock.seconds,
        )
        for line in report.lines(counts):
            self._clock.say(line)
        return [*broken, *changed]

    def _chaos_itself(self) -> None:
        """Blows and asks at their times, until the last of both."""
        begun = time.monotonic()
        self._killer.begin(self._plan.kills, begun)
        waiting = list(self._plan.asks)
        while waiting or not self._killer.done:
            self._chaos.keep()
            self._asking.raise_failures()
            while waiting and time.monotonic() - begun >= waiting[0].at:
                self._asking.start(waiting.pop(0))
            time.sleep(KEEP_SECONDS)

    def _sizes(self) -> dict[str, int]:
        return {listed.key: listed.bytes for listed in self._store.list("")}

    def _scene(self) -> Scene:
        with self._ledger.sessions() as session:
            rows = read(session, self._asking, self._plan.asks)
        return Scene(rows, self._asking.answered, self._killer.pauses, self._prepared)

    def _broken(self, scene: Scene, sizes: dict[str, int]) -> Iterator[str]:
        yield from self._tally.wrong
        yield from checks.ends(scene)
        yield from checks.rows_at_rest(scene)
        yield from checks.promises(scene)
        yield from checks.nothing_twice(scene)
        yield from checks.results(scene)
        yield from checks.dependents(scene)
        yield from checks.sleepers(scene)
        yield from checks.missing(scene, sizes)
        yield from checks.shards(scene, self._store)
        yield from (f"{key} is named by no row" for key in checks.orphans(scene, sizes))
