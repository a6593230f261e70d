"""Steps that are killed anywhere, any number of times, make what they would have made."""

import io
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from minio import Minio
from sqlalchemy.orm import Session

from services.preprocessing import decoding
from services.preprocessing.domain.png import decode_rows
from services.worker import find_task
from shared.datasets import catalog, reading
from shared.db.engine import Sessions
from shared.db.tables import UploadRow
from shared.ids import new_id
from shared.jobs import ledger, sweep
from shared.jobs.claims import Claim
from shared.jobs.context import JobContext, Outcome, StopFlags
from shared.jobs.submit import NewJob, submit
from shared.storage.parts import part_key
from shared.worker.attended import AttendedStore
from shared.worker.ports import Ports
from tests.integration.services.bench import Bench, archive, pictures, slices
from tests.integration.shared.builders import claimed, committed, row, silence
from tests.unit.preprocessing.builders import slice_png
from tests.unit.preprocessing.dicom.builders import UID_ROOT, ct, enhanced, hounsfield, written

#: Images in a shard.
SMALL = 4
#: Of the checks of one attempt: a step for each image and for each call of the store.
LIVES = st.lists(st.integers(0, 60), max_size=5)


def target_of(ports: Ports, job_id: str) -> str:
    """What a job makes."""
    target = row(ports.sessions, job_id).target
    assert target is not None
    return target


class Killed(BaseException):
    """As sudden as SIGKILL: no handler hears of it."""


class Mortal(JobContext):
    """An attempt that dies after so many checks."""

    lives: int

    def check_wanted(self) -> None:
        super().check_wanted()
        self.lives -= 1
        if self.lives < 0:
            raise Killed


def attempt(ports: Ports, job_id: str, *, lives: int) -> None:
    """Run the job for so many checks, or to its end; a dead worker is found by the sweeper."""
    claim = claimed(ports.sessions, job_id)
    assert claim is not None
    job = Mortal(claim, ports.sessions, StopFlags())
    job.lives = lives
    mine = replace(ports, store=AttendedStore(ports.store, job.check_wanted))
    try:
        outcome = find_task(claim.kind)(job, mine)
    except Killed:
        silence(ports.sessions, job_id)
        committed(ports.sessions, partial(sweep.requeue_expired, max_stalls=1000))
        return
    committed(ports.sessions, partial(_succeed, claim, outcome))


def _succeed(claim: Claim, outcome: Outcome, session: Session) -> None:
    outcome.write(session)
    ledger.succeed(session, claim, outcome.output)


def queued(sessions: Sessions, **members: Any) -> str:
    """The id of a job that makes a data set of its own."""
    new = NewJob(queue="preprocessing", target=new_id("ds"), **members)
    return str(committed(sessions, lambda s: submit(s, lambda _: new, key_id=None)).job.id)


def ingest(ports: Ports, files: dict[str, bytes], layout: str, **options: bool) -> str:
    """The id of a job that takes files in."""
    data = archive(files)
    upload = UploadRow(id=new_id("up"), bytes=len(data), parts=1, part_bytes=len(data), sha256="")
    ports.store.put(part_key(upload.id, 0), data)
    committed(ports.sessions, lambda session: session.add(upload))
    given = {"name": "a test's", "layout": layout, "upload": upload.id, **options}
    return queued(ports.sessions, kind="ingest", input=given)


def preprocess(ports: Ports, dataset: str) -> str:
    """The id of a job that preprocesses a data set; some fields of view grow."""
    given = {"dataset": dataset, "size": 32, "spacing_mm": 0.6}
    return queued(ports.sessions, kind="preprocess", input=given)


def made(ports: Ports, job_id: str, lives: Iterable[int] = ()) -> dict[str, Any]:
    """All there is to say of what a job made, whose attempts lived so long."""
    for life in lives:
        if row(ports.sessions, job_id).status == "queued":
            attempt(ports, job_id, lives=life)
    if row(ports.sessions, job_id).status == "queued":
        attempt(ports, job_id, lives=1_000_000)
    target = target_of(ports, job_id)
    with ports.sessions() as session:
        dataset = reading.open_dataset(session, ports.store, target)
        shards = catalog.shards(session, target)
    return {
        "records": list(dataset.records),
        "sha256": dataset.row.sha256,
        "bytes": dataset.row.bytes,
        "skipped": (dataset.row.skipped, dataset.row.skipped_total),
        "notes": dataset.row.notes,
        "counts": dataset.row.counts,
        "shards": [(s.number, s.first_index, s.images, s.bytes, s.sha256) for s in shards],
        "images": [png for _, png in reading.iterate(ports.store, dataset, dataset.records)],
    }


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.datasets.shards.MAX_IMAGES", SMALL)


