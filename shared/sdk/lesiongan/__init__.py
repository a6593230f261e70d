"""LesionGAN for integrators: ``from lesiongan import Client``."""

from lesiongan.client import Client

__all__ = ["Client"]
