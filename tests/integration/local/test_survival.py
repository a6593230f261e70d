"""`kill -9` of any part and of all of it: the stack comes back with its data."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from deploy.local import stack
from deploy.local.failures import StackError
from deploy.local.files import read_object
from deploy.local.processes import is_alive, wait_gone
from tests.integration.local.clients import object_store, queue

SERVERS = ("postgres", "valkey", "seaweedfs")
BACK_SECONDS = 30


def _up(home: Path) -> dict[str, Any]:
    return stack.up(home, port=0, servers_only=True)


def _fill(description: dict[str, Any]) -> None:
    with psycopg.connect(description["postgres"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("DELETE FROM kept")
        connection.execute("INSERT INTO kept VALUES ('row')")
    with queue(description["redis"]) as client:
        client.set("kept", "value")
    with object_store(description["s3"]) as store:
        store.put_object(description["s3"]["bucket"], "kept", io.BytesIO(b"object"), 6)


def _kept(description: dict[str, Any]) -> tuple[object, object, object]:
    with psycopg.connect(description["postgres"], connect_timeout=5) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    with queue(description["redis"]) as client:
        value = client.get("kept")
    with object_store(description["s3"]) as store:
        response = store.get_object(description["s3"]["bucket"], "kept")
        content = response.read()
        response.close()
    return row, value, content


ALL = (("row",), b"value", b"object")


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + BACK_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _family(description: dict[str, Any]) -> list[psutil.Process]:
    supervisor = psutil.Process(description["processes"]["supervisor"])
    return [supervisor, *supervisor.children(recursive=True)]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_comes_back_with_its_data(home: Path, name: str) -> None:
    before = _up(home)
    _fill(before)
    killed = before["processes"][name]

    os.kill(killed, signal.SIGKILL)
    _wait(lambda: stack.status(home).processes.get(name, killed) != killed)
    after = _up(home)

    assert _kept(after) == ALL
    assert read_object(home / "stack.json") == after
    assert after | {"processes": before["processes"]} == before


def test_all_of_it_comes_back_with_its_data(home: Path) -> None:
    before = _up(home)
    _fill(before)
    family = _family(before)
    for process in family:
        with suppress(psutil.NoSuchProcess):  # gone with one that was killed before it
            process.kill()
    assert wait_gone(family, 10) == []

    after = _up(home)

    assert _kept(after) == ALL
    assert not set(after["processes"].values()) & set(before["processes"].values())


def test_nothing_outlives_a_killed_supervisor(home: Path) -> None:
    before = _up(home)
    _fill(before)
    family = _family(before)

    os.kill(before["processes"]["supervisor"], signal.SIGKILL)

    assert wait_gone(family, 20) == []
    assert stack.status(home).phase == "stopped"
    assert _kept(_up(home)) == ALL


def test_up_finds_what_runs_and_down_ends_it(home: Path) -> None:
    first = _up(home)
    family = _family(first)
    begun = time.monotonic()

    assert _up(home) == first
    assert time.monotonic() - begun < 1
    assert stack.status(home).processes == first["processes"]
    assert stack.down(home)

    assert not [process for process in family if is_alive(process)]
    assert stack.status(home).phase == "stopped"
    assert not (home / "stack.json").exists()
    assert not stack.down(home)


def test_two_at_once_make_one_stack(home: Path) -> None:
    code = "import sys; from deploy.local.stack import up; "
    code += "print(up(sys.argv[1], 0, servers_only=True)['processes']['supervisor'])"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            text=True,
        )
        for _ in range(2)
    ]

    answers = [starter.communicate(timeout=60)[0] for starter in starters]

    assert answers[0] == answers[1]
    assert int(answers[0]) == stack.status(home).processes["supervisor"]


def test_stack_json_is_private(home: Path) -> None:
    _up(home)

    assert (home / "stack.json").stat().st_mode & 0o777 == 0o600


def test_a_server_that_cannot_start_is_named_and_the_rest_is_stopped(home: Path) -> None:
    family = _family(_up(home))
    stack.down(home)
    journal = home / "data" / "valkey" / "appendonlydir"
    journal.rename(home / "aside")
    journal.write_text("in the way")

    with pytest.raises(StackError, match=r"valkey ended with code 1 .*valkey\.log"):
        _up(home)

    assert stack.status(home).phase == "stopped"
    assert not [process for process in family if is_alive(process)]
    journal.unlink()
    (home / "aside").rename(journal)
