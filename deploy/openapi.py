"""Writes the one OpenAPI document, or checks that it is current: ``python -m deploy.openapi``."""

import json
import sys
from pathlib import Path

from services.app import app

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


def document() -> str:
    """The document of all services, as it is kept in the repository."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the document; with ``--check`` exit unless the file equals it."""
    if "--check" not in sys.argv[1:]:
        PATH.write_text(document(), encoding="utf-8")
    elif not PATH.exists() or PATH.read_text(encoding="utf-8") != document():
        sys.exit("docs/openapi.json is not what the code says: run make openapi")


if __name__ == "__main__":
    main()
