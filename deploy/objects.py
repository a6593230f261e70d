"""Copies all objects out of the bucket or into it, as a tar: backups, and moves to another store.

python -m deploy.objects save > objects.tar
python -m deploy.objects load < objects.tar
"""

import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import BinaryIO

from shared.errors import LesionGanError
from shared.settings import get_settings
from shared.storage.port import ObjectMissing, ObjectStore
from shared.storage.s3 import S3Store

USAGE = "usage: python -m deploy.objects save > FILE | load < FILE"
#: Objects up to this size are held in memory, larger ones on disk.
SPOOL_BYTES = 32 << 20


def save(store: ObjectStore, target: BinaryIO) -> int:
    """Write every object to ``target``; how many there were.

    Objects never change, so it may run while jobs do: what a database dump names is here if the
    dump was made first. What is removed meanwhile is left out.
    """
    count = 0
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for listed in store.list(""):
            with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
                try:
                    file.writelines(store.stream(listed.key))
                except ObjectMissing:
                    continue
                entry = tarfile.TarInfo(listed.key)
                entry.size = file.tell()
                file.seek(0)
                archive.addfile(entry, file)
            count += 1
    return count


def load(store: ObjectStore, source: BinaryIO) -> int:
    """Put every object of ``source`` into the bucket; how many there were."""
    count = 0
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is None:
                continue
            with content, tempfile.NamedTemporaryFile() as file:
                shutil.copyfileobj(content, file)
                file.flush()
                store.put_file(entry.name, Path(file.name))
            count += 1
    return count


def main() -> None:
    """``save`` or ``load``, by the environment's settings."""
    try:
        store = S3Store(get_settings())
        if sys.argv[1:] == ["save"]:
            count = save(store, sys.stdout.buffer)
        elif sys.argv[1:] == ["load"]:
            store.ensure_bucket()
            count = load(store, sys.stdin.buffer)
        else:
            sys.exit(USAGE)
    except (LesionGanError, tarfile.TarError) as error:
        sys.exit(f"objects: {error}")
    sys.stderr.write(f"objects: {count} copied\n")


if __name__ == "__main__":
    main()
