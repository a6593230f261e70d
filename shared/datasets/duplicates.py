"""Images that are there twice: byte for byte, or to the eye.

Equal images lie in one group, however many there are. Groups whose perceptual hashes differ in few
bits look alike. Hashes that differ in at most three bits agree in one of four quarters: only those
which share a quarter are compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pyarrow.compute as pc

from shared.datasets.columns import Records

#: Bits in which the hashes of near duplicates differ at most.
NEAR_BITS = 3
#: Examples that a report names.
MAX_EXAMPLES = 20
#: Pairs in two splits whose pixels are worth a look.
MAX_APART = 1000
#: Comparisons of two hashes: some seconds, which is more than any honest set of 32,000 needs.
MAX_COMPARISONS = 5_000_000
_QUARTERS = (0, 16, 32, 48)


@dataclass(frozen=True, slots=True)
class _Image:
    index: int
    split: str | None


Group = list[_Image]


@dataclass(frozen=True)
class Pairs:
    """How many pairs there are, how many of them lie in two splits, and indices of some.

    ``complete`` is False where there were too many to compare all.
    """

    pairs: int = 0
    crossing: int = 0
    examples: Sequence[tuple[int, int]] = ()
    complete: bool = True
    #: Of each two groups of equal images that lie in two splits, one pair; the first of them.
    apart: Sequence[tuple[int, int]] = ()


def exact_duplicates(records: Records) -> Pairs:
    """Pairs of equal images. Lesions of one slice of a source are one image."""
    repeated = _repeated(records)
    groups: dict[str, dict[str, _Image]] = defaultdict(dict)
    for sha256, index, split, source, unit in records.members(
        "sha256", "index", "split", "source", "unit"
    ):
        if sha256 in repeated:
            # ``file 12`` of ``file 12, row 34``: in a raw set each lesion repeats its slice.
            image = source.partition(",")[0] if unit == "hu16" else str(index)
            groups[sha256].setdefault(image, _Image(index, split))
    return _counted((list(group.values()), None) for group in groups.values())


def near_duplicates(records: Records) -> Pairs:
    """Pairs of images that look alike and are not equal; of those whose hash is known."""
    groups: dict[tuple[int, str], Group] = defaultdict(list)
    for phash, sha256, index, split in records.members("phash", "sha256", "index", "split"):
        if phash is not None:
            groups[phash & (2**64 - 1), sha256].append(_Image(index, split))
    compared = _Compared(groups)
    found = _counted((groups[a], groups[b]) for a, b in compared.alike())
    return replace(found, complete=compared.complete)


def _repeated(records: Records) -> set[str]:
    """Hashes that more than one record has: most have none, and are not to be held."""
    counted = pc.value_counts(records.table["sha256"])
    return set(counted.field(0).filter(pc.greater(counted.field(1), 1)).to_pylist())


class _Compared:
    """Which groups look alike."""

    def __init__(self, groups: Iterable[tuple[int, str]]) -> None:
        self._groups = sorted(groups)
        self.complete = True

    def alike(self) -> Iterator[tuple[tuple[int, str], tuple[int, str]]]:
        left = MAX_COMPARISONS
        for place in range(len(_QUARTERS)):
            for bucket in self._buckets(place):
                for a, b in combinations(bucket, 2):
                    left -= 1
                    if left < 0:
                        self.complete = False
                        return
                    difference = a[0] ^ b[0]
                    if difference.bit_count() <= NEAR_BITS and _first_quarter(difference) == place:
                        yield a, b

    def _buckets(self, place: int) -> Iterable[list[tuple[int, str]]]:
        buckets: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for group in self._groups:
            buckets[_quarter(group[0], place)].append(group)
        return buckets.values()


def _quarter(number: int, place: int) -> int:
    return number >> _QUARTERS[place] & 0xFFFF


def _first_quarter(difference: int) -> int:
    """The first in which two hashes agree: there, and nowhere else, their pair is counted."""
    return next(place for place in range(len(_QUARTERS)) if not _quarter(difference, place))


def _counted(groups: Iterable[tuple[Group, Group | None]]) -> Pairs:
    """Pairs within each group, or between the two."""
    pairs = crossing = 0
    examples: list[tuple[_Image, _Image]] = []
    for first, second in groups:
        within = second is None
        others = first if second is None else second
        if within and len(first) < 2:
            continue
        number, across = _pairs(first, others, within=within)
        pairs, crossing = pairs + number, crossing + across
        examples += _examples(first, others, within=within)
    examples.sort(key=lambda pair: (pair[0].index, pair[1].index))
    return Pairs(
        pairs=pairs,
        crossing=crossing,
        examples=[(a.index, b.index) for a, b in examples[:MAX_EXAMPLES]],
        apart=[(a.index, b.index) for a, b in examples if a.split != b.split][:MAX_APART],
    )


def _pairs(first: Group, second: Group, *, within: bool) -> tuple[int, int]:
    """How many, and how many of them in two splits; without listing them."""
    splits, others = Counter(r.split for r in first), Counter(r.split for r in second)
    if within:
        total = len(first) * (len(first) - 1) // 2
        same = sum(n * (n - 1) // 2 for n in splits.values())
    else:
        total = len(first) * len(second)
        same = sum(n * others[split] for split, n in splits.items())
    return total, total - same


def _examples(first: Group, second: Group, *, within: bool) -> list[tuple[_Image, _Image]]:
    """One pair of each two groups: of two splits where there is one."""
    pairs = combinations(first, 2) if within else ((a, b) for a in first for b in second)
    best: tuple[_Image, _Image] | None = None
    for tried, (a, b) in enumerate(pairs):
        best = best or (a, b)
        if a.split != b.split:
            best = a, b
            break
        if tried > MAX_EXAMPLES:
            break
    return [] if best is None else [best]
