"""What keys used and who did what, for holders of an ``admin`` key."""

from collections.abc import Iterator
from datetime import datetime

from lesiongan.client.paging import every
from lesiongan.client.transport import Transport
from lesiongan.contracts.usage import AuditEntry, Usage


class Accounting:
    """``client.accounting``. Times carry their zone; None leaves that end open."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def usage(
        self,
        *,
        key: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Usage]:
        """What each key's jobs of that time used."""
        params = {"key": key, **_span(since, until)}
        return every(self._transport, "/usage", Usage, params=params, limit=limit)

    def audit(
        self,
        *,
        key: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[AuditEntry]:
        """Requests that changed something or were refused for their key, newest first."""
        params = {"key": key, "action": action, **_span(since, until)}
        return every(self._transport, "/audit", AuditEntry, params=params, limit=limit)


def _span(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    return {
        "from": None if since is None else since.isoformat(),
        "to": None if until is None else until.isoformat(),
    }
