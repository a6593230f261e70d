"""Rows of GANs: what routes and handlers ask and write. Nothing is committed here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from lesiongan.contracts.gans import (
    Gan,
    GanCommand,
    GenerateCommand,
    MetricPoint,
    RegenerateCommand,
)
from shared.datasets import removal
from shared.datasets.lineage import Made
from shared.db.gans import released
from shared.db.rows import require
from shared.db.tables import (
    CheckpointRow,
    GanFileRow,
    GanRow,
    JobRow,
    MetricRow,
    PreviewRow,
)
from shared.errors import AlreadyMade, BadInput, Conflict, NotFound
from shared.jobs import ledger, queries

#: What is locked while the default changes hands: two trainings may end at once.
_DEFAULT = "default-gan"


def get(session: Session, gan_id: str) -> GanRow:
    """A GAN's row; raises :class:`NotFound`."""
    return require(session, GanRow, gan_id, "GAN")


def untrained(session: Session, gan_id: str) -> GanRow:
    """A GAN that is to be trained; raises :class:`AlreadyMade` if another job has done it.

    Weights that were published stay as they are: manifests name their hash.
    """
    row = get(session, gan_id)
    if row.weights_sha256 is not None:
        raise AlreadyMade(f"{row.id} is trained", trained(row.id, row.weights_sha256, row.step))
    return row


def trained(gan_id: str, weights_sha256: str, steps: int) -> dict[str, Any]:
    """What a training answers, whichever job asks."""
    return {"gan": gan_id, "weights_sha256": weights_sha256, "steps": steps}


def file_of(session: Session, gan_id: str, name: str) -> GanFileRow | None:
    """What a GAN has of that name, if anything."""
    return session.get(GanFileRow, (gan_id, name))


def to_begin_with(
    session: Session, command: GanCommand, *, image_size: int, channels: int
) -> GanRow:
    """The GAN ``command.init_from``, whose weights must fit, and must not hold training images:
    what begins with them holds those too, and is not held against them.

    Raises :class:`NotFound` and :class:`Conflict`, and :class:`BadInput` for another shape.
    """
    assert command.init_from is not None, "asked for"
    parent = released(session, command.init_from)
    asked = (image_size, channels, command.width, command.latent)
    has = (parent.image_size, parent.channels, parent.command["width"], parent.command["latent"])
    if asked != has:
        raise BadInput(
            f"{parent.id} has image size, channels, width and latent {_listed(has)}, "
            f"not {_listed(asked)}: ask for the same"
        )
    return parent


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def for_category(session: Session, gan_id: str | None, category: Category) -> GanRow:
    """The GAN that samples ``category``: the given one, or the default.

    Raises :class:`NotFound`, and :class:`Conflict` that shows the request to send first.
    """
    if gan_id is not None:
        row = released(session, gan_id)
        if category not in row.categories:
            known = ", ".join(row.categories)
            raise Conflict(f"{gan_id} does not know {category}: it was trained on {known}")
        return row
    default = session.scalar(select(GanRow).where(GanRow.is_default))
    if default is None or category not in default.categories:
        raise _nothing_by_default(session, default, category)
    return default


def _nothing_by_default(session: Session, default: GanRow | None, category: Category) -> Conflict:
    found = "there is no default GAN"
    if default is not None:
        found = f"{default.id}, the default, does not know {category}"
    other = _newest_that_knows(session, category)
    if other is not None:
        path = f"/gans/{other.id}/default"
        return Conflict(
            f"{found}: {other.id} knows {category}; make it the default with PUT {path}, or name "
            f"it with gan={other.id}",
            example={"method": "PUT", "path": path},
        )
    return Conflict(
        f'{found}: train one with POST /gans {{"dataset": "ds_…"}} on a preprocessed '
        f"data set that has training images of {category}",
        example={"method": "POST", "path": "/gans", "body": {"dataset": "ds_…"}},
    )


def _newest_that_knows(session: Session, category: Category) -> GanRow | None:
    """One that may be sampled; those that an experiment trained are for its own use."""
    published = select(GanRow).where(GanRow.weights_key.is_not(None), ~GanRow.for_experiment)
    newest = session.scalars(published.order_by(GanRow.created_at.desc()))
    return next((row for row in newest if category in row.categories and not row.memorises), None)


def for_manifest(session: Session, command: RegenerateCommand) -> GanRow:
    """The GAN that made a manifest's images, with the weights of then.

    Raises :class:`NotFound`, :class:`shared.errors.Gone`, :class:`Conflict` for other weights, and
    :class:`BadInput` for a category that they do not know.
    """
    manifest = command.manifest
    row = released(session, manifest.gan)
    if row.weights_sha256 != manifest.weights_sha256:
        raise Conflict(
            f"{row.id} has weights of SHA-256 {row.weights_sha256}, but the manifest's images were "
            f"made with {manifest.weights_sha256}"
        )
    named = {manifest.category_of(image) for image in command.wanted()}
    unknown = sorted(str(each) for each in named - set(row.categories))
    if unknown:
        raise BadInput(f"the manifest is damaged: {row.id} never knew {', '.join(unknown)}")
    return row


def waiting_beside(
    session: Session, job_id: str, gan_id: str, *, truncation: float | None, at_most: int
) -> list[tuple[str, GenerateCommand]]:
    """Other jobs that could sample the same GAN now, at most so many images each, oldest first."""
    if at_most == 0:
        return []
    asked = {"job": job_id, "gan": gan_id, "at_most": at_most}
    rows = session.execute(_waiting_beside(), asked)
    found = [(job.id, GenerateCommand.model_validate(job.input)) for job in rows]
    return [(each, command) for each, command in found if command.truncation == truncation]


