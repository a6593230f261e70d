"""Order, restarts and the end of everything, with shell lines as programs."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.failures import StackError
from deploy.local.program import Program
from deploy.local.supervisor import Supervisor
from tests.unit.local.programs import FOREVER, shell

Run = Callable[..., Supervisor]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts supervisors that are stopped at the end."""
    made: list[Supervisor] = []

    def start(*programs: Program) -> Supervisor:
        made.append(Supervisor(programs, lambda: None))
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.stop()


def _step_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        supervisor.step()
        time.sleep(0.01)


def test_a_program_waits_for_what_it_comes_after(run: Run, tmp_path: Path) -> None:
    first = shell(tmp_path, "first", "sleep 0.3; touch made", once=True)
    second = shell(tmp_path, "second", f"test -e made && touch seen; {FOREVER}", after=("first",))

    supervisor = run(second, first)
    supervisor.run_until_ready()
    _step_until(supervisor, (tmp_path / "seen").exists)

    assert list(supervisor.pids) == ["second"]


def test_readiness_is_asked_of_the_program(run: Run, tmp_path: Path) -> None:
    answers = iter([False, False, True])
    supervisor = run(shell(tmp_path, "slow", FOREVER, ready=lambda: next(answers)))

    supervisor.run_until_ready()

    assert next(answers, None) is None


def test_what_dies_is_started_again(run: Run, tmp_path: Path) -> None:
    supervisor = run(shell(tmp_path, "mortal", FOREVER))
    supervisor.run_until_ready()
    first = supervisor.pids["mortal"]

    os.kill(first, signal.SIGKILL)
    _step_until(supervisor, lambda: supervisor.pids.get("mortal", first) != first)

    supervisor.run_until_ready()


def test_what_keeps_dying_is_started_less_and_less_often(run: Run, tmp_path: Path) -> None:
    supervisor = run(shell(tmp_path, "frail", "echo x >> starts; sleep 0.1"))
    supervisor.run_until_ready()
    end = time.monotonic() + 1.2

    while time.monotonic() < end:
        supervisor.step()
        time.sleep(0.01)

    # 0.2, 0.4 and 0.8 s between an end and the next start
    assert 2 <= len((tmp_path / "starts").read_text().split()) <= 4


def test_a_program_that_dies_at_its_start_is_named_with_its_last_words(
    run: Run, tmp_path: Path
) -> None:
    supervisor = run(shell(tmp_path, "broken", "echo no such table; exit 7", ready=lambda: False))

    with pytest.raises(
        StackError, match=r"broken ended with code 7 .*broken\.log:\s+no such table"
    ):
        supervisor.run_until_ready()


def test_a_program_that_cannot_be_started_is_named(run: Run, tmp_path: Path) -> None:
    missing = Program(
        name="missing",
        command=("/nowhere/at/all",),
        environment={},
        folder=tmp_path,
        log=tmp_path / "missing.log",
    )

    with pytest.raises(StackError, match="missing cannot be started"):
        run(missing).run_until_ready()


def test_attempts_at_the_start_are_counted(run: Run, tmp_path: Path) -> None:
    line = f"echo x >> starts; test $(wc -l < starts) -ge 3 && {FOREVER}"
    seen = tmp_path / "starts"
    program = shell(
        tmp_path,
        "third-time",
        line,
        start_attempts=3,
        ready=lambda: seen.exists() and len(seen.read_text().split()) == 3,
    )

    run(program).run_until_ready()


def test_a_program_that_is_never_ready_is_given_up(run: Run, tmp_path: Path) -> None:
    supervisor = run(shell(tmp_path, "deaf", FOREVER, ready=lambda: False, ready_seconds=0.2))

    with pytest.raises(StackError, match="deaf was not ready after 0 s"):
        supervisor.run_until_ready()


def test_stopping_leaves_nothing_not_even_grandchildren(run: Run, tmp_path: Path) -> None:
    stubborn = shell(
        tmp_path,
        "stubborn",
        f"trap '' TERM; sleep 600 & echo $! > grandchild; {FOREVER}",
        ready=(tmp_path / "grandchild").exists,
        stop_seconds=0.3,
    )
    supervisor = run(stubborn)
    supervisor.run_until_ready()
    _step_until(supervisor, lambda: (tmp_path / "grandchild").read_text() != "")
    child, grandchild = supervisor.pids["stubborn"], int((tmp_path / "grandchild").read_text())

    supervisor.stop()

    assert not psutil.pid_exists(child)
    deadline = time.monotonic() + 10  # it is killed, and dies when the kernel comes to it
    while psutil.pid_exists(grandchild) and (
        psutil.Process(grandchild).status() != psutil.STATUS_ZOMBIE
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert supervisor.pids == {}


def test_dependents_are_stopped_first(run: Run, tmp_path: Path) -> None:
    def noting(name: str) -> str:
        return f"trap 'echo {name} >> ends; exit' TERM; touch {name}.up; {FOREVER}"

    server = shell(tmp_path, "server", noting("server"), ready=(tmp_path / "server.up").exists)
    client = shell(
        tmp_path,
        "client",
        noting("client"),
        after=("server",),
        ready=(tmp_path / "client.up").exists,
    )
    supervisor = run(server, client)
    supervisor.run_until_ready()

    supervisor.stop()

    assert (tmp_path / "ends").read_text().split() == ["client", "server"]
