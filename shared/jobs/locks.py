"""Locks that are taken only if they are free, under the names that ``ledger.lock_target`` knows."""

from collections.abc import Iterable

from sqlalchemy import Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session


def lock_free(session: Session, names: Iterable[str]) -> list[str]:
    """Lock those of ``names`` that nobody has locked, until this transaction ends."""
    name = func.unnest(literal(list(names), ARRAY(Text))).column_valued("name")
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))
    return list(session.scalars(select(name).where(free)))


def of_idempotency(key_id: str, key: str) -> str:
    """The lock of whoever claims an idempotency key."""
    return f"idempotency {key_id} {key}"
