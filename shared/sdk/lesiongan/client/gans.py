"""GANs: train, follow, choose, take home."""

from collections.abc import Iterator
from pathlib import Path

from lesiongan.client.downloads import OnBytes, download
from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.gans import Gan, GanCommand, MetricSeries
from lesiongan.contracts.jobs import Estimate, Job


class Gans:
    """GANs: ``client.gans``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def train(self, command: GanCommand) -> Job:
        """Train a GAN on a data set's training split; the job's ``output["gan"]`` is its id."""
        return submit(post_command("/gans", command), self._transport)

    def estimate(self, command: GanCommand) -> Estimate:
        """What the training would cost; nothing is made."""
        return estimate(post_command("/gans", command), self._transport)

    def get(self, gan: Gan | str) -> Gan:
        """The GAN and how its training goes."""
        return self._transport.read(Call(method="GET", path=_path(gan)), Gan)

    def list(self, *, limit: int | None = None) -> Iterator[Gan]:
        """GANs, newest first."""
        return every(self._transport, "/gans", Gan, limit=limit)

    def metrics(self, gan: Gan | str) -> MetricSeries:
        """Losses and scores over the steps."""
        return self._transport.read(Call(method="GET", path=f"{_path(gan)}/metrics"), MetricSeries)

    def preview_png(self, gan: Gan | str, *, step: int | None = None) -> bytes:
        """The grid of samples at ``step``, or the latest."""
        call = Call(method="GET", path=f"{_path(gan)}/preview.png", params={"step": step})
        return self._transport.send(call).content

    def weights(
        self, gan: Gan | str, path: Path | str, *, on_progress: OnBytes | None = None
    ) -> Path:
        """Stream the published EMA generator (safetensors) into a file."""
        call = Call(method="GET", path=f"{_path(gan)}/weights")
        return download(self._transport, call, Path(path), on_progress)

    def set_default(self, gan: Gan | str) -> Gan:
        """Make this the GAN that ``generate`` takes when none is named."""
        return self._transport.read(Call(method="PUT", path=f"{_path(gan)}/default"), Gan)

    def delete(self, gan: Gan | str) -> None:
        """Delete the GAN."""
        self._transport.send(Call(method="DELETE", path=_path(gan)))


def _path(gan: Gan | str) -> str:
    return f"/gans/{gan if isinstance(gan, str) else gan.id}"
