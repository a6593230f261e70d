"""Experiments: run, look, take the report home."""

from pathlib import Path

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.downloads import OnBytes, download
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.contracts.experiments import Experiment, ExperimentCommand
from lesiongan.contracts.jobs import Estimate, Job


class Experiments(Resource[Mode]):
    """Experiments: ``client.experiments``."""

    @operation
    def run(self, command: ExperimentCommand, *, idempotency_key: str | None = None) -> Flow[Job]:
        """Train and compare all arms; the job's ``output["experiment"]`` is the new id."""
        return submit(self.exchange, post_command("/experiments", command), idempotency_key)

    @operation
    def estimate(self, command: ExperimentCommand) -> Flow[Estimate]:
        """What the experiment would cost; nothing is made."""
        return estimate(self.exchange, post_command("/experiments", command))

    @operation
    def get(self, experiment: Experiment | str) -> Flow[Experiment]:
        """The experiment with its table, which is empty until it has ended."""
        return self.exchange.read(Call(method="GET", path=_path(experiment)), Experiment)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Experiment]:
        """Experiments, newest first."""
        return every(self.exchange, "/experiments", Experiment, limit=limit)

    @operation
    def delete(self, experiment: Experiment | str) -> Flow[None]:
        """Delete the experiment's table and report; what it trained stays."""
        yield from self.exchange.answer(Call(method="DELETE", path=_path(experiment)))

    @operation
    def report_html(self, experiment: Experiment | str) -> Flow[str]:
        """The report as one page that needs no other file."""
        return (yield from self.exchange.answer(_report_call(experiment))).text

    @operation
    def download_report(
        self, experiment: Experiment | str, path: Path | str, *, on_progress: OnBytes | None = None
    ) -> Flow[Path]:
        """Stream the report into a file."""
        return download(self.exchange, _report_call(experiment), Path(path), on_progress)

    @operation
    def download_predictions(
        self, experiment: Experiment | str, path: Path | str, *, on_progress: OnBytes | None = None
    ) -> Flow[Path]:
        """Stream into a Parquet file what the table is computed from: a row a prediction."""
        call = Call(method="GET", path=f"{_path(experiment)}/predictions")
        return download(self.exchange, call, Path(path), on_progress)


def _report_call(experiment: Experiment | str) -> Call:
    headers = {"Accept": "text/html"}
    return Call(method="GET", path=f"{_path(experiment)}/report", headers=headers)


def _path(experiment: Experiment | str) -> str:
    return f"/experiments/{experiment if isinstance(experiment, str) else experiment.id}"
