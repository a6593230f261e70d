"""Ports for the stack: free ones of our own choice, kept from one start to the next."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from deploy.local.failures import StackError
from deploy.local.files import read_object, write_private
from deploy.local.layout import Layout

LOOPBACK = "127.0.0.1"
API_PORT = 8000
# SeaweedFS' own worker looks for the admin server's gRPC port there, whatever it was told.
GRPC_OFFSET = 10_000
SERVER_PORTS = (
    "postgres",
    "valkey",
    "s3",
    "s3_grpc",
    "master",
    "master_grpc",
    "volume",
    "volume_grpc",
    "filer",
    "filer_grpc",
    "admin",
)
# Below the kernel's range for outgoing connections (32768 and up on Linux), where any client on
# the machine might sit on the port of a server that is just being restarted.
LOWEST, HIGHEST = 12_000, 22_000


def choose_ports(layout: Layout, *, api_port: int | None) -> dict[str, int]:
    """A free port for every server and for `api`, recorded in the home folder.

    `api_port`: None takes the recorded one, else 8000, else any; 0 takes the recorded one, else
    any; another number is taken or refused (StackError).
    """
    recorded = {
        name: port
        for name, port in (read_object(layout.ports) or {}).items()
        if isinstance(port, int)
    }
    taken: set[int] = set()
    ports = {name: _server_port(name, recorded, taken) for name in SERVER_PORTS}
    ports["api"] = _api_port(api_port, recorded, taken)
    write_private(layout.ports, ports)
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that linger from an earlier server are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return not _sockets(port)


def remove_sockets(ports: dict[str, int]) -> None:
    """Remove what a killed SeaweedFS on these ports left in the machine's temporary folder."""
    grpc = [port for name, port in ports.items() if name.endswith("_grpc")]
    for port in (*grpc, ports["admin"] + GRPC_OFFSET):
        for left in _sockets(port):
            left.unlink(missing_ok=True)


def _sockets(port: int) -> list[Path]:
    """SeaweedFS' sockets for its gRPC on this port; it does not let us choose their place."""
    return list(Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"))  # noqa: S108


def _server_port(name: str, recorded: dict[str, int], taken: set[int]) -> int:
    def usable(port: int) -> bool:
        pair = [port, port + GRPC_OFFSET] if name == "admin" else [port]
        return not taken & set(pair) and all(is_free(one) for one in pair)

    candidates = [recorded[name]] if name in recorded else []
    candidates += random.sample(range(LOWEST, HIGHEST), 200)
    for port in candidates:
        if usable(port):
            taken.update({port, port + GRPC_OFFSET} if name == "admin" else {port})
            return port
    raise StackError(f"no free port for {name} between {LOWEST} and {HIGHEST}")


def _api_port(asked: int | None, recorded: dict[str, int], taken: set[int]) -> int:
    if asked:
        if not is_free(asked):
            raise StackError(f"port {asked} is in use; choose another with --port")
        return asked
    if "api" in recorded and recorded["api"] not in taken and is_free(recorded["api"]):
        return recorded["api"]
    if asked is None and is_free(API_PORT):
        return API_PORT
    return _server_port("api", {}, taken)
