"""PostgreSQL refuses to run as root, so root lends it another user of the machine.

The user must reach the data and the programs. Where a folder on the way is closed (a home below
/root, a virtual environment too), the data are placed and the programs are copied elsewhere:
the permissions of a folder that is not ours are never widened.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failures import StackError

CANDIDATES = ("postgres", "nobody", "daemon")
OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - a random name, made 0700 and checked


@dataclass(frozen=True, slots=True)
class Account:
    """A user to run a process as."""

    name: str
    uid: int
    gid: int


def postgres_account() -> Account | None:
    """The user PostgreSQL runs as: None (ourselves) unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StackError(
        "PostgreSQL refuses to run as root and this machine has none of the users "
        + ", ".join(CANDIDATES)
    )


def can_reach(account: Account | None, path: Path, test: str = "-x") -> bool:
    """Whether `account` passes every folder to `path` and may do `test` (of test(1)) with it."""
    if account is None:
        return True
    # Asked as that user, so that access lists and mount options count as well as mode bits.
    asked = subprocess.run(
        ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0


def outside_folder(data: Path, account: Account | None) -> Path | None:
    """None if `account` can reach `data`; otherwise a new place outside that it can reach."""
    if can_reach(account, data):
        return None
    for outside in OUTSIDE:
        if can_reach(account, outside) and os.access(outside, os.W_OK):
            return outside / f"lesiongan-{secrets.token_hex(8)}"
    raise StackError(f"the user of PostgreSQL reaches neither {data} nor /var/lib")


def own_folder(path: Path, account: Account | None) -> None:
    """Make `path`, 0700, of `account`. Raises StackError if it is there and somebody else's."""
    uid = os.geteuid() if account is None else account.uid
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not path.is_dir() or path.is_symlink() or found.st_uid != uid:
            raise StackError(f"{path} is not a folder of the user who runs PostgreSQL") from None
    else:
        if account is not None:
            os.chown(path, account.uid, account.gid)
    path.chmod(0o700)


def reachable_copy(package: Path, version: str, folder: Path, account: Account | None) -> Path:
    """`package`, or a copy of it in `folder` where `account` cannot reach the original.

    The libraries beside the package (`<package>.libs`) go with it: the programs find them by
    their relative place.
    """
    if can_reach(account, package, "-r"):
        return package
    runtime = folder / f"runtime-{version}"
    if not runtime.exists():
        half = folder / "runtime.new"
        shutil.rmtree(half, ignore_errors=True)
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, half / part.name)
        for path in (half, *half.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        half.rename(runtime)
    return runtime / package.name
