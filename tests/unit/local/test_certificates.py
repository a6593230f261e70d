"""The certificate is what an independent implementation takes for one."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from deploy.local.certificates import make_certificate


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = make_certificate("lesiongan-local")
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    for path, text in zip(paths, (certificate, key), strict=True):
        path.write_text(text + "\n")
    return paths


def _context(purpose: ssl.Purpose, trusted: Path, own: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=str(trusted))
    context.load_cert_chain(*own)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _greets(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """One connection between the two; raises what the client's side raises."""
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(left, server_side=True) as connection:
                connection.sendall(b"hello")
        except ssl.SSLError:
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(right) as connection:
            assert connection.recv(5) == b"hello"
    finally:
        right.close()
        thread.join()


def test_both_ends_recognise_each_other(tmp_path: Path) -> None:
    own = _files(tmp_path, "own")

    _greets(
        _context(ssl.Purpose.CLIENT_AUTH, own[0], own),
        _context(ssl.Purpose.SERVER_AUTH, own[0], own),
    )


def test_another_installation_is_turned_away(tmp_path: Path) -> None:
    own, other = _files(tmp_path, "own"), _files(tmp_path, "other")

    with pytest.raises(ssl.SSLError):
        _greets(
            _context(ssl.Purpose.CLIENT_AUTH, own[0], own),
            _context(ssl.Purpose.SERVER_AUTH, own[0], other),
        )
