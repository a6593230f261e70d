"""What was made stays as it is."""

import pytest

from services.classification import store
from shared.db.engine import Sessions
from shared.db.tables import ClassifierRow
from shared.errors import AlreadyMade
from shared.ids import new_id


def test_what_is_trained_is_not_trained_again(sessions: Sessions) -> None:
    with sessions() as session:
        row = ClassifierRow(
            id=new_id("clf"),
            name="t",
            datasets=[new_id("ds")],
            job_id=new_id("job"),
            phantom=True,
            architecture="small_cnn",
            categories=["liver"],
            command={},
            train_counts={},
            scores={"step": 7},
        )
        session.add(row)
        session.flush()
        assert store.untrained(session, row.id) is row
        row.weights_sha256 = "0" * 64
        with pytest.raises(AlreadyMade) as found:
            store.untrained(session, row.id)
    assert found.value.output == {
        "classifier": row.id,
        "weights_sha256": "0" * 64,
        "steps": 7,
    }
