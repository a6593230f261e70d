"""``/gans/{id}/previews``: at which steps there are grids to look at."""

from sqlalchemy import select

from lesiongan.contracts.gans import GanPreviews
from services.gan import store as rows
from shared.db.tables import PreviewRow
from shared.web.auth import Reader
from shared.web.routing import Router
from shared.web.state import SessionDep

router = Router(prefix="/gans", tags=["gan"])


@router.get("/{gan_id}/previews", summary="List grids of samples", operation_id="list_gan_previews")
def list_previews(gan_id: str, _: Reader, session: SessionDep) -> GanPreviews:
    """The steps of which `/gans/{gan_id}/preview.png?step=` has a grid of its own."""
    rows.get(session, gan_id)
    steps = select(PreviewRow.step).where(PreviewRow.gan_id == gan_id).order_by(PreviewRow.step)
    return GanPreviews(gan=gan_id, steps=list(session.scalars(steps)))
