"""Which server to talk to, and as whom."""

import ipaddress
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lesiongan.client.profiles import (
    PROFILE_VARIABLE,
    Profile,
    profiles_file,
    read_profiles,
)
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
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Server:
    """The server by, in this order: ``url``, ``profile``, the environment (``LESIONGAN_URL``,
    ``LESIONGAN_PROFILE``), the embedded stack's file, the default profile.

    ``.lesiongan/stack.json`` is looked for in ``folder`` (default: the current one) and its
    parents. The key is ``key``, that of a profile which was named, ``LESIONGAN_KEY``, or the one
    that is stored beside this very address: a stored key goes to its own server only.

    Raises :class:`NoServer` when none of them names an address, or the address or key is malformed.
    """
    variables = os.environ if environment is None else environment
    stack = _read_stack(folder or Path.cwd())
    profiles = read_profiles(profiles_file(variables))
    named = profile or (None if variables.get(URL_VARIABLE) else variables.get(PROFILE_VARIABLE))
    if named and not url:
        chosen = profiles.get(named)
        return _server(chosen.url, key or chosen.key)
    default = profiles.servers.get(profiles.default or "")
    url = url or variables.get(URL_VARIABLE) or (stack or default or Profile("")).url
    stored = [each for each in (stack, *profiles.servers.values()) if each and _same(each.url, url)]
    return _server(url, key or variables.get(KEY_VARIABLE) or (stored[0].key if stored else None))


def _server(url: str, key: str | None) -> Server:
    if not url:
        raise NoServer(
            "no server is known",
            hint="start one with `lesiongan up`, name one with `lesiongan login`, or give --url "
            f"and --key, or set {URL_VARIABLE} and {KEY_VARIABLE}",
        )
    return Server(_checked_url(url.rstrip("/")), _checked_key(key))


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


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


def _read_stack(folder: Path) -> Profile | None:
    """The nearest stack; None where there is none, or none that we may read and believe."""
    for place in (folder, *folder.parents):
        try:
            with (place / STACK_FILE).open(encoding="utf-8") as file:
                content = json.load(file) if _is_our_own(file.fileno()) else None
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and isinstance(content.get("url"), str):
            return Profile(content["url"], content.get("key"))
    return None


def _is_our_own(descriptor: int) -> bool:
    """Whether nobody else wrote the file: in a parent folder such as /scratch all may make some,
    and what is sent to the address that it names are images.
    """
    if os.name != "posix":
        return True
    found = os.fstat(descriptor)
    others = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid == os.geteuid() and not found.st_mode & others
