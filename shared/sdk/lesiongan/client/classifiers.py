"""Classifiers: train, look, delete. ``client.classify`` asks one."""

from collections.abc import Iterator

from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.classifiers import Classifier, ClassifierCommand
from lesiongan.contracts.jobs import Estimate, Job


class Classifiers:
    """Classifiers: ``client.classifiers``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def train(self, command: ClassifierCommand) -> Job:
        """Train on the data sets' training images; ``output["classifier"]`` is the new id."""
        return submit(post_command("/classifiers", command), self._transport)

    def estimate(self, command: ClassifierCommand) -> Estimate:
        """What the training would cost; nothing is made."""
        return estimate(post_command("/classifiers", command), self._transport)

    def get(self, classifier: Classifier | str) -> Classifier:
        """The classifier and its scores."""
        return self._transport.read(Call(method="GET", path=_path(classifier)), Classifier)

    def list(self, *, limit: int | None = None) -> Iterator[Classifier]:
        """Classifiers, newest first."""
        return every(self._transport, "/classifiers", Classifier, limit=limit)

    def delete(self, classifier: Classifier | str) -> None:
        """Delete the classifier."""
        self._transport.send(Call(method="DELETE", path=_path(classifier)))


def classifier_id(classifier: Classifier | str) -> str:
    """The id of a classifier that is named by it, or by itself."""
    return classifier if isinstance(classifier, str) else classifier.id


def _path(classifier: Classifier | str) -> str:
    return f"/classifiers/{classifier_id(classifier)}"
