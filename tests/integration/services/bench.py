"""All services over HTTP, and one worker in this process whose every step a test can see."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from services.preprocessing.domain.png import encode_grey
from services.worker import find_task
from shared.db.tables import JobRow
from shared.jobs.submit import NewJob, submit
from shared.worker.attended import AttendedStore
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.integration.shared.builders import row
from tests.unit.preprocessing.builders import grey_noise, lesion, slice_png, table


@dataclass(frozen=True)
class Bench:
    """Where a test makes jobs and runs them."""

    ports: Ports
    client: httpx.Client

    def post(self, path: str, body: dict[str, Any]) -> str:
        """The id of a job that a request made."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def show(self, path: str, image: bytes) -> str:
        """The id of the job that answers a person who does not wait."""
        headers = {"Prefer": "wait=1", "Content-Type": "image/png"}
        answer = self.client.post(path, content=image, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def upload(self, archive: bytes, layout: str) -> str:
        """The id of the job that takes an archive in."""
        fields = {"layout": layout, "name": "a test's"}
        files = {"file": ("a.zip", archive)}
        answer = self.client.post("/datasets", data=fields, files=files)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def submit(self, new: Callable[[Any], NewJob]) -> str:
        """The id of a job that only graphs make."""
        with self.ports.sessions() as session:
            done = submit(session, new, key_id=None)
            session.commit()
        return done.job.id

    def run(self, job_id: str, *, on_call: Callable[[], None] | None = None) -> JobRow:
        """The job as its run leaves it. ``on_call`` is called before each call of the store."""
        store = self.ports.store if on_call is None else AttendedStore(self.ports.store, on_call)
        JobRunner(replace(self.ports, store=store), find_task, worker="w").run(job_id)
        return row(self.ports.sessions, job_id)

    def made(self, job_id: str) -> str:
        """What a job makes, once it has been run with all that it waits for."""
        page = self.client.get("/jobs", params={"graph": job_id, "limit": 200}).json()["items"]
        for each in sorted(page, key=lambda job: str(job["created_at"])):
            if each["status"] == "queued":
                done = self.run(each["id"])
                assert done.status == "succeeded", done.error
        target = row(self.ports.sessions, job_id).target
        assert target is not None
        return target


def archive(files: dict[str, bytes]) -> bytes:
    """A ZIP."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return sink.getvalue()


def slices(*, patients: int, seed: int = 0) -> dict[str, bytes]:
    """DeepLesion's layout: two categories, one or two lesions a slice, some of them unusable."""
    rows, files = [], {}
    for number in range(patients):
        name = f"{number:06d}_01_01_010.png"
        png = slice_png(seed=1000 * seed + number)
        files[f"Images_png/{number:06d}_01_01/010.png"] = png[:-40] if number % 7 == 6 else png
        about = {"File_name": name, "Patient_index": str(number), "Coarse_lesion_type": "4"}
        split = str(1 + number % 3)
        rows.append(lesion(**about, Train_Val_Test=split))
        if number % 3 == 0:
            wrong = {"Image_size": "64, 64"} if number % 2 else {"Possibly_noisy": "1"}
            rows.append(lesion(**about, Train_Val_Test=split, Bounding_boxes="-9, 1, 9, 9"))
            rows.append(lesion(**about, Train_Val_Test=split, **wrong))
        if number % 2:
            rows[-1] = rows[-1] | {"Coarse_lesion_type": "5"}
    return {"DL_info.csv": table(rows)} | files


def pictures(count: int, *, seed: int = 0) -> dict[str, bytes]:
    """The folders layout: two categories, of each a training image first."""
    return {
        f"images/{category}/{number:04d}.png": encode_grey(
            grey_noise(100_000 * seed + 2 * number + place, size=32)
        )
        for number in range(count // 2)
        for place, category in enumerate(("liver", "lung"))
    }
