"""Loopback is no boundary on a shared machine: nothing opens without its secret."""

import http.client
import io
import os
import socket
import ssl
import stat
import time
import urllib.parse
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.local.ports import GRPC_OFFSET
from deploy.local.postgres import PostgresFolder
from deploy.local.servers import Servers
from tests.integration.local.clients import object_store

ONCE = Retry(NoBackoff(), 0)
SECRET = b"an image of a patient"


@pytest.fixture(scope="module", autouse=True)
def stored(servers: Servers) -> str:
    """An object that nobody may read without a key; its name."""
    with object_store(servers.s3) as store:
        store.put_object(servers.s3["bucket"], "a/secret.bin", io.BytesIO(SECRET), len(SECRET))
    return "a/secret.bin"


def _tree(servers: Servers) -> list[psutil.Process]:
    roots = [psutil.Process(pid) for pid in servers.processes.values()]
    return [*roots, *(child for root in roots for child in root.children(recursive=True))]


def test_nothing_listens_off_loopback(servers: Servers) -> None:
    listening = {
        connection.laddr.ip
        for process in _tree(servers)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def _listening_ports(servers: Servers) -> set[int]:
    return {
        connection.laddr.port
        for process in _tree(servers)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_every_port_is_one_that_we_chose(servers: Servers) -> None:
    chosen = {port for name, port in servers.ports.items() if name != "api"}
    chosen.add(servers.ports["admin"] + GRPC_OFFSET)

    # SeaweedFS's admin port opens some time after S3 serves.
    deadline = time.monotonic() + 20
    while (listening := _listening_ports(servers)) < chosen and time.monotonic() < deadline:
        time.sleep(0.1)

    assert listening == chosen


@pytest.mark.parametrize("password", ["wrong", ""])
def test_postgres_refuses_a_wrong_password(servers: Servers, password: str) -> None:
    dsn = servers.postgres_dsn.replace(servers.credentials.postgres_password, password)

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(dsn, connect_timeout=5)


def test_postgres_stores_scram_and_asks_for_it_everywhere(servers: Servers) -> None:
    with psycopg.connect(servers.postgres_dsn) as connection:
        stored = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolcanlogin"
        ).fetchall()
        methods = connection.execute(
            "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        ).fetchall()

    assert [password.startswith("SCRAM-SHA-256$") for (password,) in stored] == [True]
    assert methods == [("scram-sha-256",)]


def test_the_socket_folder_of_postgres_is_closed(servers: Servers) -> None:
    root = Path(servers.credentials.postgres_folder or servers.layout.data / "postgres")
    folder = PostgresFolder(root)

    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.socket.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs it himself")
def test_postgres_is_not_root(servers: Servers) -> None:
    assert psutil.Process(servers.processes["postgres"]).uids().effective != 0


@pytest.mark.parametrize("password", [None, "wrong"])
def test_valkey_refuses_a_wrong_password(servers: Servers, password: str | None) -> None:
    client = redis.Redis(port=servers.ports["valkey"], password=password, retry=ONCE)
    try:
        with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            client.ping()
    finally:
        client.close()


def _get(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_s3_refuses_anonymous_reads(servers: Servers, stored: str) -> None:
    bucket = servers.s3["bucket"]

    for path in ("/", f"/{bucket}", f"/{bucket}/{stored}"):
        status, body = _get(servers.ports["s3"], path)
        assert status == 403
        assert SECRET not in body


def test_s3_refuses_a_wrong_key(servers: Servers, stored: str) -> None:
    with (
        object_store(servers.s3 | {"secret_key": "wrong-wrong-wrong"}) as store,
        pytest.raises(Exception, match="SignatureDoesNotMatch"),
    ):
        store.get_object(servers.s3["bucket"], stored)


@pytest.mark.parametrize("port", ["filer", "volume", "master", "admin"])
def test_the_other_doors_of_seaweedfs_tell_nothing(
    servers: Servers, stored: str, port: str
) -> None:
    bucket = servers.s3["bucket"]
    paths = (f"/buckets/{bucket}/{stored}", "/buckets/", f"/{bucket}/{stored}", "/dir/assign")

    for path in paths:
        status, body = _get(servers.ports[port], path)
        assert status in {400, 401, 403, 404}, path
        assert SECRET not in body


def test_nobody_deletes_or_writes_without_a_key(servers: Servers, stored: str) -> None:
    bucket = servers.s3["bucket"]
    attempts = [
        ("master", "GET", f"/col/delete?collection={bucket}"),
        ("filer", "DELETE", f"/buckets/{bucket}/{stored}"),
        ("filer", "PUT", f"/buckets/{bucket}/{stored}"),
        ("s3", "DELETE", f"/{bucket}/{stored}"),
        ("s3", "PUT", f"/{bucket}/{stored}"),
    ]

    for port, method, path in attempts:
        status, _ = _get(servers.ports[port], path, method)
        assert status in {401, 403, 404, 405}, (port, method)

    with object_store(servers.s3) as store:
        response = store.get_object(bucket, stored)
        assert response.read() == SECRET
        response.close()


def test_a_volume_gives_nothing_for_a_file_id_without_a_token(
    servers: Servers, stored: str
) -> None:
    # The first ids that a volume gives out, with any cookie: a token is asked for before it looks.
    for path in ("/1,0100000000", "/2,0100000000"):
        status, body = _get(servers.ports["volume"], path)
        assert status == 401
        assert SECRET not in body


@pytest.mark.parametrize("port", ["master_grpc", "volume_grpc", "filer_grpc", "s3_grpc"])
def test_grpc_wants_our_certificate(servers: Servers, port: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    address = ("127.0.0.1", servers.ports[port])

    with (
        socket.create_connection(address, timeout=5) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate"),
        context.wrap_socket(plain) as connection,
    ):
        connection.recv(1)  # in TLS 1.3 the refusal comes after the client's handshake


@pytest.mark.parametrize("port", ["master_grpc", "volume_grpc", "filer_grpc", "s3_grpc"])
def test_grpc_says_nothing_in_plain_text(servers: Servers, port: str) -> None:
    with socket.create_connection(("127.0.0.1", servers.ports[port]), timeout=5) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        answer = plain.recv(64)

    # Nothing, or TLS' own refusal (an alert record); never a frame of HTTP/2.
    assert answer == b"" or answer[0] == 0x15


def test_the_files_with_secrets_are_private(servers: Servers) -> None:
    home = servers.layout.home
    private = [servers.layout.secrets, *home.glob("data/*/*.conf"), *home.glob("data/*/grpc.*")]

    assert len(private) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_no_secret_is_on_a_command_line(servers: Servers) -> None:
    secrets = [
        servers.credentials.postgres_password,
        servers.credentials.valkey_password,
        servers.credentials.s3_secret_key,
        urllib.parse.quote(servers.credentials.api_key),
    ]
    lines = [" ".join(process.cmdline()) for process in _tree(servers)]

    assert not [line for line in lines if any(secret in line for secret in secrets)]
