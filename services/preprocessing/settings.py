"""Knobs of the preprocessing service."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PreprocessingSettings(BaseSettings):
    """Read from ``LESIONGAN_PREPROCESSING_*``."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_PREPROCESSING_", extra="ignore")

    max_files: int = Field(default=250_000, gt=0, description="files in an archive")
    max_expanded_bytes: int = Field(default=64 * 2**30, gt=0, description="of an archive, unpacked")
    preview_max_bytes: int = Field(default=64 * 2**20, gt=0, description="of an image sent alone")
    preview_wait_seconds: float = Field(
        default=20.0, gt=0, le=60, description="for a picture; after it, the job is the answer"
    )
