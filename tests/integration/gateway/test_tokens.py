"""Tokens of an OIDC issuer, over HTTP: what opens a door, what does not, and who came in."""

import json
import threading
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from services.app import app
from shared.db.engine import Sessions
from shared.db.tables import KeyRow
from shared.web.front.rates import Rates
from tests.integration.conftest import KeyMaker
from tests.integration.gateway.conftest import Trust
from tests.integration.gateway.issuer import TestIssuer
from tests.integration.shared.builders import queued
from tests.integration.statements import statements
from tests.unit.shared.oidc.signing import Signer, claims

pytestmark = pytest.mark.usefixtures("trust", "sessions")


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}".strip()}


def is_refused(response: httpx.Response, said: str = "") -> None:
    """A 401 as keys have it."""
    assert response.status_code == 401, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"
    assert said in response.json()["detail"]


# What opens a door.
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("lesiongan-read", (200, 403, 403)),
        ("lesiongan-submit", (200, 404, 403)),
        ("lesiongan-admin", (200, 404, 200)),
    ],
)
def test_a_role_opens_what_its_scope_includes(
    anonymous: httpx.Client, issuer: TestIssuer, role: str, expected: tuple[int, ...]
) -> None:
    headers = issuer.headers(roles=["offline_access", role])
    answers = (
        anonymous.get("/jobs", headers=headers),
        anonymous.post("/jobs/job_none/cancel", headers=headers),
        anonymous.get("/keys", headers=headers),
    )
    assert tuple(each.status_code for each in answers) == expected
    body = anonymous.post("/keys", json={"name": "n"}, headers=headers)
    assert body.status_code == (201 if expected[2] == 200 else 403), "before the body is read"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_issuers_sign_in_different_ways(
    anonymous: httpx.Client, issuer: TestIssuer, algorithm: str
) -> None:
    issuer.signer = Signer(algorithm)
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200


def test_roles_may_stand_deep_in_a_token(
    anonymous: httpx.Client, issuer: TestIssuer, trust: Trust
) -> None:
    trust(oidc_roles_claim="realm_access.roles")
    deep = issuer.headers(roles=None, realm_access={"roles": ["lesiongan-read"]})
    assert anonymous.get("/jobs", headers=deep).status_code == 200
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 403


def test_a_token_without_a_role_is_told_so(
    anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    for roles in (["somebody-else"], [], None):
        response = anonymous.get("/jobs", headers=issuer.headers(roles=roles))
        assert response.status_code == 403
        assert "no role for LesionGAN in its claim roles" in response.json()["detail"]
    with sessions() as session:
        assert session.scalars(select(KeyRow)).all() == []


def test_keys_open_doors_beside_tokens(client: httpx.Client, issuer: TestIssuer) -> None:
    assert client.get("/jobs").status_code == 200
    assert issuer.asked == []


# What does not.
def confused(issuer: TestIssuer) -> str:
    """Signed with HS256, and the public key as its secret."""
    public = issuer.signer.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    header, payload = ({"alg": "HS256", "kid": "first"}, claims(issuer.url))
    parts = [jwt.utils.base64url_encode(json.dumps(each).encode()) for each in (header, payload)]
    signing = b".".join(parts)
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signing, pem.encode()
    )
    return b".".join([signing, jwt.utils.base64url_encode(signature)]).decode()


def stranger(issuer: TestIssuer, **headers: Any) -> str:
    """Signed with somebody else's key, under the issuer's name for its own."""
    return Signer("RS256", kid="stranger").sign(claims(issuer.url), kid="first", **headers)


def changed(issuer: TestIssuer) -> str:
    """Its claims are not those that were signed."""
    header, _, signature = issuer.token().split(".")
    _, payload, _ = issuer.token(roles=["lesiongan-admin"]).split(".")
    return f"{header}.{payload}.{signature}"


