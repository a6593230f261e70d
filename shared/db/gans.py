"""GANs by what they may be used for, or the error that says why not."""

from sqlalchemy.orm import Session

from shared.db.rows import require
from shared.db.tables import GanRow
from shared.errors import Conflict


def published(session: Session, gan_id: str) -> GanRow:
    """A GAN whose weights are there; raises :class:`NotFound` and :class:`Conflict`."""
    row = require(session, GanRow, gan_id, "GAN")
    if row.weights_key is None:
        raise Conflict(f"{gan_id} has no weights yet: its training has not succeeded")
    return row


def released(session: Session, gan_id: str) -> GanRow:
    """A published GAN that does not give back its training images.

    Raises :class:`NotFound`, and :class:`Conflict` that says how it memorises.
    """
    row = published(session, gan_id)
    if row.memorises:
        found = row.scores["memorisation"]
        raise Conflict(
            f"{gan_id} gives back its training images: {found['copies']:.0%} of {found['n']} "
            "samples are copies, so neither weights nor images leave; see "
            f"/gans/{gan_id}/pairs.png, and train on more images or for fewer steps",
            memorisation=found,
        )
    return row


def comparable(session: Session, gan_id: str) -> GanRow:
    """A GAN whose images may train the arms of an experiment; raises as :func:`released` does.

    Those that an experiment trained may memorise: it compares, and its notes say so.
    """
    row = published(session, gan_id)
    return row if row.for_experiment else released(session, gan_id)
