"""The client itself: one object a server."""

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from lesiongan.client.accounting import Accounting
from lesiongan.client.classifiers import Classifiers, classifier_id
from lesiongan.client.datasets import Datasets
from lesiongan.client.downloads import unless_png
from lesiongan.client.experiments import Experiments
from lesiongan.client.gans import Gans
from lesiongan.client.generating import GeneratedZip, OnStreamed, generate_query, stream_zip
from lesiongan.client.interactive import Image, image_call, preview_call, result_of
from lesiongan.client.jobs import Jobs
from lesiongan.client.keys import Keys
from lesiongan.client.server import Server, find_server
from lesiongan.client.submitting import estimate, post_command, post_query, submit
from lesiongan.client.transport import MAX_RETRIES, Transport, parsed
from lesiongan.client.webhooks import Webhooks
from lesiongan.client.withdrawals import Withdrawals, withdraw_call
from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from lesiongan.contracts.categories import Category
from lesiongan.contracts.classifiers import Classification, Classifier
from lesiongan.contracts.datasets import ImageFormat, PreprocessCommand, PreprocessOptions
from lesiongan.contracts.jobs import Estimate, Job
from lesiongan.contracts.withdrawals import Withdrawal, WithdrawalCommand


class Client:
    """A LesionGAN server, by its HTTP API.

    >>> with Client("http://127.0.0.1:8000", "lg_…") as client:
    ...     job = client.datasets.upload("scans.zip", layout="deeplesion", name="our scans")
    ...     dataset = client.jobs.wait(job).output["dataset"]

    Requests that fail on the way are sent again where that is safe: calls that make a job carry an
    Idempotency-Key, so that one call makes one job. Every method may raise
    :class:`lesiongan.errors.ApiError` (the server refused) and
    :class:`lesiongan.errors.ConnectionFailed`. One client is for one thread.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        max_retries: int = MAX_RETRIES,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Without ``url`` or ``key``: ``LESIONGAN_URL`` and ``LESIONGAN_KEY``, or the embedded
        stack of this folder or its parents.

        Raises :class:`lesiongan.errors.NoServer` where none of them says.
        """
        server = find_server(url, key)
        self._transport = Transport(server, max_retries=max_retries, http_transport=http_transport)
        self.jobs = Jobs(self._transport)
        self.datasets = Datasets(self._transport)
        self.gans = Gans(self._transport)
        self.classifiers = Classifiers(self._transport)
        self.experiments = Experiments(self._transport)
        self.keys = Keys(self._transport)
        self.accounting = Accounting(self._transport)
        self.webhooks = Webhooks(self._transport)
        self.withdrawals = Withdrawals(self._transport)

    @property
    def server(self) -> Server:
        """Where requests go."""
        return self._transport.server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def preprocess(self, command: PreprocessCommand) -> Job:
        """Split by patient, then HU → contrast → crop; ``output["dataset"]`` is the new id."""
        return submit(post_command("/preprocess", command), self._transport)

    def estimate_preprocess(self, command: PreprocessCommand) -> Estimate:
        """What the preprocessing would cost; nothing is made."""
        return estimate(post_command("/preprocess", command), self._transport)

    def augment(self, command: AugmentCommand) -> Job:
        """Add augmented copies of each training image; ``output["dataset"]`` is the new id."""
        return submit(post_command("/augment", command), self._transport)

    def estimate_augment(self, command: AugmentCommand) -> Estimate:
        """What the augmentation would cost; nothing is made."""
        return estimate(post_command("/augment", command), self._transport)

    def preprocess_preview(self, image: Image, options: PreprocessOptions | None = None) -> bytes:
        """A PNG that shows one image before and after; ``image`` is a PNG's bytes or path.

        Also raises :class:`lesiongan.errors.JobFailed`.
        """
        call = preview_call("/preprocess/preview", image, options)
        return result_of(call, self._transport, self.jobs).content

    def augment_preview(self, image: Image, options: AugmentOptions | None = None) -> bytes:
        """A PNG with one square 8-bit image and its copies; ``image`` is a PNG's bytes or path.

        Also raises :class:`lesiongan.errors.JobFailed`.
        """
        call = preview_call("/augment/preview", image, options)
        return result_of(call, self._transport, self.jobs).content

    def classify(self, image: Image, classifier: Classifier | str) -> Classification:
        """What ``classifier`` says of one image; ``image`` is a PNG's bytes or path.

        Also raises :class:`lesiongan.errors.JobFailed`.
        """
        query = {"classifier": classifier_id(classifier)}
        call = image_call("/classify", image, query, accept="application/json")
        return parsed(result_of(call, self._transport, self.jobs), Classification)

    def withdraw(self, patient: str, *, dry_run: bool = True) -> Withdrawal:
        """What goes when a patient withdraws; with ``dry_run=False`` it goes, for good.

        ``patient`` is the identifier as in the source, or the pseudonym that a manifest shows.
        """
        asked = WithdrawalCommand(patient=patient, dry_run=dry_run)
        return self._transport.read(withdraw_call(asked), Withdrawal)

    def generate(
        self, category: Category, n: int, *, gan: str | None = None, seed: int | None = None
    ) -> Job:
        """Sample ``n`` images into a synthetic data set; ``output["dataset"]`` is its id.

        Without ``gan``: the server's default. Without ``seed``: one that the server draws.
        """
        query = generate_query(category, n, gan, seed)
        return submit(post_query("/generate", query), self._transport)

    def estimate_generate(self, category: Category, n: int, *, gan: str | None = None) -> Estimate:
        """What the sampling would cost; nothing is made."""
        query = generate_query(category, n, gan, None)
        return estimate(post_query("/generate", query), self._transport)

    def generate_zip(
        self,
        category: Category,
        n: int,
        path: Path | str,
        *,
        gan: str | None = None,
        seed: int | None = None,
        image_format: ImageFormat = "png",
        on_progress: OnStreamed | None = None,
    ) -> GeneratedZip:
        """Sample ``n`` ≤ 2,000 images into a ZIP at ``path``, which arrives while they are made.

        The file takes its name when it is complete: a connection that breaks leaves nothing behind.
        """
        query = {**generate_query(category, n, gan, seed), "format": unless_png(image_format)}
        return stream_zip(self._transport, query, Path(path), on_progress)
