"""What is asked of the issuer: which keys it has. Small answers, soon, and from nowhere else."""

import asyncio
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.oidc_settings import is_loopback
from shared.settings import InvalidSettings, Settings
from shared.web.oidc.key_set import KeySet, read_key_set

#: Of one answer. The largest that are in use have some 10 KiB.
MOST_BYTES = 256 * 1024
#: For both answers together.
TIMEOUT_SECONDS = 5.0
_DISCOVERY = "/.well-known/openid-configuration"


class NoAnswer(Exception):
    """The issuer did not tell its keys; the reason is for the log."""


class Issuer:
    """Asks one issuer. Nothing connects before it is asked."""

    def __init__(self, settings: Settings, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Raises :class:`InvalidSettings` for a file of authorities that cannot be read."""
        assert settings.oidc_issuer is not None
        self._name = settings.oidc_issuer
        self._jwks_url = settings.oidc_jwks_url
        self._timeout_seconds = timeout_seconds
        self._tls = _trust(settings)

    async def key_set(self) -> KeySet:
        """The keys that it has now; raises :class:`NoAnswer`."""
        try:
            async with asyncio.timeout(self._timeout_seconds), self._client() as client:
                url = self._jwks_url or await self._discover(client)
                return read_key_set(await _json(client, url))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, RecursionError) as error:
            raise NoAnswer(type(error).__name__) from error
        except ValueError as error:
            raise NoAnswer(str(error)) from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
            # What is compressed may be a million times as large.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=self._timeout_seconds,
        )

    async def _discover(self, client: httpx.AsyncClient) -> str:
        """Where its keys are: OpenID Connect Discovery 1.0, section 4."""
        document = await _json(client, self._name.rstrip("/") + _DISCOVERY)
        if not isinstance(document, dict) or document.get("issuer") != self._name:
            raise ValueError("its document names another issuer than LESIONGAN_OIDC_ISSUER")
        url = document.get("jwks_uri")
        if not isinstance(url, str) or not self._is_safe(url):
            raise ValueError("its document names no jwks_uri that is https")
        return url

    def _is_safe(self, url: str) -> bool:
        """Not less than the issuer's own address is."""
        parts = urlsplit(url)
        plain = urlsplit(self._name).scheme == "http"
        return parts.scheme == "https" or (
            plain and parts.scheme == "http" and _is_as_near(parts.hostname, self._name)
        )


def _is_as_near(host: str | None, issuer: str) -> bool:
    """On this machine, or on the issuer's."""
    return host is not None and (is_loopback(host) or host == urlsplit(issuer).hostname)


async def _json(client: httpx.AsyncClient, url: str) -> Any:
    body = bytearray()
    async with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise ValueError(f"it answers {response.status_code}")
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                raise ValueError(f"it answers with more than {MOST_BYTES} bytes")
    return json.loads(body)


def _trust(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.oidc_ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or "no certificate"
        raise InvalidSettings(
            f"invalid settings: LESIONGAN_OIDC_CA_FILE cannot be read: {reason}"
        ) from None
