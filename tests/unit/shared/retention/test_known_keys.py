"""Every column that names objects is known to the collector: what it does not know, it deletes."""

from sqlalchemy.orm import InstrumentedAttribute

from shared.db.base import Base
from shared.retention.known_keys import NAMINGS, owner_of

#: Named alike, and no names of objects.
NO_OBJECTS = {("idempotency_keys", "idempotency_key")}


def is_key(column: str) -> bool:
    return column in {"key", "keys"} or column.endswith(("_key", "_keys"))


def test_every_column_of_keys_is_known() -> None:
    known = {
        (naming.key.class_.__tablename__, naming.key.key)
        for naming in NAMINGS
        if isinstance(naming.key, InstrumentedAttribute)
    }
    there = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if is_key(column.name)
    }
    assert there - NO_OBJECTS == known


def test_a_key_holds_the_id_of_its_owner() -> None:
    assert owner_of("datasets/ds_1/job_1/shards/00000-1.tar") == "ds_1"
    assert owner_of("interactive/job_1") == "job_1"
