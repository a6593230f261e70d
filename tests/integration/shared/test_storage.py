"""The S3 adapter and files in parts, on the real server."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minio import Minio

from services.preprocessing.domain.archives import ArchiveLimits
from services.preprocessing.sources import PrefixSource
from shared.settings import Settings
from shared.storage.files import downloaded
from shared.storage.listing import listing_of
from shared.storage.parts import PartsFile, part_key
from shared.storage.port import ObjectMissing, StoreUnavailable
from shared.storage.s3 import CHUNK_BYTES, S3Store

FOREIGN = "foreign-bucket"


@pytest.fixture(scope="session")
def foreign(s3: Minio, settings: Settings) -> str:
    """Another bucket of the same store, with two objects."""
    if not s3.bucket_exists(FOREIGN):
        s3.make_bucket(FOREIGN, settings.s3_region)
    for name in ("lab/a.png", "lab/deep/b.png"):
        s3.put_object(FOREIGN, name, io.BytesIO(name.encode()), len(name))
    return FOREIGN


def test_what_is_put_is_got(store: S3Store, tmp_path: Path) -> None:
    store.put("t/object", b"first")
    store.put("t/object", b"second")
    assert store.get("t/object") == b"second"
    store.put("t/empty", b"")
    assert store.get("t/empty") == b""
    path = tmp_path / "file"
    path.write_bytes(b"from a file")
    store.put_file("t/file", path)
    assert store.get("t/file") == b"from a file"


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(0, 3, b"abc"), (2, 3, b"cde"), (5, 1, b"f"), (4, 100, b"ef"), (2, 0, b""), (0, 0, b"")],
)
def test_a_range_is_those_bytes(store: S3Store, offset: int, size: int, expected: bytes) -> None:
    store.put("t/range", b"abcdef")
    assert store.get_range("t/range", offset, size) == expected


def test_a_large_object_streams_in_chunks(store: S3Store) -> None:
    data = bytes(range(256)) * (10 * CHUNK_BYTES // 256) + b"end"
    store.put("t/large", data)
    chunks = list(store.stream("t/large"))
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= CHUNK_BYTES
    with downloaded(store, "t/large") as file:
        assert file.read() == data


def test_a_stream_that_is_left_gives_its_connection_back(store: S3Store) -> None:
    store.put("t/left", b"x" * (3 * CHUNK_BYTES))
    for _ in range(40):  # more than the pool has
        next(iter(store.stream("t/left")))
    assert store.get_range("t/left", 0, 1) == b"x"


def test_a_listing_is_complete_and_in_order(store: S3Store) -> None:
    names = [f"t/list/{number:03d}" for number in range(12)] + ["t/list/deep/er"]
    for name in names:
        store.put(name, name.encode())
    found = list(store.list("t/list/"))
    assert [entry.key for entry in found] == sorted(names)
    assert [entry.bytes for entry in found] == [len(name) for name in sorted(names)]
    before = found[0].etag
    store.put("t/list/000", b"changed!!!")
    assert next(iter(store.list("t/list/"))).etag != before
    assert list(store.list("t/no-such-prefix/")) == []


def test_what_is_missing_is_named(store: S3Store) -> None:
    for ask in (
        lambda: store.get("t/nothing"),
        lambda: store.get_range("t/nothing", 0, 1),
        lambda: list(store.stream("t/nothing")),
    ):
        with pytest.raises(ObjectMissing, match="t/nothing"):
            ask()


def test_deleting_twice_is_no_error(store: S3Store) -> None:
    store.put("t/gone", b"x")
    store.delete("t/gone")
    store.delete("t/gone")
    with pytest.raises(ObjectMissing):
        store.get("t/gone")


def test_another_bucket_can_be_read(store: S3Store, foreign: str) -> None:
    assert [entry.key for entry in store.list("lab/", bucket=foreign)] == [
        "lab/a.png",
        "lab/deep/b.png",
    ]
    assert store.open_foreign(foreign, "lab/a.png") == b"lab/a.png"


@pytest.mark.parametrize("bucket", ["no-such-bucket", "a..b", "b" * 80, "Upper_Case"])
def test_a_bucket_that_cannot_be_is_missing(store: S3Store, bucket: str) -> None:
    with pytest.raises(ObjectMissing):
        list(store.list("lab/", bucket=bucket))
    with pytest.raises(ObjectMissing):
        store.open_foreign(bucket, "lab/a.png")


@pytest.mark.parametrize("end", ["", "/"])
def test_what_lies_in_a_folder_beside_is_not_below(
    store: S3Store, settings: Settings, end: str
) -> None:
    store.put("study/a.png", b"1")
    store.put("study-old/b.png", b"22")
    address = f"{settings.s3_bucket}/study{end}"
    found = listing_of(store, address)
    assert found is not None
    assert found.bytes == 1
    assert PrefixSource(store, address, ArchiveLimits()).names() == ["a.png"]


def test_a_name_that_climbs_is_missing(store: S3Store, foreign: str) -> None:
    with pytest.raises(ObjectMissing):
        store.open_foreign(foreign, "../secret")


def test_the_bucket_is_made_once(store: S3Store) -> None:
    store.ensure_bucket()
    store.ensure_bucket()
    store.check()


def test_a_store_that_is_away_says_so_without_its_address(settings: Settings) -> None:
    away = S3Store(settings.model_copy(update={"s3_endpoint": "127.0.0.1:1"}))
    with pytest.raises(StoreUnavailable) as caught:
        away.check()
    assert "127.0.0.1" not in caught.value.detail


def test_wrong_credentials_are_no_missing_object(settings: Settings) -> None:
    stranger = S3Store(settings.model_copy(update={"s3_access_key": "stranger"}))
    with pytest.raises(StoreUnavailable, match="refused"):
        stranger.get("t/object")


DATA = bytes(range(251)) * 4
PART = 100


@pytest.fixture(scope="session")
def upload(store: S3Store) -> str:
    """DATA in parts of PART bytes; the last one is shorter."""
    for number, start in enumerate(range(0, len(DATA), PART)):
        store.put(part_key("up_test", number), DATA[start : start + PART])
    return "up_test"


READS = st.lists(
    st.tuples(st.integers(-1100, 1100), st.sampled_from([0, 1, 2]), st.integers(-1, 400)),
    min_size=1,
    max_size=8,
)


@given(reads=READS, buffered=st.booleans())
def test_parts_read_like_one_file(
    store: S3Store, upload: str, reads: list[tuple[int, int, int]], *, buffered: bool
) -> None:
    raw = PartsFile(store, upload, size=len(DATA), part_bytes=PART)
    ours = io.BufferedReader(raw) if buffered else raw
    plain = io.BytesIO(DATA)
    for offset, whence, size in reads:
        base = (0, plain.tell(), len(DATA))[whence]
        if base + offset < 0:
            with pytest.raises((ValueError, OSError)):
                ours.seek(offset, whence)
            continue
        assert ours.seek(offset, whence) == plain.seek(base + offset)
        expected = plain.read(size)
        got = ours.read(size) or b""
        if not buffered and size > 0:  # a raw file may give less than is asked for, but something
            assert bool(got) == bool(expected)
            assert expected.startswith(got)
            ours.seek(plain.tell())
        else:
            assert got == expected
        assert ours.tell() == plain.tell()


def test_a_part_that_is_gone_is_missing(store: S3Store) -> None:
    file = PartsFile(store, "up_none", size=10, part_bytes=PART)
    with pytest.raises(ObjectMissing):
        file.read(1)
