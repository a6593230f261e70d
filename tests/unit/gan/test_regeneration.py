"""What was thrown away because it is a copy cannot be had from a manifest that names its draw."""

import numpy as np
import pytest

from services.gan.domain.reference import make_reference
from services.gan.regeneration import without_copies
from shared.compute.precision import Precision
from shared.db.tables import GanRow
from shared.errors import Conflict
from tests.unit.gan.blobs import blobs


def test_copies_are_not_made_again(precision: Precision) -> None:
    (known, labels), (new, _) = blobs(40), blobs(6, seed=2)
    reference = make_reference((known, labels), blobs(0), steps=1, precision=precision)
    gan = GanRow(id="gan_1")
    assert without_copies(new, reference, gan, precision) is new
    asked = np.concatenate([new, known[:2]])
    with pytest.raises(Conflict, match="2 of the manifest's images"):
        without_copies(asked, reference, gan, precision)
    assert without_copies(asked, None, gan, precision) is asked
