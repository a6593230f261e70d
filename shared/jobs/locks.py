"""Locks that are taken only if they are free, under the names that ``ledger.lock_target`` knows."""

from collections.abc import Iterable
from functools import cache

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session


def lock_free(session: Session, names: Iterable[str]) -> list[str]:
    """Lock those of ``names`` that nobody has locked, until this transaction ends."""
    return list(session.connection().scalars(_lock_free(), {"names": list(names)}))


@cache
def _lock_free() -> Select[str]:
    """Built once: every submit sends it."""
    names = bindparam("names", type_=ARRAY(Text))
    name = func.unnest(names).column_valued("name")
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))
    return select(name).where(free)


def of_idempotency(key_id: str, key: str) -> str:
    """The lock of whoever claims an idempotency key."""
    return f"idempotency {key_id} {key}"
