"""What the tests of this folder may ask for."""

import pytest

from shared.db.engine import Sessions
from shared.storage.s3 import S3Store
from tests.integration.classification.datasets import dataset


@pytest.fixture
def images(sessions: Sessions, store: S3Store) -> str:
    """A preprocessed data set."""
    return dataset(sessions, store)
