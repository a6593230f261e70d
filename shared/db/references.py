"""What unfinished jobs are about to read."""

from collections.abc import Collection

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.errors import Conflict


def refuse_while_needed(session: Session, ids: Collection[str]) -> None:
    """Raises :class:`Conflict` naming the unfinished jobs whose input names one of ``ids``.

    Ids are 96 random or hashed bits, so that one found within an input's text is no accident.
    """
    text = cast(JobRow.input, Text)
    named = or_(*(text.contains(each, autoescape=True) for each in ids))
    query = select(JobRow.id).where(JobRow.finished_at.is_(None), named).order_by(JobRow.id)
    jobs = session.scalars(query.limit(10)).all()
    if jobs:
        raise Conflict(f"{', '.join(jobs)} still need it: cancel them first, or wait")
