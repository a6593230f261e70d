"""The secrets of one installation: made once, kept 0600, never printed but the API key."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, fields

from deploy.local.certificates import make_certificate
from deploy.local.failures import StackError
from deploy.local.files import read_object, write_private
from deploy.local.layout import Layout

BUCKET = "lesiongan"
REGION = "us-east-1"
DATABASE = "lesiongan"
DATABASE_USER = "lesiongan"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything that guards the stack against the other users of the machine.

    `installation_secret` keys the HMACs (patients' pseudonyms): with another one, the same
    patient gets another name, so it must outlive everything else in the home folder.
    `postgres_folder` is where PostgreSQL's data are if not in the home folder, else empty.
    """

    postgres_password: str
    valkey_password: str
    s3_access_key: str
    s3_secret_key: str
    installation_secret: str
    api_key: str
    volume_write_key: str
    volume_read_key: str
    filer_write_key: str
    filer_read_key: str
    grpc_certificate: str
    grpc_private_key: str
    postgres_folder: str


def load_or_make(layout: Layout, *, postgres_folder: str) -> Credentials:
    """The credentials of this home; made at the first call.

    Raises StackError if the file was damaged, rather than locking the data out with new ones.
    """
    content = read_object(layout.secrets)
    if content is None:
        if layout.secrets.exists():
            raise StackError(f"{layout.secrets} is damaged; restore it, or delete {layout.home}")
        made = _generate(postgres_folder)
        write_private(layout.secrets, asdict(made))
        return made
    names = {field.name for field in fields(Credentials)}
    if not names <= content.keys():
        missing = ", ".join(sorted(names - content.keys()))
        raise StackError(f"{layout.secrets} lacks {missing}; restore it, or delete {layout.home}")
    return Credentials(**{name: str(content[name]) for name in names})


def _generate(postgres_folder: str) -> Credentials:
    certificate, private_key = make_certificate("lesiongan-local")
    return Credentials(
        postgres_password=secrets.token_hex(24),
        valkey_password=secrets.token_hex(24),
        s3_access_key=secrets.token_hex(10),
        s3_secret_key=secrets.token_hex(20),
        installation_secret=secrets.token_hex(32),
        api_key=f"lg_{secrets.token_urlsafe(32)}",
        volume_write_key=secrets.token_hex(32),
        volume_read_key=secrets.token_hex(32),
        filer_write_key=secrets.token_hex(32),
        filer_read_key=secrets.token_hex(32),
        grpc_certificate=certificate,
        grpc_private_key=private_key,
        postgres_folder=postgres_folder,
    )
