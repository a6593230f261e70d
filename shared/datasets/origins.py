"""What may be said of where a data set's images come from, once they leave as DICOM files."""

from sqlalchemy.orm import Session

from shared.datasets.dicom import Origin
from shared.db.tables import DatasetRow, GanRow


def is_synthetic(session: Session, row: DatasetRow) -> bool:
    """Whether any image was made by a GAN, drawn by the phantom, or derived from such a one."""
    return row.phantom or _is_synthetic(session, row)


def origin_of(session: Session, row: DatasetRow) -> Origin:
    """Of a data set that is complete."""
    if row.kind == "synthetic":
        return sampled(session, row.id, row.command["gan"])
    parents = ", ".join(row.parents)
    made = f"{row.kind} from {parents}" if parents else "taken in, pixel values unchanged"
    return Origin(
        dataset_id=row.id,
        kind=row.kind,
        synthetic=is_synthetic(session, row),
        made=f"LesionGAN: {made}",
    )


def sampled(session: Session, dataset_id: str, gan_id: str) -> Origin:
    """Of a data set that a GAN makes, complete or not."""
    gan = session.get(GanRow, gan_id)
    weights = "unknown" if gan is None else gan.weights_sha256
    made = f"LesionGAN: sampled from {gan_id}, weights SHA-256 {weights}"
    return Origin(dataset_id=dataset_id, kind="synthetic", synthetic=True, made=made)


def _is_synthetic(session: Session, row: DatasetRow) -> bool:
    """Whether any image that it was made of is synthetic."""
    if row.kind == "synthetic":
        return True
    parents = [session.get(DatasetRow, each) for each in row.parents]
    return any(parent is not None and _is_synthetic(session, parent) for parent in parents)
