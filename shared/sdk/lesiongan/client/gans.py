"""GANs: train, follow, choose, take home."""

from pathlib import Path

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.downloads import OnBytes, download
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.contracts.gans import Gan, GanCommand, GanPreviews, MetricSeries
from lesiongan.contracts.jobs import Estimate, Job


class Gans(Resource[Mode]):
    """GANs: ``client.gans``."""

    @operation
    def train(self, command: GanCommand, *, idempotency_key: str | None = None) -> Flow[Job]:
        """Train a GAN on a data set's training split; the job's ``output["gan"]`` is its id."""
        return submit(self.exchange, post_command("/gans", command), idempotency_key)

    @operation
    def estimate(self, command: GanCommand) -> Flow[Estimate]:
        """What the training would cost; nothing is made."""
        return estimate(self.exchange, post_command("/gans", command))

    @operation
    def get(self, gan: Gan | str) -> Flow[Gan]:
        """The GAN and how its training goes."""
        return self.exchange.read(Call(method="GET", path=_path(gan)), Gan)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Gan]:
        """GANs, newest first."""
        return every(self.exchange, "/gans", Gan, limit=limit)

    @operation
    def metrics(self, gan: Gan | str) -> Flow[MetricSeries]:
        """Losses and scores over the steps."""
        return self.exchange.read(Call(method="GET", path=f"{_path(gan)}/metrics"), MetricSeries)

    @operation
    def previews(self, gan: Gan | str) -> Flow[GanPreviews]:
        """The steps that have a grid of samples."""
        return self.exchange.read(Call(method="GET", path=f"{_path(gan)}/previews"), GanPreviews)

    @operation
    def preview_png(self, gan: Gan | str, *, step: int | None = None) -> Flow[bytes]:
        """The grid of samples at ``step``, or the latest."""
        call = Call(method="GET", path=f"{_path(gan)}/preview.png", params={"step": step})
        return (yield from self.exchange.answer(call)).content

    @operation
    def pairs_png(self, gan: Gan | str) -> Flow[bytes]:
        """The closest pairs: samples, each to the left of its nearest training image."""
        call = Call(method="GET", path=f"{_path(gan)}/pairs.png")
        return (yield from self.exchange.answer(call)).content

    @operation
    def card(self, gan: Gan | str) -> Flow[str]:
        """The GAN's card, in Markdown."""
        call = Call(method="GET", path=f"{_path(gan)}/card", headers={"Accept": "text/*"})
        return (yield from self.exchange.answer(call)).text

    @operation
    def weights(
        self, gan: Gan | str, path: Path | str, *, on_progress: OnBytes | None = None
    ) -> Flow[Path]:
        """Stream the published EMA generator (safetensors) into a file."""
        call = Call(method="GET", path=f"{_path(gan)}/weights")
        return download(self.exchange, call, Path(path), on_progress)

    @operation
    def set_default(self, gan: Gan | str) -> Flow[Gan]:
        """Make this the GAN that ``generate`` takes when none is named."""
        return self.exchange.read(Call(method="PUT", path=f"{_path(gan)}/default"), Gan)

    @operation
    def delete(self, gan: Gan | str) -> Flow[None]:
        """Delete the GAN."""
        yield from self.exchange.answer(Call(method="DELETE", path=_path(gan)))


def _path(gan: Gan | str) -> str:
    return f"/gans/{gan if isinstance(gan, str) else gan.id}"
