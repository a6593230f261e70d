"""What a client can do, whichever driver carries it out."""

from collections.abc import Sequence
from pathlib import Path

from lesiongan.client.accounting import Accounting
from lesiongan.client.binding import Mode, Resource, operation
from lesiongan.client.classifiers import Classifiers, classifier_id
from lesiongan.client.console import Console
from lesiongan.client.datasets import Datasets
from lesiongan.client.downloads import unless_png
from lesiongan.client.exchange import Exchange, parsed
from lesiongan.client.experiments import Experiments
from lesiongan.client.flow import Flow
from lesiongan.client.gans import Gans
from lesiongan.client.generating import GeneratedZip, OnStreamed, generate_query, stream_zip
from lesiongan.client.health import ServerHealth
from lesiongan.client.interactive import Image, answer_to, image_call, preview_call
from lesiongan.client.jobs import Jobs
from lesiongan.client.keys import Keys
from lesiongan.client.manifests import ManifestSource, regenerate_call
from lesiongan.client.server import Server
from lesiongan.client.submitting import estimate, post_command, post_query, submit
from lesiongan.client.webhooks import Webhooks
from lesiongan.client.withdrawals import Withdrawals, withdraw_call
from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from lesiongan.contracts.categories import Category
from lesiongan.contracts.classifiers import Classification, Classifier
from lesiongan.contracts.datasets import ImageFormat, PreprocessCommand, PreprocessOptions
from lesiongan.contracts.jobs import Estimate, Job
from lesiongan.contracts.withdrawals import Withdrawal, WithdrawalCommand


