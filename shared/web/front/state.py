"""What the front holds for the life of a process."""

from dataclasses import dataclass

from shared.web.front.audit import Audit
from shared.web.front.headers import SecureHeaders
from shared.web.front.rates import Rates
from shared.web.state import WebState


@dataclass(frozen=True)
class FrontState:
    """Made when the process starts."""

    web: WebState
    rates: Rates
    audit: Audit
    headers: SecureHeaders

    @classmethod
    def of(cls, web: WebState) -> "FrontState":
        """That of a process with these connections."""
        settings = web.settings
        return cls(web, Rates(settings), Audit(web.sessions), SecureHeaders(settings))
