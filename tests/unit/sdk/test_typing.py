"""A method that is written once has two types.

``make check`` reads these functions; nobody calls them.
"""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from lesiongan import AsyncClient, Client
from lesiongan.arrays.images import Images
from lesiongan.client import GeneratedZip, JobEvent
from lesiongan.contracts.gans import Gan
from lesiongan.contracts.jobs import Job


def blocking(client: Client) -> None:
    assert_type(client.gans.get("gan_1"), Gan)
    assert_type(client.gans.list(limit=3), Iterator[Gan])
    assert_type(client.jobs.wait("job_1", timeout_seconds=3), Job)
    assert_type(client.datasets.to_numpy("ds_1", split="test"), Images)
    client.gans.get(7)  # type: ignore[arg-type]
    client.jobs.wait("job_1", timeout=3)  # type: ignore[call-arg]
    client.generate("spleen", 5)  # type: ignore[arg-type]


async def awaited(client: AsyncClient) -> None:
    assert_type(await client.gans.get("gan_1"), Gan)
    assert_type(client.jobs.events("job_1"), AsyncIterator[JobEvent])
    assert_type(await client.generate_zip("liver", 5, "liver.zip"), GeneratedZip)
    await client.gans.get(7)  # type: ignore[arg-type]


def test_methods_keep_name_and_documentation() -> None:
    client = Client("http://lab.example", "lg_x")
    assert client.gans.get.__name__ == "get"
    assert (client.gans.get.__doc__ or "").startswith("The GAN and how")
