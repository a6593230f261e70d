"""LesionGAN for integrators: ``from lesiongan import Client, AsyncClient``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesiongan.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> Any:
    """The clients when they are first asked for: servers import the contracts alone."""
    if name in __all__:
        from lesiongan import client  # noqa: PLC0415

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
