"""The three servers alone, and stacks of them that tests may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.servers import Servers, erase, start_servers
from deploy.local.stack import down


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL, Valkey and SeaweedFS for the tests of one file."""
    home = tmp_path_factory.mktemp("servers")
    with start_servers(home) as running:
        yield running
    erase(home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder for stacks; whatever runs in it is stopped, and all its data deleted."""
    folder = tmp_path_factory.mktemp("stack") / "home"
    yield folder
    down(folder)
    erase(folder)
