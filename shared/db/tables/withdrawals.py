"""Patients who withdrew, and what is gone with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class WithdrawalRow(Base):
    """A patient's withdrawal: how much went, not what it was called."""

    __tablename__ = "withdrawals"
    __table_args__ = (Index("ix_withdrawals_page", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    #: A pseudonym, as everywhere.
    patient: Mapped[str]
    #: How many of each kind: ``{"datasets", "gans", …}``.
    counts: Mapped[dict[str, Any]]
    #: The patient's own, in all data sets together.
    images: Mapped[int]
    objects: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WithdrawnPatientRow(Base):
    """A pseudonym whose images are not taken in any more."""

    __tablename__ = "withdrawn_patients"

    patient: Mapped[str] = mapped_column(primary_key=True)
    withdrawal_id: Mapped[str] = mapped_column(ForeignKey("withdrawals.id"))


class TombstoneRow(Base):
    """Something that a withdrawal removed: whoever asks for ``id`` is told so."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(primary_key=True)
    #: What it was, in words: ``data set``.
    kind: Mapped[str]
    withdrawal_id: Mapped[str] = mapped_column(ForeignKey("withdrawals.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
