"""Where the embedded stack keeps its state, and who may enter which folder.

.lesiongan/           0711 for root (another user must reach `data/postgres`), else 0700
  data/postgres data/valkey data/seaweedfs
  logs/               one file a process
  secrets.json        made once; never rewritten
  stack.json          what is running now, for people and programs
  run.json            what is running now, for `up` and `down`
  supervisor.lock     held by the one supervisor of this folder
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = ".lesiongan"
HOME_VARIABLE = "LESIONGAN_HOME"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths under one home folder."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets.json"

    @property
    def stack(self) -> Path:
        return self.home / "stack.json"

    @property
    def run(self) -> Path:
        return self.home / "run.json"

    @property
    def ports(self) -> Path:
        return self.home / "ports.json"

    @property
    def lock(self) -> Path:
        return self.home / "supervisor.lock"

    def log(self, name: str) -> Path:
        """The file that takes what the process `name` prints."""
        return self.logs / f"{name}.log"


def home_folder(home: Path | str | None = None) -> Path:
    """The home asked for, else the one in LESIONGAN_HOME, else `.lesiongan` here."""
    return Path(home or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).absolute()


def open_layout(home: Path | str | None = None) -> Layout:
    """Make the folders of `home` that are missing. A folder that exists keeps its mode."""
    layout = Layout(home_folder(home))
    # Root's PostgreSQL runs as another user, who must pass through to its own data folder and
    # can list nothing on the way.
    passage = 0o711 if os.geteuid() == 0 else 0o700
    make_folder(layout.home, passage)
    make_folder(layout.data, passage)
    make_folder(layout.logs, 0o700)
    return layout


def make_folder(path: Path, mode: int) -> None:
    """Make `path` with exactly `mode`, whatever the umask; leave it alone if it is there."""
    if path.is_dir():
        return
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    path.chmod(mode)
