"""How a process is watched: metrics, traces and logs."""

from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class ObservedSettings(BaseSettings):
    """The part of :class:`shared.settings.Settings` that speaks of being watched."""

    log_format: Literal["text", "json"] = Field(default="text", description="of each line")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="of a process without HTTP of its own; 0: none"
    )
    metrics_host: str = Field(default="127.0.0.1", description="where that port listens")
    otlp_endpoint: str | None = Field(
        default=None, description="http://host:4318, where traces go by OTLP; none: no traces"
    )
    trace_ratio: float = Field(default=1.0, ge=0, le=1, description="of requests that are traced")

    @field_validator("otlp_endpoint", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return value or None

    @field_validator("otlp_endpoint")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is not http://host:port")
        return value
