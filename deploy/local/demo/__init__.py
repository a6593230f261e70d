"""``lesiongan demo``: the whole way, from phantoms to synthetic images."""

from deploy.local.demo.command import demo

__all__ = ["demo"]
