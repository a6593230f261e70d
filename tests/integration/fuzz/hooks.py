"""What Schemathesis cannot read in a schema, and what we check beyond its own checks.

The schema says of a body that it is a PNG or an archive, and of three fractions that each lies
between 0 and 1; that the PNG has pixels and that the fractions sum to 1 is said here, and so is
what one member of a body allows another to be.
"""

import copy
import io
import os
import struct
import uuid
import zipfile
import zlib
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.generation import GenerationMode

from tests.unit.preprocessing.dicom.builders import ct, written

#: HTTP's own, and the secure headers of every answer (shared/web/front/headers.py).
_EVERYWHERE = frozenset(
    {
        "content-length",
        "content-type",
        "date",
        "server",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "allow",
        "vary",
        "cache-control",
        "content-security-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
    }
)


def grey_png(side: int, value: int) -> bytes:
    """A square of one grey."""
    rows = (b"\0" + bytes([value]) * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def archive() -> bytes:
    """A data set of one image."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as target:
        target.writestr("images/liver/1.png", grey_png(32, 128))
    return sink.getvalue()


ARCHIVE = archive()
PICTURE = grey_png(32, 128)
schemathesis.openapi.media_type(
    "image/png", st.builds(grey_png, st.sampled_from([1, 28, 32, 64]), st.integers(0, 255))
)
schemathesis.openapi.media_type("application/dicom", st.builds(written, st.builds(ct)))


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Makes cases that the schema allows keep the rules which no schema can state."""
    if case.headers and "idempotency-key" in case.headers:
        # Another request with the same key is refused: that is what the key is for.
        case.headers["idempotency-key"] += uuid.uuid4().hex[:8]
    if case.operation.path == "/jobs/{job_id}/events" and _is_id(case):
        # No worker is here: the stream of a job that nobody works on has no end.
        httpx.post(
            f"{os.environ['LESIONGAN_FUZZ_URL']}/jobs/{case.path_parameters['job_id']}/cancel",
            headers={"Authorization": f"Bearer {os.environ['LESIONGAN_FUZZ_KEY']}"},
            trust_env=False,
        )
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if case.query:
        case.query.pop("cursor", None)  # one that a page of this list gave
        if case.query.get("layout") == "webdataset":
            case.query.pop("format", None)  # shards hold PNGs
    if isinstance(case.body, dict):  # its own copy: cases share what they were made of
        body: dict[str, Any] = copy.deepcopy(case.body)
        case.body = body
        if case.media_type == "multipart/form-data":
            body["file"] = ARCHIVE if case.operation.path == "/datasets" else PICTURE
            body.pop("neighbours", None)  # this archive's layout has none
            _stays_positive(case)
        else:
            _keep_rules(body)


def _stays_positive(case: Case[Any]) -> None:
    """Schemathesis looks at a changed body again, and takes bytes for no string."""
    if case.meta is not None:
        case.meta.generation.mode = GenerationMode.POSITIVE


def _is_id(case: Case[Any]) -> bool:
    return str((case.path_parameters or {}).get("job_id", "")).startswith("job_")


def _keep_rules(body: dict[str, Any]) -> None:
    if "url" in body:
        body["url"] = "https://127.0.0.1/hook"  # a receiver whose name is known here
    for training in (body, body.get("gan")):
        if isinstance(training, dict) and "pretrain_steps" in training:
            training["pretrain_steps"] = 0  # fewer than its steps
    if isinstance(body.get("manifest"), dict):
        manifest = body["manifest"]
        manifest["category"] = "liver"  # where its images do not say it
        manifest["images"] = manifest["images"][:1]  # each index once
        body["indices"] = [image["index"] for image in manifest["images"]]
    for holder in (body, body.get("preprocess")):
        if isinstance(holder, dict) and isinstance(holder.get("split"), dict):
            split = holder["split"]
            split.update(train=0.5, val=0.25, test=0.25)


@schemathesis.check
def every_header_is_documented(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """No answer carries a header that the document does not name."""
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if documented is None:
        return  # status_code_conformance names it
    while "$ref" in documented:
        node: Any = case.operation.schema.raw_schema
        for part in documented["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        documented = node
    named = {name.lower() for name in documented.get("headers", {})} | _EVERYWHERE
    unknown = sorted(name for name in response.headers if name.lower() not in named)
    assert not unknown, f"undocumented headers: {', '.join(unknown)}"
