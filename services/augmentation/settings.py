"""Knobs of the augmentation service."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AugmentationSettings(BaseSettings):
    """Read from ``LESIONGAN_AUGMENTATION_*``."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_AUGMENTATION_", extra="ignore")

    preview_max_bytes: int = Field(default=64 * 2**20, gt=0, description="of an image sent alone")
    preview_wait_seconds: float = Field(
        default=20.0, gt=0, le=60, description="for a picture; after it, the job is the answer"
    )