def folders() -> dict[str, bytes]:
    """Pictures, some of them unusable."""
    return pictures(30) | {"images/liver/0003.png": b"no PNG", "images/lung/note.txt": b""}


def scans() -> dict[str, bytes]:
    """DICOM: lesions on slices of one frame and of many, some of them unusable."""
    lines = ["sop_instance_uid,frame,category,x1,y1,x2,y2"]
    frames = [{"values": hounsfield(n), "rescale": (1, 0)} for n in range(6)]
    files = {"many": written(enhanced(frames, {}, SOPInstanceUID=f"{UID_ROOT}.99"))}
    lines += [f"{UID_ROOT}.99,{n},liver,-1,-1,5,5" for n in (1, 3, 3, 6, 7)]
    for number in range(14):
        data = written(ct(number=number))
        files[f"{number}"] = data[:-20] if number % 5 == 4 else data
        lines += [f"{UID_ROOT}.{number},,lung,2,2,{box},9" for box in (3, 80)]
    return files | {"lesions.csv": "\n".join(lines).encode()}


@pytest.mark.parametrize("layout", ["deeplesion", "dicom", "folders"])
def test_an_ingest_that_is_killed_takes_in_the_same(ports: Ports, layout: str) -> None:
    by_layout = {"deeplesion": slices(patients=24), "dicom": scans(), "folders": folders()}
    files = by_layout[layout]
    whole = made(ports, ingest(ports, files, layout))
    assert whole["skipped"][1] > 0
    assert whole["notes"] or layout == "folders"

    @hypothesis_settings(max_examples=8)
    @given(LIVES)
    def same(lives: list[int]) -> None:
        assert made(ports, ingest(ports, files, layout), lives) == whole

    same()


def test_neighbours_survive_as_well(ports: Ports) -> None:
    files = slices(patients=12)
    files |= {
        name.replace("010", "011"): slice_png(seed=5000 + number)
        for number, name in enumerate(list(files)[1:])
    }
    whole = made(ports, ingest(ports, files, "deeplesion", neighbours=True))
    assert any("neighbouring slices are missing" in note for note in whole["notes"])
    assert any(record.following for record in whole["records"])

    @hypothesis_settings(max_examples=4)
    @given(LIVES)
    def same(lives: list[int]) -> None:
        assert made(ports, ingest(ports, files, "deeplesion", neighbours=True), lives) == whole

    same()


def test_a_preprocessing_that_is_killed_makes_the_same(ports: Ports) -> None:
    raw = ingest(ports, slices(patients=24), "deeplesion")
    made(ports, raw)
    target = target_of(ports, raw)
    whole = made(ports, preprocess(ports, target))
    assert any("widened" in note for note in whole["notes"])

    @hypothesis_settings(max_examples=8)
    @given(LIVES)
    def same(lives: list[int]) -> None:
        assert made(ports, preprocess(ports, target), lives) == whole

    same()


def test_what_lies_in_complete_shards_is_not_decoded_again(
    ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = ingest(ports, pictures(30), "folders")
    made(ports, raw)
    target = target_of(ports, raw)
    decoded: list[int] = []

    def counted(data: bytes, rows: int) -> Any:
        decoded.append(1)
        return decode_rows(data, rows)

    monkeypatch.setattr(decoding, "decode_rows", counted)
    job_id = preprocess(ports, target)
    attempt(ports, job_id, lives=28)  # for a third shard, which may be on its way
    with ports.sessions() as session:
        kept = sum(shard.images for shard in catalog.shards(session, target_of(ports, job_id)))
    assert kept >= 2 * SMALL
    assert row(ports.sessions, job_id).stalls == 1, "each shard forgave the deaths before it"
    decoded.clear()
    made(ports, job_id)
    assert len(decoded) == 30 - kept


def test_a_prefix_that_has_changed_is_not_mixed(
    ports: Ports, client: httpx.Client, s3: Minio
) -> None:
    s3.make_bucket("changing")

    def put(files: dict[str, bytes]) -> None:
        for name, content in files.items():
            s3.put_object("changing", f"lab/{name}", io.BytesIO(content), len(content))

    bench = Bench(ports, client)
    source = {"name": "lab", "layout": "folders", "source": {"s3": "changing/lab"}}
    put(pictures(4))
    job_id = bench.post("/datasets", source)
    put(pictures(6, seed=5))
    found = bench.run(job_id)
    assert found.status == "failed"
    assert found.error is not None
    assert "have changed" in found.error["detail"]
    assert bench.run(bench.post("/datasets", source)).status == "succeeded"
