"""Models that stay loaded between the jobs of a worker."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Model = TypeVar("Model")


class HotModels(Generic[Model]):
    """Models by the SHA-256 of their weights; the ones used longest ago go first."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, Model] = OrderedDict()

    def get(self, weights_sha256: str, load: Callable[[], Model], *, at_most: int) -> Model:
        """The model, loaded unless it is here; ``at_most`` so many are kept."""
        if weights_sha256 not in self._loaded:
            self._loaded[weights_sha256] = load()
            if len(self._loaded) > at_most:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(weights_sha256)
        return self._loaded[weights_sha256]
