"""Where a layout begins inside a source: archives often wrap everything in one folder."""

from collections.abc import Iterable, Sequence

from services.preprocessing.domain.archives import Source
from shared.errors import BadInput

PHANTOM_MARK = "phantom.json"


def roots_of_file(names: Iterable[str], file_name: str) -> list[str]:
    """Prefixes (``""`` or ``folder/``) under which ``file_name`` lies, the shallowest only."""
    ends = [name for name in names if name == file_name or name.endswith("/" + file_name)]
    return _shallowest({name.removesuffix(file_name) for name in ends})


def roots_of_folder(names: Iterable[str], folder: str) -> list[str]:
    """Prefixes under which a folder named ``folder`` holds files, the shallowest only."""
    roots = set()
    for name in names:
        folders = name.split("/")[:-1]
        if folder in folders:
            roots.add("".join(part + "/" for part in folders[: folders.index(folder)]))
    return _shallowest(roots)


def only_root(roots: Sequence[str], what: str) -> str:
    """Raises BadInput unless there is exactly one root. ``what`` marks it: ``DL_info.csv``."""
    if not roots:
        raise BadInput(f"The source holds no {what}; is the layout right?")
    if len(roots) > 1:
        raise BadInput(f"The source holds {what} {len(roots)} times; send one data set at a time.")
    return roots[0]


def is_phantom(source: Source, root: str) -> bool:
    """Whether ``phantom.json`` at the root marks procedural images."""
    return root + PHANTOM_MARK in source.names()


def _shallowest(roots: set[str]) -> list[str]:
    depth = min((root.count("/") for root in roots), default=0)
    return sorted(root for root in roots if root.count("/") == depth)
