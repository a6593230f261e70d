"""An object that no row names goes; one that a row names, or is about to name, stays."""

from datetime import timedelta

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, update

from shared.db.tables import GanRow, JobRow, KeyRow, PreviewRow
from shared.ids import new_id
from shared.jobs import ledger
from shared.retention import orphans
from shared.retention.known_keys import FOLDERS, RESULTS
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from tests.integration.retention import builders
from tests.integration.retention.builders import add, ago, collected, ended, gan_row, keys, retried
from tests.integration.shared.builders import (
    committed,
    grey_png,
    meta,
    queued,
    running,
    stored_dataset,
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_no_row_names_goes_after_its_grace(ports: Ports, store: S3Store, folder: str) -> None:
    store.put(f"{folder}/x_1/deep/object", b"1234")
    assert collected(ports) == {}, "it is a moment old"
    counted = "results" if folder in RESULTS else "orphans"
    assert collected(ports, orphan_grace_hours=0) == {counted: 1, "bytes": 4}
    assert keys(store) == set()


def test_what_rows_name_stays(ports: Ports, store: S3Store) -> None:
    sessions = ports.sessions
    stored_dataset(sessions, store, [(grey_png(1), meta())])
    builders.upload(sessions, store, since=ago(0))
    gan = builders.gan(sessions, store, ended(sessions, "failed", ago(0), target=new_id("gan")))
    builders.classifier(sessions, store, ended(sessions, "failed", ago(0), target=new_id("c")))
    before = keys(store)
    assert len(before) == 6
    store.put(f"gans/{gan.id}/checkpoints/1.safetensors.old", b"")
    assert collected(ports, orphan_grace_hours=0) == {"orphans": 1}
    assert keys(store) == before


def test_what_lies_elsewhere_is_not_ours(ports: Ports, store: S3Store) -> None:
    store.put("elsewhere/x_1/object", b"")
    store.put("datasets", b"")
    assert collected(ports, orphan_grace_hours=0) == {}
    assert len(keys(store)) == 2


def test_objects_wait_for_the_rows_of_another_database(ports: Ports, store: S3Store) -> None:
    """An empty database on a full bucket is a restore that has just begun."""
    store.put("datasets/x_1/object", b"")
    committed(ports.sessions, lambda session: session.execute(delete(KeyRow)))
    tomorrow = func.clock_timestamp() + ago(days=1)
    job_id = queued(ports.sessions, kind="collect", input={}, target="collection")
    query = update(JobRow).values(created_at=tomorrow, not_before=func.clock_timestamp())
    committed(ports.sessions, lambda session: session.execute(query))
    settings = ports.settings.model_copy(update={"orphan_grace_hours": 0})
    again = Ports(settings=settings, sessions=ports.sessions, store=store, bell=ports.bell)
    assert builders.run(again, job_id).output == dict.fromkeys(
        ("uploads", "checkpoints", "shards", "events", "audit", "results", "orphans", "bytes"), 0
    )
    assert len(keys(store)) == 1


def test_what_an_unfinished_job_may_name_stays(ports: Ports, store: S3Store) -> None:
    """A later attempt stores some objects under the key of an earlier one."""
    sessions = ports.sessions
    waiting, working = new_id("ds"), new_id("gan")
    queued(sessions, target=waiting)
    running(sessions, target=working)
    ends = running(sessions, target=new_id("ds"))
    for owner in ("ds", waiting, ends.target):
        store.put(f"datasets/{owner}/job/manifest.parquet", b"")
    store.put(f"gans/{working}/weights.safetensors", b"")
    assert collected(ports, orphan_grace_hours=0) == {"orphans": 1}
    committed(sessions, lambda session: ledger.cancelled(session, ends))
    assert collected(ports, orphan_grace_hours=0) == {"orphans": 1}
    assert {key.split("/")[1] for key in keys(store)} == {waiting, working}


def preview(ports: Ports, how: builders.End, since: timedelta) -> tuple[str, str]:
    """A preview that ended ``since`` ago: its job, and the keys of its image and its file."""
    job_id = new_id("job")
    image, result = f"interactive/{job_id}", f"results/{job_id}/1.png"
    ended(ports.sessions, how, since, id=job_id, kind="p", input={"image": image})
    for key in (image, result):
        ports.store.put(key, b"png")
    if how == "succeeded":
        output = {"object": result, "content_type": "image/png"}
        query = update(JobRow).where(JobRow.id == job_id).values(output=output)
        committed(ports.sessions, lambda session: session.execute(query))
    return image, result


@pytest.mark.parametrize("how", ["succeeded", "failed", "cancelled"])
def test_results_go_a_while_after_their_job(
    ports: Ports, store: S3Store, how: builders.End
) -> None:
    preview(ports, how, ago(hours=2))
    image, result = preview(ports, how, ago(hours=0.5))
    kept = collected(ports, result_keep_hours=1, orphan_grace_hours=0)
    unnamed = 0 if how == "succeeded" else 1
    assert kept == {"results": 2 + unnamed, "bytes": 3 * (2 + unnamed)}
    assert keys(store) == {image, result} if how == "succeeded" else {image}
    assert collected(ports, result_keep_hours=0)["results"] == 2 - unnamed
    assert keys(store) == set()


def test_results_of_unfinished_jobs_stay(ports: Ports, store: S3Store) -> None:
    image, _ = preview(ports, "failed", ago(hours=2))
    job_id = image.split("/")[1]
    retried(ports.sessions, job_id)
    assert collected(ports, result_keep_hours=0) == {}
    assert len(keys(store)) == 2


# Not shrunk: each example asks real servers.
@hypothesis_settings(max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(
    objects=st.dictionaries(
        st.tuples(st.sampled_from(["a", "a-b", "a.b", "ab", "b"]), st.integers(0, 3)),
        st.booleans(),
        max_size=14,
    ),
    busy=st.sets(st.sampled_from(["a", "ab", "b"])),
    page=st.integers(1, 4),
)
def test_exactly_the_orphans_go(
    ports: Ports,
    store: S3Store,
    objects: dict[tuple[str, int], bool],
    busy: set[str],
    page: int,
) -> None:
    """Whatever is named, whatever order the store lists in, and wherever a page ends."""
    sessions = ports.sessions
    with sessions() as session:
        for table in (GanRow, JobRow):
            session.execute(delete(table))
        session.commit()
    for key in keys(store):
        store.delete(key)
    for owner in busy:
        running(sessions, target=owner)
    expected: set[str] = set()
    for owner in {owner for owner, _ in objects}:
        add(sessions, gan_row(owner))
    for (owner, step), named in objects.items():
        key = f"gans/{owner}/previews/{step:08d}.png"
        store.put(key, b"")
        if named:
            add(sessions, PreviewRow(gan_id=owner, step=step, key=key))
        if named or owner in busy:
            expected.add(key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orphans, "PAGE", page)
        patch.setattr(orphans, "HELD", page)
        collected(ports, orphan_grace_hours=0)
    assert keys(store) == expected
