"""No route that reads what was made keeps a database connection while it waits for the store."""

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


def test_so_has_the_file_of_a_job(bench: Bench, holders: Holders) -> None:
    picture = next(iter(pictures(2).values()))
    job_id = bench.show("/augment/preview?copies=1", picture)
    bench.run(job_id)
    answer = bench.client.get(f"/jobs/{job_id}/result")
    assert answer.status_code == 200, answer.text
    assert holders.reads
    assert holders.guilty == []
