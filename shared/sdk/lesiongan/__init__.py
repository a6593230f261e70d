"""LesionGAN for integrators: ``from lesiongan import Client``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesiongan.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """The client when it is first asked for: servers import the contracts alone."""
    if name == "Client":
        from lesiongan.client import Client  # noqa: PLC0415

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
