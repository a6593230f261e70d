"""The three servers without the API and the workers: what integration tests run on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import account
from deploy.local.credentials import (
    BUCKET,
    REGION,
    Credentials,
    load_or_make,
)
from deploy.local.files import read_object
from deploy.local.layout import Layout, open_layout
from deploy.local.leftovers import clear_leftovers
from deploy.local.lock import hold
from deploy.local.ports import choose_ports, remove_sockets
from deploy.local.postgres import data_source, postgres_programs
from deploy.local.program import Program
from deploy.local.seaweedfs import endpoint, seaweedfs_program
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import redis_url, valkey_program


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and how to get in.

    `environment` is what a process of LesionGAN needs to use them. `processes` are the live
    pids by name. `supervisor.step()` starts again what died.
    """

    layout: Layout
    credentials: Credentials
    ports: dict[str, int]
    supervisor: Supervisor = field(repr=False)

    @property
    def postgres_dsn(self) -> str:
        return data_source(self.credentials, self.ports["postgres"])

    @property
    def redis_url(self) -> str:
        return redis_url(self.credentials, self.ports["valkey"])

    @property
    def s3(self) -> dict[str, str]:
        return s3_access(self.credentials, self.ports)

    @property
    def environment(self) -> dict[str, str]:
        return child_environment(self.credentials, self.ports)

    @property
    def processes(self) -> dict[str, int]:
        return self.supervisor.pids


def s3_access(credentials: Credentials, ports: dict[str, int]) -> dict[str, str]:
    """What an S3 client needs, as `stack.json` shows it."""
    return {
        "endpoint": endpoint(ports),
        "access_key": credentials.s3_access_key,
        "secret_key": credentials.s3_secret_key,
        "bucket": BUCKET,
        "region": REGION,
    }


def child_environment(credentials: Credentials, ports: dict[str, int]) -> dict[str, str]:
    """The LESIONGAN_ variables that shared.settings reads."""
    dsn = data_source(credentials, ports["postgres"])
    return {
        "LESIONGAN_DATABASE_URL": dsn.replace("postgresql://", "postgresql+psycopg://", 1),
        "LESIONGAN_REDIS_URL": redis_url(credentials, ports["valkey"]),
        "LESIONGAN_S3_ENDPOINT": endpoint(ports),
        "LESIONGAN_S3_SECURE": "false",
        "LESIONGAN_S3_ACCESS_KEY": credentials.s3_access_key,
        "LESIONGAN_S3_SECRET_KEY": credentials.s3_secret_key,
        "LESIONGAN_S3_BUCKET": BUCKET,
        "LESIONGAN_S3_REGION": REGION,
        "LESIONGAN_SECRET": credentials.installation_secret,
        "LESIONGAN_ENVIRONMENT": "local",
        "LESIONGAN_PUBLIC_URL": f"http://127.0.0.1:{ports['api']}",
    }


def open_credentials(layout: Layout) -> Credentials:
    """This home's credentials, made at the first start together with the place of the data."""
    chosen = account.outside_folder(layout.data, account.postgres_account())
    return load_or_make(layout, postgres_folder="" if chosen is None else str(chosen))


def server_programs(
    layout: Layout, credentials: Credentials, ports: dict[str, int]
) -> list[Program]:
    """SeaweedFS and Valkey first: they start by themselves while PostgreSQL makes its folder."""
    return [
        seaweedfs_program(layout, credentials, ports),
        valkey_program(layout, credentials, ports["valkey"]),
        *postgres_programs(layout, credentials, ports["postgres"]),
    ]


@contextmanager
def start_servers(home: Path | str) -> Iterator[Servers]:
    """PostgreSQL, Valkey and SeaweedFS on free ports; ended, data and all kept, on leaving.

    They also end when the calling thread's process is killed. Raises StackError.
    """
    layout = open_layout(home)
    with hold(layout):
        clear_leftovers(layout)
        credentials = open_credentials(layout)
        ports = choose_ports(layout, api_port=0)
        supervisor = Supervisor(server_programs(layout, credentials, ports), lambda: None)
        try:
            supervisor.run_until_ready()
            yield Servers(layout, credentials, ports, supervisor)
        finally:
            supervisor.stop()
            remove_sockets(ports)


def erase(home: Path | str) -> None:
    """Delete a stopped stack with all its data, also those that lie outside the home folder."""
    layout = open_layout(home)
    with hold(layout):
        outside = (read_object(layout.secrets) or {}).get("postgres_folder")
        if outside:
            shutil.rmtree(outside)
        shutil.rmtree(layout.home)
