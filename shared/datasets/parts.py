"""Parts of a large data set, which any number of workers make side by side.

A part is a run of the step's inputs, and the images that it makes of them: where one begins and
ends depends on the inputs alone, and so do the shards. Parts leave gaps between the numbers of
their shards, so that none has to know how many another needs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.tables import ShardRow

#: Images of a part, about: seconds of work, and what a killed worker repeats at most.
PART_IMAGES = 2048
#: Numbers of shards that each part has to itself.
SHARD_NUMBERS = 64


@dataclass(frozen=True, kw_only=True)
class Part:
    """Inputs ``first_input`` up to ``end_input``, and ``images`` from index ``first_index`` on."""

    number: int
    first_input: int
    end_input: int
    first_index: int
    images: int

    @property
    def first_shard(self) -> int:
        """The number of its first shard."""
        return self.number * SHARD_NUMBERS

    def as_json(self) -> dict[str, Any]:
        """A JSON object: ``Part(**part.as_json()) == part``."""
        return asdict(self)


def cut(images_of_inputs: Sequence[int]) -> list[Part]:
    """Parts of a step that makes so many images of each of its inputs, in order.

    A part ends before it would hold more than :data:`PART_IMAGES`, unless one input makes as many.
    """
    parts: list[Part] = []
    first_input = first_index = images = 0
    for number, more in enumerate((*images_of_inputs, PART_IMAGES + 1)):
        if images and images + more > PART_IMAGES:
            parts.append(
                Part(
                    number=len(parts),
                    first_input=first_input,
                    end_input=number,
                    first_index=first_index,
                    images=images,
                )
            )
            first_input, first_index, images = number, first_index + images, 0
        images += more
    return parts


def unmade(session: Session, dataset_id: str, parts: Sequence[Part]) -> list[Part]:
    """Those of ``parts`` whose shards are not all there."""
    query = select(ShardRow.number, ShardRow.images)
    query = query.where(ShardRow.dataset_id == dataset_id, ShardRow.records.is_not(None))
    made: Counter[int] = Counter()
    for number, images in session.execute(query):
        made[number // SHARD_NUMBERS] += images
    return [part for part in parts if made[part.number] != part.images]
