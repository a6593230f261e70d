"""Knobs of the GAN service."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GanSettings(BaseSettings):
    """Read from ``LESIONGAN_GAN_*``."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_GAN_", extra="ignore")

    kept_checkpoints: int = Field(default=2, ge=1, description="of a training; older are removed")
    inception: Path | None = Field(
        default=None,
        description="safetensors file of torchvision's inception_v3; with it, GANs also get an FID "
        "in its features",
    )
    hot_generators: int = Field(default=4, ge=1, description="kept loaded in a sampling worker")
    device: str | None = Field(default=None, description="cpu, cuda, cuda:1; chosen when empty")
    threads: int | None = Field(default=None, ge=1, description="of torch on a CPU; half if empty")
