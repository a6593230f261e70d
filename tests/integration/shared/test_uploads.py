"""Forms with a file, streamed into the store in parts."""

import asyncio
import hashlib
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.errors import BadInput, LesionGanError, TooLarge
from shared.storage.parts import PartsFile
from shared.storage.s3 import S3Store
from shared.web import uploads
from shared.web.uploads import Form, discard, receive, receive_image

PART = 1000
BOUNDARY = "cut-here"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)


@pytest.fixture(autouse=True)
def nothing_left(store: S3Store) -> Iterator[None]:
    """A test that keeps an upload discards it, so no part of its own may be left."""
    before = list(store.list("uploads/"))
    yield
    assert list(store.list("uploads/")) == before


def field(name: str, value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return b'--cut-here\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        name.encode(),
        content,
    )


def file(data: bytes, file_name: str = "a.zip", name: str = "file") -> bytes:
    return (
        b'--cut-here\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: application/zip\r\n\r\n%s\r\n"
    ) % (name.encode(), file_name.encode(), data)


END = b"--cut-here--\r\n"


def request(
    chunks: Sequence[bytes],
    *,
    kind: str = f"multipart/form-data; boundary={BOUNDARY}",
    breaks_off: bool = False,
) -> Request:
    """A request whose body arrives in ``chunks``."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append(
        {"type": "http.disconnect"} if breaks_off else {"type": "http.request", "body": b""}
    )
    arriving = iter(messages)

    async def receive_message() -> dict[str, Any]:
        return next(arriving)

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    return Request(scope, receive_message)


def received(store: S3Store, sent: Request, *, max_bytes: int = 100_000) -> Form:
    return asyncio.run(receive(sent, store, max_bytes=max_bytes))


def test_a_file_is_cut_into_parts(store: S3Store) -> None:
    data = bytes(range(256)) * 10
    body = field("layout", "folders") + file(data, "Patient Müller.ZIP") + field("name", "é") + END
    form = received(store, request([body]))
    assert form.fields == {"layout": "folders", "name": "é"}
    upload = form.upload
    assert upload is not None
    assert (upload.bytes, upload.parts, upload.part_bytes) == (2560, 3, PART)
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    assert PartsFile(store, upload.id, size=2560, part_bytes=PART).read() == data
    assert len(list(store.list(f"uploads/{upload.id}/"))) == 3
    discard(store, upload)


@hypothesis_settings(max_examples=25)
@given(
    data=st.binary(min_size=1, max_size=2 * PART + 1),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    file_first=st.booleans(),
)
def test_it_does_not_matter_how_the_bytes_arrive(
    store: S3Store, data: bytes, cuts: list[int], *, file_first: bool
) -> None:
    parts = [field("name", "n"), file(data, "a.tar.gz")]
    body = b"".join(parts[::-1] if file_first else parts) + END
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    chunks = [body[a:b] for a, b in pairwise(places)]
    form = received(store, request(chunks))
    assert form.fields == {"name": "n"}
    assert form.upload is not None
    assert form.upload.bytes == len(data)
    assert form.upload.sha256 == hashlib.sha256(data).hexdigest()
    discard(store, form.upload)


def test_a_form_may_have_no_file(store: S3Store) -> None:
    form = received(store, request([field("name", "n") + END]))
    assert (form.fields, form.upload) == ({"name": "n"}, None)


BIG = bytes(3 * PART)
BAD_FORMS: dict[str, tuple[Request, str]] = {
    "an empty file": (request([file(b"") + END]), "empty"),
    "two files": (request([file(BIG), file(BIG) + END]), "one file"),
    "a file in another field": (request([file(BIG, name="zip") + END]), "field `file`"),
    "a wrong suffix": (request([file(BIG, "a.exe") + END]), r"\.zip"),
    "a suffix in a folder's name": (request([file(BIG, "a.zip/b") + END]), r"\.zip"),
    "no suffix": (request([file(BIG, "zip") + END]), r"\.zip"),
    "no boundary": (request([END], kind="multipart/form-data"), "boundary"),
    "another boundary": (request([file(BIG).replace(b"cut-here", b"other")]), "damaged"),
    "a broken boundary": (request([file(BIG) + b"--cut-her"]), "too early"),
    "an end that never comes": (request([file(BIG)]), "too early"),
    "nothing": (request([]), "too early"),
    "a client that leaves": (request([file(BIG)], breaks_off=True), "broke off"),
    "a header that is none": (request([b"--cut-here\r\n\0\0\0: x\r\n\r\n"]), "damaged"),
    "too many headers": (request([b"--cut-here\r\n" + b"a: b\r\n" * 50]), "damaged"),
    "a header without end": (request([b"--cut-here\r\nA: " + b"x" * 50_000]), "damaged"),
    "a field that is not UTF-8": (request([field("name", b"\xff") + END]), "UTF-8"),
    "too many fields": (
        request([b"".join(field(f"f{n}", "x") for n in range(30)) + END]),
        "at most 20 fields",
    ),
}


@pytest.mark.parametrize("name", list(BAD_FORMS))
def test_a_form_that_is_none_leaves_nothing_behind(store: S3Store, name: str) -> None:
    sent, match = BAD_FORMS[name]
    with pytest.raises(BadInput, match=match):
        received(store, sent)


def test_a_wrong_file_is_refused_before_it_has_arrived(store: S3Store) -> None:
    sent = request([file(BIG, "a.exe")[:-2]])
    sent._receive = endless(sent)
    with pytest.raises(BadInput, match=r"\.zip"):
        received(store, sent)


def endless(sent: Request) -> Any:
    """The body of ``sent``, then more of the file for ever."""
    first = sent._receive

    started = False

    async def more() -> Any:
        nonlocal started
        if started:
            return {"type": "http.request", "body": bytes(100), "more_body": True}
        started = True
        return await first()

    return more


@pytest.mark.parametrize("chunk", [10, 100_000])
def test_a_file_that_is_too_large_leaves_nothing_behind(store: S3Store, chunk: int) -> None:
    body = file(bytes(5001)) + END
    chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    with pytest.raises(TooLarge, match="5000"):
        received(store, request(chunks), max_bytes=5000)
    form = received(store, request([file(bytes(5000)) + END]), max_bytes=5000)
    assert form.upload is not None
    discard(store, form.upload)


def test_a_field_that_is_too_large_is_refused(store: S3Store) -> None:
    with pytest.raises(TooLarge, match="form field"):
        received(store, request([field("name", "x" * 20_000) + END]))


def image(sent: Request, max_bytes: int = 1000) -> bytes:
    return asyncio.run(receive_image(sent, max_bytes=max_bytes))


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG that states this size; nothing of its pixels."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(5)


def test_an_image_is_the_body_or_a_file() -> None:
    png = png_of(4, 3)
    assert image(request([png[:5], png[5:]], kind="image/png")) == png
    assert image(request([png], kind="")) == png
    assert image(request([file(png, "a.png") + END])) == png


@pytest.mark.parametrize("file_first", [False, True])
def test_an_option_in_an_images_form_is_refused(*, file_first: bool) -> None:
    parts = [field("explain", "true"), file(png_of(4, 3), "a.png")]
    sent = request([b"".join(parts[::-1] if file_first else parts) + END])
    with pytest.raises(BadInput, match="query parameters, not fields of the form: explain"):
        image(sent)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (request([b""], kind="image/png"), BadInput),
        (request([field("x", "y") + END]), BadInput),
        (request([file(b"ab")]), BadInput),
        (request([file(b"ab") + END], kind="multipart/form-data"), BadInput),
        (request([b"ab"], kind="image/png", breaks_off=True), BadInput),
        (request([b"\xff\xd8 a JPEG " * 9], kind="image/png"), BadInput),
        (request([png_of(0, 8)], kind="image/png"), BadInput),
        (request([png_of(5000, 8000)], kind="image/png"), TooLarge),
        (request([bytes(1001)], kind="image/png"), TooLarge),
        (request([file(bytes(1001)) + END]), TooLarge),
    ],
)
def test_an_image_that_is_none_is_refused(sent: Request, error: type[LesionGanError]) -> None:
    with pytest.raises(error):
        image(sent)
