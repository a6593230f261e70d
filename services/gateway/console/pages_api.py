"""The console's pages and files. A page has no data: they need a session all the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from services.gateway.console.rendering import STATIC, Visitor, rendered
from shared.web.routing import Router
from shared.web.sessions import key_of_session
from shared.web.state import StateDep, WebState
from shared.web.tickets import session_secret

SIGN_IN = "/console/sign-in"
_FILES = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Page:
    """An address, and the template that it shows."""

    path: str
    template: str
    title: str


PAGES = (
    Page("/", "home", "Now"),
    Page("/console/datasets", "datasets", "Data sets"),
    Page("/console/datasets/{dataset_id}", "dataset", "Data set"),
    Page("/console/datasets/{dataset_id}/images/{index}", "image", "Image"),
    Page("/console/gans", "gans", "GANs"),
    Page("/console/gans/{gan_id}", "gan", "GAN"),
    Page("/console/generate", "generate", "Generate"),
    Page("/console/experiments", "experiments", "Experiments"),
    Page("/console/experiments/{experiment_id}", "experiment", "Experiment"),
    Page("/console/classify", "classify", "Classify"),
    Page("/console/jobs", "jobs", "Jobs"),
    Page("/console/jobs/{job_id}", "job", "Job"),
)

router = Router()


def _show(page: Page) -> Callable[[Request, WebState], Awaitable[Response]]:
    async def show(request: Request, state: StateDep) -> Response:
        visitor = await run_in_threadpool(_visitor, request, state)
        if visitor is None:
            return _to_sign_in(request)
        return rendered(page.template, visitor=visitor, title=page.title, subject=_subject(request))

    return show


def _subject(request: Request) -> str:
    """The id that the address names last, for the page's script."""
    return next(reversed(request.path_params.values()), "")


def _visitor(request: Request, state: WebState) -> Visitor | None:
    secret = session_secret(request.scope)
    if secret is None:
        return None
    with state.glances() as session:
        row = key_of_session(session, secret)
        return None if row is None else Visitor.of(row)


def _to_sign_in(request: Request) -> Response:
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = "" if where == "/" else f"?next={quote(where, safe='/')}"
    return RedirectResponse(SIGN_IN + query, status_code=303)


@router.get(SIGN_IN, include_in_schema=False)
async def show_sign_in() -> Response:
    """A form for a key. A link's secret comes after ``#``, which browsers do not send."""
    return rendered("sign-in", visitor=None, title="Sign in", subject="")


for _page in PAGES:
    router.add_api_route(_page.path, _show(_page), include_in_schema=False)
router.mount(STATIC, StaticFiles(directory=_FILES), name="console")
