"""The demo's steps over HTTP: what a lab would do with its own images."""

import json
from pathlib import Path

from deploy.local.demo.curves import draw_curves
from deploy.local.demo.plan import Made, Plan
from deploy.local.demo.sheet import SheetRow, draw_sheet
from deploy.local.demo.timeline import Timeline
from lesiongan.cli.progress import megabytes
from lesiongan.client import Client, GeneratedZip, StreamProgress
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import Dataset
from lesiongan.contracts.experiments import Experiment
from lesiongan.contracts.gans import Gan
from lesiongan.contracts.jobs import Job
from services.preprocessing.domain.phantom import write_phantoms


def run_demo(client: Client, plan: Plan, timeline: Timeline) -> Made:
    """Phantoms → data set → preprocessing → GAN → the experiment → images, in ``plan.out``.

    What exists is used again: data sets are named by their content. The GAN is trained anew.

    Raises what :class:`lesiongan.Client` raises, and OSError.
    """
    archive = make_phantoms(plan, timeline)
    raw = ingest(client, archive, plan, timeline)
    preprocessed = preprocess(client, raw, plan, timeline)
    # Both at once: classifiers that need no GAN are trained beside it, on the other core.
    training = client.gans.train(plan.gan_command(preprocessed.id))
    comparing = client.experiments.run(plan.experiment_command(preprocessed))
    gan = train(client, training, timeline)
    experiment = compare_arms(client, comparing, timeline)
    report = plan.out / "report.html"
    client.experiments.download_report(experiment, report)
    liver = stream_liver(client, gan, plan, timeline)
    sheet = compare_images(client, preprocessed, gan, plan, timeline)
    metrics = client.gans.metrics(gan).points
    curves = draw_curves(metrics, plan.out / "training-curves.png")
    summary = plan.out / "summary.json"
    made = Made(
        url=client.server.url,
        raw=raw,
        preprocessed=preprocessed,
        gan=gan,
        experiment=experiment,
        metrics=metrics,
        liver=liver,
        default=gan.default,
        timings=timeline.timings,
        files=[report, sheet, curves, liver.path, summary, archive],
    )
    summary.write_text(json.dumps(made.summary(), indent=2) + "\n", encoding="utf-8")
    return made


def make_phantoms(plan: Plan, timeline: Timeline) -> Path:
    """A seeded CT phantom data set in DeepLesion's own format."""
    path = plan.out / "phantoms.zip"
    with timeline.step("Make phantoms") as step:

        def show(done: int, total: int) -> None:
            step.count(done, total, f"{done} of {total} slices")

        write_phantoms(
            path,
            lesions_per_category=plan.lesions,
            seed=plan.seed,
            difficulty=plan.difficulty,
            on_progress=show,
        )
        step.finish(f"{path.name}, {megabytes(path.stat().st_size, None)}, DeepLesion layout")
    return path


def ingest(client: Client, archive: Path, plan: Plan, timeline: Timeline) -> Dataset:
    """Upload the archive and take it in."""
    with timeline.step("Upload and ingest") as step:

        def show(sent: int, total: int) -> None:
            step.count(sent, total, f"upload {megabytes(sent, total)}")

        name = f"phantoms, {plan.lesions} lesions a category, seed {plan.seed}"
        job = client.datasets.upload(archive, layout="deeplesion", name=name, on_progress=show)
        raw = _dataset(client, step.wait(client, job))
        step.finish(f"{raw.id}, {raw.images} lesions")
    return raw


def preprocess(client: Client, raw: Dataset, plan: Plan, timeline: Timeline) -> Dataset:
    """HU → contrast → lesion crops, split by patient."""
    with timeline.step("Preprocess") as step:
        job = client.preprocess(plan.preprocess_command(raw.id))
        made = _dataset(client, step.wait(client, job))
        train = sum(made.counts.get("train", {}).values())
        step.finish(f"{made.id}, {train} of {made.images} crops to train on")
    return made


def train(client: Client, training: Job, timeline: Timeline) -> Gan:
    """A class-conditional WGAN-GP on the training crops."""
    with timeline.step("Train the GAN") as step:
        job = step.wait(client, training)
        gan = client.gans.get(_output(job, "gan"))
        step.finish(f"{gan.id}, {gan.step} steps at {gan.image_size} px")
    return gan


def compare_arms(client: Client, comparing: Job, timeline: Timeline) -> Experiment:
    """The paper's table: none, traditional, GAN, combined."""
    with timeline.step("Four-arm experiment") as step:
        job = step.wait(client, comparing)
        experiment = client.experiments.get(_output(job, "experiment"))
        n = experiment.n_test
        seeds = "1 seed" if experiment.seeds == 1 else f"{experiment.seeds} seeds"
        step.finish(f"{experiment.id}, {seeds}, {n} test images")
    return experiment


def stream_liver(client: Client, gan: Gan, plan: Plan, timeline: Timeline) -> GeneratedZip:
    """The call that everyone knows: ``GET /generate?category=liver&n=500``."""
    n = plan.liver_images
    with timeline.step(f"GET /generate liver {n}") as step:

        def show(progress: StreamProgress) -> None:
            step.count(progress.images, n, f"{progress.images} of {n} images")

        made = client.generate_zip(
            "liver",
            n,
            plan.out / "liver.zip",
            gan=None if gan.default else gan.id,
            on_progress=show,
        )
        rate = made.images / made.seconds
        step.finish(f"{n} images, {rate:.0f}/s, first byte {made.first_byte_seconds:.2f} s")
    return made


def compare_images(
    client: Client, preprocessed: Dataset, gan: Gan, plan: Plan, timeline: Timeline
) -> Path:
    """A sheet of real training crops beside synthetic ones, for each category."""
    with timeline.step("Real beside synthetic") as step:
        n = plan.sheet_images
        jobs: list[tuple[Category, Job]] = [
            # Seeds of their own: the same latents would make the rows look alike.
            (category, client.generate(category, n, gan=gan.id, seed=plan.seed + row))
            for row, category in enumerate(gan.categories)
        ]
        rows: list[SheetRow] = []
        for category, job in jobs:
            synthetic = _output(client.jobs.wait(job), "dataset")
            real = _first_images(client, preprocessed.id, category, n)
            rows.append(SheetRow(category, real, _first_images(client, synthetic, category, n)))
            step.count(len(rows), len(jobs), category)
        path = draw_sheet(rows, plan.out / "real-vs-synthetic.png", phantom=preprocessed.phantom)
        step.finish(f"{path.name}, {n} of each in {len(rows)} categories")
    return path


def _first_images(client: Client, dataset: str, category: Category, n: int) -> list[bytes]:
    found = client.datasets.images(dataset, category=category, split="train", limit=n)
    return [client.datasets.image_png(dataset, image.index) for image in found]


def _dataset(client: Client, job: Job) -> Dataset:
    return client.datasets.get(_output(job, "dataset"))


def _output(job: Job, name: str) -> str:
    assert job.output is not None, "a job that succeeded has an output"
    return str(job.output[name])
