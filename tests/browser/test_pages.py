"""Each page on real data: what it shows is what the API says, and its buttons do what they say."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lesiongan.contracts.categories import UNSPLIT
from services.classification.report.numbers import MINUS, points
from services.preprocessing.domain.phantom import write_phantoms
from tests.browser.console import Console, until
from tests.e2e.api import Api
from tests.e2e.conftest import Stack

#: Keeps all that a page says of an upload in ``window.told``.
WATCH_UPLOAD = """() => {
  const line = document.querySelector("#upload-text");
  window.told = [];
  new MutationObserver(() => window.told.push(line.textContent)).observe(line, {childList: true});
}"""
#: What an image's page drew, as one number a pixel.
PIXELS = """() => {
  const canvas = document.querySelector("#image");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).filter((_, i) => i % 4 === 0);
}"""


@pytest.fixture(scope="module")
def classifier(stack: Stack, preprocessed: str) -> str:
    """One of a few steps: it guesses."""
    body = {"datasets": [preprocessed], "architecture": "small_cnn", "steps": 4, "name": "quick"}
    return str(stack.api.ended(stack.api.post("/classifiers", body))["output"]["classifier"])


def test_an_archive_is_uploaded(page: Page, console: Console, tmp_path: Path) -> None:
    phantoms = tmp_path / "phantoms.zip"
    write_phantoms(phantoms, lesions_per_category=6, seed=8)  # of what is there nothing is taken in
    page.goto(f"{console.url}/console/datasets")
    page.get_by_label("Archive").set_input_files(phantoms)
    page.get_by_label("Layout").select_option("deeplesion")
    page.get_by_label("Name").fill("from the browser")
    expect(page.locator("#calls")).to_contain_text("file=@phantoms.zip")
    page.evaluate(WATCH_UPLOAD)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("alert")).to_contain_text("Taken in", timeout=120_000)
    told = page.evaluate("window.told")
    size = phantoms.stat().st_size / 2**20
    assert any(re.fullmatch(rf"{size:.1f} MiB of {size:.1f} MiB sent", each) for each in told), told
    assert any(re.fullmatch(r"taken in: \d+ of 48 images", each) for each in told), told
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("#about")).to_contain_text("raw")


def test_an_archive_that_is_none_says_why(page: Page, console: Console, tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_bytes(b"no archive")
    page.goto(f"{console.url}/console/datasets")
    page.get_by_label("Archive").set_input_files(tmp_path / "notes.zip")
    page.get_by_label("Name").fill("none")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("alert")).to_contain_text("the job", timeout=60_000)


def test_a_data_set(page: Page, console: Console, api: Api, preprocessed: str, gan: str) -> None:
    page.goto(f"{console.url}/console/datasets/{preprocessed}")
    counts = api.json(f"/datasets/{preprocessed}")["counts"]
    row = page.locator("#counts tr", has=page.get_by_role("rowheader", name="liver", exact=True))
    cells = [int(text) for text in row.locator("td").all_inner_texts()]
    splits = [
        counts[split].get("liver", 0) for split in ("train", "val", "test") if split in counts
    ]
    assert cells == [*splits, sum(splits)]
    for node in (preprocessed, gan, api.json(f"/datasets/{preprocessed}")["parents"][0]):
        expect(page.locator(f"#lineage [data-id={node}]")).to_be_visible()

    page.locator("#filter").get_by_label("Category").select_option("liver")
    page.locator("#filter").get_by_label("Split").select_option("train")
    expect(page.locator("#gallery a")).to_have_count(counts["train"]["liver"])
    page.locator("#gallery").scroll_into_view_if_needed()  # further down nothing is loaded
    until(
        page,
        "[...document.querySelectorAll('#gallery img')].every((image) => image.naturalWidth > 0)",
    )


def test_images_without_a_split_are_counted(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    known = api.json(f"/datasets/{preprocessed}")
    known["counts"] |= {UNSPLIT: {"liver": 1234}}
    page.route(f"{console.url}/datasets/{preprocessed}", lambda route: route.fulfill(json=known))
    page.goto(f"{console.url}/console/datasets/{preprocessed}")
    expect(page.locator("#counts")).to_contain_text("no split")
    expect(page.locator("#counts")).to_contain_text("1,234")


def test_an_image_of_16_bits_is_drawn_in_its_window(
    page: Page, console: Console, api: Api, raw: str
) -> None:
    stored = api.get(f"/datasets/{raw}/images/0").content
    record = api.json(f"/datasets/{raw}/images", limit=1)["items"][0]
    values = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_UNCHANGED)
    assert values is not None
    low, high = record["window_hu"]
    hu = values.astype(np.float64) - 32768
    expected = np.clip(np.rint(255 * (hu - low) / (high - low)), 0, 255)

    page.goto(f"{console.url}/console/datasets/{raw}/images/0")
    expect(page.locator("#window")).to_be_visible()
    expect(page.locator("#histogram svg")).to_be_visible()
    drawn = np.array(page.evaluate(PIXELS), np.float64).reshape(values.shape)

    left, top, right, bottom = (round(edge) for edge in record["box_px"])
    outside = np.ones(values.shape, bool)
    outside[max(0, top - 3) : bottom + 4, max(0, left - 3) : right + 4] = False
    # Centre and width of the sliders are whole HU.
    assert np.abs(drawn - expected)[outside].max() <= 2
    page.locator("#window").get_by_label("Preset").select_option("bone")
    assert page.evaluate(PIXELS) != drawn.ravel().tolist()


def test_an_images_kin_and_its_preprocessing(
    page: Page, console: Console, raw: str, preprocessed: str
) -> None:
    page.goto(f"{console.url}/console/datasets/{raw}/images/0")
    link = page.locator(f"#kin a[href*={preprocessed}]")
    expect(link).to_be_visible()
    page.get_by_role("button", name="Show").click()
    picture = page.get_by_alt_text("Before, and after preprocessing")
    expect(picture).to_be_visible(timeout=60_000)
    until(page, "document.querySelector('#preview-picture img').naturalWidth === 776")
    link.click()
    expect(page.locator(f"#kin a[href*={raw}]")).to_be_visible()


def test_images_are_generated(page: Page, console: Console, gan: str) -> None:
    page.goto(f"{console.url}/console/generate?gan={gan}")
    expect(page.get_by_label("Model")).to_have_value(gan)
    page.get_by_role("spinbutton", name="Images").fill("70")
    page.get_by_role("spinbutton", name="Seed").fill("11")
    expect(page.locator("#calls")).to_contain_text(f"category=liver&n=70&seed=11&gan={gan}")
    page.get_by_role("button", name="Generate").click()

    expect(page.locator("#gallery img")).to_have_count(70, timeout=90_000)
    until(
        page,
        "[...document.images].every((image) => image.naturalWidth === 32)",
    )
    for name, kind in (("Download ZIP", "png"), ("Download DICOM", "dcm")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert kind.encode() in download.value.path().read_bytes()


def test_an_experiment_is_started_in_three_fields_and_reported(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    page.goto(f"{console.url}/console/experiments")
    page.get_by_label("Data set").select_option(preprocessed)
    page.get_by_label("Seeds").fill("1")
    page.get_by_label("Real images a category").fill("2")
    page.get_by_role("button", name="What would it cost?").click()
    expect(page.locator("#cost")).to_contain_text("of computing")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/console/experiments/exp_*")
    experiment = page.url.rsplit("/", 1)[1]
    job = api.json(f"/experiments/{experiment}")["job"]
    expect(page.locator(f"#graph [data-id={job}]")).to_be_visible()
    assert page.locator("#graph .node").count() == len(
        api.json("/jobs", graph=job, limit=200)["items"]
    )
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#about .status")).to_have_text("cancelled")


def ended_experiment(api: Api, dataset: str, **options: Any) -> dict[str, Any]:
    """A small experiment of two arms."""
    body = {
        "dataset": dataset,
        "arms": ["none", "traditional"],
        "seeds": 1,
        "copies": 1,
        "classifier": {"steps": 2},
        **options,
    }
    job = api.ended(api.post("/experiments", body))
    assert job["status"] == "succeeded", job
    made: dict[str, Any] = api.json(f"/experiments/{job['output']['experiment']}")
    return made


def test_a_finished_experiment_shows_its_table_and_report(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    experiment = ended_experiment(api, preprocessed)
    page.goto(f"{console.url}/console/experiments/{experiment['id']}")

    expect(page.locator("#about .summary")).to_have_text(experiment["summary"])
    mean = experiment["arms"][0]["accuracy"]["mean"]
    expect(page.locator("#table tbody tr").first).to_contain_text(f"{100 * mean:.1f} %")
    (difference,) = experiment["comparisons"]
    row = page.get_by_role("region", name="Differences").get_by_role("row").nth(1)
    expect(row.get_by_role("rowheader")).to_have_text(f"traditional {MINUS} none")
    said = [points(each) for each in (difference["difference"], *difference["ci"])]
    expect(row.get_by_role("cell").nth(0)).to_have_text(said[0])
    expect(row.get_by_role("cell").nth(1)).to_have_text(f"{said[1]} to {said[2]}")
    is_shown = not difference["ci"][0] <= 0 <= difference["ci"][1]
    expect(row.get_by_role("cell").nth(4)).to_have_text("shown" if is_shown else "not shown")
    with console.context.expect_page() as report:
        page.get_by_role("link", name="Open the report").click()
    expect(report.value.get_by_role("heading", level=1)).to_have_text(experiment["name"])


def test_a_sweep_shows_a_table_for_each_number_of_images(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    experiment = ended_experiment(api, preprocessed, train_per_category=[2, 3])
    page.goto(f"{console.url}/console/experiments/{experiment['id']}")

    headings = page.locator("#table").get_by_role("heading", level=3)
    expect(headings).to_have_text([f"With {n} real images of each category" for n in (2, 3)])
    for point in experiment["sweep"]["points"]:
        which = f", {point['train_per_category']} real images of each category"
        arms = page.get_by_role("region", name=f"Arms{which}").get_by_role("row")
        expect(arms).to_have_count(3)
        expect(arms.nth(1)).to_contain_text(f"{100 * point['arms'][0]['accuracy']['mean']:.1f} %")
        differences = page.get_by_role("region", name=f"Differences{which}").get_by_role("row")
        expect(differences.nth(1)).to_contain_text(points(point["comparisons"][0]["difference"]))


def test_an_image_is_classified(
    page: Page, console: Console, api: Api, preprocessed: str, classifier: str, tmp_path: Path
) -> None:
    png = api.get(f"/datasets/{preprocessed}/images/3").content
    said = api.http.post(
        "/classify", params={"classifier": classifier}, content=png, headers={"Prefer": "wait=60"}
    ).json()
    (tmp_path / "lesion.png").write_bytes(png)
    page.goto(f"{console.url}/console/classify?classifier={classifier}")
    expect(page.get_by_label("Classifier")).to_have_value(classifier)
    page.get_by_label("Drop a PNG").set_input_files(tmp_path / "lesion.png")
    page.get_by_role("button", name="Classify").click()

    expect(page.locator("#state")).to_contain_text(
        said["category"].replace("_", " "), timeout=60_000
    )
    shown = page.locator("#bars li").first
    expect(shown).to_contain_text(f"{100 * said['probabilities'][said['category']]:.1f} %")
    until(page, "document.querySelector('#cam').naturalWidth > 0")


def test_a_dicom_file_is_classified(
    page: Page, console: Console, api: Api, raw: str, classifier: str, tmp_path: Path
) -> None:
    lesion = api.json(f"/datasets/{raw}/images", limit=1)["items"][0]
    (tmp_path / "slice").write_bytes(api.dicom(raw, lesion["index"]))
    page.goto(f"{console.url}/console/classify?classifier={classifier}")
    expect(page.get_by_label("Lesion on the slice")).to_be_hidden()
    page.get_by_label("Drop a PNG or a DICOM file").set_input_files(tmp_path / "slice")
    box = ", ".join(f"{edge:.1f}" for edge in lesion["box_px"])
    page.get_by_label("Lesion on the slice").fill(box)
    expect(page.locator("#calls")).to_contain_text("Content-Type: application/dicom")
    page.get_by_role("button", name="Classify").click()

    expect(page.locator("#bars li")).to_have_count(8, timeout=60_000)
    until(page, "document.querySelector('#given').naturalWidth === 32")
    expect(page.locator("#given-text")).to_contain_text("The lesion")
    page.get_by_label("Lesion on the slice").fill("")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#state")).to_contain_text("The whole slice was classified", timeout=60_000)


def test_an_image_of_another_size_says_so(
    page: Page, console: Console, api: Api, raw: str, classifier: str, tmp_path: Path
) -> None:
    (tmp_path / "slice.png").write_bytes(api.get(f"/datasets/{raw}/images/0").content)
    page.goto(f"{console.url}/console/classify?classifier={classifier}")
    expect(page.get_by_label("Classifier")).to_have_value(classifier)
    page.get_by_label("Drop a PNG").set_input_files(tmp_path / "slice.png")
    page.get_by_role("button", name="Classify").click()

    expect(page.get_by_role("alert")).to_contain_text("preprocess it")
    console.complaints.clear()


def test_the_calls_of_a_page_work_as_they_stand(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    page.goto(f"{console.url}/console/datasets/{preprocessed}")
    command = page.locator("#calls pre").first
    expect(command).to_contain_text("curl")
    address = command.inner_text().split("'")[-2]

    assert json.loads(api.http.get(address).text)["id"] == preprocessed
