"""Headers of every answer, and the one page that runs a script."""

import asyncio
import base64
import hashlib
import re

import httpx
import pytest
from fastapi import FastAPI

from shared.settings import Settings
from shared.web.documentation import add_documentation
from shared.web.front.headers import NOTHING, SecureHeaders
from shared.web.front.request_ids import request_id
from tests.unit.shared.front.test_rates import GIVEN


def completed(given: dict[str, str], **settings: str) -> dict[str, str]:
    secure = SecureHeaders(Settings.model_validate({**GIVEN, **settings}))
    headers = secure.completed([(k.encode(), v.encode()) for k, v in given.items()])
    assert len({name for name, _ in headers}) == len(headers), "each header once"
    return {name.decode(): value.decode() for name, value in headers}


def test_an_answer_is_completed() -> None:
    headers = completed({"content-type": "application/json"})
    assert headers["content-security-policy"] == NOTHING
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_what_a_route_says_itself_stays() -> None:
    headers = completed({"content-security-policy": "its own", "etag": '"1"'})
    assert headers["content-security-policy"] == "its own"
    assert "cache-control" not in headers


def test_only_https_is_made_to_last() -> None:
    headers = completed({}, public_url="https://lesiongan.lab.example")
    assert headers["strict-transport-security"].startswith("max-age=")


def test_the_documentation_allows_its_own_script_only() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_documentation(app)

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/docs")

    response = asyncio.run(get())
    policy = response.headers["content-security-policy"]
    scripts = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
    assert scripts
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(src|href)=\"(https?:)?//", response.text), "nothing from elsewhere"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("4bf92f3577b34da6", True),
        ("trace:1/2-3_4+5=6", True),
        ("short", False),
        ("x" * 129, False),
        ("with space 123", False),
        ('quote"12345678', False),
    ],
)
def test_a_well_formed_request_id_is_kept(given: str, kept: bool) -> None:
    found = request_id({"headers": [(b"x-request-id", given.encode())]})
    assert (found == given) is kept
    assert kept or re.fullmatch(r"req_[0-9a-f]{24}", found)
