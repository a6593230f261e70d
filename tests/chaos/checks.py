"""What must be true when the dust has settled. Each check yields what it finds broken."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.storage.port import ObjectStore
from tests.chaos.asking import Answered
from tests.chaos.kills import Pause
from tests.chaos.rows import Rows, graph_of

ENDED = ("succeeded", "failed", "cancelled")
#: Why an ask that is to fail does.
REASON = "/errors/invalid-input"


@dataclass(frozen=True)
class Scene:
    """All that the checks look at. ``prepared`` are the jobs from before the run."""

    rows: Rows
    answered: Mapping[int, Answered]
    pauses: Sequence[Pause]
    prepared: set[str]


def ends(scene: Scene) -> Iterator[str]:
    """Every ask ended as the plan says."""
    for number, known in scene.answered.items():
        jobs = [scene.rows.jobs[job_id] for job_id in scene.rows.by_ask[number]]
        if not jobs:
            yield f"ask {number} ({known.ask.kind}) has no job"
            continue
        statuses = [row.status for row in jobs]
        if known.ask.expected not in statuses:
            yield f"ask {number} ({known.ask.kind}) ended {statuses}, not {known.ask.expected}"
        for row in jobs:
            reason = (row.error or {}).get("type")
            if known.ask.expected == "failed" and reason != REASON:
                yield f"{row.id} ({row.kind}) failed for {row.error}"
            if row.status == "failed" and known.ask.expected != "failed" and not known.ask.streamed:
                yield f"{row.id} ({row.kind}) failed: {row.error}"


def rows_at_rest(scene: Scene) -> Iterator[str]:
    """No row runs or waits, and none keeps a lease."""
    for row in scene.rows.jobs.values():
        if row.status not in ENDED or row.finished_at is None:
            yield f"{row.id} ({row.kind}) is still {row.status}"
        if row.lease_expires_at is not None:
            yield f"{row.id} ({row.kind}) is {row.status} and has a lease"
        if (row.error is not None) != (row.status == "failed"):
            yield f"{row.id} is {row.status} with the error {row.error}"


def promises(scene: Scene) -> Iterator[str]:
    """A job that an answer named exists, and is the one of its Idempotency-Key."""
    for number, known in scene.answered.items():
        for job_id in known.job_ids:
            if job_id not in scene.rows.jobs:
                yield f"ask {number} was answered with {job_id}, which does not exist"
            elif job_id not in scene.rows.by_ask[number]:
                yield f"ask {number} was answered with {job_id}, not {scene.rows.by_ask[number]}"


def nothing_twice(scene: Scene) -> Iterator[str]:
    """No job that nobody asked for, and no result of two jobs."""
    asked = set(scene.prepared)
    for number in scene.answered:
        for job_id in scene.rows.by_ask[number]:
            asked |= graph_of(scene.rows, job_id)
    for job_id in scene.rows.jobs.keys() - asked:
        yield f"{job_id} ({scene.rows.jobs[job_id].kind}) was asked for by nobody"
    made: defaultdict[str, list[str]] = defaultdict(list)
    for row in scene.rows.jobs.values():
        if row.status == "succeeded" and row.target is not None and row.attempts > 0:
            made[row.target].append(row.id)
    for target, jobs in made.items():
        if len(jobs) > 1:
            yield f"{target} was made by {jobs}"
    models = Counter(row.job_id for row in scene.rows.gans.values())
    models += Counter(row.job_id for row in scene.rows.classifiers.values())
    for job_id, count in models.items():
        if count > 1:
            yield f"{job_id} has {count} models"


def results(scene: Scene) -> Iterator[str]:
    """What succeeded is there, and of what did not there is no result."""
    rows = scene.rows
    published = {
        **{id_: row.job_id for id_, row in rows.datasets.items()},
        **{id_: row.job_id for id_, row in rows.gans.items() if row.weights_key},
        **{id_: row.job_id for id_, row in rows.classifiers.items() if row.weights_key},
        **{id_: row.job_id for id_, row in rows.experiments.items() if row.result},
    }
    for row in rows.jobs.values():
        if row.status == "succeeded" and row.target is not None and row.target not in published:
            yield f"{row.id} ({row.kind}) succeeded, and {row.target} is not there"
    for made, job_id in published.items():
        if rows.jobs[job_id].status != "succeeded":
            yield f"{made} is there, and {job_id} is {rows.jobs[job_id].status}"


def dependents(scene: Scene) -> Iterator[str]:
    """No job succeeded whose parent did not."""
    for link in scene.rows.links:
        child, parent = scene.rows.jobs[link.job_id], scene.rows.jobs[link.parent_id]
        if child.status == "succeeded" and parent.status != "succeeded":
            yield f"{child.id} succeeded, and its parent {parent.id} is {parent.status}"


def sleepers(scene: Scene) -> Iterator[str]:
    """A worker that woke after its lease was taken over has written nothing."""
    made = {
        **{row.id: row.job_id for row in scene.rows.gans.values()},
        **{row.target: row.id for row in scene.rows.jobs.values() if row.target},
    }
    written = [(row.dataset_id, row.key, row.created_at) for row in scene.rows.shards]
    written += [(row.gan_id, row.key, row.created_at) for row in scene.rows.checkpoints]
    for pause in scene.pauses:
        job = scene.rows.jobs[pause.victim.job_id]
        if job.attempts == pause.victim.attempt:
            continue  # it was cancelled, or ended while its worker slept
        for target, key, written_at in written:
            ours = f"-{pause.victim.attempt}." in key and made.get(target) == job.id
            if ours and written_at.timestamp() > pause.woke_at:
                yield f"{key} was written by an attempt that had lost its lease"


def shards(scene: Scene, store: ObjectStore) -> Iterator[str]:
    """The shards of a published set follow each other, and lie in the store as their rows say."""
    by_set = defaultdict(list)
    for row in scene.rows.shards:
        by_set[row.dataset_id].append(row)
    for dataset in scene.rows.datasets.values():
        of_set = by_set[dataset.id]
        if [row.number for row in of_set] != list(range(len(of_set))):
            yield f"{dataset.id} has the shards {[row.number for row in of_set]}"
        if sum(row.images for row in of_set) != dataset.images:
            yield f"{dataset.id} has {dataset.images} images, and others in its shards"
        for row in of_set:
            if hashlib.sha256(store.get(row.key)).hexdigest() != row.sha256:
                yield f"{row.key} is not what its row says"


def missing(scene: Scene, sizes: Mapping[str, int]) -> Iterator[str]:
    """Every object that a row names lies in the store, with its size where the row says it."""
    for key in sorted(scene.rows.named_objects() - scene.rows.staged() - sizes.keys()):
        yield f"{key} is named by a row and not in the store"
    for row in scene.rows.shards:
        if sizes.get(row.key, row.bytes) != row.bytes:
            yield f"{row.key} has {sizes[row.key]} bytes, not {row.bytes}"


def orphans(scene: Scene, sizes: Mapping[str, int]) -> list[str]:
    """Objects that no row names."""
    return sorted(sizes.keys() - scene.rows.named_objects())
