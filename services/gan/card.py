"""A GAN's card: what it is, what it was trained on, how good it is and what it is not for.

The front matter is that of Hugging Face's model cards, so that tools which read those can. It knows
neither HTTP nor torch: the API serves it, and the weights carry it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.datasets.card import one_line
from shared.db.tables import DatasetRow, GanRow

#: What a card says of a GAN and its weights' metadata say in other words.
_NOT_OPTIONS = ("dataset", "name", "categories")

_LIMITS = """\
Images made with these weights show nobody: they are synthetic, made to train and compare
classifiers of annotated CT lesions. They are not for diagnosis, and nothing here is a medical
device. A GAN repeats what its training images have in common, their gaps and biases too, and may
come close to single ones: look at the scores above before you share weights or images.
"""
_PHANTOM = """\
**Trained on phantoms**, which a program drew: nothing that is measured with these images says
anything about patients.
"""
_REFERENCES = """\
Class-conditional WGAN-GP: Gulrajani et al., *Improved training of Wasserstein GANs*, NeurIPS 2017;
projection critic: Miyato & Koyama, *cGANs with projection discriminator*, ICLR 2018. The weights
are those of the generator's moving average.
"""


def gan_card(row: GanRow, dataset: DatasetRow) -> str:
    """Markdown, of a GAN as it is now."""
    about = f"`{row.id}`, {_shape(row)}, step {row.step} of {row.steps}"
    weights = (
        f"weights SHA-256 `{row.weights_sha256}`"
        if row.weights_sha256
        else "without weights: its training has not succeeded"
    )
    default = " `/generate` samples it when no GAN is named." if row.is_default else ""
    return "\n".join(
        [
            *_front_matter(row, row.name),
            f"# {one_line(row.name)}",
            "",
            f"{about}, {weights}.{default}",
            "",
            *_body(row, dataset, row.scores),
        ]
    )


def weights_card(row: GanRow, dataset: DatasetRow, scores: Mapping[str, Any]) -> str:
    """Markdown for the metadata of the weights: equal trainings say the same."""
    title = f"WGAN-GP of {', '.join(row.categories)}"
    about = f"{_shape(row)}, trained for {row.steps} steps."
    opening = [*_front_matter(row, title), f"# {title}", "", about, ""]
    return "\n".join([*opening, *_body(row, dataset, scores)])


def _front_matter(row: GanRow, name: str) -> Iterator[str]:
    yield "---"
    yield f"pretty_name: {json.dumps(name)}"
    yield "library_name: lesiongan"
    yield "pipeline_tag: unconditional-image-generation"
    phantom = ", phantom" if row.phantom else ""
    yield f"tags: [medical, ct, lesions, gan, wgan-gp, synthetic{phantom}]"
    yield "---"
    yield ""


def _shape(row: GanRow) -> str:
    colour = "grey" if row.channels == 1 else f"{row.channels} channels"
    return f"class-conditional WGAN-GP, {row.image_size} by {row.image_size} pixels, {colour}"


def _body(row: GanRow, dataset: DatasetRow, scores: Mapping[str, Any]) -> Iterator[str]:
    if row.phantom:
        yield _PHANTOM
    yield from _data(row, dataset)
    yield from _training(row)
    yield from _scores(scores)
    yield "## Use and limits"
    yield ""
    yield _LIMITS
    yield _REFERENCES


def _data(row: GanRow, dataset: DatasetRow) -> Iterator[str]:
    train = dataset.counts.get("train", {})
    yield "## Trained on"
    yield ""
    yield f"The training split of `{dataset.id}`."
    yield ""
    yield "| category | training images |"
    yield "|---|---|"
    for category in row.categories:
        yield f"| {category} | {train.get(category, 0)} |"
    yield ""


def _training(row: GanRow) -> Iterator[str]:
    yield "## How"
    yield ""
    yield "```json"
    options = {key: value for key, value in row.command.items() if key not in _NOT_OPTIONS}
    yield json.dumps(options, indent=1, sort_keys=True)
    yield "```"
    yield ""


def _scores(scores: Mapping[str, Any]) -> Iterator[str]:
    yield "## Scores"
    yield ""
    if not scores:
        yield "None were measured."
    else:
        yield "```json"
        yield json.dumps(scores, indent=1, sort_keys=True)
        yield "```"
    yield ""
