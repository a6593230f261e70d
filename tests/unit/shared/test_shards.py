"""Shards are the tar files that ``tarfile`` would have written."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets import shards
from shared.datasets.records import ImageMeta, ImageRecord
from shared.datasets.shards import ShardWriter, read_shard

PNGS = st.lists(st.binary(min_size=1, max_size=1500), max_size=5)
META = ImageMeta(
    category="liver", split=None, patient=None, source="s", unit="uint8", width=1, height=1
)


@given(PNGS, st.integers(0, 10**7))
def test_every_byte_is_as_the_library_has_it(pngs: list[bytes], first_index: int) -> None:
    with ShardWriter(0, first_index=first_index) as writer:
        for png in pngs:
            writer.add(png, META, following=png[::-1])
        written = writer.close().data
    again = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(written)) as read,
        tarfile.open(fileobj=again, mode="w", format=tarfile.USTAR_FORMAT) as copy,
    ):
        members = read.getmembers()
        for member in members:
            plain = tarfile.TarInfo(member.name)
            plain.size = member.size
            copy.addfile(plain, read.extractfile(member))
    assert len(members) == 3 * len(pngs)
    assert again.getvalue() == written


@given(PNGS, st.integers(0, 10**5))
def test_what_is_read_is_what_was_written_as_far_as_it_is_there(
    pngs: list[bytes], length: int
) -> None:
    with ShardWriter(0, first_index=0) as writer:
        for png in pngs:
            writer.add(png, META, following=png[::-1])
        written = writer.close().data
    expected = list(zip(writer.records, pngs, strict=True))
    assert list(read_shard(io.BytesIO(written))) == expected
    read: list[tuple[ImageRecord, bytes]] = []
    end = len(written.rstrip(b"\0"))
    try:
        read.extend(read_shard(io.BytesIO(written[:length])))
    except tarfile.ReadError:
        assert length < len(written)
    else:
        assert length >= end, "an end that is too early is told"
    assert read == expected[: len(read)]


def test_a_shard_that_grows_goes_on_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written = []
    for limit in (10**9, 5000, 0):
        monkeypatch.setattr(shards, "IN_MEMORY_BYTES", limit)
        with ShardWriter(0, first_index=7) as writer:
            for number in range(9):
                writer.add(bytes([number]) * 700, META)
            shard = writer.close()
            written.append(shard.data or Path(str(shard.path)).read_bytes())
            assert bool(shard.data) == (limit == 10**9)
            assert (shard.bytes, shard.sha256) == (
                len(written[-1]),
                hashlib.sha256(written[-1]).hexdigest(),
            )
        assert list(tmp_path.iterdir()) == []
    assert written[0] == written[1] == written[2]
