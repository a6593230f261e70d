"""Knobs of the classification service."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClassificationSettings(BaseSettings):
    """Read from ``LESIONGAN_CLASSIFICATION_*``."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_CLASSIFICATION_", extra="ignore")

    classify_max_bytes: int = Field(default=8 * 2**20, gt=0, description="of an image to classify")
    classify_wait_seconds: float = Field(
        default=20.0, gt=0, le=60, description="for an answer; after it, the job is the answer"
    )
    hot_classifiers: int = Field(default=8, ge=1, description="kept loaded in a worker")
    checkpoint_seconds: float = Field(default=20.0, gt=0, description="between two checkpoints")
    pretrained: Path | None = Field(
        default=None,
        description="folder of <architecture>.safetensors, where classifiers may begin with "
        "pretrained weights; APIs and workers see the same",
    )
    device: str | None = Field(default=None, description="cpu, cuda, cuda:1; chosen when empty")
    threads: int | None = Field(default=None, ge=1, description="of torch on a CPU; half if empty")
