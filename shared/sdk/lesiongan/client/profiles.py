"""Servers that a person works with, by name: one file in the person's configuration folder.

It holds keys, so only its owner can read it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lesiongan.errors import NoServer

PROFILE_VARIABLE = "LESIONGAN_PROFILE"


@dataclass(frozen=True)
class Profile:
    """An address, and the key for it."""

    url: str
    key: str | None = None


@dataclass(frozen=True)
class Profiles:
    """All profiles, and which one is meant where none is named."""

    default: str | None = None
    servers: dict[str, Profile] = field(default_factory=dict)

    def get(self, name: str) -> Profile:
        """A profile; raises :class:`NoServer` where there is none of that name."""
        try:
            return self.servers[name]
        except KeyError:
            known = ", ".join(sorted(self.servers)) or "none yet"
            raise NoServer(
                f"there is no profile {name!r}",
                hint=f"known: {known}; lesiongan login URL --profile {name} makes it",
            ) from None

    def with_server(self, name: str, profile: Profile) -> "Profiles":
        """With one more; the first one is the default."""
        return replace(self, default=self.default or name, servers={**self.servers, name: profile})

    def without(self, name: str) -> "Profiles":
        """With one less; raises :class:`NoServer` where there is none of that name."""
        self.get(name)
        left = {each: server for each, server in self.servers.items() if each != name}
        return Profiles(None if self.default == name else self.default, left)


def profiles_file(environment: Mapping[str, str] | None = None) -> Path:
    """``lesiongan/profiles.json`` in the folder that the XDG base directories name."""
    variables = os.environ if environment is None else environment
    folder = variables.get("XDG_CONFIG_HOME", "")
    # Relative ones are to be ignored, says the XDG Base Directory Specification.
    base = Path(folder) if Path(folder).is_absolute() else Path("~/.config").expanduser()
    return base / "lesiongan" / "profiles.json"


def read_profiles(path: Path) -> Profiles:
    """The profiles of a file, or none; raises :class:`NoServer` for a file that is damaged."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        servers = {name: Profile(**server) for name, server in content["servers"].items()}
        return Profiles(content["default"], servers)
    except FileNotFoundError:
        return Profiles()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NoServer(f"{path} is damaged", hint="remove it, and log in again") from None


def write_profiles(path: Path, profiles: Profiles) -> None:
    """Write the file as a whole, readable for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(profiles), file, indent=2)
        file.write("\n")
    partial.replace(path)
