"""Where a message may go: the address that was judged, whatever names and redirects say."""

import ssl
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import pytest
from sqlalchemy import update

from deploy.local.certificates import make_certificate
from shared.db.engine import Sessions
from shared.db.tables import DeliveryRow, WebhookRow
from shared.webhooks.target import Rules
from tests.integration.shared.builders import committed
from tests.integration.webhooks.builders import add_webhook, delivering, end_job, logged, make_due
from tests.integration.webhooks.receiver import Receiver, receiving

NOBODY = Rules(https_only=False)
LOOPBACK = Rules(allowed=[ip_network("127.0.0.0/8")], https_only=False)


class Names:
    """A resolver whose answers are given; the last one stays."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]]


def point(sessions: Sessions, webhook: str, url: str) -> None:
    query = update(WebhookRow).where(WebhookRow.id == webhook).values(url=url)
    committed(sessions, lambda session: session.execute(query))


def send(sessions: Sessions, url: str, **how: object) -> DeliveryRow:
    """The delivery of one event to ``url``, once it was attempted."""
    webhook = add_webhook(sessions, "http://127.0.0.1:9999/")
    point(sessions, webhook, url)
    end_job(sessions)
    with delivering(sessions, **how):  # type: ignore[arg-type]
        return logged(sessions)


def test_loopback_is_reached_only_if_it_is_allowed(sessions: Sessions, receiver: Receiver) -> None:
    refused = send(sessions, receiver.url, rules=NOBODY)
    assert receiver.received == []
    assert "internal" in refused.log[0]["error"]
    assert refused.log[0]["status"] is None


def test_a_name_that_turns_inward_after_it_was_added_is_not_followed(
    sessions: Sessions, receiver: Receiver
) -> None:
    names = Names("127.0.0.1")
    row = send(sessions, f"http://lab.example:{receiver.port}/", rules=NOBODY, resolve=names)
    assert receiver.received == []
    assert "internal" in row.log[0]["error"]
    assert names.asked == ["lab.example"]


def test_the_socket_goes_to_the_address_that_was_judged(
    sessions: Sessions, receiver: Receiver
) -> None:
    """The name is asked for once: a second answer cannot take the connection elsewhere."""
    only_first = Rules(allowed=[ip_network("127.0.0.1/32")], https_only=False)
    names = Names("127.0.0.1", "127.0.0.2")
    row = send(
        sessions, f"http://lab.example:{receiver.port}/in?x=1", rules=only_first, resolve=names
    )
    assert row.status == "delivered"
    assert names.asked == ["lab.example"]
    (request,) = receiver.received
    assert request.headers["host"] == f"lab.example:{receiver.port}"
    assert request.path == "/in?x=1"


def test_a_name_is_judged_anew_for_each_message(sessions: Sessions, receiver: Receiver) -> None:
    only_first = Rules(allowed=[ip_network("127.0.0.1/32")], https_only=False)
    names = Names("127.0.0.1", "127.0.0.2")
    webhook = add_webhook(sessions, "http://127.0.0.1:9999/")
    point(sessions, webhook, f"http://lab.example:{receiver.port}/")
    with delivering(sessions, rules=only_first, resolve=names, per_webhook=1):
        end_job(sessions)
        assert logged(sessions).status == "delivered"
        again = update(DeliveryRow).values(status="pending")
        committed(sessions, lambda session: session.execute(again))
        make_due(sessions)
        refused = logged(sessions, 2)
    assert "internal" in refused.log[1]["error"]
    assert len(receiver.received) == 1


def test_another_address_of_the_name_is_tried(sessions: Sessions, receiver: Receiver) -> None:
    """Of these three one has such a server."""

    def names(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1", "127.0.0.3"]

    row = send(sessions, f"http://lab.example:{receiver.port}/", resolve=names, rules=LOOPBACK)
    assert row.status == "delivered"


def test_proxies_of_the_environment_are_not_used(
    sessions: Sessions, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(sessions, receiver.url).status == "delivered"
        assert proxy.received == []


def test_who_listens_nowhere_is_told_so(sessions: Sessions) -> None:
    with receiving() as gone:
        pass
    assert "refused the connection" in send(sessions, gone.url).log[0]["error"]


def test_an_unknown_name_is_a_failure_that_may_pass(sessions: Sessions) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError

    row = send(sessions, "http://lab.example/", resolve=unknown)
    assert row.status == "pending"
    assert "not known" in row.log[0]["error"]


def test_https_is_to_the_name_and_its_certificate(sessions: Sessions, tmp_path: Path) -> None:
    certificate, key = make_certificate("lab.example")
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "key.pem").write_text(key)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    asked: list[str | None] = []
    theirs.sni_callback = lambda _socket, name, _context: asked.append(name)
    ours = ssl.create_default_context(cadata=certificate)
    with receiving(theirs) as receiver:
        to = partial(send, sessions, resolve=Names("127.0.0.1"), rules=LOOPBACK)
        trusted = to(f"https://lab.example:{receiver.port}/", tls=ours)
        assert trusted.status == "delivered", trusted.log
        assert asked == ["lab.example"]
        committed(sessions, lambda session: session.query(DeliveryRow).delete())
        committed(sessions, lambda session: session.query(WebhookRow).delete())
        other = to(f"https://other.example:{receiver.port}/", tls=ours)
        assert "TLS failed" in other.log[0]["error"]
        assert len(receiver.received) == 1
