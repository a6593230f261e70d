"""The issuer behind tokens: keys that change, an issuer that is away, answers that are no good."""

import asyncio
import gzip
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.certificates import make_certificate
from deploy.local.servers import Servers
from services.app import app
from shared.db.engine import Sessions
from shared.settings import Settings
from shared.web.oidc.issuer import MOST_BYTES, Issuer, NoAnswer
from shared.web.oidc.key_set import KeySet
from shared.web.oidc.known_keys import PAUSE_SECONDS
from tests.integration.gateway.conftest import ROLES, Clock, Trust
from tests.integration.gateway.issuer import DISCOVERY, JWKS, TestIssuer, issuing
from tests.live import live_api
from tests.unit.shared.oidc.signing import AUDIENCE, Signer, claims

pytestmark = pytest.mark.usefixtures("trust", "sessions")


def is_away(response: httpx.Response) -> None:
    """A 503 that says when to come again."""
    assert response.status_code == 503, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert 1 <= int(response.headers["retry-after"]) <= PAUSE_SECONDS


# Keys that change.
def test_a_rotated_key_is_found_without_a_restart(
    anonymous: httpx.Client, issuer: TestIssuer, clock: Clock
) -> None:
    old = issuer.headers()
    assert anonymous.get("/jobs", headers=old).status_code == 200
    issuer.signer = Signer("ES256", kid="second")
    clock.seconds += PAUSE_SECONDS
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200
    assert anonymous.get("/jobs", headers=old).status_code == 401, "its key was dropped"
    assert issuer.asked == [DISCOVERY, JWKS] * 2


def test_random_keys_do_not_hammer_the_issuer(anonymous: httpx.Client, issuer: TestIssuer) -> None:
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200
    for number in range(50):
        token = issuer.signer.sign(claims(issuer.url), kid=f"random-{number}")
        headers = {"Authorization": f"Bearer {token}"}
        assert anonymous.get("/jobs", headers=headers).status_code == 401
    assert issuer.asked == [DISCOVERY, JWKS]


def test_the_address_of_the_keys_may_be_given(
    anonymous: httpx.Client, issuer: TestIssuer, trust: Trust
) -> None:
    trust(oidc_jwks_url=issuer.url.replace("/realms/lab", JWKS))
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200
    assert issuer.asked == [JWKS]


# An issuer that is away.
def test_an_issuer_that_is_away_is_no_fault_of_the_client(
    anonymous: httpx.Client, issuer: TestIssuer, clock: Clock
) -> None:
    issuer.instead[DISCOVERY] = (500, {}, b"")
    for _ in range(3):
        is_away(anonymous.get("/jobs", headers=issuer.headers()))
        is_away(anonymous.post("/keys", content=b"{", headers=issuer.headers()))
    assert issuer.asked == [DISCOVERY]
    issuer.instead.clear()
    clock.seconds += PAUSE_SECONDS
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200


def test_known_keys_serve_while_the_issuer_is_away(
    anonymous: httpx.Client, trust: Trust, clock: Clock
) -> None:
    with issuing() as gone:
        trust(oidc_issuer=gone.url)
        known = gone.headers()
        assert anonymous.get("/jobs", headers=known).status_code == 200
    gone.signer = Signer("ES256", kid="second")
    clock.seconds += 3600
    for _ in range(3):
        assert anonymous.get("/jobs", headers=known).status_code == 200
        is_away(anonymous.get("/jobs", headers=gone.headers()))


def test_nobody_else_waits_for_a_slow_issuer(
    client: httpx.Client, base_url: str, issuer: TestIssuer
) -> None:
    """More wait than there are threads for requests: those with keys go on."""
    issuer.open.clear()

    async def run() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=base_url, trust_env=False, timeout=30, limits=limits
        ) as many:
            waiting = [
                asyncio.create_task(many.get("/jobs", headers=issuer.headers())) for _ in range(60)
            ]
            while not issuer.asked:
                await asyncio.sleep(0.01)
            for _ in range(5):
                answer = await many.get("/jobs", headers=dict(client.headers))
                assert answer.status_code == 200
            assert not any(task.done() for task in waiting)
            issuer.open.set()
            return [(await task).status_code for task in waiting]

    assert asyncio.run(run()) == [200] * 60
    assert issuer.asked == [DISCOVERY, JWKS]


