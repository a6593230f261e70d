"""What was withdrawn, and whose. Nothing is committed here."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.tables import TombstoneRow, WithdrawnPatientRow
from shared.errors import Gone


def refuse_withdrawn(session: Session, ids: Collection[str]) -> None:
    """Raises :class:`Gone` for the first of ``ids`` that a withdrawal removed."""
    query = select(TombstoneRow).where(TombstoneRow.id.in_(ids)).order_by(TombstoneRow.id)
    found = session.scalars(query.limit(1)).one_or_none()
    if found is not None:
        raise Gone(
            f"the {found.kind} {found.id} was removed on {found.created_at:%Y-%m-%d}, when a "
            f"patient withdrew ({found.withdrawal_id}); it does not come back",
            withdrawal=found.withdrawal_id,
        )


def withdrawal_of(session: Session, row_id: str) -> str | None:
    """The withdrawal that removed ``row_id``, if one did."""
    query = select(TombstoneRow.withdrawal_id).where(TombstoneRow.id == row_id)
    return session.scalar(query)


def withdrawn_patients(session: Session) -> frozenset[str]:
    """Pseudonyms of patients whose images are not taken in any more."""
    return frozenset(session.scalars(select(WithdrawnPatientRow.patient)))
