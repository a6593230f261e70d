"""What a withdrawal reaches, and what it leaves."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.datasets import reading
from shared.datasets.lineage import Made
from shared.datasets.writing import DatasetWriter
from shared.db.engine import Sessions
from shared.db.rows import require
from shared.db.tables import (
    DatasetRow,
    GanRow,
    JobEventRow,
    MetricRow,
    ShardRow,
    UploadRow,
    WithdrawalRow,
)
from shared.db.tombstones import withdrawn_patients
from shared.errors import Gone, NotFound
from shared.jobs import claims, ledger
from shared.jobs.claims import LeaseLost
from shared.plans.datasets import ingest_id
from shared.storage.port import StoreUnavailable
from shared.storage.s3 import S3Store
from shared.withdrawals.withdraw import preview, withdraw
from tests.integration.shared.builders import (
    committed,
    destination,
    grey_png,
    meta,
    new_dataset,
    row,
    running,
    submitted,
)
from tests.integration.withdrawals.builders import (
    ALICE,
    BOB,
    World,
    dataset,
    make_experiment,
    make_world,
    objects_of,
    sampled,
    status,
    waiting_job,
)


@pytest.fixture
def world(sessions: Sessions, store: S3Store) -> World:
    return make_world(sessions, store)


def gone(world: World) -> Made:
    return Made(
        datasets=frozenset({world.raw, world.crops, world.synthetic}),
        gans=frozenset({world.gan}),
        classifiers=frozenset({world.classifier, world.of_synthetic}),
        experiments=frozenset({world.experiment}),
    )


def ids(found: list[Any]) -> set[str]:
    return {each.id for each in found}


def rows(sessions: Sessions, table: Any) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(table)).one())


def test_the_dry_run_names_what_the_real_one_removes(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    named = preview(sessions, store, [ALICE])
    assert (rows(sessions, DatasetRow), rows(sessions, WithdrawalRow)) == (5, 0)
    assert named.id is None
    expected = gone(world)
    assert ids(named.datasets) == expected.datasets
    assert ids(named.gans) == expected.gans
    assert ids(named.classifiers) == expected.classifiers
    assert ids(named.experiments) == expected.experiments
    images = {each.id: (each.patient_images, each.images) for each in named.datasets}
    assert images == {world.raw: (2, 3), world.crops: (2, 3), world.synthetic: (0, 2)}
    assert named.patient_images == 4
    listed = objects_of(store, *expected.ids)
    assert (named.objects, len(listed)) == (13, 13)
    done = withdraw(sessions, store, [ALICE])
    assert done.id is not None
    same = {"id": None, "dry_run": True}
    assert done.model_copy(update=same) == named


def test_everything_is_gone_and_says_so(sessions: Sessions, store: S3Store, world: World) -> None:
    done = withdraw(sessions, store, [ALICE])
    assert objects_of(store, *gone(world).ids) == []
    with sessions() as session:
        for dataset_id in gone(world).datasets:
            with pytest.raises(Gone, match=f"data set {dataset_id} .*{done.id}"):
                reading.open_dataset(session, store, dataset_id)
        with pytest.raises(Gone, match="GAN"):
            require(session, GanRow, world.gan, "GAN")
        with pytest.raises(NotFound):
            require(session, GanRow, "gan_none", "GAN")
    assert rows(sessions, MetricRow) == 1, "the other GAN's"


def test_what_was_made_of_others_stays(sessions: Sessions, store: S3Store, world: World) -> None:
    before = objects_of(store, world.subset, world.kept_gan, world.kept_classifier)
    withdraw(sessions, store, [ALICE])
    with sessions() as session:
        assert set(session.scalars(select(DatasetRow.id))) == {world.subset, world.kept_synthetic}
        kept = reading.open_dataset(session, store, world.subset)
        assert [record.patient for record in kept.records] == [BOB]
        assert kept.row.parents == [world.crops], "lineage names what is gone"
        assert set(session.scalars(select(GanRow.id))) == {world.kept_gan}
    assert objects_of(store, world.subset, world.kept_gan, world.kept_classifier) == before


def test_lineage_is_followed_through_what_a_thing_was_made_by(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    """A sample names its GAN, and a comparison its classifiers, whatever else they name."""
    sample = sampled(sessions, store, world.gan, world.subset)
    comparison = make_experiment(sessions, store, world.subset, [world.classifier])
    kept = make_experiment(sessions, store, world.subset, [world.kept_classifier])
    done = withdraw(sessions, store, [ALICE])
    assert sample in ids(done.datasets)
    assert comparison in ids(done.experiments)
    assert kept not in ids(done.experiments)


def test_the_jobs_stay_and_tell_nothing(sessions: Sessions, store: S3Store, world: World) -> None:
    with sessions() as session:
        trained = session.get_one(GanRow, world.gan).job_id
        kept = session.get_one(GanRow, world.kept_gan).job_id
    withdraw(sessions, store, [ALICE])
    assert status(sessions, trained) == "succeeded"
    with sessions() as session:
        told = set(session.scalars(select(JobEventRow.job_id)))
    assert trained not in told
    assert kept in told


def test_what_was_withdrawn_is_not_made_again(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    withdraw(sessions, store, [ALICE])
    with pytest.raises(Gone):
        submitted(sessions, target=world.crops)


def test_unfinished_jobs_end_at_once_with_all_that_waits_for_them(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    train = running(sessions, kind="augment", input={"dataset": world.crops}, target="ds_never")
    child = waiting_job(sessions, "train-gan", {"dataset": "ds_never"}, parents=[train.job_id])
    other = running(sessions, kind="augment", input={"dataset": world.subset}, target="ds_other")
    with DatasetWriter(destination(sessions, store, train), plan=lambda _: 1) as writer:
        writer.add(grey_png(1), meta(patient=None))
        writer.flush()
        named = preview(sessions, store, [ALICE])
        assert named.jobs_cancelled == sorted([train.job_id, child])
        assert named.unfinished_datasets == ["ds_never"]
        assert status(sessions, train.job_id) == "running"
        assert withdraw(sessions, store, [ALICE]).jobs_cancelled == named.jobs_cancelled
        assert {status(sessions, each) for each in (train.job_id, child)} == {"cancelled"}
        writer.add(grey_png(2), meta(patient=ALICE))
        with pytest.raises(LeaseLost):
            writer.flush()
    assert status(sessions, other.job_id) == "running"
    assert rows(sessions, ShardRow) == 2
    with sessions() as session, pytest.raises(Gone):
        ledger.retry(session, train.job_id)


def test_a_running_ingest_begins_again_after_its_last_clean_shard(
    sessions: Sessions, store: S3Store
) -> None:
    claim = running(sessions, kind="ingest", input={"upload": "up_alone"}, target="ds_in")
    upload = UploadRow(id="up_alone", bytes=1, parts=1, part_bytes=1, sha256="0")
    committed(sessions, lambda session: session.add(upload))
    store.put("uploads/up_alone/000000.part", b"1")
    with DatasetWriter(destination(sessions, store, claim), plan=lambda _: 1) as writer:
        for number, patient in enumerate([BOB, ALICE, BOB]):
            writer.add(grey_png(number), meta(patient=patient))
    assert preview(sessions, store, [ALICE]).jobs_restarted == [claim.job_id]
    done = withdraw(sessions, store, [ALICE])
    assert (done.jobs_restarted, done.uploads, done.objects) == ([claim.job_id], [], 2)
    assert status(sessions, claim.job_id) == "queued"
    assert row(sessions, claim.job_id).rung_at is None, "the sweeper rings for it"
    with pytest.raises(LeaseLost):
        committed(sessions, lambda session: claims.hold(session, claim))
    assert objects_of(store, "up_alone") == ["uploads/up_alone/000000.part"]
    with sessions() as session:
        assert list(session.scalars(select(ShardRow.number))) == [0]


def test_an_upload_that_no_job_awaits_goes(sessions: Sessions, store: S3Store) -> None:
    upload = UploadRow(id="up_other", bytes=1, parts=1, part_bytes=1, sha256="0")
    committed(sessions, lambda session: session.add(upload))
    store.put("uploads/up_other/000000.part", b"1")
    done = withdraw(sessions, store, [ALICE])
    assert (done.uploads, done.objects, done.bytes) == (["up_other"], 1, 1)
    assert objects_of(store, "up_other") == []
    assert any("send them again" in note for note in done.notes)


def test_files_that_an_affected_model_made_go(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    claim = running(sessions, kind="classify", input={"classifier": world.classifier, "image": "x"})
    key = f"results/{claim.job_id}/1.json"
    store.put(key, b"{}")
    output = {"object": key, "content_type": "application/json"}
    committed(sessions, lambda session: ledger.succeed(session, claim, output))
    assert withdraw(sessions, store, [ALICE]).results == [claim.job_id]
    assert objects_of(store, claim.job_id) == []


def test_a_set_that_holds_a_withdrawn_patient_is_not_published(
    sessions: Sessions, store: S3Store
) -> None:
    withdraw(sessions, store, [ALICE])
    claim = running(sessions, target="ds_late")
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(1), meta(patient=ALICE))
        write = writer.finish(new_dataset(claim))
    with sessions() as session, pytest.raises(Gone, match="send the request again"):
        write(session)


def test_an_unknown_patient_is_left_out_later(sessions: Sessions, store: S3Store) -> None:
    dataset(sessions, store, [BOB])
    named = preview(sessions, store, [ALICE])
    assert "check the identifier" in named.notes[0]
    done = withdraw(sessions, store, [ALICE])
    assert (done.datasets, done.objects) == ([], 0)
    with sessions() as session:
        assert withdrawn_patients(session) == {ALICE}


def test_the_second_time_there_is_nothing_left(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    first = withdraw(sessions, store, [ALICE])
    again = withdraw(sessions, store, [ALICE])
    assert (again.id, again.datasets) == (first.id, [])
    assert rows(sessions, WithdrawalRow) == 1


def test_a_later_pseudonym_of_the_same_patient_counts(sessions: Sessions, store: S3Store) -> None:
    """A set that was downloaded and taken in again."""
    again = dataset(sessions, store, ["c" * 32])
    done = withdraw(sessions, store, [ALICE, "c" * 32])
    assert ids(done.datasets) == {again}
    with sessions() as session:
        assert withdrawn_patients(session) == {ALICE, "c" * 32}


def test_older_rows_are_filled_in_from_their_manifest(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    forget = update(DatasetRow).values(patients=None)
    committed(sessions, lambda session: session.execute(forget))
    assert ids(preview(sessions, store, [ALICE]).datasets) == gone(world).datasets
    with sessions() as session:
        known = session.scalars(select(DatasetRow.patients).where(DatasetRow.id == world.raw)).one()
    assert known == {ALICE: 2, BOB: 1}


def test_a_set_without_a_manifest_is_named(sessions: Sessions, store: S3Store) -> None:
    lost = dataset(sessions, store, [ALICE])
    forget = update(DatasetRow).values(patients=None)
    committed(sessions, lambda session: session.execute(forget))
    for key in objects_of(store, lost):
        store.delete(key)
    found = preview(sessions, store, [ALICE])
    assert any(lost in note for note in found.notes)


def test_each_withdrawal_gives_an_ingest_another_id(sessions: Sessions, store: S3Store) -> None:
    """Only that of an archive which it took something from."""
    with sessions() as session:
        first, other = (ingest_id(session, content, "folders") for content in ("1", "2"))
    claim = running(sessions, target=first)
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(1), meta(patient=ALICE))
        committed(sessions, writer.finish(new_dataset(claim)))
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    withdraw(sessions, store, [ALICE])
    with sessions() as session:
        second = ingest_id(session, "1", "folders")
        assert second != first
        assert ingest_id(session, "1", "folders") == second
        assert ingest_id(session, "2", "folders") == other


def test_a_store_that_fails_does_not_bring_anything_back(
    sessions: Sessions, store: S3Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: S3Store, key: str) -> None:
        raise StoreUnavailable(f"{key} is not deleted")

    monkeypatch.setattr(S3Store, "delete", refuse)
    done = withdraw(sessions, store, [ALICE])
    assert any("collector" in note for note in done.notes)
    with sessions() as session, pytest.raises(Gone):
        reading.open_dataset(session, store, world.raw)
