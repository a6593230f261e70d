"""Where a webhook points: its address taken apart and judged."""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from shared.errors import BadInput
from shared.settings import Settings
from shared.webhooks.addresses import Network, is_reachable, parse_address

#: Names and literal addresses to numeric addresses; raises OSError or UnicodeError.
Resolver = Callable[[str, int], Sequence[str]]

_FIRST_FREE_PORT, _LAST_PORT = 1024, 65535
#: A name in ASCII, or a literal address of either kind.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


@dataclass(frozen=True)
class Rules:
    """What an installation lets its webhooks reach."""

    allowed: Sequence[Network] = ()
    https_only: bool = True

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules that ``settings`` make."""
        production = settings.environment == "production"
        return cls(
            allowed=settings.webhook_allowed_networks,
            https_only=production and not settings.webhook_allow_http,
        )


@dataclass(frozen=True)
class Target:
    """A receiver's address in parts. ``host`` is ASCII; ``path`` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


class Unreachable(BadInput):
    """A receiver that a webhook must not, or cannot, be sent to."""

    title = "Unreachable receiver"


def parse_target(url: str, rules: Rules) -> Target:
    """The parts of ``url``; raises :class:`BadInput` for what no webhook may have."""
    try:
        parts = httpx.URL(url)
        host = parts.raw_host.decode("ascii")
        path = parts.raw_path.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise BadInput("url is not a web address: https://host/path") from None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise BadInput("url is not a web address: https://host/path")
    if rules.https_only and parts.scheme != "https":
        raise BadInput("url must be https: this server sends webhooks encrypted only")
    if parts.userinfo or parts.fragment:
        raise BadInput("url must hold no user, password or fragment: signatures prove who sends")
    usual = 443 if parts.scheme == "https" else 80
    port = usual if parts.port is None else parts.port
    if port not in (80, 443) and not _FIRST_FREE_PORT <= port <= _LAST_PORT:
        raise BadInput(f"url has port {port}: use 80, 443, or one from {_FIRST_FREE_PORT} up")
    return Target(parts.scheme, host, port, path)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the system's own resolver answers, numeric forms such as ``0x7f.1`` included."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def checked_addresses(
    host: str, port: int, rules: Rules, resolve: Resolver = system_resolver
) -> list[str]:
    """Every address of ``host``, each of them allowed. The name is asked for once.

    Raises :class:`Unreachable`, which says nothing of what an internal name stands for.
    """
    try:
        addresses = [parse_address(text) for text in resolve(host, port)]
    except (OSError, UnicodeError, ValueError):
        raise Unreachable(f"the name {host} is not known here") from None
    if not addresses or not all(is_reachable(address, rules.allowed) for address in addresses):
        raise Unreachable(
            f"{host} is an internal or reserved address; who runs this server can allow it with "
            "LESIONGAN_WEBHOOK_ALLOWED_NETWORKS"
        )
    return [str(address) for address in addresses]
