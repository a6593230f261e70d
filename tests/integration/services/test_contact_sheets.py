"""Many large images on one sheet take the memory of a few."""

import tracemalloc
import weakref

import pytest
from PIL import Image

from services.preprocessing import datasets_api
from services.preprocessing.domain.png import encode_grey
from shared.datasets.contact_sheet import for_display
from shared.datasets.records import ImageMeta
from tests.integration.services.bench import Bench, archive, pictures
from tests.unit.preprocessing.builders import grey_noise

SIZE = 512


def test_a_preview_of_many_copies_holds_a_few(bench: Bench) -> None:
    picture = encode_grey(grey_noise(1, size=SIZE))
    bench.run(bench.show("/augment/preview?copies=1", picture))  # imports what it needs
    job_id = bench.show("/augment/preview?copies=100", picture)
    tracemalloc.start()
    try:
        done = bench.run(job_id)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.status == "succeeded", done.error
    assert peak < 30 * SIZE * SIZE


def test_a_sheet_of_a_data_set_holds_one_image_at_a_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[weakref.ref[Image.Image]] = []
    most = 0

    def counted(png: bytes, meta: ImageMeta) -> Image.Image:
        nonlocal most
        image = for_display(png, meta)
        shown.append(weakref.ref(image))
        most = max(most, sum(each() is not None for each in shown))
        return image

    raw = bench.made(bench.upload(archive(pictures(12)), "folders"))
    monkeypatch.setattr(datasets_api, "for_display", counted)
    answer = bench.client.get(f"/datasets/{raw}/contact-sheet.png", params={"n": 12})
    assert answer.status_code == 200, answer.text
    assert (len(shown), most <= 2) == (12, True)