@cache
def _waiting_beside() -> Select[str, dict[str, Any]]:
    """Built once: every job that samples asks."""
    given, at_most = JobRow.input, bindparam("at_most", type_=Integer)
    return (
        select(JobRow.id, given)
        .where(JobRow.kind == "generate", JobRow.id != bindparam("job"), queries.runnable())
        .where(given["gan"].astext == bindparam("gan"), given["n"].as_integer() <= at_most)
        .order_by(JobRow.created_at)
        .limit(at_most)
    )


def publish(
    session: Session,
    gan_id: str,
    *,
    weights_key: str,
    weights_sha256: str,
    weights_bytes: int,
    step: int,
    scores: dict[str, Any],
) -> None:
    """Make a trained GAN usable, and the default where it should be."""
    ledger.lock_target(session, _DEFAULT)
    row = get(session, gan_id)
    row.weights_key, row.weights_sha256, row.step = weights_key, weights_sha256, step
    row.weights_bytes, row.scores = weights_bytes, scores
    if row.for_experiment or row.memorises:
        return
    default = session.scalar(select(GanRow).where(GanRow.is_default))
    if default is None or (default.phantom and not row.phantom and not default.chosen):
        _make_default(session, row)


def choose_default(session: Session, gan_id: str) -> GanRow:
    """Make a published GAN the default until another is chosen."""
    ledger.lock_target(session, _DEFAULT)
    row = released(session, gan_id)
    _make_default(session, row)
    row.chosen = True
    return row


def _make_default(session: Session, row: GanRow) -> None:
    session.execute(update(GanRow).where(GanRow.is_default).values(is_default=False, chosen=False))
    session.flush()
    session.refresh(row)
    row.is_default = True
    session.flush()


def views(session: Session, rows: Sequence[GanRow]) -> list[Gan]:
    """GANs as clients see them; a GAN's status is its job's."""
    statuses = queries.statuses(session, [row.job_id for row in rows])
    return [_view(row, statuses[row.job_id]) for row in rows]


def _view(row: GanRow, status: str) -> Gan:
    return Gan.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "dataset": row.dataset_id,
            "phantom": row.phantom,
            "default": row.is_default,
            "status": status,
            "step": row.step,
            "steps": row.steps,
            "resumed_from_step": row.resumed_from_step,
            "weights_sha256": row.weights_sha256,
            "scores": row.scores,
            "categories": row.categories,
            "image_size": row.image_size,
            "channels": row.channels,
            "command": row.command,
            "job": row.job_id,
            "created_at": row.created_at,
        }
    )


def checkpoints(session: Session, gan_id: str) -> Sequence[CheckpointRow]:
    """Checkpoints, newest first."""
    query = select(CheckpointRow).where(CheckpointRow.gan_id == gan_id)
    return session.scalars(query.order_by(CheckpointRow.step.desc())).all()


def add_checkpoint(session: Session, row: CheckpointRow, *, keep: int) -> list[str]:
    """Point to a checkpoint that lies in the store; returns keys of those that nobody needs now.

    Those are too old, or lie ahead: the training went back.
    """
    known = checkpoints(session, row.gan_id)
    behind = [each for each in known if each.step < row.step]
    gone = [each for each in known if each.step >= row.step] + list(behind[keep - 1 :])
    keys = [each.key for each in gone if each.key != row.key]
    for each in gone:
        session.delete(each)
    session.flush()
    session.add(row)
    session.execute(update(GanRow).where(GanRow.id == row.gan_id).values(step=row.step))
    session.flush()
    return keys


def add_metrics(session: Session, gan_id: str, step: int, values: dict[str, Any]) -> None:
    """Add to the metrics of a step; a training that is resumed or went back writes them again."""
    query = insert(MetricRow).values(gan_id=gan_id, step=step, values=values)
    session.execute(
        query.on_conflict_do_update(
            index_elements=[MetricRow.gan_id, MetricRow.step],
            set_={MetricRow.values: MetricRow.values.op("||")(query.excluded["values"])},
        )
    )
    session.execute(update(GanRow).where(GanRow.id == gan_id).values(step=step))


def metric_points(session: Session, gan_id: str) -> list[MetricPoint]:
    """The metrics of a GAN in order of steps."""
    query = select(MetricRow).where(MetricRow.gan_id == gan_id).order_by(MetricRow.step)
    return [MetricPoint(step=row.step, values=row.values) for row in session.scalars(query)]


def preview_at(session: Session, gan_id: str, step: int | None) -> PreviewRow:
    """The newest preview, or the newest one up to ``step``; raises :class:`NotFound`."""
    query = select(PreviewRow).where(PreviewRow.gan_id == gan_id)
    if step is not None:
        query = query.where(PreviewRow.step <= step)
    row = session.scalar(query.order_by(PreviewRow.step.desc()).limit(1))
    if row is None:
        raise NotFound(f"{gan_id} has no preview yet")
    return row


def remove(session: Session, gan_id: str) -> list[str]:
    """Delete a GAN's rows; returns the keys of its objects.

    Raises :class:`NotFound`, and :class:`Conflict` while it trains or an unfinished job needs it.
    """
    queries.refuse_while_made(session, gan_id, get(session, gan_id).job_id)
    return removal.remove_all(session, Made(gans=frozenset({gan_id})))
