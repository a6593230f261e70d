"""Whether the server runs and can serve: needs no key."""

from lesiongan.client.binding import Mode, Resource, operation
from lesiongan.client.call import Call
from lesiongan.client.flow import Flow
from lesiongan.contracts.health import Health


class ServerHealth(Resource[Mode]):
    """``client.health``."""

    @operation
    def live(self) -> Flow[Health]:
        """Whether the process runs."""
        return self.exchange.read(Call(method="GET", path="/health/live"), Health)

    @operation
    def ready(self) -> Flow[Health]:
        """Whether it can serve; raises :class:`lesiongan.errors.ServerFault` where it cannot."""
        return self.exchange.read(Call(method="GET", path="/health/ready"), Health)

    @operation
    def metrics(self) -> Flow[str]:
        """The process's metrics, as Prometheus reads them."""
        call = Call(method="GET", path="/metrics", headers={"Accept": "text/plain"})
        return (yield from self.exchange.answer(call)).text
