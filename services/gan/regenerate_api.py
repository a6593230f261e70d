"""``/regenerate``: images of a manifest, again."""

from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from lesiongan.contracts.gans import RegenerateCommand
from services.gan import store as rows
from shared.jobs.submit import NewJob
from shared.plans.datasets import regenerate_job
from shared.web.responses import JOB_RESPONSES
from shared.web.routing import Router
from shared.web.submission import SubmissionDep

router = Router(prefix="/regenerate", tags=["gan"])


@router.post(
    "",
    summary="Make images of a manifest again",
    operation_id="regenerate_images",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def post_regenerate(command: RegenerateCommand, submission: SubmissionDep) -> JSONResponse:
    """A data set of the images that `indices` names, in its order.

    `manifest` is the `manifest.json` of a ZIP of `GET /generate` or of a synthetic data set's
    archive, in any layout but `webdataset`. On the class of device that made them, all are the
    same bytes; the job's output says of how many (`identical`) that is so. 409: the GAN has other
    weights than the manifest names.
    """

    def plan(session: Session) -> NewJob:
        rows.for_manifest(session, command)
        return regenerate_job(command)

    return await submission.answer(plan)
