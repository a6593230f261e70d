"""How an image must be preprocessed for a classifier: as its training images were."""

from collections import deque

from sqlalchemy.orm import Session

from lesiongan.contracts.datasets import PreprocessOptions
from shared.db.tables import ClassifierRow, DatasetRow
from shared.errors import BadInput


def options_for(session: Session, row: ClassifierRow) -> PreprocessOptions:
    """The options of the preprocessing that its first real training images went through.

    Raises :class:`BadInput` where there was none, or where it made images of several slices.
    """
    if row.channels != 1:
        raise BadInput(
            f"{row.id} takes images of {row.channels} channels, and one DICOM slice makes 1. "
            "Take in its series as a data set with neighbours, preprocess that as the training "
            "images were, and send one of its images as PNG"
        )
    waiting, seen = deque(row.datasets), set(row.datasets)
    while waiting:
        dataset = session.get(DatasetRow, waiting.popleft())
        if dataset is None:
            continue
        if dataset.kind == "preprocessed" and "contrast" in dataset.command:
            names = PreprocessOptions.model_fields
            given = {name: value for name, value in dataset.command.items() if name in names}
            return PreprocessOptions.model_validate(given)
        more = [parent for parent in dataset.parents if parent not in seen]
        seen.update(more)
        waiting.extend(more)
    raise BadInput(f"the training images of {row.id} were not preprocessed here: send a PNG")
