"""Which GAN is the default, and which one nothing leaves."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from lesiongan.contracts.gans import GanCommand, GanScores
from services.gan import store
from shared.db.engine import Sessions
from shared.db.tables import GanRow
from shared.errors import AlreadyMade, Conflict
from tests.integration.gan.test_generate import published_gan
from tests.integration.gan.test_regenerate import manifest

MEMORISES = {
    "memorisation": {
        "authenticity": 0.0,
        "nearest_ratio": 0.1,
        "nearest_ratio_pixels": 0.2,
        "copies": 0.97,
        "n": 700,
        "against": "val",
        "refused": True,
    }
}


def _publish(sessions: Sessions, gan_id: str, scores: dict[str, Any] | None = None) -> None:
    with sessions() as session:
        store.publish(
            session,
            gan_id,
            weights_key="k",
            weights_sha256="0" * 64,
            weights_bytes=1,
            step=1,
            scores=scores or {},
        )
        session.commit()


def _default(sessions: Sessions) -> str | None:
    with sessions() as session:
        return session.scalar(select(GanRow.id).where(GanRow.is_default))


def test_the_first_that_succeeds_is_the_default(sessions: Sessions) -> None:
    first = published_gan(sessions, default=False)
    _publish(sessions, first)
    _publish(sessions, published_gan(sessions, default=False))
    assert _default(sessions) == first


def test_real_data_replace_a_phantom_default(sessions: Sessions) -> None:
    _publish(sessions, published_gan(sessions, default=False, phantom=True))
    real = published_gan(sessions, default=False)
    _publish(sessions, real)
    assert _default(sessions) == real


def test_a_phantom_never_replaces_real_data(sessions: Sessions) -> None:
    real = published_gan(sessions, default=False)
    _publish(sessions, real)
    _publish(sessions, published_gan(sessions, default=False, phantom=True))
    assert _default(sessions) == real


def test_a_chosen_phantom_stays(sessions: Sessions) -> None:
    chosen = published_gan(sessions, default=False, phantom=True)
    with sessions() as session:
        store.choose_default(session, chosen)
        session.commit()
    _publish(sessions, published_gan(sessions, default=False))
    assert _default(sessions) == chosen


def test_an_untrained_gan_cannot_be_chosen(sessions: Sessions) -> None:
    gan_id = published_gan(sessions, default=False)
    with sessions() as session:
        row = store.get(session, gan_id)
        row.weights_key = None
        session.flush()
        with pytest.raises(Conflict, match="no weights"):
            store.choose_default(session, gan_id)


def test_what_is_trained_is_not_trained_again(sessions: Sessions) -> None:
    gan_id = published_gan(sessions, default=False)
    with sessions() as session:
        row = store.get(session, gan_id)
        with pytest.raises(AlreadyMade) as found:
            store.untrained(session, gan_id)
        assert found.value.output["weights_sha256"] == row.weights_sha256
        row.weights_sha256 = None
        assert store.untrained(session, gan_id) is row


def test_a_gan_that_memorises_is_shown_but_nothing_leaves_it(
    client: httpx.Client, sessions: Sessions
) -> None:
    gan_id = published_gan(sessions, default=False)
    _publish(sessions, gan_id, MEMORISES)
    assert _default(sessions) is None
    with sessions() as session:
        shown = GanScores.model_validate(store.get(session, gan_id).scores)
    assert shown.memorisation is not None
    assert shown.memorisation.refused
    for method, path in (
        ("GET", f"/gans/{gan_id}/weights"),
        ("PUT", f"/gans/{gan_id}/default"),
        ("GET", f"/generate?category=liver&n=5&gan={gan_id}"),
        ("POST", f"/generate?category=liver&n=5&gan={gan_id}"),
    ):
        answer = client.request(method, path)
        assert answer.status_code == 409, path
        assert "97% of 700 samples are copies" in answer.json()["detail"]
        assert answer.json()["memorisation"]["copies"] == 0.97
    again = client.post("/regenerate", json={"manifest": manifest(gan_id), "indices": [1]})
    assert (again.status_code, "are copies" in again.json()["detail"]) == (409, True)


def test_no_gan_begins_with_weights_that_hold_training_images(sessions: Sessions) -> None:
    gan_id = published_gan(sessions, default=False)
    _publish(sessions, gan_id, MEMORISES)
    command = GanCommand(dataset="ds_" + "0" * 24, init_from=gan_id)
    with sessions() as session, pytest.raises(Conflict, match="are copies"):
        store.to_begin_with(session, command, image_size=32, channels=1)
