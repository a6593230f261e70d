"""Making the servers ready, or saying in one line why not."""

import socket

import pytest

from deploy.prepare import prepare
from shared.settings import Settings
from shared.storage.port import StoreUnavailable


def test_it_may_run_again(settings: Settings) -> None:
    prepare(settings)
    prepare(settings)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:{port}", "[::1]:{port}", "no-such-host.invalid"])
def test_a_wrong_object_store_is_named_at_once(settings: Settings, endpoint: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        wrong = endpoint.format(port=taken.getsockname()[1])
        given = settings.model_copy(update={"s3_endpoint": wrong})
        with pytest.raises(StoreUnavailable) as refused:
            prepare(given)
    assert f"LESIONGAN_S3_ENDPOINT is {wrong}" in refused.value.detail
