"""A patient withdraws: from images in, over models, to nothing left; and the same archive again."""

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio

from services.preprocessing.domain.phantom import write_phantoms
from tests.e2e.api import Api
from tests.e2e.conftest import Stack, small_training

#: The patients of this file are nobody else's.
FIRST_PATIENT = 70_000


@dataclass(frozen=True)
class Study:
    """An archive, whose first patient withdraws, and what was made of it."""

    archive: bytes
    patient: str
    rows: int
    raw: str
    crops: str
    gan: str
    synthetic: str
    classifier: str
    jobs: list[str]


@pytest.fixture(scope="module")
def study(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Study:
    api = stack.api
    archive, patient, rows = _renamed(tmp_path_factory.mktemp("study") / "phantoms.zip")
    taken_in = api.ended(api.upload(archive, "study.zip", "deeplesion"))
    raw = api.dataset_of(taken_in)
    cropped = api.ended(api.post("/preprocess", {"dataset": raw, "size": 32}))
    crops = api.dataset_of(cropped)
    trained = api.ended(api.post("/gans", small_training(crops, steps=4)))
    gan = str(trained["output"]["gan"])
    sampled = api.ended(api.post(f"/generate?category=liver&n=3&seed=1&gan={gan}"))
    synthetic = api.dataset_of(sampled)
    body = {"datasets": [crops, synthetic], "architecture": "small_cnn", "steps": 2}
    taught = api.ended(api.post("/classifiers", body))
    return Study(
        archive=archive,
        patient=patient,
        rows=rows,
        raw=raw,
        crops=crops,
        gan=gan,
        synthetic=synthetic,
        classifier=str(taught["output"]["classifier"]),
        jobs=[job["id"] for job in (taken_in, cropped, trained, sampled, taught)],
    )


def _renamed(path: Path) -> tuple[bytes, str, int]:
    """A phantom archive whose patients have other numbers, its first one, and how many rows."""
    write_phantoms(path, lesions_per_category=3, seed=23)
    sink = io.BytesIO()
    with zipfile.ZipFile(path) as known, zipfile.ZipFile(sink, "w") as made:
        for name in known.namelist():
            content = known.read(name)
            if name.endswith("DL_info.csv"):
                table = list(csv.DictReader(io.StringIO(content.decode())))
                for row in table:
                    row["Patient_index"] = str(FIRST_PATIENT + int(row["Patient_index"]))
                content = _table(table)
            made.writestr(name, content)
    patient = table[0]["Patient_index"]
    return sink.getvalue(), patient, sum(row["Patient_index"] == patient for row in table)


def _table(rows: list[dict[str, str]]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def _keys(stack: Stack) -> list[str]:
    """Every object of the bucket."""
    s3 = stack.description["s3"]
    minio = Minio(
        s3["endpoint"], s3["access_key"], s3["secret_key"], secure=False, region=s3["region"]
    )
    found = minio.list_objects(s3["bucket"], recursive=True)
    return [each.object_name for each in found if each.object_name is not None]


def test_a_patient_withdraws(stack: Stack, api: Api, study: Study) -> None:
    made = {study.raw, study.crops, study.synthetic, study.gan, study.classifier}
    assert {each for each in made if any(each in key for key in _keys(stack))} == made

    asked = {"patient": study.patient, "dry_run": True}
    planned = api.post("/withdrawals", asked).json()
    assert {each["id"] for each in planned["datasets"]} == {
        study.raw,
        study.crops,
        study.synthetic,
    }
    assert planned["patient_images"] == 2 * study.rows
    assert api.json(f"/datasets/{study.raw}")["id"] == study.raw

    done = api.post("/withdrawals", {**asked, "dry_run": False}).json()
    assert done["id"] is not None
    assert {**done, "id": None, "dry_run": True} == planned
    assert not [key for key in _keys(stack) if any(each in key for each in made)]
    for kind, each in (("datasets", study.raw), ("gans", study.gan)):
        answer = api.get(f"/{kind}/{each}")
        assert (answer.status_code, answer.json()["title"]) == (410, "Gone")
    assert api.get(f"/classifiers/{study.classifier}").status_code == 410
    assert {api.json(f"/jobs/{job}")["status"] for job in study.jobs} == {"succeeded"}

    job = api.ended(api.upload(study.archive, "again.zip", "deeplesion"))
    again = api.json(f"/datasets/{api.dataset_of(job)}")
    assert again["id"] != study.raw
    assert again["skipped_total"] == study.rows
    assert {each["reason"] for each in again["skipped"]} == {"the patient was withdrawn"}
    assert f"{study.rows} images of withdrawn patients left out" in again["notes"]
    patients = {item["patient"] for item in api.json(f"/datasets/{again['id']}/images")["items"]}
    assert planned["patient"] not in patients
    assert patients
    assert api.post("/withdrawals", asked).json()["datasets"] == []
