"""Classifiers, and the experiments that compare them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ClassifierRow(Base):
    """A classifier: made when its training is submitted, published when that succeeds."""

    __tablename__ = "classifiers"
    __table_args__ = (Index("ix_classifiers_page", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    #: Data sets whose training images it sees.
    datasets: Mapped[list[str]]
    job_id: Mapped[str] = mapped_column(index=True)
    phantom: Mapped[bool]
    architecture: Mapped[str]
    for_experiment: Mapped[bool] = mapped_column(default=False)
    #: Known once its images are read, with the three that follow.
    categories: Mapped[list[str]]
    image_size: Mapped[int | None]
    channels: Mapped[int | None]
    #: Training images: ``{"real", "augmented", "synthetic"}``.
    train_counts: Mapped[dict[str, Any]]
    scores: Mapped[dict[str, Any]]
    weights_key: Mapped[str | None]
    weights_sha256: Mapped[str | None]
    #: Null in rows that are older than the column.
    weights_bytes: Mapped[int | None] = mapped_column(BigInteger)
    #: The newest state of a training that has not ended.
    checkpoint_key: Mapped[str | None]
    checkpoint_sha256: Mapped[str | None]
    resumed_from_step: Mapped[int | None]
    command: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ExperimentRow(Base):
    """An experiment: made when it is submitted, with its table once the comparison has ended."""

    __tablename__ = "experiments"
    __table_args__ = (Index("ix_experiments_page", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[str] = mapped_column(index=True)
    job_id: Mapped[str] = mapped_column(index=True)
    phantom: Mapped[bool]
    seeds: Mapped[int]
    categories: Mapped[list[str]]
    #: ``n_test``, ``arms``, ``comparisons``, ``summary`` and ``notes`` of the contract.
    result: Mapped[dict[str, Any] | None]
    report_key: Mapped[str | None]
    predictions_key: Mapped[str | None]
    command: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
