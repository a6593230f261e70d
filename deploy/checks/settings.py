"""docs/settings.md: ``python -m deploy.checks.settings > docs/settings.md``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deploy.doctor.settings import READ

_HEAD: Final = """# Settings

Every variable that a process of LesionGAN reads, its default and its unit, written from the code
(`python -m deploy.checks.settings`). What is missing or wrong stops the start with one line that
names it; `lesiongan doctor` also names variables that nothing reads. Those of `docker-compose.yml`
itself, such as ports and memory limits, are in [operations.md](operations.md#settings). The
embedded stack sets addresses and passwords itself.
"""
#: The ends of names that are units.
_UNITS: Final = ("seconds", "hours", "days", "bytes")
_SIZES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_TYPES: Final[dict[Any, str]] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    SecretStr: "secret",
    Path: "path",
}


def page() -> str:
    """As Markdown."""
    return "\n".join([_HEAD, *(_table(each) for each in READ)])


def _table(settings: type[BaseSettings]) -> str:
    prefix = str(settings.model_config.get("env_prefix", ""))
    service = prefix.removeprefix("LESIONGAN_").rstrip("_").lower()
    lines = [
        f"## {'GAN' if service == 'gan' else service.capitalize() or 'Every process'}",
        "",
        "| variable | default | kind | |",
        "|---|---|---|---|",
        *(_row(prefix, name, field) for name, field in settings.model_fields.items()),
        "",
    ]
    return "\n".join(lines)


def _row(prefix: str, name: str, field: FieldInfo) -> str:
    unit = name.rpartition("_")[2]
    kind = " or ".join(dict.fromkeys(_kinds(field.annotation)))
    kind = unit if unit in _UNITS else kind
    return f"| `{prefix}{name.upper()}` | {_default(field, unit)} | {kind} | {field.description} |"


def _default(field: FieldInfo, unit: str) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    if unit == "bytes":
        size, suffix = next((size, suffix) for size, suffix in _SIZES if value % size == 0)
        return f"`{value}` ({value // size} {suffix})"
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kinds(annotation: Any) -> Iterator[str]:
    """How a value is written, for each of the types that a setting may have."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            if each is not NoneType:
                yield from _kinds(each)
    elif origin is Literal:
        yield ", ".join(f"`{each}`" for each in get_args(annotation))
    elif origin is not None:
        yield "list, with commas"
    else:
        yield _TYPES[annotation]


if __name__ == "__main__":
    sys.stdout.write(page())
