"""Which installation is looked at: that of the environment, else the embedded stack here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from deploy.local.files import read_object
from deploy.local.layout import Layout


@dataclass(frozen=True)
class Installation:
    """Where its settings come from. ``home`` is the embedded stack's folder, if it is one."""

    variables: Mapping[str, str]
    home: Path | None
    url: str | None
    key: str | None


class NothingHere(Exception):
    """Neither the environment nor the folder knows of an installation."""


def find_installation(layout: Layout) -> Installation:
    """Reads and changes nothing. Raises :class:`NothingHere`."""
    named = {name: v for name, v in os.environ.items() if name.startswith("LESIONGAN_")}
    url, key = named.get("LESIONGAN_URL"), named.get("LESIONGAN_KEY")
    if "LESIONGAN_DATABASE_URL" in named:
        return Installation(named, None, url, key)
    secrets, ports = read_object(layout.secrets), read_object(layout.ports)
    if secrets is None or ports is None:
        raise NothingHere
    stack = read_object(layout.stack) or {}
    made = _environment(secrets, ports)
    return Installation(named | made, layout.home, url or stack.get("url"), key or stack.get("key"))


def _environment(secrets: dict[str, Any], ports: dict[str, Any]) -> dict[str, str]:
    """The variables of the embedded stack's processes."""
    # Images carry no embedded stack, so its packages are not there.
    from deploy.local.credentials import Credentials  # noqa: PLC0415
    from deploy.local.servers import child_environment  # noqa: PLC0415

    names = (each.name for each in fields(Credentials))
    credentials = Credentials(**{name: str(secrets.get(name, "")) for name in names})
    return child_environment(credentials, {name: int(port) for name, port in ports.items()})
