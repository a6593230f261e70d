"""Makes the servers ready: migrations, the bucket, the first key. ``python -m deploy.prepare``.

Run once before anything serves; running it again changes nothing.
"""

import os
import socket
import sys
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError

from deploy.migrations.run import upgrade
from shared.db.engine import make_engine, make_sessions
from shared.errors import LesionGanError
from shared.settings import Settings, get_settings
from shared.storage.port import StoreUnavailable
from shared.storage.s3 import S3Store
from shared.web.auth import ensure_key


def prepare(settings: Settings, *, api_key: str | None = None) -> None:
    """Upgrade the schema, make the bucket and, if ``api_key`` is given, an admin key of it."""
    reach(settings.s3_endpoint, default_port=443 if settings.s3_secure else 80)
    upgrade(settings.database_url)
    _make_bucket(settings)
    if api_key is None:
        return
    engine = make_engine(settings.database_url)
    with make_sessions(engine)() as session:
        ensure_key(session, key=api_key, name="bootstrap", scopes=["admin"])
        session.commit()
    engine.dispose()


def reach(endpoint: str, *, default_port: int) -> None:
    """Try the address once: the client tries a wrong one for a minute before it says so.

    Raises :class:`StoreUnavailable`.
    """
    try:
        address = urlsplit(f"//{endpoint}")
        where = (address.hostname or "", address.port or default_port)
        socket.create_connection(where, timeout=5).close()
    except (OSError, ValueError) as error:
        raise StoreUnavailable(
            f"the object store does not answer: LESIONGAN_S3_ENDPOINT is {endpoint}: {error}"
        ) from error


def _make_bucket(settings: Settings) -> None:
    try:
        S3Store(settings).ensure_bucket()
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"{error.detail}: LESIONGAN_S3_ENDPOINT is {settings.s3_endpoint}"
        ) from error


def main() -> None:
    """Prepare by the environment's settings; ``LESIONGAN_BOOTSTRAP_KEY`` is the first key."""
    try:
        prepare(get_settings(), api_key=os.environ.get("LESIONGAN_BOOTSTRAP_KEY"))
    except LesionGanError as error:
        sys.exit(f"prepare: {error.detail}")
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[-1]
        sys.exit(f"prepare: the database does not answer: {why}")


if __name__ == "__main__":
    main()