def wrong_tokens(issuer: TestIssuer) -> dict[str, str]:
    """Everything that must not open a door, by what it is."""
    now = claims(issuer.url)["iat"]
    own = Signer("RS256", kid="stranger")
    unsigned = jwt.encode(claims(issuer.url), "", algorithm="none", headers={"kid": "first"})
    return {
        "of another issuer": issuer.token(iss="https://issuer.example"),
        "of an issuer with a similar name": issuer.token(iss=issuer.url + "/"),
        "of no issuer": issuer.token(iss=None),
        "for another audience": issuer.token(aud="account"),
        "for no audience": issuer.token(aud=None),
        "expired": issuer.token(exp=now - 31),
        "without an end": issuer.token(exp=None),
        "not valid yet": issuer.token(nbf=now + 120),
        "made in the future": issuer.token(iat=now + 120),
        "of nobody": issuer.token(sub=None),
        "of an empty name": issuer.token(sub=""),
        "unsigned": unsigned,
        "unsigned, under another name": unsigned.rpartition(".")[0] + ".AAAA",
        "signed with the public key": confused(issuer),
        "signed by a stranger": stranger(issuer),
        "signed by a stranger who brings his key": stranger(issuer, jwk=own.jwk),
        "signed by a stranger who says where his key is": stranger(
            issuer, jku=issuer.url + "/stranger"
        ),
        "signed with an unknown key": own.sign(claims(issuer.url)),
        "signed with a key of no name": own.sign(claims(issuer.url), kid=None),
        "changed": changed(issuer),
        "cut": issuer.token()[:-1],
        "one that demands what nobody knows": issuer.signer.sign(
            claims(issuer.url), crit=["x"], x=1
        ),
        "for a logout": issuer.signer.sign(claims(issuer.url), typ="logout+jwt"),
        "no token": "nonsense",
        "a key of another form": "xlg_" + "0" * 40,
        "empty": "",
    }


