"""A data set's card: what it is, how it came about and what it is not for, for people.

The front matter is that of Hugging Face's data set cards, so that tools which read those can.
"""

import json
from collections.abc import Iterator

from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.datasets import DatasetReport, DuplicatePairs
from shared.db.tables import DatasetRow

_LIMITS = """\
Made for training and comparing classifiers of annotated CT lesions. It is not for detection: every
picture shows a place that somebody marked. Nothing made with it is a medical device.
"""


def card(row: DatasetRow, report: DatasetReport, *, synthetic: bool) -> str:
    """Markdown. ``synthetic``: whether any image was made by a GAN or drawn by the phantom."""
    return "\n".join(
        [
            *_front_matter(row, synthetic=synthetic),
            f"# {one_line(row.name)}",
            "",
            *_origin(row, synthetic=synthetic),
            *_counts(report),
            *_checks(report),
            "## Use and limits",
            "",
            _LIMITS,
        ]
    )


def _front_matter(row: DatasetRow, *, synthetic: bool) -> Iterator[str]:
    yield "---"
    yield f"pretty_name: {json.dumps(row.name)}"
    yield "task_categories: [image-classification]"
    yield f"size_categories: [{_size(row.images)}]"
    yield f"tags: [medical, ct, lesions, {row.kind}{', synthetic' if synthetic else ''}]"
    yield "---"
    yield ""


def _size(images: int) -> str:
    """The classes of size that such cards know."""
    bounds = {"n<1K": 1_000, "1K<n<10K": 10_000, "10K<n<100K": 100_000}
    return next((name for name, bound in bounds.items() if images < bound), "100K<n<1M")


def _origin(row: DatasetRow, *, synthetic: bool) -> Iterator[str]:
    made = "Some or all of its images show nobody: they are synthetic. " if synthetic else ""
    yield f"{made}`{row.id}`, {row.kind}, {row.images} images, content SHA-256 `{row.sha256}`."
    yield ""
    if row.parents:
        yield f"Made from {', '.join(f'`{each}`' for each in row.parents)} by:"
    else:
        yield "Taken in by:"
    yield ""
    yield "```json"
    yield json.dumps(row.command, indent=1, sort_keys=True)
    yield "```"
    yield ""
    for note in row.notes:
        yield f"- {one_line(note)}"
    yield ""


def _counts(report: DatasetReport) -> Iterator[str]:
    yield "## Images and patients"
    yield ""
    splits = list(report.splits)
    yield f"| category | {' | '.join(splits)} |"
    yield f"|---|{'---|' * len(splits)}"
    known = {category for tallies in report.splits.values() for category in tallies}
    for category in [*(c for c in CATEGORIES if c in known), *sorted(known - set(CATEGORIES))]:
        cells = [report.splits[split].get(category) for split in splits]
        shown = ["-" if cell is None else f"{cell.images} ({cell.patients})" for cell in cells]
        yield f"| {category} | {' | '.join(shown)} |"
    yield ""
    unknown = report.images_without_patient
    yield f"In brackets patients: {report.patients} in all; of {unknown} images nobody knows whose."
    yield ""


def _checks(report: DatasetReport) -> Iterator[str]:
    yield "## Checks"
    yield ""
    yield f"- patients in several splits: {report.patients_in_several_splits}"
    yield f"- equal images: {_pairs(report.exact_duplicates)}"
    if report.near_duplicates is not None:
        yield f"- images that look alike: {_pairs(report.near_duplicates)}"
    yield f"- left out: {report.skipped_total}"
    for reason in report.skipped:
        yield f"  - {reason.count}: {one_line(reason.reason)}"
    yield ""


def _pairs(pairs: DuplicatePairs) -> str:
    least = "" if pairs.complete else "at least "
    return f"{least}{pairs.pairs} pairs, {pairs.crossing} of them in two splits"


def one_line(text: str) -> str:
    """``text`` in one line that no renderer takes for markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in " ".join(text.split()))
