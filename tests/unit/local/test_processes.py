"""Recognising processes, and children that die with their parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.local.processes import create_time, end_group, find, kill_trees, spawn, wait_gone
from tests.unit.local.programs import FOREVER, shell


def test_a_process_is_found_by_number_and_birth() -> None:
    born = create_time(os.getpid())

    found = find(os.getpid(), born)

    assert found is not None
    assert found.pid == os.getpid()


def test_a_later_process_with_the_number_is_another() -> None:
    assert find(os.getpid(), create_time(os.getpid()) - 60) is None


def test_a_dead_process_that_nobody_reaped_is_not_found(tmp_path: Path) -> None:
    child = spawn(shell(tmp_path, "short", "exit 0"))
    born = create_time(child.pid)
    end = time.monotonic() + 5
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end

    assert find(child.pid, born) is None
    end_group(child)


def test_a_tree_is_killed_whole(tmp_path: Path) -> None:
    child = spawn(shell(tmp_path, "tree", f"({FOREVER}) & {FOREVER}"))
    process = psutil.Process(child.pid)
    end = time.monotonic() + 5
    while not process.children():
        assert time.monotonic() < end
    below = process.children(recursive=True)

    kill_trees([process])

    assert wait_gone([process, *below], 0) == []
    end_group(child)


def test_the_log_takes_both_outputs_and_is_kept(tmp_path: Path) -> None:
    for _ in range(2):
        child = spawn(shell(tmp_path, "talker", "echo out; echo err >&2"))
        child.wait()
        end_group(child)

    assert (tmp_path / "talker.log").read_text().split() == ["out", "err"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_children_die_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
import pathlib, time
from deploy.local.processes import spawn
from tests.unit.local.programs import FOREVER, shell
child = spawn(shell(pathlib.Path({str(tmp_path)!r}), "orphan", FOREVER))
print(child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()

    assert wait_gone([child], 5) == []
