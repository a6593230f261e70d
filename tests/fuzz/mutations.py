"""All mutations by name, and the uploads that a seed stands for."""

from collections.abc import Callable, Iterator
from random import Random

from tests.fuzz import (
    bytes_mutations,
    dicom_mutations,
    png_mutations,
    table_mutations,
    tar_mutations,
    zip_mutations,
)
from tests.fuzz.good import Upload, upload

Mutation = Callable[[Random], Upload]

#: Each makes or reads tens of megabytes: they are a few among many.
HEAVY = frozenset(
    {
        "dicom inflating",
        "dicom endless_header",
        "dicom large_frame",
        "png png_bomb",
        "table long_table",
        "table long_manifest",
        "zip ratio_bomb",
        "zip count_bomb",
        "tar gzip_bomb",
        "tar count_bomb",
    }
)
_MODULES = {
    "bytes": bytes_mutations,
    "dicom": dicom_mutations,
    "png": png_mutations,
    "table": table_mutations,
    "zip": zip_mutations,
    "tar": tar_mutations,
}
MUTATIONS: dict[str, Mutation] = {
    "sound": upload,
    **{
        f"{family} {mutation.__name__}": mutation
        for family, module in _MODULES.items()
        for mutation in module.MUTATIONS
    },
}
#: How often a light mutation comes for each time that a heavy one does.
_LIGHT = 8


def uploads(count: int, *, seed: int, heavy: bool = True) -> Iterator[tuple[str, Upload]]:
    """``count`` uploads and what was done to them: the same for the same arguments."""
    light = [name for name in MUTATIONS if name not in HEAVY]
    turns = light * _LIGHT + sorted(HEAVY) if heavy else light
    order = Random(seed)
    order.shuffle(turns)
    for number in range(count):
        name = turns[number % len(turns)]
        yield name, MUTATIONS[name](Random(f"{seed}/{number}"))
