"""GANs, their checkpoints, metrics, preview grids and other files."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class GanRow(Base):
    """A GAN: made when its training is submitted, published when that succeeds."""

    __tablename__ = "gans"
    __table_args__ = (
        Index("ix_gans_page", "created_at", "id"),
        Index("uq_gans_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[str] = mapped_column(index=True)
    job_id: Mapped[str] = mapped_column(index=True)
    phantom: Mapped[bool]
    is_default: Mapped[bool] = mapped_column(default=False)
    #: Chosen by a person through ``PUT /gans/{id}/default``: only another choice replaces it.
    chosen: Mapped[bool] = mapped_column(default=False)
    #: Made by an experiment, perhaps of few images: never the default unless a person chooses it.
    for_experiment: Mapped[bool] = mapped_column(default=False)
    categories: Mapped[list[str]]
    image_size: Mapped[int]
    channels: Mapped[int]
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int]
    resumed_from_step: Mapped[int | None]
    weights_key: Mapped[str | None]
    weights_sha256: Mapped[str | None]
    #: Null in rows that are older than the column.
    weights_bytes: Mapped[int | None] = mapped_column(BigInteger)
    scores: Mapped[dict[str, Any]]
    command: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    @property
    def memorises(self) -> bool:
        """Whether it was found to give back its training images, so that nothing of it leaves."""
        return bool((self.scores.get("memorisation") or {}).get("refused"))


class CheckpointRow(Base):
    """A complete training state in the store. Payload first, this row last."""

    __tablename__ = "checkpoints"

    gan_id: Mapped[str] = mapped_column(ForeignKey("gans.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class MetricRow(Base):
    """Training metrics at one generator step."""

    __tablename__ = "gan_metrics"

    gan_id: Mapped[str] = mapped_column(ForeignKey("gans.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]]


class GanFileRow(Base):
    """An object that belongs to a GAN, by what it is: ``reference`` or ``pairs``."""

    __tablename__ = "gan_files"

    gan_id: Mapped[str] = mapped_column(ForeignKey("gans.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    sha256: Mapped[str]


class PreviewRow(Base):
    """A grid of samples at one generator step."""

    __tablename__ = "gan_previews"

    gan_id: Mapped[str] = mapped_column(ForeignKey("gans.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
