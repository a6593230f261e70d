"""Classifiers: train, look, delete. ``client.classify`` asks one."""

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.paging import every
from lesiongan.client.submitting import estimate, post_command, submit
from lesiongan.contracts.classifiers import Classifier, ClassifierCommand
from lesiongan.contracts.jobs import Estimate, Job


class Classifiers(Resource[Mode]):
    """Classifiers: ``client.classifiers``."""

    @operation
    def train(self, command: ClassifierCommand, *, idempotency_key: str | None = None) -> Flow[Job]:
        """Train on the data sets' training images; ``output["classifier"]`` is the new id."""
        return submit(self.exchange, post_command("/classifiers", command), idempotency_key)

    @operation
    def estimate(self, command: ClassifierCommand) -> Flow[Estimate]:
        """What the training would cost; nothing is made."""
        return estimate(self.exchange, post_command("/classifiers", command))

    @operation
    def get(self, classifier: Classifier | str) -> Flow[Classifier]:
        """The classifier and its scores."""
        return self.exchange.read(Call(method="GET", path=_path(classifier)), Classifier)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Classifier]:
        """Classifiers, newest first."""
        return every(self.exchange, "/classifiers", Classifier, limit=limit)

    @operation
    def delete(self, classifier: Classifier | str) -> Flow[None]:
        """Delete the classifier."""
        yield from self.exchange.answer(Call(method="DELETE", path=_path(classifier)))


def classifier_id(classifier: Classifier | str) -> str:
    """The id of a classifier that is named by it, or by itself."""
    return classifier if isinstance(classifier, str) else classifier.id


def _path(classifier: Classifier | str) -> str:
    return f"/classifiers/{classifier_id(classifier)}"
