"""Routers pass on what cannot be theirs without trying their routes' patterns, and nothing else."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Match

from shared.web.routing import Router


def answering(*paths: str, prefix: str = "") -> Router:
    """A router whose routes say their paths."""
    router = Router(prefix=prefix)
    for path in paths:
        router.add_api_route(path, lambda path=path: path, methods=["GET"])
    return router


def asked(
    path: str, *routers: APIRouter, method: str = "GET", root_path: str = ""
) -> httpx.Response:
    """What an API of the routers answers."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.request(method, path)

    return asyncio.run(ask())


def scope(path: str) -> dict[str, object]:
    return {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": ""}


def test_each_path_is_answered_by_its_own_router() -> None:
    routers = answering("", "/{gan}", prefix="/gans"), answering("/", "/a", "/a/b", "/a/{c}/d")
    wanted = {
        "/gans": "",
        "/gans/1": "/{gan}",
        "/": "/",
        "/a": "/a",
        "/a/b": "/a/b",
        "/a/x/d": "/a/{c}/d",
    }
    assert {path: asked(path, *routers).json() for path in wanted} == wanted
    assert asked("/gan", *routers).status_code == asked("/a/b/c/d", *routers).status_code == 404
    assert asked("/a/b", *routers, method="POST").status_code == 405


def test_a_path_that_begins_otherwise_meets_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    router = answering("/a", "/a/{b}")

    def tried(*_: object) -> tuple[Match, dict[str, object]]:
        raise AssertionError("its patterns were tried")

    monkeypatch.setattr(APIRouter, "matches", tried)
    for path in ("/b", "/ab", "/", "*", ""):
        assert router.matches(scope(path)) == (Match.NONE, {})
    with pytest.raises(AssertionError, match="were tried"):
        router.matches(scope("/a/1"))


@pytest.mark.parametrize("router", [answering("/{any}"), answering("/{any:path}")])
def test_a_router_for_any_path_gets_them_all(router: Router) -> None:
    assert asked("/whatever", router).status_code == 200


def test_routers_within_a_router_are_asked() -> None:
    outer = answering("/a")
    outer.include_router(answering("/b"))
    assert asked("/b", outer).json() == "/b"


def test_behind_a_prefix_that_a_proxy_has_left_on() -> None:
    assert asked("/lab/a", answering("/a"), root_path="/lab").json() == "/a"
