"""What is trained on must not be what is tested on."""

from collections.abc import Iterable

from shared.datasets.records import ImageRecord
from shared.errors import BadInput


def refuse_shared_patients(train: Iterable[ImageRecord], held_out: Iterable[ImageRecord]) -> None:
    """Raises :class:`BadInput` if a patient has images on both sides."""
    known = {record.patient for record in train if record.patient is not None}
    shared = known & {record.patient for record in held_out}
    if shared:
        raise BadInput(
            f"images of {len(shared)} of the patients are both to train on and in val or test: "
            "use data sets of one split"
        )


def unseen(train: Iterable[ImageRecord], held_out: Iterable[ImageRecord]) -> list[bool]:
    """For each image of ``held_out``: whether no image of ``train`` has the same bytes."""
    known = {record.sha256 for record in train}
    return [record.sha256 not in known for record in held_out]
