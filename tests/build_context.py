"""Which files images are built from: those that .dockerignore lets through."""

import shutil
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]


def copy_context(target: Path) -> None:
    """Lay the files that Docker would be sent below ``target``."""
    patterns = _patterns()
    for pattern in patterns:
        if pattern.startswith("!"):
            for file in _files(ROOT / pattern[1:]):
                place = PurePosixPath(file.relative_to(ROOT))
                if _is_sent(place, patterns):
                    (target / place).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target / place)


def _patterns() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _files(path: Path) -> list[Path]:
    return [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]


def _is_sent(place: PurePosixPath, patterns: list[str]) -> bool:
    """The last pattern that matches the file, or a folder that it is in, decides."""
    above = [place, *place.parents]
    last = [each for each in patterns if any(_matches(each.lstrip("!"), one) for one in above)][-1:]
    return not last or last[0].startswith("!")


def _matches(pattern: str, place: PurePosixPath) -> bool:
    """A star stands for a part of one name; ``**/`` for any folders."""
    if pattern.startswith("**/"):
        return fnmatchcase(place.name, pattern.removeprefix("**/"))
    parts = pattern.split("/")
    return len(parts) == len(place.parts) and all(map(fnmatchcase, place.parts, parts))
