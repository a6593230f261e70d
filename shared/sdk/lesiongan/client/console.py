"""What the system does now, and a way into its console."""

from lesiongan.client.binding import Mode, Resource, operation
from lesiongan.client.call import Call
from lesiongan.client.flow import Flow
from lesiongan.contracts.console import SignInLink, Status


class Console(Resource[Mode]):
    """``client.console``."""

    @operation
    def status(self) -> Flow[Status]:
        """Queues and their workers, devices, what the store holds, and the disk of the data."""
        return self.exchange.read(Call(method="GET", path="/status"), Status)

    @operation
    def sign_in_link(self) -> Flow[SignInLink]:
        """An address that signs a browser in with this client's key, once."""
        call = Call(method="POST", path="/console/links", repeatable=False)
        return self.exchange.read(call, SignInLink)
