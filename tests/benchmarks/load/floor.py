"""An API whose one route does nothing: what a submit costs before and after it is written."""

from fastapi.responses import JSONResponse

from lesiongan.contracts.datasets import PreprocessCommand
from shared.web.app import create_app
from shared.web.routing import Router
from shared.web.submission import SubmissionDep

router = Router()


@router.post("/preprocess", operation_id="do_nothing")
async def do_nothing(command: PreprocessCommand, submission: SubmissionDep) -> JSONResponse:
    """The key is checked, the body validated and the request audited, as for any submit."""
    return JSONResponse({"dataset": command.dataset, "dry_run": submission.dry_run})


app = create_app("nothing", [router])
