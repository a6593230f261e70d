"""What tests of tokens add: an issuer, and services that trust it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.app import app
from shared.settings import Settings
from shared.web.oidc import Tokens
from shared.web.oidc.issuer import Issuer
from shared.web.oidc.known_keys import KnownKeys
from tests.integration.gateway.issuer import TestIssuer, issuing
from tests.unit.shared.oidc.signing import AUDIENCE

ROLES = "lesiongan-admin=admin,lesiongan-submit=submit,lesiongan-read=read"


class Clock:
    """Time between two questions to the issuer; it goes on when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer() -> Iterator[TestIssuer]:
    """An issuer of its own for each test."""
    with issuing() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    """By which the services ask for keys."""
    return Clock()


#: Makes the services trust an issuer; the members are settings.
Trust = Callable[..., None]


@pytest.fixture
def trust(
    base_url: str, issuer: TestIssuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Trust:
    """See :data:`Trust`."""
    state = app.state.web

    def now(**members: Any) -> None:
        given = {
            **state.settings.model_dump(),
            "oidc_issuer": issuer.url,
            "oidc_audience": AUDIENCE,
            "oidc_roles": ROLES,
            **members,
        }
        settings = Settings.model_validate(given)
        asker = Issuer(settings, timeout_seconds=10)
        known = KnownKeys(asker.key_set, now=clock)
        monkeypatch.setitem(state.__dict__, "tokens", Tokens(settings, known))

    now()
    return now