def test_a_process_trusts_the_issuer_of_its_environment(
    servers: Servers, sessions: Sessions, issuer: TestIssuer, tmp_path: Path
) -> None:
    environment = {
        "LESIONGAN_OIDC_ISSUER": issuer.url,
        "LESIONGAN_OIDC_AUDIENCE": AUDIENCE,
        "LESIONGAN_OIDC_ROLES": ROLES,
        "LESIONGAN_OIDC_JWKS_URL": issuer.url.replace("/realms/lab", JWKS),
    }
    log = tmp_path / "api.log"
    with live_api(servers, sessions, log, **environment) as api:
        assert issuer.asked == []
        with api.client(headers=issuer.headers()) as bearer:
            assert bearer.get("/jobs").status_code == 200
            assert bearer.get("/keys").status_code == 403
    text = log.read_text()
    assert "Traceback" not in text
    assert issuer.token().split(".")[0] not in text


# Answers that are no good.
def document(**members: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps(members).encode()


def bad_answers(issuer: TestIssuer) -> dict[str, tuple[str, tuple[int, dict[str, str], bytes]]]:
    """What an issuer may answer where it should tell its keys."""
    keys = json.dumps({"keys": [issuer.signer.jwk], "x": "x" * MOST_BYTES}).encode()
    zipped = gzip.compress(json.dumps({"keys": [issuer.signer.jwk]}).encode())
    elsewhere = {"Location": f"{issuer.url}/elsewhere"}
    return {
        "huge": (JWKS, (200, {}, keys)),
        "compressed though it was not asked for": (
            JWKS,
            (200, {"Content-Encoding": "gzip"}, zipped),
        ),
        "a redirect": (JWKS, (302, elsewhere, b"")),
        "another redirect": (DISCOVERY, (307, elsewhere, b"")),
        "no JSON": (JWKS, (200, {}, b"<html>")),
        "not UTF-8": (JWKS, (200, {}, b'"\xff"')),
        "nested": (JWKS, (200, {}, b"[" * 100_000)),
        "cut": (JWKS, (200, {"Content-Length": "9999"}, b"{")),
        "no keys": (JWKS, document(keys=[])),
        "secret keys": (JWKS, document(keys=[{"kty": "oct", "kid": "first", "k": "AAAA"}])),
        "another issuer's": (DISCOVERY, document(issuer="https://x.example", jwks_uri=issuer.url)),
        "a file": (DISCOVERY, document(issuer=issuer.url, jwks_uri="file:///etc/passwd")),
        "plain http elsewhere": (
            DISCOVERY,
            document(issuer=issuer.url, jwks_uri="http://192.0.2.1/keys"),
        ),
        "no address": (DISCOVERY, document(issuer=issuer.url, jwks_uri="https://[")),
        "no address at all": (DISCOVERY, document(issuer=issuer.url)),
    }


def test_answers_that_are_no_good_count_as_none(
    anonymous: httpx.Client, issuer: TestIssuer, clock: Clock
) -> None:
    for what, (path, answer) in bad_answers(issuer).items():
        issuer.instead = {path: answer}
        clock.seconds += PAUSE_SECONDS
        response = anonymous.get("/jobs", headers=issuer.headers())
        assert response.status_code == 503, (what, response.text)
        is_away(response)
        assert "elsewhere" not in str(issuer.asked)
    issuer.instead = {}
    clock.seconds += PAUSE_SECONDS
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200
    # What was known before stays known.
    issuer.instead = dict([bad_answers(issuer)["huge"]])
    clock.seconds += 3600
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200


def test_an_answer_that_does_not_end_is_left(issuer: TestIssuer) -> None:
    issuer.open.clear()
    with pytest.raises(NoAnswer, match="TimeoutError"):
        asked(issuer.url, timeout_seconds=0.2)


def asked(url: str, *, timeout_seconds: float = 10, **members: Any) -> KeySet:
    """What an issuer answers to a process of these settings."""
    given = {
        **app.state.web.settings.model_dump(),
        "oidc_issuer": url,
        "oidc_audience": AUDIENCE,
        "oidc_roles": ROLES,
        **members,
    }
    made = Issuer(Settings.model_validate(given), timeout_seconds=timeout_seconds)
    return asyncio.run(made.key_set())


def test_https_is_to_whom_the_authorities_vouch_for(tmp_path: Path) -> None:
    certificate, key = make_certificate("localhost")
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    ours.write_text(certificate)
    theirs.write_text(f"{certificate}\n{key}")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(theirs)
    with issuing(tls) as issuer:
        assert set(asked(issuer.url, oidc_ca_file=ours)) == {"first"}
        with pytest.raises(NoAnswer, match="ConnectError"):
            asked(issuer.url)
        other_name = issuer.url.replace("localhost", "127.0.0.1")
        with pytest.raises(NoAnswer, match="ConnectError"):
            asked(other_name, oidc_ca_file=ours)
