"""The other ways in: a tar, and what already lies in the object store."""

import io
import tarfile
import zipfile
from pathlib import Path

from minio import Minio

from tests.e2e.api import Api
from tests.e2e.conftest import Stack


def _files(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_compressed_tar_gives_the_same_images(api: Api, raw: str, phantoms: Path) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz", compresslevel=1) as tar:
        for name, content in _files(phantoms).items():
            member = tarfile.TarInfo(f"phantoms/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    job = api.ended(api.upload(sink.getvalue(), "phantoms.tar.gz", "deeplesion"))
    made = api.json(f"/datasets/{api.dataset_of(job)}")
    known = api.json(f"/datasets/{raw}")
    assert made["counts"] == known["counts"]
    assert made["images"] == known["images"]


def test_a_prefix_of_a_bucket(stack: Stack, api: Api, raw: str, phantoms: Path) -> None:
    s3 = stack.description["s3"]
    minio = Minio(
        s3["endpoint"], s3["access_key"], s3["secret_key"], secure=False, region=s3["region"]
    )
    minio.make_bucket("lab")
    for name, content in _files(phantoms).items():
        minio.put_object("lab", f"study/{name}", io.BytesIO(content), len(content))
    command = {"name": "lab", "layout": "deeplesion", "source": {"s3": "lab/study"}}
    job = api.ended(api.post("/datasets", command))
    made = api.json(f"/datasets/{api.dataset_of(job)}")
    assert made["counts"] == api.json(f"/datasets/{raw}")["counts"]
    assert made["phantom"] is True


def test_prefixes_that_are_refused(stack: Stack, api: Api) -> None:
    def status(address: str) -> int:
        command = {"name": "x", "layout": "folders", "source": {"s3": address}}
        return api.post("/datasets", command).status_code

    assert status("no-such-bucket/prefix") == 404
    assert status(f"{stack.description['s3']['bucket']}/uploads") == 422
    assert status("../etc/passwd") == 422
