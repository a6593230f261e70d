"""The process that delivers webhooks: ``python -m shared.worker.deliver``. Any number may run."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx

from shared.db.engine import make_engine, make_sessions
from shared.observability.exposition import serve_metrics
from shared.observability.logs import configure_logging
from shared.settings import Settings, get_settings
from shared.webhooks.deliverer import Deliverer, Limits
from shared.webhooks.sending import Sender
from shared.webhooks.target import Rules
from shared.worker.pulse import Pulse


async def deliver(settings: Settings) -> None:
    """Deliver until SIGTERM; a database that is away is asked again."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = Limits()
    sender = Sender(
        Rules.of(settings),
        resolvers=ThreadPoolExecutor(limits.at_once, thread_name_prefix="names"),
        # SSL_CERT_FILE may name a laboratory's own authorities, in place of the usual ones.
        tls=httpx.create_ssl_context(),
    )
    engine = make_engine(settings.database_url, pool_size=4)
    deliverer = Deliverer(
        make_sessions(engine),
        sender,
        installation=settings.secret.get_secret_value(),
        limits=limits,
        after_pass=Pulse(settings.pulse_file).beat,
    )
    await deliverer.run(stop)
    engine.dispose()


def main() -> None:
    settings = get_settings()
    configure_logging(settings)
    serve_metrics(settings)
    asyncio.run(deliver(settings))
    # A thread that still waits for a name would keep the process for as long as it likes.
    os._exit(0)


if __name__ == "__main__":
    main()
