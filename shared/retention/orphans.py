"""Objects that no row names. Nothing is held in memory but one page of the listing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import JobRow, KeyRow
from shared.retention import known_keys
from shared.retention.owners import busy, hold
from shared.retention.periods import Periods
from shared.storage.port import Listed, ObjectStore

#: Objects that are asked after at once.
PAGE = 1000
#: Objects that are deleted while their owner is held: a transaction must not pause for long.
HELD = 20


class OrphanFinder:
    """Walks the folders of the store and deletes what no row has named for a while.

    Three things keep an object: a row that names it, its age, and an unfinished job for its owner,
    whose later attempt may name what an earlier one stored. The last two rows are asked again while
    the owner is held, so that nobody begins to name what is being deleted.
    """

    def __init__(self, sessions: Sessions, store: ObjectStore, periods: Periods) -> None:
        self._sessions = sessions
        self._store = store
        self._periods = periods

    def pages(self, folder: str) -> Iterator[Sequence[Listed]]:
        """The objects of a folder, in pages."""
        listing = self._store.list(f"{folder}/")
        while page := list(islice(listing, PAGE)):
            yield page

    def delete_unnamed(self, folder: str, page: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
        """Delete the orphans of a page; yields those that are gone, a few at a time."""
        for owner, found in groupby(
            self._candidates(folder, page), lambda each: known_keys.owner_of(each.key)
        ):
            while batch := list(islice(found, HELD)):
                yield self._delete(folder, owner, batch)

    def _candidates(self, folder: str, page: Sequence[Listed]) -> list[Listed]:
        with self._sessions() as session:
            first, last = self._ages(session, folder)
            old = [each for each in page if first <= each.modified_at <= last]
            return self._unnamed(session, folder, old) if old else []

    def _ages(self, session: Session, folder: str) -> tuple[datetime, datetime]:
        """Between which times an object must have been stored to be judged.

        One that is older than this installation's first row was not made with this database: it
        is waiting for its own to be restored.
        """
        grace = self._periods.orphan
        if folder in known_keys.RESULTS:
            grace = min(grace, self._periods.result)  # named within seconds of being stored
        born = func.least(
            select(func.min(KeyRow.created_at)).scalar_subquery(),
            select(func.min(JobRow.created_at)).scalar_subquery(),
        )
        first, now = session.execute(select(born, func.clock_timestamp())).one()
        return first, now - grace

    def _unnamed(self, session: Session, folder: str, page: Iterable[Listed]) -> list[Listed]:
        by_key = {each.key: each for each in page}
        keep = self._periods.result
        named = known_keys.named(session, folder, by_key, result_keep=keep)
        return [each for key, each in by_key.items() if key not in named]

    def _delete(self, folder: str, owner: str, batch: Sequence[Listed]) -> Sequence[Listed]:
        with self._sessions() as session:
            hold(session, owner)
            if busy(session, owner):
                return []
            orphans = self._unnamed(session, folder, batch)
            for each in orphans:
                self._store.delete(each.key)
            return orphans
