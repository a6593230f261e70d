"""Experiments: run, look, take the report home."""

from collections.abc import Iterator
from pathlib import Path

from lesiongan.client.downloads import OnBytes, download
from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.experiments import Experiment, ExperimentCommand
from lesiongan.contracts.jobs import Estimate, Job


class Experiments:
    """Experiments: ``client.experiments``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(self, command: ExperimentCommand) -> Job:
        """Train and compare all arms; the job's ``output["experiment"]`` is the new id."""
        return submit(post_command("/experiments", command), self._transport)

    def estimate(self, command: ExperimentCommand) -> Estimate:
        """What the experiment would cost; nothing is made."""
        return estimate(post_command("/experiments", command), self._transport)

    def get(self, experiment: Experiment | str) -> Experiment:
        """The experiment with its table, which is empty until it has ended."""
        return self._transport.read(Call(method="GET", path=_path(experiment)), Experiment)

    def list(self, *, limit: int | None = None) -> Iterator[Experiment]:
        """Experiments, newest first."""
        return every(self._transport, "/experiments", Experiment, limit=limit)

    def delete(self, experiment: Experiment | str) -> None:
        """Delete the experiment's table and report; what it trained stays."""
        self._transport.send(Call(method="DELETE", path=_path(experiment)))

    def report_html(self, experiment: Experiment | str) -> str:
        """The report as one page that needs no other file."""
        return self._transport.send(_report_call(experiment)).text

    def download_report(
        self, experiment: Experiment | str, path: Path | str, *, on_progress: OnBytes | None = None
    ) -> Path:
        """Stream the report into a file."""
        return download(self._transport, _report_call(experiment), Path(path), on_progress)


def _report_call(experiment: Experiment | str) -> Call:
    headers = {"Accept": "text/html"}
    return Call(method="GET", path=f"{_path(experiment)}/report", headers=headers)


def _path(experiment: Experiment | str) -> str:
    return f"/experiments/{experiment if isinstance(experiment, str) else experiment.id}"
