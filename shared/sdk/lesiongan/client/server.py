"""Which server to talk to, and as whom."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lesiongan.errors import NoServer

URL_VARIABLE = "LESIONGAN_URL"
KEY_VARIABLE = "LESIONGAN_KEY"
STACK_FILE = Path(".lesiongan") / "stack.json"


@dataclass(frozen=True)
class Server:
    """An address without a trailing slash, and a key."""

    url: str
    key: str | None

    @property
    def loopback(self) -> bool:
        """Whether the server is this machine: such requests never go through a proxy."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def find_server(
    url: str | None = None,
    key: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Server:
    """The server by, in this order: the arguments, the environment, the embedded stack's file.

    ``.lesiongan/stack.json`` is looked for in ``folder`` (default: the current one) and its
    parents. Its key is used for its own address only.

    Raises :class:`NoServer` when none of them names an address, or the address or key is malformed.
    """
    variables = os.environ if environment is None else environment
    stack = _read_stack(folder or Path.cwd())
    url = url or variables.get(URL_VARIABLE) or stack.get("url")
    if not url:
        raise NoServer(
            "no server is known",
            hint=f"start one with `lesiongan up`, or give --url and --key, or set {URL_VARIABLE}"
            f" and {KEY_VARIABLE}",
        )
    url = url.rstrip("/")
    key = key or variables.get(KEY_VARIABLE)
    if not key and url == str(stack.get("url", "")).rstrip("/"):
        key = stack.get("key")
    return Server(_checked_url(url), _checked_key(key))


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if not port_fits or parts.scheme not in ("http", "https") or not parts.hostname:
        raise NoServer(
            f"{url!r} is not the address of a server", hint="write it like http://127.0.0.1:8000"
        )
    return url


def _checked_key(key: str | None) -> str | None:
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise NoServer("the key has characters that no key has", hint="keys look like lg_…")
    return key or None


def _read_stack(folder: Path) -> dict[str, Any]:
    """The nearest stack file's content; nothing where there is none, or none that we may read."""
    for place in (folder, *folder.parents):
        try:
            content = json.loads((place / STACK_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            return content
    return {}
