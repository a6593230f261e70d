"""One image of a data set: a row of its manifest, and the JSON beside it in its shard."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any, Literal, TypeVar

from lesiongan.contracts.categories import Category, Split

#: ``hu16``: 16-bit PNG, HU = value - 32768. ``uint8``: 8-bit grey levels or colour.
Unit = Literal["hu16", "uint8"]


#: Members that JSON and Arrow hold as lists.
TUPLES = ("box_px", "window_hu", "location")
#: Those that hold a :class:`Neighbour`.
BESIDE = ("previous", "following")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageMeta:
    """What is known of an image wherever it lies. ``category`` is None for an unlabelled one.

    ``patient`` is a pseudonym. ``source`` says where it came from without naming files.
    ``spacing_mm`` is the distance of pixel centres. ``box_px`` is (x0, y0, x1, y1) in the image.
    ``location`` is the lesion's (x, y, z) relative to the body, 0 to 1, where a source tells it.
    ``seed`` and ``draw``, with the index, make a synthetic image again. An image of 3 ``channels``
    is RGB, or a slice between its neighbours. ``phash`` is 64 bits of what a
    picture looks like, as a signed number.
    """

    category: Category | None
    split: Split | None
    patient: str | None
    source: str
    unit: Unit
    width: int
    height: int
    spacing_mm: float | None = None
    box_px: tuple[float, float, float, float] | None = None
    window_hu: tuple[float, float] | None = None
    noisy: bool = False
    parent_index: int | None = None
    seed: int | None = None
    draw: int | None = None
    channels: Literal[1, 3] = 1
    phash: int | None = None
    location: tuple[float, float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """A JSON object, in which tuples are lists once it is written."""
        values = self.members()
        for name in BESIDE:
            if values.get(name) is not None:
                values[name] = asdict(values[name])
        return values

    def members(self) -> dict[str, Any]:
        """What the constructor takes; nothing is copied."""
        names = tuple(self.__dataclass_fields__)
        return dict(zip(names, _reader(names)(self), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """The slice beside an image's own: ``size`` bytes of PNG at ``offset`` of the same shard."""

    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRecord(ImageMeta):
    """An image in its place: ``size`` bytes of PNG at ``offset`` of shard number ``shard``.

    ``previous`` and ``following`` are slices of the same scan, stored behind the image in a raw
    data set that keeps neighbours; None where there is none.
    """

    index: int
    sha256: str
    shard: int
    offset: int
    size: int
    previous: Neighbour | None = None
    following: Neighbour | None = None


@cache
def _reader(names: tuple[str, ...]) -> Callable[[ImageMeta], Any]:
    return attrgetter(*names)


Meta = TypeVar("Meta", bound=ImageMeta)


def from_json(kind: type[Meta], value: dict[str, Any]) -> Meta:
    """The inverse of :meth:`ImageMeta.as_json`; unknown members are left out."""
    members = {name: value[name] for name in kind.__dataclass_fields__ if name in value}
    for name in TUPLES:
        if members.get(name) is not None:
            members[name] = tuple(members[name])
    for name in BESIDE:
        if members.get(name) is not None:
            members[name] = Neighbour(**members[name])
    return kind(**members)


def inherited(record: ImageRecord) -> ImageMeta:
    """What a copy of an image begins with: all that is known of it but its place."""
    return replace(from_json(ImageMeta, record.as_json()), parent_index=record.index)
