"""Writes ``.env``: random secrets for docker-compose.yml. ``python3 deploy/env.py``.

Needs nothing but Python. What is there already is kept, so running it again is safe, and after an
upgrade it adds what is new.
"""

import argparse
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

HEAD = """\
# Secrets of this installation: keep a copy with the backups, and show it to nobody.
# LESIONGAN_SECRET hides patients' identities; with another one, known patients get new names.
"""

#: What is made at random, and how. Characters that need no quoting in addresses or shells.
SECRETS: dict[str, Callable[[], str]] = {
    "LESIONGAN_POSTGRES_PASSWORD": lambda: secrets.token_hex(24),
    "LESIONGAN_REDIS_PASSWORD": lambda: secrets.token_hex(24),
    "LESIONGAN_S3_ACCESS_KEY": lambda: secrets.token_hex(10),
    "LESIONGAN_S3_SECRET_KEY": lambda: secrets.token_hex(20),
    "LESIONGAN_SECRET": lambda: secrets.token_hex(32),
    "LESIONGAN_GRAFANA_PASSWORD": lambda: secrets.token_hex(16),
    "LESIONGAN_BOOTSTRAP_KEY": lambda: f"lg_{secrets.token_hex(20)}",
}


def complete(text: str) -> str:
    """``text`` of an ``.env`` with a random value for every secret that has none."""
    lines = text.splitlines() or HEAD.splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    kept = [line for line in lines if given.get(line.split("=", 1)[0]) != ""]
    missing = [name for name in SECRETS if not given.get(name)]
    return "\n".join([*kept, *(f"{name}={SECRETS[name]()}" for name in missing)]) + "\n"


def write(path: Path) -> bool:
    """Complete the file at ``path``, readable by its owner alone; whether anything was missing."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    before = path.read_text(encoding="utf-8")
    after = complete(before)
    if before == after:
        return False
    path.write_text(after, encoding="utf-8")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description="Write random secrets for docker-compose.yml.")
    parser.add_argument("path", nargs="?", type=Path, default=Path(".env"))
    path: Path = parser.parse_args().path
    written = write(path)
    sys.stdout.write(f"{path}: {'written' if written else 'complete already'}\n")


if __name__ == "__main__":
    main()
