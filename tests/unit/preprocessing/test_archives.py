"""Archives: what is read, and what is refused with which sentence."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.preprocessing.domain.archives import ArchiveLimits, open_archive
from shared.errors import BadInput

FILES = {
    "organ7/manifest.csv": b"file,category\n" * 20,
    "organ7/images/liver/1.png": os.urandom(3000),
    "organ7/images/bone/2.png": os.urandom(700),
}
HIDDEN = {"__MACOSX/organ7/._1.png": b"x", "organ7/.DS_Store": b"x", ".git/config": b"x"}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.mkdir("organ7")
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], special: tarfile.TarInfo | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo("./")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if special is not None:
            archive.addfile(special)
    return buffer.getvalue()


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    return gzip.compress(tarred(files))


Pack = Callable[[Mapping[str, bytes]], bytes]
KINDS: dict[str, Pack] = {"zip": zipped, "tar": tarred, "tar.gz": tar_gz}


@pytest.fixture(params=list(KINDS))
def pack(request: pytest.FixtureRequest) -> Pack:
    return KINDS[request.param]


def read_all(content: bytes, limits: ArchiveLimits | None = None) -> dict[str, bytes]:
    with open_archive(io.BytesIO(content), limits) as source:
        return {name: source.read(name) for name in source.names()}


def refusal(content: bytes, limits: ArchiveLimits | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read_all(content, limits)
    return caught.value.detail


def test_reads_regular_files_in_order(pack: Pack) -> None:
    contents = read_all(pack(HIDDEN | FILES))
    assert contents == FILES
    assert list(contents) == list(FILES)


def test_zip_members_are_listed_by_offset_not_by_directory() -> None:
    content = bytearray(zipped({"first": b"1" * 50, "second": b"2" * 60}, zipfile.ZIP_STORED))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.filelist.reverse()
        buffer = io.BytesIO(content)
        with zipfile.ZipFile(buffer, "a") as rewritten:
            rewritten.filelist.reverse()
            rewritten._didModify = True  # type: ignore[attr-defined]  # write the directory anew
    with open_archive(buffer) as source:
        assert list(source.names()) == ["first", "second"]


class RangedReader(io.BytesIO):
    """Counts requests as an object store would see them."""

    requests = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.requests += 1
        return super().read(size)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_many_small_files_take_few_requests(kind: str) -> None:
    files = {f"images/liver/{index}.png": os.urandom(500) for index in range(2000)}
    reader = RangedReader(KINDS[kind](files))
    with open_archive(reader) as source:
        assert sum(len(source.read(name)) for name in source.names()) == 1_000_000
    assert reader.requests < 12


def test_the_callers_file_stays_open(pack: Pack) -> None:
    file = io.BytesIO(pack(FILES))
    with open_archive(file) as source:
        source.read(source.names()[0])
    assert not file.closed


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_refused(pack: Pack, share: float) -> None:
    content = pack(FILES).rstrip(b"\0") if pack is tarred else pack(FILES)
    assert "truncated or damaged" in refusal(content[: int(len(content) * share)])


def test_a_tar_cut_between_two_members_is_refused() -> None:
    content = tarred({"a": b"x" * 512, "b": b"x" * 512})
    assert "truncated or damaged" in refusal(content[: 512 * 3])


def test_a_tar_with_a_damaged_header_is_refused() -> None:
    content = bytearray(tarred({"a": b"x" * 512, "b": b"x" * 512}))
    content[512 * 3 + 10] ^= 0xFF
    assert "truncated or damaged" in refusal(bytes(content))


def test_a_damaged_zip_member_is_refused_by_ordinal() -> None:
    content = bytearray(zipped(FILES, zipfile.ZIP_STORED))
    content[content.index(FILES["organ7/images/liver/1.png"]) + 5] ^= 0xFF
    assert refusal(bytes(content)).startswith("The ZIP archive is damaged at file 2:")


def test_anything_else_is_refused() -> None:
    assert "not a ZIP, tar or tar.gz" in refusal(b"hello" * 200)
    assert "not a ZIP, tar or tar.gz" in refusal(b"")


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "a\\..\\..\\evil"])
def test_climbing_paths_are_refused(pack: Pack, name: str) -> None:
    assert "climbs out" in refusal(pack({name: b"x"}))


@pytest.mark.parametrize("name", ["/etc/passwd", "C:\\evil", "\\\\server\\evil"])
def test_absolute_paths_are_refused(pack: Pack, name: str) -> None:
    assert "absolute path" in refusal(pack({name: b"x"}))


def test_the_same_path_twice_is_refused() -> None:
    assert "same path twice" in refusal(tarred({"a/b": b"1", "a//b": b"2"}))
    assert "same path twice" in refusal(zipped({"a/b": b"1", "a/./b": b"2"}))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.FIFOTYPE, "device"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, said: str) -> None:
    special = tarfile.TarInfo("special")
    special.type, special.linkname = kind, "/etc/passwd"
    assert said in refusal(tarred(FILES, special))


@pytest.mark.parametrize(
    ("mode", "said"), [(stat.S_IFLNK, "symbolic link"), (stat.S_IFCHR, "device")]
)
def test_links_and_devices_in_a_zip_are_refused(mode: int, said: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("special")
        member.external_attr = (mode | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    assert said in refusal(buffer.getvalue())


def test_encrypted_members_are_refused() -> None:
    content = bytearray(zipped({"a": b"secret"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    assert "encrypted" in refusal(bytes(content))


def test_unusual_zip_methods_are_refused() -> None:
    assert "deflate or store" in refusal(zipped(FILES, zipfile.ZIP_LZMA))


def test_too_many_files_are_refused(pack: Pack) -> None:
    assert "more than 3 files" in refusal(pack(FILES | HIDDEN), ArchiveLimits(max_files=3))


def test_too_much_expanded_content_is_refused(pack: Pack) -> None:
    assert "limit of 1.953 KiB" in refusal(pack(FILES), ArchiveLimits(max_expanded_bytes=2000))


def test_a_too_large_member_is_refused_by_ordinal(pack: Pack) -> None:
    limits = ArchiveLimits(max_member_bytes=100_000)
    detail = refusal(pack(FILES | {"large": os.urandom(200_000)}), limits)
    assert detail == "File 4 of the archive is 195.3 KiB; the limit for one file is 97.66 KiB."


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_compression_bombs_are_refused(kind: str) -> None:
    bomb = KINDS[kind]({"zeros": bytes(9 << 20)})
    assert len(bomb) < 20_000
    assert "compression bomb" in refusal(bomb)


def test_zip_members_that_share_data_are_refused() -> None:
    content = bytearray(zipped({"a": b"1" * 5000, "b": b"2" * 5000}, zipfile.ZIP_STORED))
    second = content.rindex(b"PK\x01\x02")
    first = content.rindex(b"PK\x01\x02", 0, second)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]  # same offset
    assert "share the same data" in refusal(bytes(content))


@settings(max_examples=150)
@given(
    kind=st.sampled_from(list(KINDS)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))),
    share=st.floats(0.3, 1),
)
def test_any_damage_is_either_harmless_or_bad_input(
    kind: str, changes: list[tuple[float, int]], share: float
) -> None:
    content = bytearray(KINDS[kind](FILES))
    for place, value in changes:
        content[int(place * len(content))] = value
    with suppress(BadInput):
        read_all(bytes(content[: int(share * len(content))]))
