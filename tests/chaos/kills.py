"""Deals the blows of a plan, and notes what each of them hit."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.ledger import Ledger, Running
from tests.chaos.plan import BACKEND, FLUSH, PAUSE, PAUSED_LEASES, Kill
from tests.chaos.stack import LEASE_SECONDS, ChaosStack

#: How long a blow to a worker waits for the worker to have a job.
AIM_SECONDS = 5.0
AIM_PAUSE_SECONDS = 0.02
RESTART_SECONDS = 180.0
#: How long a blow waits at most for the stack to have got over the last one.
CALM_SECONDS = 15.0
#: Blows are dropped when they are later than this share of the run.
MOST_LATE = 0.7

Say = Callable[[str], None]


@dataclass
class Blow:
    """A kill that was dealt."""

    kill: Kill
    #: ``time.monotonic()`` as it fell.
    fell_at: float
    #: What ran on the process that it hit, or anywhere for a server.
    victims: list[Running] = field(default_factory=list)
    #: When the victims, or whatever ran, went on; None if nothing was seen to.
    recovered_at: float | None = None


@dataclass(frozen=True)
class Pause:
    """A worker that slept, and what it was at."""

    victim: Running
    #: Seconds since 1970, by Postgres' clock, which is this machine's.
    woke_at: float


class Killer:
    """A thread that deals the blows at their times, counted from ``begin``."""

    def __init__(self, stack: ChaosStack, ledger: Ledger, say: Say) -> None:
        self.blows: list[Blow] = []
        self.pauses: list[Pause] = []
        #: Blows that found nothing to hit, and blows that came too late.
        self.missed = 0
        self.dropped = 0
        self._stack = stack
        self._ledger = ledger
        self._say = say
        self._stopped = threading.Event()
        self._sleepers: list[threading.Thread] = []
        #: The ledger just after the last blow.
        self._left: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None

    def begin(self, kills: tuple[Kill, ...], begun: float) -> None:
        """Deal ``kills``, each at its seconds after ``begun``."""
        self._thread = threading.Thread(target=self._deal, args=(kills, begun), name="killer")
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all blows have fallen, and all sleepers are awake."""
        assert self._thread is not None, "begun"
        return not self._thread.is_alive() and not any(s.is_alive() for s in self._sleepers)

    def stop(self) -> None:
        """Deal no further blow; wakes the sleepers."""
        self._stopped.set()
        for thread in (self._thread, *self._sleepers):
            if thread is not None:
                thread.join()

    def _deal(self, kills: tuple[Kill, ...], begun: float) -> None:
        late = 0.0
        for kill in kills:
            if self._stopped.wait(max(0.0, begun + late + kill.at - time.monotonic())):
                return
            late = max(late, time.monotonic() - begun - kill.at) + self._calm()
            if late > MOST_LATE * kills[-1].at:
                self.dropped += 1
                continue
            try:
                hit = self._strike(kill)
            except (psutil.NoSuchProcess, RedisError):
                hit = False  # it is just being restarted
            if not hit:
                self.missed += 1
                self._say(f"missed {kill.target}: it does not run")

    def _calm(self) -> float:
        """Wait until something has moved since the last blow; returns for how many seconds.

        On a machine that is busy with other things the stack would else do nothing but start. Where
        all jobs have ended there is nothing to wait for.
        """
        waited_from = time.monotonic()
        while self._left is not None and time.monotonic() - waited_from < CALM_SECONDS:
            now = self._ledger.work_done()
            if (now is not None and now != self._left) or self._ledger.unfinished() == []:
                break
            if self._stopped.wait(0.1):
                break
        return time.monotonic() - waited_from

    def _strike(self, kill: Kill) -> bool:
        if kill.target == FLUSH:
            return self._flush(kill)
        name = kill.target.removeprefix(PAUSE)
        process = self._stack.process("postgres" if name == BACKEND else name)
        if process is None:
            return False
        victims = self._aim(name)
        if name == BACKEND:
            process = _backend(process, kill.choice)
            if process is None:
                return False
        if kill.target.startswith(PAUSE):
            self._pause(kill, process, victims)
            return True
        process.send_signal(signal.SIGKILL)
        self._fell(kill, victims)
        if name == "supervisor":
            self._wait_for_stack()
        return True

    def _aim(self, name: str) -> list[Running]:
        """What runs on ``name``; a worker that idles is waited for a moment."""
        deadline = time.monotonic() + AIM_SECONDS
        while True:
            running = self._ledger.running() or []
            if not name.startswith("worker-"):
                return running
            hit = [each for each in running if each.worker == name]
            if hit or time.monotonic() > deadline:
                return hit
            time.sleep(AIM_PAUSE_SECONDS)

    def _flush(self, kill: Kill) -> bool:
        victims = self._aim(FLUSH)
        url = self._stack.description["redis"]
        with Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2) as redis:
            redis.flushall()
        self._fell(kill, victims)
        return True

    def _pause(self, kill: Kill, process: psutil.Process, victims: list[Running]) -> None:
        process.send_signal(signal.SIGSTOP)
        self._fell(kill, victims)
        # A thread of its own: the other blows go on while it sleeps.
        sleeper = threading.Thread(target=self._wake, args=(process, victims), name="sleeper")
        self._sleepers.append(sleeper)
        sleeper.start()

    def _wake(self, process: psutil.Process, victims: list[Running]) -> None:
        self._stopped.wait(PAUSED_LEASES * LEASE_SECONDS)
        self.pauses += [Pause(victim, time.time()) for victim in victims]
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)

    def _fell(self, kill: Kill, victims: list[Running]) -> None:
        self.blows.append(Blow(kill, time.monotonic(), victims))
        self._left = self._ledger.work_done() or self._left
        of = f", at work on {', '.join(each.job_id for each in victims)}" if victims else ""
        self._say(f"{_verb(kill)} {kill.target.removeprefix(PAUSE)}{of}")

    def _wait_for_stack(self) -> None:
        """The next blow falls on a stack that has started: its start is another test's matter."""
        deadline = time.monotonic() + RESTART_SECONDS
        while time.monotonic() < deadline and not self._stopped.wait(0.2):
            if self._stack.ready:
                return


def _verb(kill: Kill) -> str:
    if kill.target == FLUSH:
        return "redis:"
    return "SIGSTOP" if kill.target.startswith(PAUSE) else "SIGKILL"


def _backend(postmaster: psutil.Process, choice: int) -> psutil.Process | None:
    """One of the processes that serve a connection."""
    serving = [
        child
        for child in sorted(postmaster.children(), key=lambda child: child.pid)
        if "127.0.0.1" in " ".join(child.cmdline())
    ]
    return serving[choice % len(serving)] if serving else None
