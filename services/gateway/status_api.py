"""``/status``: what the system does now, and with what."""

from lesiongan.contracts.console import Status
from services.gateway.status import status
from shared.web.auth import Reader
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep

router = Router(tags=["console"])


@router.get("/status", summary="See what the system does", operation_id="get_status")
def get_status(_: Reader, session: SessionDep, state: StateDep) -> Status:
    """Queues and their workers, devices, what the store holds, and the disk of the data."""
    return status(session, state.presence.workers(), state.settings.data_folder)
