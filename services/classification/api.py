"""Routes of the classification service: classifiers, and what they say of an image."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.base import Page
from lesiongan.contracts.classifiers import (
    Classification,
    Classifier,
    ClassifierCommand,
    ClassifierId,
)
from lesiongan.contracts.jobs import Estimate
from services.classification import store as rows
from services.classification.experiments_api import router as experiments_router
from services.classification.preparation import options_for
from services.classification.pretrained import pretrained_sha256
from services.classification.settings import ClassificationSettings
from shared.datasets import catalog, reading
from shared.datasets.dicom_stripping import is_dicom
from shared.datasets.removal import delete_objects
from shared.db.engine import Sessions
from shared.db.pages import newest_first
from shared.db.tables import ClassifierRow, DatasetRow
from shared.errors import BadInput
from shared.ids import new_id, sha256_of
from shared.jobs.submit import NewJob
from shared.plans.classifiers import ClassifierData, train_classifier_job
from shared.storage.port import ObjectStore
from shared.web.app import create_app
from shared.web.auth import Reader, Submitter
from shared.web.interactive import PNG_OR_DICOM_BODY, answer_with_file, replayed_file
from shared.web.paging import PagingDep
from shared.web.png_header import read_header
from shared.web.responses import JOB_ID, JOB_RESPONSES, REPLAYED
from shared.web.routing import Router
from shared.web.state import SessionDep, StoreDep
from shared.web.submission import SubmissionDep
from shared.web.uploads import receive_image

router = Router(tags=["classification"])

#: Four numbers of at most five digits: no slice is larger.
_BOX = r"^\d{1,5}(\.\d{1,3})?(,\d{1,5}(\.\d{1,3})?){3}$"


@router.post(
    "/classifiers",
    summary="Train a classifier",
    operation_id="train_classifier",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def train_classifier(command: ClassifierCommand, submission: SubmissionDep) -> JSONResponse:
    """On the training images of all data sets, selected on their `val`; each request anew.

    A `teacher` filters synthetic images, labels unlabelled ones, or softens labels.
    """

    def plan(session: Session) -> NewJob:
        datasets = [catalog.get(session, each) for each in [*command.datasets, *command.unlabelled]]
        if command.asks_teacher and command.teacher is None:
            raise BadInput("distil, filter_confidence and unlabelled ask a teacher: name one")
        teacher = None if command.teacher is None else rows.published(session, command.teacher)
        raw = [each.id for each in datasets if each.kind == "raw"]
        if raw:
            raise BadInput(f"{', '.join(raw)} raw: send to POST /preprocess first")
        found = {name for each in datasets for name in catalog.labelled_categories(each, ["train"])}
        if len(found) < 2:
            raise BadInput("a classifier needs training images of at least two categories")
        data = ClassifierData(
            name=f"{command.architecture} of {datasets[0].name}",
            phantom=any(each.phantom for each in datasets),
            images=sum(n for each in datasets for n in each.counts["train"].values()),
            image_size=_image_size(session, submission.state.store, datasets[0]),
            taught_on=[] if teacher is None else teacher.datasets,
        )
        return train_classifier_job(
            _with_pretrained(command), data, classifier_id=new_id("clf"), for_experiment=False
        )

    return await submission.answer(plan)


def _image_size(session: Session, store: ObjectStore, dataset: DatasetRow) -> int:
    return reading.open_dataset(session, store, dataset.id).records[0].width


def _with_pretrained(command: ClassifierCommand) -> ClassifierCommand:
    if not command.pretrained:
        return command
    folder, wanted = ClassificationSettings().pretrained, command.pretrained_sha256
    found = pretrained_sha256(folder, command.architecture, wanted)
    return command.model_copy(update={"pretrained_sha256": found})


@router.get("/classifiers", summary="List classifiers", operation_id="list_classifiers")
def list_classifiers(_: Reader, session: SessionDep, paging: PagingDep) -> Page[Classifier]:
    page = newest_first(
        session, select(ClassifierRow), ClassifierRow, limit=paging.limit, cursor=paging.cursor
    )
    return Page(items=rows.views(session, page.rows), next_cursor=page.next_cursor)


@router.get(
    "/classifiers/{classifier_id}", summary="Get a classifier", operation_id="get_classifier"
)
def get_classifier(classifier_id: str, _: Reader, session: SessionDep) -> Classifier:
    return rows.views(session, [rows.get(session, classifier_id)])[0]


@router.delete(
    "/classifiers/{classifier_id}",
    summary="Delete a classifier",
    operation_id="delete_classifier",
    status_code=204,
)
def delete_classifier(
    classifier_id: str, _: Submitter, session: SessionDep, store: StoreDep
) -> Response:
    """Tables that it took part in stay; 409 while it trains."""
    keys = rows.remove(session, classifier_id)
    session.commit()
    delete_objects(store, keys)
    return Response(status_code=204)


@router.post(
    "/classify",
    summary="Classify an image",
    operation_id="classify_image",
    responses={
        200: {
            "description": "The category, and all probabilities; or an estimate (`dry_run`)",
            "model": Classification | Estimate,
            "headers": {"X-Job-Id": JOB_ID, "Idempotency-Replayed": REPLAYED},
        },
        202: JOB_RESPONSES[202],
    },
    openapi_extra=PNG_OR_DICOM_BODY,
    response_class=Response,
)
async def classify(
    request: Request,
    submission: SubmissionDep,
    classifier: Annotated[ClassifierId, Query(description="which one to ask")],
    explain: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="also where the classifier looked: Grad-CAM, a PNG in base64")
    ] = False,
    box: Annotated[
        str | None,
        Query(
            pattern=_BOX,
            description="the lesion on a DICOM slice, in pixels of it: x1,y1,x2,y2. Without it, "
            "the whole slice is classified. A PNG is a crop already",
        ),
    ] = None,
) -> Response:
    """Send an 8-bit PNG of the size that the classifier was trained on, or a DICOM file of one CT
    slice: it is rescaled to HU, and preprocessed as the classifier's training images were. Nothing
    of the file is stored but its picture, and that until the answer is made.
    """
    settings = ClassificationSettings()
    image = await receive_image(request, max_bytes=settings.classify_max_bytes, dicom=True)
    submission = submission.including(sha256_of(image))
    wait_seconds = submission.waits(settings.classify_wait_seconds)
    replayed = await replayed_file(submission, wait_seconds=wait_seconds)
    if replayed is not None:
        return replayed
    asked = {"classifier": classifier, "explain": explain}
    before = None
    if is_dicom(image):
        before = await run_in_threadpool(_preparing, submission.state.sessions, classifier, box)
        options = before.input["options"]
        asked["crop"] = options["crop"] if before.input["box_px"] else "slice"
    else:
        await run_in_threadpool(_check, submission.state.sessions, classifier, image)
    return await answer_with_file(
        submission,
        NewJob(kind="classify", queue="interactive", input=asked, total=1, unit="image"),
        image,
        wait_seconds=wait_seconds,
        before=before,
    )


def _preparing(sessions: Sessions, classifier_id: str, box: str | None) -> NewJob:
    """The preprocessing service's job that makes a classifier's image of a DICOM file."""
    with sessions() as session:
        options = options_for(session, rows.published(session, classifier_id))
    return NewJob(
        kind="prepare-image",
        queue="interactive",
        input={
            "options": options.model_dump(mode="json"),
            "box_px": None if box is None else _corners(box),
        },
        total=1,
        unit="image",
    )


def _corners(box: str) -> tuple[float, ...]:
    """Left, top, right, bottom, whichever corners were named."""
    x1, y1, x2, y2 = map(float, box.split(","))
    return (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _check(sessions: Sessions, classifier_id: str, image: bytes) -> None:
    """Refuse at once what the worker would refuse after it."""
    header = read_header(image)
    with sessions() as session:
        row = rows.published(session, classifier_id)
    if (header.width, header.height) != (row.image_size, row.image_size):
        raise BadInput(
            f"the image is {header.width}x{header.height} px; {row.id} takes {row.image_size}x"
            f"{row.image_size} px: preprocess it as its training images were"
        )


routers = [router, experiments_router]
app = create_app("classification", routers)
