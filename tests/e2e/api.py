"""What the end-to-end tests say to the API: plain HTTP, as an integrator would send it."""

import io
import time
import zipfile
from typing import Any

import cv2
import httpx
import numpy as np
import numpy.typing as npt

ENDED = ("succeeded", "failed", "cancelled")
WAIT_SECONDS = 90.0


def decoded(png: bytes) -> npt.NDArray[Any]:
    """A PNG's values as they are stored."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None, "not a PNG"
    return np.asarray(image)


class Api:
    """A thin layer over httpx: it waits for jobs and unpacks answers."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    def json(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers)

    def upload(self, data: bytes, file_name: str, layout: str, name: str = "t") -> httpx.Response:
        return self.http.post(
            "/datasets", data={"layout": layout, "name": name}, files={"file": (file_name, data)}
        )

    def ended(self, answer: httpx.Response) -> dict[str, Any]:
        """The job of an answer, once it has ended."""
        assert answer.status_code in (200, 202), answer.text
        return self.wait(answer.json()["id"])

    def wait(self, job_id: str, *, until: tuple[str, ...] = ENDED) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            job = self.json(f"/jobs/{job_id}")
            if job["status"] in until or job["status"] in ENDED:
                return job
            assert time.monotonic() < deadline, f"still {job['status']}: {job}"
            time.sleep(0.05)

    def dicom(self, dataset: str, index: int) -> bytes:
        """An image of a data set, exported as a DICOM file."""
        answer = self.get(f"/datasets/{dataset}/archive", format="dicom")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (name,) = [each for each in archive.namelist() if each.endswith(f"_{index:06d}.dcm")]
            return archive.read(name)

    def dataset_of(self, job: dict[str, Any]) -> str:
        assert job["status"] == "succeeded", job
        return str(job["output"]["dataset"])
