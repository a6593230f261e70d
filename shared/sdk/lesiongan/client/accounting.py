"""What keys used and who did what, for holders of an ``admin`` key."""

from datetime import datetime

from lesiongan.client.binding import Mode, Resource, items
from lesiongan.client.flow import Stream
from lesiongan.client.paging import every
from lesiongan.contracts.usage import AuditEntry, Usage


class Accounting(Resource[Mode]):
    """``client.accounting``. Times carry their zone; None leaves that end open."""

    @items
    def usage(
        self,
        *,
        key: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Stream[Usage]:
        """What each key's jobs of that time used."""
        params = {"key": key, **_span(since, until)}
        return every(self.exchange, "/usage", Usage, params=params, limit=limit)

    @items
    def audit(
        self,
        *,
        key: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Stream[AuditEntry]:
        """Requests that changed something or were refused for their key, newest first."""
        params = {"key": key, "action": action, **_span(since, until)}
        return every(self.exchange, "/audit", AuditEntry, params=params, limit=limit)


def _span(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    return {
        "from": None if since is None else since.isoformat(),
        "to": None if until is None else until.isoformat(),
    }
