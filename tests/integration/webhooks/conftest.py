"""A receiver for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.integration.webhooks.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made
