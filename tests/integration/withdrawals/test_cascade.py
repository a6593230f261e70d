"""Deleting a data set with all that derives from it."""

import pytest
from sqlalchemy import select

from shared.datasets import removal
from shared.db.engine import Sessions
from shared.db.tables import ClassifierRow, DatasetRow, ExperimentRow, GanRow
from shared.errors import Conflict
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import committed
from tests.integration.withdrawals.builders import (
    BOB,
    World,
    dataset,
    make_world,
    objects_of,
    waiting_job,
)


@pytest.fixture
def world(sessions: Sessions, store: S3Store) -> World:
    return make_world(sessions, store)


def everything_below(world: World) -> list[str]:
    """The whole world was made of ``raw``."""
    return sorted(set(vars(world).values()) - {world.raw})


def test_without_cascade_everything_is_named(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    with sessions() as session, pytest.raises(Conflict) as caught:
        removal.remove(session, world.raw, cascade=False)
    assert caught.value.extra["derived"] == everything_below(world)
    assert all(each in caught.value.detail for each in everything_below(world))


def test_a_cascade_takes_models_and_experiments_along(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    other = dataset(sessions, store, [BOB])
    keys = committed(sessions, lambda s: removal.remove(s, world.raw, cascade=True))
    assert sorted(keys) == sorted(objects_of(store, world.raw, *everything_below(world)))
    with sessions() as session:
        assert list(session.scalars(select(DatasetRow.id))) == [other]
        for table in (GanRow, ClassifierRow, ExperimentRow):
            assert list(session.scalars(select(table.id))) == []


def test_a_cascade_begins_where_it_is_asked_to(
    sessions: Sessions, store: S3Store, world: World
) -> None:
    committed(sessions, lambda s: removal.remove(s, world.synthetic, cascade=True))
    with sessions() as session:
        assert session.get(ClassifierRow, world.of_synthetic) is None
        assert session.get(ClassifierRow, world.classifier) is not None
        assert session.get(GanRow, world.gan) is not None


@pytest.mark.parametrize("reads", [True, False])
def test_a_cascade_waits_for_unfinished_jobs(
    sessions: Sessions, store: S3Store, world: World, *, reads: bool
) -> None:
    """Those that read something below, and those that make it."""
    given = {"gan": world.kept_gan} if reads else {}
    target = None if reads else world.kept_classifier
    job = waiting_job(sessions, "probe", given, target=target)
    with sessions() as session, pytest.raises(Conflict, match=job):
        removal.remove(session, world.raw, cascade=True)


def test_an_object_that_is_not_deleted_is_left_to_the_collector(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("gans/left/1", b"1")
    assert removal.delete_objects(store, ["gans/left/1"])
    monkeypatch.setattr(S3Store, "delete", _refuse)
    assert not removal.delete_objects(store, ["gans/left/1"])


def _refuse(_: S3Store, key: str) -> None:
    raise Conflict(key)