def test_wrong_tokens_open_nothing(
    anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    assert anonymous.get("/jobs", headers=issuer.headers()).status_code == 200
    for what, token in wrong_tokens(issuer).items():
        response = anonymous.get("/jobs", headers=bearing(token))
        assert response.status_code == 401, (what, response.text)
        is_refused(response)
        body = anonymous.post("/keys", content=b"{", headers=bearing(token))
        assert body.status_code == 401, what
    assert not any("stranger" in path for path in issuer.asked)
    with sessions() as session:
        assert len(session.scalars(select(KeyRow)).all()) == 1


def test_what_is_wrong_with_a_token_is_said(anonymous: httpx.Client, issuer: TestIssuer) -> None:
    wrong = wrong_tokens(issuer)
    for what, said in {
        "expired": "expired",
        "not valid yet": "not valid yet",
        "of another issuer": "another issuer",
        "for another audience": "another audience",
        "unsigned": "not signed with one of RS256",
        "signed with an unknown key": "its issuer does not have",
        "empty": "send a key or a token",
    }.items():
        is_refused(anonymous.get("/jobs", headers=bearing(wrong[what])), said)


def test_clocks_may_differ_a_little(anonymous: httpx.Client, issuer: TestIssuer) -> None:
    now = claims(issuer.url)["iat"]
    early = issuer.headers(iat=now + 15, nbf=now + 15)
    late = issuer.headers(exp=now - 5)
    assert anonymous.get("/jobs", headers=early).status_code == 200
    assert anonymous.get("/jobs", headers=late).status_code == 200


def test_without_an_issuer_tokens_open_nothing(
    anonymous: httpx.Client, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.state.web.__dict__, "tokens", None)
    is_refused(anonymous.get("/jobs", headers=issuer.headers()), "send a key: ")
    assert issuer.asked == []


# Who came in.
def rows(sessions: Sessions) -> list[KeyRow]:
    with sessions() as session:
        return list(session.scalars(select(KeyRow).where(KeyRow.issuer.is_not(None))))


def test_a_subject_is_one_caller(
    client: httpx.Client, anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    subject = "anna.smith@lab.example"
    for roles in (["lesiongan-submit"], ["lesiongan-admin"], ["lesiongan-read"]):
        headers = issuer.headers(sub=subject, roles=roles)
        assert anonymous.get("/jobs", headers=headers).status_code == 200
    anonymous.get("/jobs", headers=issuer.headers(sub="somebody else"))
    row, other = sorted(rows(sessions), key=lambda row: row.created_at)
    assert (row.scopes, row.issuer) == ([], issuer.url)
    assert row.name == "oidc:080d06597aca", "as printf %s SUBJECT | sha256sum | cut -c1-12 says"
    assert other.name != row.name
    assert subject not in str(vars(row))
    shown = client.get(f"/keys/{row.id}").json()
    assert (shown["issuer"], shown["scopes"]) == (issuer.url, [])
    assert shown["last_used_at"] is not None


def test_jobs_usage_and_audit_name_the_subjects_row(
    client: httpx.Client, anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    headers = issuer.headers(roles=["lesiongan-submit"])
    made = anonymous.post("/webhooks", json={"url": "https://127.0.0.1/"}, headers=headers)
    assert made.status_code == 422
    (row,) = rows(sessions)
    job_id = queued(sessions)
    anonymous.post(f"/jobs/{job_id}/cancel", headers=headers)
    usage = client.get("/usage", params={"key": row.id}).json()["items"]
    assert [each["key"] for each in usage] == [row.id]
    deadline = time.monotonic() + 10
    found: list[dict[str, Any]] = []
    while len(found) < 2 and time.monotonic() < deadline:
        found = client.get("/audit", params={"key": row.id}).json()["items"]
        time.sleep(0.02)
    assert {each["action"] for each in found} == {"create_webhook", "cancel_job"}


def test_a_subject_has_a_quota(
    client: httpx.Client, anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    headers = issuer.headers(roles=["lesiongan-submit"])
    assert anonymous.get("/jobs", headers=headers).status_code == 200
    (row,) = rows(sessions)
    quota = {"quota": {"queued_jobs": 0}}
    assert client.patch(f"/keys/{row.id}", json=quota).status_code == 200
    fields = {"layout": "folders", "name": "a test's"}
    archive = {"file": ("a.zip", b"PK\x05\x06" + bytes(18))}
    refused = anonymous.post("/datasets", data=fields, files=archive, headers=headers)
    assert refused.status_code == 429, refused.text
    assert refused.json()["quota"] == "queued_jobs"


def test_first_uses_at_once_make_one_row(
    base_url: str, issuer: TestIssuer, sessions: Sessions
) -> None:
    statuses: list[int] = []
    begin = threading.Barrier(8)
    headers = issuer.headers()

    def ask() -> None:
        begin.wait()
        answer = httpx.get(f"{base_url}/jobs", headers=headers, trust_env=False, timeout=30)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert len(rows(sessions)) == 1


def test_a_subject_is_shut_out_by_its_row(
    client: httpx.Client, anonymous: httpx.Client, issuer: TestIssuer, sessions: Sessions
) -> None:
    headers = issuer.headers(roles=["lesiongan-admin"])
    assert anonymous.get("/keys", headers=headers).status_code == 200
    (row,) = rows(sessions)
    address = f"/keys/{row.id}"
    client.patch(address, json={"expires_at": "2020-01-01T00:00:00Z"})
    is_refused(anonymous.get("/keys", headers=headers), "expired")
    client.patch(address, json={"expires_at": None})
    assert anonymous.get("/keys", headers=headers).status_code == 200
    assert client.post(f"{address}/rotate").status_code == 409
    assert client.delete(address).status_code == 204
    is_refused(anonymous.get("/keys", headers=headers), "shut out")
    assert client.post(f"{address}/rotate").status_code == 409
    is_refused(anonymous.get("/keys", headers=issuer.headers()), "shut out")
    assert len(rows(sessions)) == 1
    other = issuer.headers(sub="another")
    assert anonymous.get("/jobs", headers=other).status_code == 200


def test_admins_of_the_issuer_do_not_stand_in_for_the_last_admin_key(
    client: httpx.Client, anonymous: httpx.Client, issuer: TestIssuer
) -> None:
    headers = issuer.headers(roles=["lesiongan-admin"])
    listed = anonymous.get("/keys", headers=headers).json()["items"]
    (own,) = (each["id"] for each in listed if each["issuer"] is None)
    assert anonymous.delete(f"/keys/{own}", headers=headers).status_code == 409


# What it costs, and how often one may ask.
def test_a_token_costs_the_database_what_a_key_costs(
    anonymous: httpx.Client, issuer: TestIssuer, make_headers: KeyMaker
) -> None:
    costs = []
    for headers in (make_headers("read"), issuer.headers()):
        assert anonymous.get("/jobs/none", headers=headers).status_code == 404
        with statements(app.state.web.engine) as sent:
            assert anonymous.get("/jobs/none", headers=headers).status_code == 404
        costs.append(len(sent))
    assert costs[0] == costs[1]


def test_tokens_of_a_subject_have_one_rate(
    anonymous: httpx.Client, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = app.state.front
    limits = {"requests_per_second": 0.001, "request_burst": 4, "failed_keys_per_minute": 3}
    rates = Rates(front.web.settings.model_copy(update=limits))
    monkeypatch.setitem(front.__dict__, "rates", rates)
    tokens = [issuer.headers(jti=str(number)) for number in range(2)]
    answers = [anonymous.get("/jobs", headers=headers).status_code for headers in tokens * 3]
    assert answers == [200, 200, 200, 200, 429, 429]
    for _ in range(3):
        is_refused(anonymous.get("/jobs", headers=bearing(stranger(issuer))))
    assert anonymous.get("/jobs", headers=issuer.headers(sub="b")).status_code == 429
