"""What a chaos run asks for and when it kills what: pure data, drawn from one seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.chaos.mix import MIX, Ask, Draw

WORKERS = (
    "worker-cpu",
    "worker-classification",
    "worker-gan-train",
    "worker-gan-sample",
    "worker-interactive",
    "worker-second",  # of long runs
)
PAUSE, FLUSH, BACKEND = "pause ", "flushall", "backend"
SERVERS = ("postgres", BACKEND, "valkey", FLUSH, "seaweedfs", "api", "sweeper")
#: How long a paused worker sleeps, in leases.
PAUSED_LEASES = 2.0
#: Seconds from one blow to the next, at the least and at the most.
GAPS = (1.0, 5.0)
#: Shorter runs spare what takes long to start: the supervisor, and the worker that is one too many.
LONG_SECONDS = 60.0
#: One supervisor is killed in so many seconds: with it the whole stack starts anew.
SUPERVISOR_SECONDS = 90.0


@dataclass(frozen=True)
class Kill:
    """A blow: ``target`` is a process of the stack, or what :mod:`tests.chaos.kills` knows."""

    at: float
    target: str
    #: Which backend of several.
    choice: int = 0


@dataclass(frozen=True)
class Plan:
    """A whole run."""

    seed: int
    seconds: float
    asks: tuple[Ask, ...]
    kills: tuple[Kill, ...]

    @property
    def long(self) -> bool:
        """Whether there is time to start everything."""
        return self.seconds >= LONG_SECONDS


def make_plan(*, seed: int, seconds: float, jobs: int) -> Plan:
    """The same plan for the same arguments."""
    chance = random.Random(seed)
    return Plan(seed, seconds, _asks(chance, seconds, jobs), _kills(chance, seconds))


def _asks(chance: random.Random, seconds: float, jobs: int) -> tuple[Ask, ...]:
    # In turn by their weights, so that every kind is there even among few jobs.
    wheel = [draw for draw, weight in MIX for _ in range(weight)]
    chance.shuffle(wheel)
    first = [draw for draw, _ in MIX]
    drawn = [draw(chance) for _, draw in zip(range(jobs), _cycle(first, wheel), strict=False)]
    chance.shuffle(drawn)
    times = sorted(chance.uniform(0, 0.9 * seconds) for _ in drawn)
    numbered = [
        replace(ask, number=number, at=at, twice=not ask.streamed and chance.random() < 0.12)
        for number, (ask, at) in enumerate(zip(drawn, times, strict=True))
    ]
    return tuple(_with_repeats(numbered, chance))


def _cycle(first: list[Draw], wheel: list[Draw]) -> Iterator[Draw]:
    yield from first
    while True:
        yield from wheel


def _with_repeats(asks: list[Ask], chance: random.Random) -> Iterator[Ask]:
    """Some asks for a data set become the same ask as an earlier one."""
    made: list[Ask] = []
    for ask in asks:
        named = ask.kind in ("preprocess", "augment", "generate", "ingest")
        plain = named and ask.expected == "succeeded" and not ask.streamed
        if plain and made and chance.random() < 0.08:
            again = chance.choice(made)
            yield replace(again, number=ask.number, at=ask.at, twice=False, repeats=again.number)
            continue
        if plain:
            made.append(ask)
        yield ask


def _kills(chance: random.Random, seconds: float) -> tuple[Kill, ...]:
    times = []
    at = chance.uniform(*GAPS)
    while at < seconds:
        times.append(at)
        at += chance.uniform(*GAPS)
    workers = WORKERS if seconds >= LONG_SECONDS else WORKERS[:-1]
    targets = _targets(chance, len(times), workers, int(seconds // SUPERVISOR_SECONDS))
    return tuple(
        Kill(round(at, 2), target, chance.randrange(1000))
        for at, target in zip(times, targets, strict=True)
    )


def _targets(
    chance: random.Random, count: int, workers: Sequence[str], supervisors: int
) -> list[str]:
    """Each target once as far as there is room, and then as chance has it."""
    once = [*SERVERS, PAUSE + "worker-gan-sample", PAUSE + "worker-gan-train", *workers]
    chance.shuffle(once)
    chosen = (["supervisor"] * supervisors + once)[:count]
    while len(chosen) < count:
        worker = chance.choice(workers)
        rest = [worker, worker, worker, chance.choice(SERVERS), PAUSE + worker]
        chosen.append(chance.choice(rest))
    chance.shuffle(chosen)
    return chosen
