"""Ports are free, ours, and stay."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.failures import StackError
from deploy.local.layout import open_layout
from deploy.local.ports import GRPC_OFFSET, HIGHEST, LOWEST, choose_ports, is_free


@contextmanager
def _listening(port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def test_they_differ_and_leave_room_for_the_admin_servers_grpc(tmp_path: Path) -> None:
    ports = choose_ports(open_layout(tmp_path), api_port=0)

    taken = [*ports.values(), ports["admin"] + GRPC_OFFSET]
    assert len(set(taken)) == len(taken)
    assert all(LOWEST <= port < HIGHEST for port in ports.values())
    assert all(is_free(port) for port in taken)


def test_they_are_kept_from_start_to_start(tmp_path: Path) -> None:
    layout = open_layout(tmp_path)

    assert choose_ports(layout, api_port=0) == choose_ports(layout, api_port=0)


def test_one_that_somebody_took_is_replaced_alone(tmp_path: Path) -> None:
    layout = open_layout(tmp_path)
    before = choose_ports(layout, api_port=0)

    with _listening(before["valkey"]):
        after = choose_ports(layout, api_port=0)

    assert {name for name in before if before[name] != after[name]} == {"valkey"}


def test_a_port_that_was_asked_for_is_taken_or_refused(tmp_path: Path) -> None:
    layout = open_layout(tmp_path)

    with _listening(0) as port, pytest.raises(StackError, match=f"port {port} is in use"):
        choose_ports(layout, api_port=port)

    assert choose_ports(layout, api_port=port)["api"] == port
    assert choose_ports(layout, api_port=None)["api"] == port
