"""One collection: what has expired by its row, then whatever no row names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from shared.db import audit
from shared.db.engine import Sessions
from shared.jobs.context import JobContext
from shared.retention import known_keys
from shared.retention.orphans import OrphanFinder
from shared.retention.periods import Periods
from shared.retention.rules import RULES, Removed, Rule
from shared.storage.port import Listed, ObjectStore

#: Owners whose rows have expired, read at once.
OWNERS = 1000
#: What a collection counts, in its output.
COUNTED = (*dict.fromkeys(rule.name for rule in RULES), "audit", "results", "orphans", "bytes")


class Collection:
    """One attempt at collecting. It may end anywhere: the next one goes on with what is left."""

    def __init__(
        self, job: JobContext, sessions: Sessions, store: ObjectStore, periods: Periods
    ) -> None:
        self._job = job
        self._store = store
        self._periods = periods
        self._orphans = OrphanFinder(sessions, store, periods)
        self._counts = Counter(dict.fromkeys(COUNTED, 0))
        self._seen = 0

    def run(self) -> dict[str, Any]:
        """Collect all there is; returns how much of each kind went, and ``bytes`` in all.

        Raises :class:`shared.storage.port.StoreUnavailable`.
        """
        for rule in RULES:
            self._expire(rule)
        self._expire_audit()
        for folder in known_keys.FOLDERS:
            self._clear(folder)
        return dict(self._counts)

    def _expire(self, rule: Rule) -> None:
        for owner in self._expired(rule):
            removed = self._remove(rule, owner)
            self._counts[rule.name] += removed.rows
            for key in removed.keys:
                self._delete(key)
            self._progress(1)

    def _expired(self, rule: Rule) -> Iterator[str]:
        """Ids in order, some at a time: those that are skipped are not met again."""
        last = ""
        while True:
            query = rule.expired(self._periods).where(rule.owner > last)
            with self._job.reading() as session:
                owners = session.scalars(query.order_by(rule.owner).limit(OWNERS)).all()
            if not owners:
                return
            yield from owners
            last = owners[-1]

    def _remove(self, rule: Rule, owner: str) -> Removed:
        with self._job.fenced(milestone=True) as session:
            rule.hold(session, owner)
            still = rule.expired(self._periods).where(rule.owner == owner)
            if session.scalar(still) is None:
                return Removed(0)
            return rule.remove(session, owner)

    def _delete(self, key: str) -> None:
        sizes = [each.bytes for each in self._store.list(key) if each.key == key]
        self._store.delete(key)
        self._counts["bytes"] += sum(sizes)

    def _expire_audit(self) -> None:
        removed = None
        while removed != 0:
            with self._job.fenced(milestone=True) as session:
                removed = audit.expire(session, older_than=self._periods.audit)
            self._counts["audit"] += removed
            self._progress(removed)

    def _clear(self, folder: str) -> None:
        counted = "results" if folder in known_keys.RESULTS else "orphans"
        for page in self._orphans.pages(folder):
            for gone in self._orphans.delete_unnamed(folder, page):
                self._count(counted, gone)
                self._progress(0)
            self._progress(len(page))

    def _count(self, name: str, gone: Sequence[Listed]) -> None:
        self._counts[name] += len(gone)
        self._counts["bytes"] += sum(each.bytes for each in gone)

    def _progress(self, seen: int) -> None:
        """How much was looked at; how much there is, nobody knows before."""
        self._seen += seen
        self._job.progress(self._seen, 0, "object")
