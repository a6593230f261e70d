"""``lesiongan classify``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lesiongan.cli.command import command
from lesiongan.cli.exits import FAILED
from lesiongan.cli.progress import display
from lesiongan.cli.session import Session, plain, table
from lesiongan.client import Client
from lesiongan.contracts.classifiers import Classification
from lesiongan.errors import ApiError, JobFailed

app = typer.Typer()

#: What a server says of an image that is too large, or none.
_BAD_IMAGE_STATUS = (413, 415, 422)


@dataclass(frozen=True)
class _Answer:
    """What came of one file: a classification, or the reason why there is none."""

    file: Path
    said: Classification | None
    error: str = ""

    def document(self) -> dict[str, Any]:
        if self.said is None:
            return {"file": str(self.file), "error": self.error}
        return {"file": str(self.file), **self.said.model_dump(mode="json", exclude_none=True)}


@dataclass(frozen=True)
class _Asked:
    """What is asked of every file."""

    classifier: str
    explain: bool
    box: tuple[float, float, float, float] | None


@command(app, "classify")
def classify(
    session: Session,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="PNG or DICOM files")],
    *,
    classifier: Annotated[str, typer.Option(help="an id: clf_…")],
    explain: Annotated[
        bool, typer.Option("--explain", help="with --json: a heat map (Grad-CAM) as base64")
    ] = False,
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(metavar="X1 Y1 X2 Y2", help="the lesion on a DICOM slice, in pixels of it"),
    ] = None,
) -> None:
    """Say which lesion each image shows; --json prints the probability of every category.

    Files that are no image are named, and the others classified; the exit code is 1 then.
    """
    with session.connect() as client:
        asked = _Asked(classifier, explain, box)
        answers = [*_answers(session, client, images, asked)]
    said = [(answer.file, answer.said) for answer in answers if answer.said is not None]
    rows = [(file, c.category, f"{c.probabilities[c.category]:.1%}") for file, c in said]
    if session.terse or rows:
        documents = [answer.document() for answer in answers]
        columns = ("FILE", "CATEGORY", "PROBABILITY")
        session.show(documents, lambda out: out.print(table(columns, rows)))
    for answer in answers:
        if answer.said is None:
            line = " ".join(f"{answer.file}: {answer.error}".split())
            typer.echo(f"error: {plain(line)}", err=True)
    if len(said) < len(answers):
        raise typer.Exit(FAILED)


def _answers(
    session: Session, client: Client, images: list[Path], asked: _Asked
) -> Iterator[_Answer]:
    # Without a terminal, a single image needs no word before its answer.
    quiet = session.terse or len(images) == 1
    with display(quiet=quiet) as shown, shown.step("classify") as step:
        for done, image in enumerate(images, start=1):
            yield _answer(client, image, asked)
            step.update(done, len(images), f"{done} of {len(images)} images")


def _answer(client: Client, image: Path, asked: _Asked) -> _Answer:
    try:
        said = client.classify(image, asked.classifier, explain=asked.explain, box=asked.box)
        return _Answer(image, said)
    except OSError as error:
        return _Answer(image, None, error.strerror or str(error))
    except JobFailed as error:
        return _Answer(image, None, str(error))
    except ApiError as error:
        if error.status not in _BAD_IMAGE_STATUS or _of_the_request(error):
            raise
        return _Answer(image, None, error.detail)


def _of_the_request(error: ApiError) -> bool:
    """Whether the server names a member of the request: then every image meets the same error."""
    return any(fault.get("loc") for fault in error.errors)
