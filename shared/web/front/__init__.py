"""What stands before every route: request ids, limits, the audit and secure headers."""

from shared.web.front.layer import Front

__all__ = ["Front"]
