"""Whether an API can serve, asked as its clients would."""

from __future__ import annotations

import urllib3


def is_ready(url: str) -> bool:
    """Whether the API at `url` answers its readiness probe with 200."""
    with urllib3.PoolManager(timeout=2.0, retries=False) as pool:
        try:
            return pool.request("GET", f"{url}/health/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False
