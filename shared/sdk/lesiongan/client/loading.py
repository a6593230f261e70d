"""Downloads that end in memory."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lesiongan.arrays import read_images
from lesiongan.client.call import Call
from lesiongan.client.downloads import OnBytes, download
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow, block
from lesiongan.contracts.categories import Split

if TYPE_CHECKING:
    from lesiongan.arrays.images import Images


def load_archive(
    exchange: Exchange, call: Call, split: Split | None, on_progress: OnBytes | None
) -> Flow["Images"]:
    """The archive that ``call`` answers with, by way of a temporary file."""
    with tempfile.TemporaryDirectory(prefix="lesiongan-") as folder:
        archive = Path(folder) / "archive.zip"
        yield from download(exchange, call, archive, on_progress)
        return (yield from block(partial(read_images, archive, split=split)))
