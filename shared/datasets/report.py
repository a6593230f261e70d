"""What a data set holds, what was left out of it, and whether its splits are apart."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from lesiongan.contracts.categories import UNLABELLED, UNSPLIT
from lesiongan.contracts.datasets import DatasetReport, DuplicatePairs, SkippedFor, Tally
from shared.datasets import catalog
from shared.datasets.columns import Records
from shared.datasets.duplicates import Pairs, exact_duplicates, near_duplicates
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord
from shared.db.tables import DatasetRow
from shared.errors import BadInput

#: Places that a reason names.
MAX_PLACES = 20


def report(dataset: StoredDataset) -> DatasetReport:
    """Of a complete data set, from its row and its manifest."""
    row, records = dataset.row, dataset.records
    of_patients = catalog.patients_of(records)
    hashed = any(phash is not None for (phash,) in records.members("phash"))
    return DatasetReport(
        dataset=row.id,
        images=row.images,
        patients=len(of_patients),
        images_without_patient=row.images - sum(of_patients.values()),
        splits=_tallies(records),
        patients_in_several_splits=len(patients_in_several_splits(records)),
        exact_duplicates=_shown(exact_duplicates(records)),
        near_duplicates=_shown(near_duplicates(records)) if hashed else None,
        skipped=_by_reason(row),
        skipped_total=row.skipped_total,
        notes=row.notes,
    )


def refuse_leakage(records: Records, is_same: Callable[[ImageRecord, ImageRecord], bool]) -> None:
    """Raises :class:`BadInput` where a patient or the same picture is in two splits.

    ``records`` are all of a data set, so that an image's index is its place.
    ``is_same`` compares the pixels of images that look alike by their hash.
    """
    patients = patients_in_several_splits(records)
    exact = exact_duplicates(records)
    apart = near_duplicates(records).apart
    same = [(a, b) for a, b in apart if is_same(records[a], records[b])]
    found = [
        *_fault(len(patients), "patients are", ()),
        *_fault(exact.crossing, "pairs of equal images are", exact.examples),
        *_fault(len(same), "pairs of images that are the same but for details are", same),
    ]
    if found:
        raise BadInput(
            f"{'; '.join(found)} in two splits: what is trained on would be tested on. Send "
            '"split": {"allow_leakage": true} to go on all the same'
        )


def patients_in_several_splits(records: Records) -> set[str]:
    """Their pseudonyms."""
    splits: dict[str, set[str | None]] = defaultdict(set)
    for patient, split in records.members("patient", "split"):
        if patient is not None:
            splits[patient].add(split)
    return {patient for patient, known in splits.items() if len(known) > 1}


def _fault(count: int, what: str, examples: Sequence[tuple[int, int]]) -> list[str]:
    if not count:
        return []
    shown = ", ".join(f"{a} and {b}" for a, b in examples[:3])
    return [f"{count} {what}{f' (images {shown})' if shown else ''}"]


def _tallies(records: Records) -> dict[str, dict[str, Tally]]:
    images: dict[tuple[str, str], int] = Counter()
    patients: dict[tuple[str, str], set[str]] = defaultdict(set)
    for split, category, patient in records.members("split", "category", "patient"):
        place: tuple[str, str] = split or UNSPLIT, category or UNLABELLED
        images[place] += 1
        if patient is not None:
            patients[place].add(patient)
    table: dict[str, dict[str, Tally]] = defaultdict(dict)
    for split, category in sorted(images):
        known = len(patients[split, category])
        table[split][category] = Tally(images=images[split, category], patients=known)
    return dict(table)


def _by_reason(row: DatasetRow) -> list[SkippedFor]:
    places: dict[str, list[str]] = defaultdict(list)
    for each in row.skipped:
        parts = [f"{what} {each[what]}" for what in ("file", "row") if each.get(what) is not None]
        places[str(each["reason"])].append(", ".join(parts))
    counted = row.skipped_for or catalog.reasons(row.skipped)
    return [
        SkippedFor(reason=reason, count=count, places=places[reason][:MAX_PLACES])
        for reason, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def _shown(pairs: Pairs) -> DuplicatePairs:
    return DuplicatePairs(
        pairs=pairs.pairs,
        crossing=pairs.crossing,
        examples=list(pairs.examples),
        complete=pairs.complete,
    )
