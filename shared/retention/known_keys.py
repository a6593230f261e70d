"""Which objects rows name: the one place that knows.

A key is ``folder/owner/…``, and each row that names it belongs to its owner: so the names of a page
of a listing are found by primary keys, however many rows there are.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.db.tables import (
    CheckpointRow,
    ClassifierRow,
    DatasetRow,
    ExperimentRow,
    GanFileRow,
    GanRow,
    JobRow,
    PreviewRow,
    ShardRow,
    UploadRow,
)


@dataclass(frozen=True)
class Naming:
    """A column that names objects in ``folder``, and the column that holds their owner's id.

    Without a ``key`` the row names all that lies below its id.
    """

    folder: str
    owner: InstrumentedAttribute[str]
    key: ColumnElement[Any] | InstrumentedAttribute[Any] | None
    #: Named only for a while after the end of the job, as what a person waited for.
    for_a_while: bool = False


NAMINGS: tuple[Naming, ...] = (
    Naming("datasets", DatasetRow.id, DatasetRow.manifest_key),
    Naming("datasets", ShardRow.dataset_id, ShardRow.key),
    Naming("uploads", UploadRow.id, None),
    Naming("gans", GanRow.id, GanRow.weights_key),
    Naming("gans", CheckpointRow.gan_id, CheckpointRow.key),
    Naming("gans", PreviewRow.gan_id, PreviewRow.key),
    Naming("gans", GanFileRow.gan_id, GanFileRow.key),
    Naming("classifiers", ClassifierRow.id, ClassifierRow.weights_key),
    Naming("classifiers", ClassifierRow.id, ClassifierRow.checkpoint_key),
    Naming("experiments", ExperimentRow.id, ExperimentRow.report_key),
    Naming("experiments", ExperimentRow.id, ExperimentRow.predictions_key),
    Naming("results", JobRow.id, JobRow.output["object"].astext, for_a_while=True),
    Naming("interactive", JobRow.id, JobRow.input["image"].astext, for_a_while=True),
)

#: Whatever lies outside these folders is not ours, and left alone.
FOLDERS: tuple[str, ...] = tuple(dict.fromkeys(naming.folder for naming in NAMINGS))
#: What a person waited for: staged images, and the files made of them.
RESULTS = frozenset(naming.folder for naming in NAMINGS if naming.for_a_while)


def owner_of(key: str) -> str:
    """The id that a key holds."""
    return key.split("/", 2)[1]


def named(
    session: Session, folder: str, keys: Collection[str], *, result_keep: timedelta
) -> set[str]:
    """Those of ``keys``, all in ``folder``, that a row names.

    Args:
        result_keep: how long the files of interactive jobs count as named after the job's end.
    """
    owners = {owner_of(key) for key in keys}
    found: set[str] = set()
    for naming in NAMINGS:
        if naming.folder == folder:
            found |= _named_by(session, naming, owners, keys, result_keep)
    return found


def _named_by(
    session: Session,
    naming: Naming,
    owners: Collection[str],
    keys: Collection[str],
    result_keep: timedelta,
) -> set[str]:
    of_owners = naming.owner.in_(owners)
    if naming.key is None:
        there = set(session.scalars(select(naming.owner).where(of_owners)))
        return {key for key in keys if owner_of(key) in there}
    wanted = _kept(result_keep) if naming.for_a_while else true()
    query = select(naming.key).where(of_owners, naming.key.in_(keys), wanted)
    return set(session.scalars(query))


def _kept(keep: timedelta) -> ColumnElement[bool]:
    since = func.clock_timestamp() - keep
    return or_(JobRow.finished_at.is_(None), JobRow.finished_at > since)
