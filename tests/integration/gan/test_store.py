"""Which GAN is the default."""

import pytest
from sqlalchemy import select

from services.gan import store
from shared.db.engine import Sessions
from shared.db.tables import GanRow
from shared.errors import Conflict
from tests.integration.gan.test_generate import published_gan


def _publish(sessions: Sessions, gan_id: str) -> None:
    with sessions() as session:
        store.publish(
            session, gan_id, weights_key="k", weights_sha256="0" * 64, weights_bytes=1, step=1
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
