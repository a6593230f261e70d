"""Routes of experiments."""

from fastapi import Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.experiments import Experiment, ExperimentCommand
from services.classification import store as rows
from services.classification.experiment_plan import plan_experiment
from services.classification.settings import ClassificationSettings
from shared.datasets.removal import delete_objects
from shared.db.pages import newest_first
from shared.db.tables import ExperimentRow
from shared.web.auth import Reader, Submitter
from shared.web.paging import PagingDep
from shared.web.responses import JOB_RESPONSES, binary, header
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep, StoreDep, WebState
from shared.web.submission import SubmissionDep

router = Router(prefix="/experiments", tags=["classification"])

#: The report runs no script and loads nothing, whatever a name in it may say.
REPORT_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


@router.post(
    "",
    summary="Run an experiment",
    operation_id="run_experiment",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def run_experiment(command: ExperimentCommand, submission: SubmissionDep) -> JSONResponse:
    """The same classifier on each arm's training images, compared on the test images.

    The job is the last of a graph: `GET /jobs?graph=ID` lists it, cancelling it cancels all of it.
    What earlier experiments made is used again; the same request is the same experiment.
    """
    store = submission.state.store
    folder = ClassificationSettings().pretrained
    return await submission.answer(
        lambda session: plan_experiment(session, store, command, pretrained=folder)
    )


@router.get("", summary="List experiments", operation_id="list_experiments")
def list_experiments(_: Reader, session: SessionDep, paging: PagingDep) -> Page[Experiment]:
    page = newest_first(
        session, select(ExperimentRow), ExperimentRow, limit=paging.limit, cursor=paging.cursor
    )
    return Page(items=rows.listed_experiments(session, page.rows), next_cursor=page.next_cursor)


@router.get("/{experiment_id}", summary="Get an experiment", operation_id="get_experiment")
def get_experiment(experiment_id: str, _: Reader, session: SessionDep) -> Experiment:
    """Its table is there once its job has succeeded."""
    return rows.experiment_views(session, [rows.get_experiment(session, experiment_id)])[0]


@router.delete(
    "/{experiment_id}",
    summary="Delete an experiment",
    operation_id="delete_experiment",
    status_code=204,
)
def delete_experiment(
    experiment_id: str, _: Submitter, session: SessionDep, store: StoreDep
) -> Response:
    """Its table and report; what it trained stays. 409 until its job has ended."""
    keys = rows.remove_experiment(session, experiment_id)
    session.commit()
    delete_objects(store, keys)
    return Response(status_code=204)


@router.get(
    "/{experiment_id}/report",
    summary="Read the report",
    operation_id="get_experiment_report",
    responses={
        200: {
            "description": "One self-contained page",
            "content": {
                "text/html": {
                    "schema": {"type": "string"},
                    "example": "<!doctype html><title>Experiment</title>…",
                }
            },
            "headers": {"Content-Security-Policy": header("no script, nothing from elsewhere")},
        }
    },
    response_class=Response,
)
def get_report(experiment_id: str, _: Reader, state: StateDep) -> Response:
    """One HTML file that needs nothing else; 409 until the comparison has ended."""
    key = _reported(state, experiment_id).report_key
    assert key is not None, "reported"
    page = state.store.get(key)
    return Response(page, media_type="text/html; charset=utf-8", headers=REPORT_HEADERS)


@router.get(
    "/{experiment_id}/predictions",
    summary="Download all predictions",
    operation_id="get_experiment_predictions",
    responses=binary(
        "application/octet-stream",
        "A Parquet file, a row a prediction",
        headers={"Content-Disposition": header("a file name", required=True)},
    ),
    response_class=Response,
)
def get_predictions(experiment_id: str, _: Reader, state: StateDep) -> Response:
    """What the table is computed from, for whoever would compute it anew.

    A row a test image, arm, seed and number of real images: the image's `index` in the data set,
    its `category`, and the probability `p_…` of each category. 409 until the comparison has ended.
    """
    key = _reported(state, experiment_id).predictions_key
    assert key is not None, "reported"
    name = f'attachment; filename="{experiment_id}.parquet"'
    data = state.store.get(key)
    headers = {"Content-Disposition": name}
    return Response(data, media_type="application/octet-stream", headers=headers)


def _reported(state: WebState, experiment_id: str) -> ExperimentRow:
    """Read before the store is: no connection waits for it."""
    with state.sessions() as session:
        return rows.reported(session, experiment_id)
