"""Headers that keep browsers from doing what no answer of ours asks for."""

from shared.settings import Settings

Headers = list[tuple[bytes, bytes]]

#: For whatever a browser takes for a page: it runs nothing, loads nothing and stands in no frame.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_YEAR_SECONDS = 365 * 24 * 3600


class SecureHeaders:
    """Adds what an answer does not say itself."""

    def __init__(self, settings: Settings) -> None:
        self._always = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"content-security-policy", NOTHING.encode()),
        ]
        if settings.public_url.startswith("https://"):
            hsts = f"max-age={_YEAR_SECONDS}".encode()
            self._always.append((b"strict-transport-security", hsts))

    def completed(self, headers: Headers) -> Headers:
        """``headers`` with the secure ones. Without a word on caching, nothing is stored."""
        given = {name.lower() for name, _ in headers}
        added = [each for each in self._always if each[0] not in given]
        if not given & {b"cache-control", b"etag"}:
            added.append((b"cache-control", b"no-store"))
        return [*headers, *added]
