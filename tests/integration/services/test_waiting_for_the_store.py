"""No route that reads a data set keeps a database connection while it waits for the store."""

import pytest

from shared.datasets import reading
from tests.integration.holders import Holders
from tests.integration.services.bench import Bench, archive, pictures


@pytest.fixture
def dataset(bench: Bench) -> str:
    return bench.made(bench.upload(archive(pictures(12)), "folders"))


@pytest.mark.parametrize(
    "route",
    [
        "images",
        "images/3",
        "report",
        "contact-sheet.png",
        "card",
        "archive",
        "archive?format=dicom",
    ],
)
def test_it_has_given_its_connection_back(
    bench: Bench, dataset: str, holders: Holders, route: str
) -> None:
    reading.forget_manifests()
    answer = bench.client.get(f"/datasets/{dataset}/{route}")
    assert answer.status_code == 200, answer.text
    assert holders.reads
    assert holders.guilty == []
