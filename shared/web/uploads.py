"""Archives streamed from the request into the store: never whole in memory or on disk."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from shared.datasets.dicom_stripping import is_dicom, stripped
from shared.datasets.removal import delete_objects
from shared.db.tables import UploadRow
from shared.errors import BadInput, TooLarge
from shared.ids import new_id
from shared.storage.parts import PART_BYTES, part_key
from shared.storage.port import ObjectStore
from shared.web.front.body import allow_body
from shared.web.png_header import read_header

MAX_FIELD_BYTES = 10_000
MAX_FIELDS = 20
#: Of a form, beside its file.
MAX_FORM_BYTES = 1 << 20
#: Of an image that is sent alone: four times a large CT slice of 2,048 by 2,048.
MAX_PIXELS = 1 << 24
SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")


@dataclass
class Form:
    """A multipart form whose file went to the store."""

    fields: dict[str, str]
    upload: UploadRow | None


async def receive(request: Request, store: ObjectStore, *, max_bytes: int) -> Form:
    """Read a multipart form; the part named ``file`` is streamed into the store.

    Whatever ends early leaves no object behind, while the store answers. Raises :class:`BadInput`
    for a form that is not one, and :class:`TooLarge` for a file of more than ``max_bytes``.
    """
    allow_body(request.scope, max_bytes + MAX_FORM_BYTES)
    sink = _PartsSink(store, new_id("up"), max_bytes)
    try:
        form = await _parse(request, sink)
    except BaseException:
        await run_in_threadpool(sink.discard)
        raise
    return form


def discard(store: ObjectStore, upload: UploadRow) -> None:
    """Remove the parts of an upload that no job needs."""
    delete_objects(store, _part_keys(upload.id, upload.parts))


def _part_keys(upload_id: str, parts: int) -> list[str]:
    return [part_key(upload_id, number) for number in range(parts)]


async def _parse(request: Request, sink: "_PartsSink") -> Form:
    reader = _FormReader(_boundary(request))
    async for data in _file_data(request, reader):
        _require_archive(reader.file_name)  # before all of it has come
        await sink.write(data)
    if reader.file_name is None:
        return Form(reader.fields, None)
    _require_archive(reader.file_name)
    return Form(reader.fields, await sink.finish())


def _boundary(request: Request) -> bytes:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    if not options.get(b"boundary"):
        raise BadInput("send multipart/form-data with a boundary")
    return options[b"boundary"]


async def _file_data(request: Request, reader: "_FormReader") -> AsyncIterator[bytes]:
    """Bytes of the form's file as they come; the fields are in ``reader`` then."""
    try:
        async for chunk in request.stream():
            reader.parser.write(chunk)
            for data in reader.take_file_data():
                yield data
        reader.parser.finalize()
    except FormParserError as error:
        raise BadInput(f"the multipart form is damaged: {error}") from None
    except ClientDisconnect:
        raise BadInput("the upload broke off") from None
    if not reader.complete:
        raise BadInput("the multipart form ends too early")


def _require_archive(file_name: str | None) -> None:
    name = PurePosixPath((file_name or "").replace("\\", "/")).name.lower()
    if not name.endswith(SUFFIXES):
        raise BadInput("the file must be a .zip, .tar or .tar.gz archive")


@dataclass
class _Part:
    name: str = ""
    file_name: str | None = None
    headers: dict[str, bytes] = field(default_factory=dict)
    value: bytearray = field(default_factory=bytearray)


class _FormReader:
    """Callbacks of the parser: small fields are kept, the file's bytes are passed on."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.complete = False
        self._part = _Part()
        self._header = bytearray()
        self._header_value = bytearray()
        self._file_data: list[bytes] = []
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }
        self.parser = MultipartParser(boundary, callbacks)

    def take_file_data(self) -> list[bytes]:
        """Bytes of the file since the last call."""
        taken, self._file_data = self._file_data, []
        return taken

    def _begin(self) -> None:
        self._part = _Part()

    def _end_header(self) -> None:
        self._part.headers[self._header.decode("latin-1").lower()] = bytes(self._header_value)
        self._header.clear()
        self._header_value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        if self._part.name != "file" or self.file_name is not None:
            raise BadInput("send one file, in the form's field `file`")
        self._part.file_name = options[b"filename"].decode("utf-8", "replace")
        self.file_name = self._part.file_name

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self._file_data.append(data[start:end])
            return
        self._part.value.extend(data[start:end])
        if len(self._part.value) > MAX_FIELD_BYTES:
            raise TooLarge(f"a form field has more than {MAX_FIELD_BYTES} bytes")

    def _end_part(self) -> None:
        if self._part.file_name is None:
            try:
                self.fields[self._part.name] = self._part.value.decode()
            except UnicodeDecodeError:
                raise BadInput("a form field is not UTF-8") from None
        if len(self.fields) > MAX_FIELDS:
            raise BadInput(f"a form has at most {MAX_FIELDS} fields")

    def _end(self) -> None:
        self.complete = True


class _PartsSink:
    """Cuts a stream of bytes into parts in the store."""

    def __init__(self, store: ObjectStore, upload_id: str, max_bytes: int) -> None:
        self._store = store
        self._id = upload_id
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._parts = 0

    async def write(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > self._max_bytes:
            raise TooLarge(f"an upload has at most {self._max_bytes} bytes")
        self._buffer.extend(data)
        while len(self._buffer) >= PART_BYTES:
            part = bytes(self._buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            await run_in_threadpool(self._put, part)

    async def finish(self) -> UploadRow:
        if self._bytes == 0:
            raise BadInput("the file is empty")
        if self._buffer:
            await run_in_threadpool(self._put, bytes(self._buffer))
        return UploadRow(
            id=self._id,
            bytes=self._bytes,
            parts=self._parts,
            part_bytes=PART_BYTES,
            sha256=self._digest.hexdigest(),
        )

    def discard(self) -> None:
        delete_objects(self._store, _part_keys(self._id, self._parts))

    def _put(self, part: bytes) -> None:
        self._digest.update(part)
        self._store.put(part_key(self._id, self._parts), part)
        self._parts += 1


async def receive_image(request: Request, *, max_bytes: int, dicom: bool = False) -> bytes:
    """The image that a request carries: its body, or the form's field ``file``.

    ``dicom``: a DICOM file is taken too, and nothing but its picture is passed on. Raises
    :class:`BadInput` for what is neither, and :class:`TooLarge` above ``max_bytes`` or
    ``MAX_PIXELS``: a small file may state a huge image.
    """
    allow_body(request.scope, max_bytes + MAX_FORM_BYTES)
    data = bytearray()
    async for piece in _image_bytes(request):
        data.extend(piece)
        if len(data) > max_bytes:
            raise TooLarge(f"an image has at most {max_bytes} bytes")
    if not data:
        raise BadInput("send an image as the request's body, or in the form's field `file`")
    if dicom and is_dicom(data):
        limits = {"max_pixels": MAX_PIXELS, "max_bytes": max_bytes}
        return await run_in_threadpool(stripped, bytes(data), **limits)
    header = read_header(bytes(data))
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width}x{header.height}"
        raise TooLarge(f"the image is {size} px, and at most {MAX_PIXELS} pixels are taken")
    return bytes(data)


async def _image_bytes(request: Request) -> AsyncIterator[bytes]:
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"multipart/form-data":
        reader = _FormReader(_boundary(request))
        async for data in _file_data(request, reader):
            yield data
        if reader.fields:
            names = ", ".join(reader.fields)
            raise BadInput(f"options are query parameters, not fields of the form: {names}")
        return
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise BadInput("the image broke off") from None
