"""Uploads and downloads, streamed."""

import io
import zipfile
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesiongan.client import StreamProgress
from lesiongan.client.generating import MemberCounter
from lesiongan.errors import ApiError, ClientError, ConnectionFailed
from tests.unit.sdk.fake_server import Pieces, Script, client_of, job, problem


def zip_of(names: list[str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, name * 50)
    return sink.getvalue()


def test_an_upload_sends_its_fields_first_and_says_how_far_it_is(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    archive = tmp_path / "scans.zip"
    archive.write_bytes(content)
    script = Script(httpx.Response(202, json=job()))
    sent: list[tuple[int, int]] = []
    client_of(script).datasets.upload(
        archive, layout="folders", name="our scans", on_progress=lambda *s: sent.append(s)
    )
    request = script.requests[0]
    body = request.read()
    places = [
        body.index(part) for part in (b'"layout"', b'"name"', b'filename="scans.zip"', content)
    ]
    assert places == sorted(places)
    assert int(request.headers["content-length"]) == len(body)
    assert sent[-1] == (len(content), len(content))
    assert len(sent) > 2


def test_an_upload_is_read_again_for_a_second_attempt(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"x" * 1000)
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(202, json=job()) if len(bodies) == 2 else httpx.Response(503)

    client_of(answer).datasets.upload(archive, layout="folders", name="a")
    assert all(b"x" * 1000 in body for body in bodies)


def test_an_upload_of_no_file(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="there is no file"):
        client_of(Script()).datasets.upload(tmp_path / "no.zip", layout="folders", name="a")


def test_a_streamed_zip_counts_what_arrives(tmp_path: Path) -> None:
    content = zip_of(["a.png", "b.png", "manifest.json"])
    pieces = [content[place : place + 7] for place in range(0, len(content), 7)]
    headers = {"x-job-id": "job_1", "x-gan-id": "gan_1", "x-seed": "9"}
    script = Script(httpx.Response(200, stream=Pieces(pieces), headers=headers))
    seen: list[StreamProgress] = []
    path = tmp_path / "liver.zip"
    made = client_of(script).generate_zip("liver", 2, path, on_progress=seen.append)
    assert path.read_bytes() == content
    assert (made.images, made.job, made.gan, made.seed) == (2, "job_1", "gan_1", 9)
    assert [p.images for p in seen] == sorted(p.images for p in seen)
    assert (seen[0].images, seen[-1].images) == (1, 2)
    assert dict(script.requests[0].url.params) == {"category": "liver", "n": "2"}


def test_a_stream_that_breaks_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "liver.zip"
    path.write_bytes(b"yesterday's")
    broken = httpx.RemoteProtocolError("incomplete chunked read")
    script = Script(httpx.Response(200, stream=Pieces([b"PK"], broken)))
    with pytest.raises(ConnectionFailed, match="broke off"):
        client_of(script).generate_zip("liver", 2, path)
    assert path.read_bytes() == b"yesterday's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_stream_is_a_problem(tmp_path: Path) -> None:
    script = Script(problem(409, "Conflict", "no GAN makes liver images: POST /gans"))
    with pytest.raises(ApiError, match="POST /gans"):
        client_of(script).generate_zip("liver", 2, tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_download_says_how_far_it_is(tmp_path: Path) -> None:
    answer = httpx.Response(200, content=b"abcdef")
    seen: list[tuple[int, int | None]] = []
    path = client_of(Script(answer)).gans.weights(
        "gan_1", tmp_path / "w", on_progress=lambda *s: seen.append(s)
    )
    assert path.read_bytes() == b"abcdef"
    assert seen[-1] == (6, 6)


@given(st.integers(0, 5), st.integers(1, 40))
def test_members_are_counted_across_pieces(members: int, size: int) -> None:
    content = zip_of([f"{n}.png" for n in range(members)])
    counter = MemberCounter()
    for place in range(0, len(content), size):
        counter.feed(content[place : place + size])
    assert counter.count == members


def test_a_preview_that_takes_longer_comes_with_its_job(tmp_path: Path) -> None:
    image = tmp_path / "slice.png"
    image.write_bytes(b"png in")
    script = Script(
        httpx.Response(202, json=job("running")),
        httpx.Response(200, json=job("succeeded")),
        httpx.Response(200, content=b"png out"),
    )
    assert client_of(script).preprocess_preview(image) == b"png out"
    assert script.requests[0].read() == b"png in"
    assert script.requests[2].url.path == "/jobs/job_1/result"
