"""Signing in to the console, and out."""

from datetime import timedelta
from typing import Annotated

from fastapi import Header, Request, Response

from lesiongan.contracts.console import SignInLink
from services.gateway.console import sessions
from services.gateway.console.pages_api import SIGN_IN
from shared.web.auth import Reader
from shared.web.routing import Router
from shared.web.sessions import key_of_session
from shared.web.state import SessionDep, StateDep, WebState
from shared.web.tickets import COOKIE, session_secret

router = Router(tags=["console"])


@router.post(
    "/console/links",
    summary="Make a link that signs in",
    operation_id="create_sign_in_link",
    status_code=201,
)
def create_link(caller: Reader, session: SessionDep, state: StateDep) -> SignInLink:
    """Open its `url` in a browser: it signs in with this key, once, while it is young.

    The secret stands after `#`, which browsers do not send: no server's log has it.
    """
    lifetime = timedelta(minutes=state.settings.sign_in_link_minutes)
    secret, expires_at = sessions.make_link(session, caller.key_id, lifetime)
    session.commit()
    address = state.settings.public_url.rstrip("/")
    return SignInLink(url=f"{address}{SIGN_IN}#{secret}", expires_at=expires_at)


@router.post("/console/session", include_in_schema=False, operation_id="sign_in")
def sign_in(caller: Reader, session: SessionDep, state: StateDep) -> Response:
    """By the key that the request carries."""
    return _signed_in(session, state, caller.key_id)


@router.post("/console/session/link", include_in_schema=False, operation_id="sign_in_by_link")
def sign_in_by_link(
    session: SessionDep, state: StateDep, x_lesiongan_link: Annotated[str, Header(max_length=100)]
) -> Response:
    """By a link's secret, in a header: no page of another origin can send one."""
    key_id = sessions.use_link(session, x_lesiongan_link)
    return _signed_in(session, state, key_id)


@router.get("/console/session", include_in_schema=False)
def get_session(request: Request, session: SessionDep) -> dict[str, bool]:
    """Whether there is a session: the browser does not tell its scripts."""
    secret = session_secret(request.scope)
    return {"signed_in": secret is not None and key_of_session(session, secret) is not None}


@router.delete("/console/session", include_in_schema=False, operation_id="sign_out")
def sign_out(_: Reader, request: Request, session: SessionDep, state: StateDep) -> Response:
    """The session ends for whoever has its cookie."""
    secret = session_secret(request.scope)
    if secret is not None:
        sessions.close_session(session, secret)
        session.commit()
    answer = Response(status_code=204)
    answer.delete_cookie(
        COOKIE, path="/", secure=_is_secure(state), httponly=True, samesite="strict"
    )
    return answer


def _signed_in(session: SessionDep, state: WebState, key_id: str) -> Response:
    lifetime = timedelta(hours=state.settings.session_hours)
    secret, _ = sessions.open_session(session, key_id, lifetime)
    session.commit()
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=_is_secure(state),
        httponly=True,
        samesite="strict",
    )
    return answer


def _is_secure(state: WebState) -> bool:
    return state.settings.public_url.startswith("https://")
