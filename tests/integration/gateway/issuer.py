"""An OIDC issuer: a real HTTP server on loopback that tells its keys as it is told."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.shared.oidc.signing import Signer, claims

DISCOVERY = "/realms/lab/.well-known/openid-configuration"
JWKS = "/realms/lab/certs"


@dataclass
class TestIssuer:
    """What it answers next, and what it was asked."""

    __test__ = False

    url: str = ""
    signer: Signer = field(default_factory=lambda: Signer("RS256", kid="first"))
    #: In place of what an issuer answers, by path: a status, headers and a body.
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: While it is clear, answers are held back.
    open: threading.Event = field(default_factory=threading.Event)

    def token(self, **members: Any) -> str:
        """A token that is good unless the members say otherwise."""
        return self.signer.sign(claims(self.url, **members))

    def headers(self, **members: Any) -> dict[str, str]:
        """What carries such a token."""
        return {"Authorization": f"Bearer {self.token(**members)}"}

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        self.open.wait(20)
        if path in self.instead:
            return self.instead[path]
        documents = {
            DISCOVERY: {"issuer": self.url, "jwks_uri": self.url.replace("/realms/lab", JWKS)},
            JWKS: {"keys": [self.signer.jwk]},
        }
        status = 200 if path in documents else 404
        return status, {}, json.dumps(documents.get(path)).encode()


@contextmanager
def issuing(tls: ssl.SSLContext | None = None) -> Iterator[TestIssuer]:
    """An issuer that answers until the block ends."""
    state = TestIssuer()
    state.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = state.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away, or spoke no TLS, is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    scheme, host = "http", "127.0.0.1"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme, host = "https", "localhost"
    state.url = f"{scheme}://{host}:{server.server_address[1]}/realms/lab"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="issuer")
    thread.start()
    try:
        yield state
    finally:
        state.open.set()
        server.shutdown()
        thread.join()
        server.server_close()