class Operations(Resource[Mode]):
    """All operations of the API, most of them in groups: ``client.datasets``, ``client.jobs`` …

    Calls that make a job take ``idempotency_key``: the same key is the same job, also in another
    process and after the job has ended. Without one, the retries of one call share one.
    """

    def __init__(self, driver: Mode, exchange: Exchange) -> None:
        super().__init__(driver, exchange)
        self.jobs = Jobs(driver, exchange)
        self.datasets = Datasets(driver, exchange)
        self.gans = Gans(driver, exchange)
        self.classifiers = Classifiers(driver, exchange)
        self.experiments = Experiments(driver, exchange)
        self.keys = Keys(driver, exchange)
        self.accounting = Accounting(driver, exchange)
        self.webhooks = Webhooks(driver, exchange)
        self.withdrawals = Withdrawals(driver, exchange)
        self.health = ServerHealth(driver, exchange)
        self.console = Console(driver, exchange)

    @property
    def server(self) -> Server:
        """Where requests go."""
        return self.exchange.server

    @operation
    def preprocess(
        self, command: PreprocessCommand, *, idempotency_key: str | None = None
    ) -> Flow[Job]:
        """Split by patient, then HU → contrast → crop; ``output["dataset"]`` is the new id."""
        return submit(self.exchange, post_command("/preprocess", command), idempotency_key)

    @operation
    def estimate_preprocess(self, command: PreprocessCommand) -> Flow[Estimate]:
        """What the preprocessing would cost; nothing is made."""
        return estimate(self.exchange, post_command("/preprocess", command))

    @operation
    def augment(self, command: AugmentCommand, *, idempotency_key: str | None = None) -> Flow[Job]:
        """Add augmented copies of each training image; ``output["dataset"]`` is the new id."""
        return submit(self.exchange, post_command("/augment", command), idempotency_key)

    @operation
    def estimate_augment(self, command: AugmentCommand) -> Flow[Estimate]:
        """What the augmentation would cost; nothing is made."""
        return estimate(self.exchange, post_command("/augment", command))

    @operation
    def preprocess_preview(
        self, image: Image, options: PreprocessOptions | None = None
    ) -> Flow[bytes]:
        """A PNG that shows one image before and after; ``image`` is a PNG's bytes or path.

        Also raises :class:`lesiongan.errors.JobFailed`.
        """
        call = preview_call("/preprocess/preview", options)
        return (yield from answer_to(self.exchange, call, image)).content

    @operation
    def augment_preview(self, image: Image, options: AugmentOptions | None = None) -> Flow[bytes]:
        """A PNG with one square 8-bit image and its copies; ``image`` is a PNG's bytes or path.

        Also raises :class:`lesiongan.errors.JobFailed`.
        """
        call = preview_call("/augment/preview", options)
        return (yield from answer_to(self.exchange, call, image)).content

    @operation
    def classify(
        self,
        image: Image,
        classifier: Classifier | str,
        *,
        explain: bool = False,
        box: Sequence[float] | None = None,
    ) -> Flow[Classification]:
        """What ``classifier`` says of one image; ``image`` is the bytes or path of a PNG or DICOM.

        ``box``: the lesion on a DICOM slice, ``(x1, y1, x2, y2)`` in pixels of it; without it the
        whole slice is classified. With ``explain`` the answer's ``grad_cam`` is a heat map. Also
        raises :class:`lesiongan.errors.JobFailed`.
        """
        query = {
            "classifier": classifier_id(classifier),
            "explain": explain or None,
            "box": None if box is None else ",".join(f"{edge:.7g}" for edge in box),
        }
        call = image_call("/classify", query, accept="application/json")
        return parsed((yield from answer_to(self.exchange, call, image)), Classification)

    @operation
    def withdraw(self, patient: str, *, dry_run: bool = True) -> Flow[Withdrawal]:
        """What goes when a patient withdraws; with ``dry_run=False`` it goes, for good.

        ``patient`` is the identifier as in the source, or the pseudonym that a manifest shows.
        """
        asked = WithdrawalCommand(patient=patient, dry_run=dry_run)
        return self.exchange.read(withdraw_call(asked), Withdrawal)

    @operation
    def generate(
        self,
        category: Category,
        n: int,
        *,
        gan: str | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Job]:
        """Sample ``n`` images into a synthetic data set; ``output["dataset"]`` is its id.

        Without ``gan``: the server's default. Without ``seed``: one that the server draws.
        ``truncation``: standard deviations at which the latents are cut off.
        """
        query = generate_query(category, n, gan, seed, truncation)
        return submit(self.exchange, post_query("/generate", query), idempotency_key)

    @operation
    def estimate_generate(
        self, category: Category, n: int, *, gan: str | None = None
    ) -> Flow[Estimate]:
        """What the sampling would cost; nothing is made."""
        query = generate_query(category, n, gan, None, None)
        return estimate(self.exchange, post_query("/generate", query))

    @operation
    def generate_zip(
        self,
        category: Category,
        n: int,
        path: Path | str,
        *,
        gan: str | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        image_format: ImageFormat = "png",
        on_progress: OnStreamed | None = None,
    ) -> Flow[GeneratedZip]:
        """Sample ``n`` ≤ 2,000 images into a ZIP at ``path``, which arrives while they are made.

        The file takes its name when it is complete: a connection that breaks leaves nothing behind.
        """
        query = generate_query(category, n, gan, seed, truncation)
        query["format"] = unless_png(image_format)
        return stream_zip(self.exchange, query, Path(path), on_progress)

    @operation
    def regenerate(
        self,
        manifest: ManifestSource,
        indices: Sequence[int] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Flow[Job]:
        """Make images of a manifest again, all of them or some; ``output["dataset"]`` is their set.

        ``manifest`` is a ZIP that :meth:`generate_zip` wrote, a synthetic data set's archive in any
        layout but ``webdataset``, the ``manifest.json`` in either, or what that holds.
        ``output["identical"]`` counts images of the same bytes. Raises
        :class:`pydantic.ValidationError` for what is no such manifest, and for indices that it does
        not have.
        """
        call = yield from regenerate_call(manifest, indices)
        return (yield from submit(self.exchange, call, idempotency_key))

    @operation
    def estimate_regenerate(
        self, manifest: ManifestSource, indices: Sequence[int] | None = None
    ) -> Flow[Estimate]:
        """What making them again would cost; nothing is made."""
        call = yield from regenerate_call(manifest, indices)
        return (yield from estimate(self.exchange, call))
