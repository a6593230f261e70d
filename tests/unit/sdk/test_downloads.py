"""Downloads that break off, go on, and are checked."""

import hashlib
from pathlib import Path

import httpx
import pytest

from lesiongan.errors import ConnectionFailed, UnexpectedAnswer
from tests.unit.sdk.fake_server import Pieces, Script, client_of

CONTENT = bytes(range(200))
TAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
CUT = httpx.ReadError("cut")
SUPPORTED = {"accept-ranges": "bytes", "etag": TAG, "content-length": "200"}


def first_part(**headers: str) -> httpx.Response:
    """An answer that breaks off after 120 bytes."""
    return httpx.Response(
        200, stream=Pieces([CONTENT[:50], CONTENT[50:120]], CUT), headers={**SUPPORTED, **headers}
    )


def rest(begin: int, *, says: int | None = None) -> httpx.Response:
    shown = begin if says is None else says
    headers = {"content-range": f"bytes {shown}-199/200", "etag": TAG}
    return httpx.Response(206, stream=Pieces([CONTENT[begin:]]), headers=headers)


def test_a_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    script = Script(first_part(), rest(120))
    path = tmp_path / "w"
    seen: list[int] = []
    client_of(script).gans.weights("gan_1", path, on_progress=lambda done, _: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert script.requests[1].headers["range"] == "bytes=120-"
    assert script.requests[1].headers["if-range"] == TAG
    assert seen == [50, 120, 200]


def test_two_downloads_of_one_path_at_once(tmp_path: Path) -> None:
    path = tmp_path / "w"
    pieces = Pieces([CONTENT[:50], CONTENT[50:]])
    first = client_of(Script(httpx.Response(200, stream=pieces, headers=SUPPORTED)))
    second = client_of(Script(httpx.Response(200, content=b"another")))
    between: list[bytes] = []

    def meanwhile(done: int, _: int | None) -> None:
        if done == 50:
            between.append(second.gans.weights("gan_2", path).read_bytes())

    first.gans.weights("gan_1", path, on_progress=meanwhile)
    assert between == [b"another"]
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_changed_is_sent_anew(tmp_path: Path) -> None:
    other = b"another file"
    tag = f'"{hashlib.sha256(other).hexdigest()}"'
    script = Script(first_part(), httpx.Response(200, content=other, headers={"etag": tag}))
    path = client_of(script).gans.weights("gan_1", tmp_path / "w")
    assert path.read_bytes() == other


@pytest.mark.parametrize("lacking", [{"accept-ranges": "none"}, {"etag": 'W/"1"'}])
def test_without_ranges_it_broke(tmp_path: Path, lacking: dict[str, str]) -> None:
    script = Script(first_part(**lacking))
    with pytest.raises(ConnectionFailed, match="broke off"):
        client_of(script).gans.weights("gan_1", tmp_path / "w")
    assert len(script.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_another_part_than_asked_for(tmp_path: Path) -> None:
    script = Script(first_part(), rest(120, says=100))
    with pytest.raises(UnexpectedAnswer, match="another part"):
        client_of(script).gans.weights("gan_1", tmp_path / "w")


def test_resuming_has_an_end(tmp_path: Path) -> None:
    nothing_more = [
        httpx.Response(206, stream=Pieces([], CUT), headers={"content-range": "bytes 120-199/200"})
        for _ in range(5)
    ]
    script = Script(first_part(), *nothing_more)
    with pytest.raises(ConnectionFailed):
        client_of(script).gans.weights("gan_1", tmp_path / "w")
    assert len(script.requests) == 6


def test_a_digest_that_does_not_fit_is_no_file(tmp_path: Path) -> None:
    tag = {"etag": f'"{"0" * 64}"'}
    with pytest.raises(UnexpectedAnswer, match="SHA-256"):
        client_of(Script(httpx.Response(200, content=CONTENT, headers=tag))).gans.weights(
            "gan_1", tmp_path / "w"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_file_to_write_to(tmp_path: Path) -> None:
    script = Script()
    with pytest.raises(IsADirectoryError):
        client_of(script).gans.weights("gan_1", tmp_path)
    assert script.requests == [], "it is said before anything is sent"


def test_a_body_that_is_shorter_than_announced(tmp_path: Path) -> None:
    answer = httpx.Response(200, stream=Pieces([b"abc"]), headers={"content-length": "9"})
    with pytest.raises(UnexpectedAnswer, match="3 of 9 bytes"):
        client_of(Script(answer)).gans.weights("gan_1", tmp_path / "w")
