"""Signatures as Standard Webhooks 1.0 has them."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.pseudonyms import pseudonym
from shared.webhooks.signing import (
    OVERLAP,
    SECRET_BYTES,
    secret_of,
    shown,
    signed_headers,
    valid_secrets,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INSTALLATION = "0123456789abcdef"


def test_the_reference_librarys_own_example() -> None:
    """The vector in the tests of every ``standardwebhooks`` library."""
    headers = signed_headers(
        [base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_shown_as_receivers_libraries_read_it() -> None:
    secret = secret_of(INSTALLATION, "wh_1", 1)
    assert len(secret) == SECRET_BYTES
    assert 24 <= SECRET_BYTES <= 64
    prefix, _, encoded = shown(secret).partition("_")
    assert prefix == "whsec"
    assert base64.b64decode(encoded, validate=True) == secret


def test_every_webhook_version_and_installation_has_its_own_secret() -> None:
    made = [
        secret_of(installation, webhook, version)
        for installation in (INSTALLATION, INSTALLATION[::-1])
        for webhook in ("wh_1", "wh_2")
        for version in (1, 2)
    ]
    assert len(set(made)) == len(made)
    assert made[0] == secret_of(INSTALLATION, "wh_1", 1)


@given(st.text())
def test_no_patients_name_yields_a_secret_as_its_pseudonym(patient: str) -> None:
    for name in (patient, "webhook wh_1 1"):
        shown_of_patient = pseudonym(name, INSTALLATION)
        assert shown_of_patient is not None
        assert not secret_of(INSTALLATION, "wh_1", 1).hex().startswith(shown_of_patient)


def test_the_old_secret_signs_as_well_for_a_day() -> None:
    def secrets(age: timedelta) -> list[bytes]:
        return valid_secrets(INSTALLATION, "wh_1", 3, NOW - age, NOW)

    new, old = (secret_of(INSTALLATION, "wh_1", version) for version in (3, 2))
    assert secrets(timedelta(0)) == [new, old]
    assert secrets(OVERLAP - timedelta(seconds=1)) == [new, old]
    assert secrets(OVERLAP) == [new]
    assert valid_secrets(INSTALLATION, "wh_1", 3, None, NOW) == [new]


@given(st.binary(), st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3))
def test_each_secret_has_its_signature(body: bytes, secrets: list[bytes]) -> None:
    headers = signed_headers(secrets, message_id="msg_1", timestamp=7, body=body)
    signatures = headers["webhook-signature"].split(" ")
    assert len(signatures) == len(secrets)
    for secret, signature in zip(secrets, signatures, strict=True):
        digest = hmac.digest(secret, b"msg_1.7." + body, hashlib.sha256)
        assert signature == "v1," + base64.b64encode(digest).decode()
