"""Webhooks: be told of jobs that end."""

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.paging import every
from lesiongan.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    NewWebhook,
    Webhook,
    WebhookCommand,
)


class Webhooks(Resource[Mode]):
    """Webhooks of this key, for an admin's key all: ``client.webhooks``."""

    @operation
    def add(self, command: WebhookCommand) -> Flow[NewWebhook]:
        """Add a webhook; its secret is shown this once."""
        call = Call(
            method="POST",
            path="/webhooks",
            json=command.model_dump(mode="json", exclude_unset=True),
            repeatable=False,
        )
        return self.exchange.read(call, NewWebhook)

    @operation
    def get(self, webhook: Webhook | str) -> Flow[Webhook]:
        """The webhook as it is now."""
        return self.exchange.read(Call(method="GET", path=_path(webhook)), Webhook)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Webhook]:
        """Webhooks without their secrets, newest first."""
        return every(self.exchange, "/webhooks", Webhook, limit=limit)

    @operation
    def remove(self, webhook: Webhook | str) -> Flow[None]:
        """Remove the webhook, with all that it still had to deliver."""
        yield from self.exchange.answer(Call(method="DELETE", path=_path(webhook)))

    @operation
    def rotate(self, webhook: Webhook | str) -> Flow[NewWebhook]:
        """Change the secret, shown this once; the old one signs as well for 24 hours."""
        call = Call(method="POST", path=f"{_path(webhook)}/rotate", repeatable=False)
        return self.exchange.read(call, NewWebhook)

    @operation
    def enable(self, webhook: Webhook | str) -> Flow[Webhook]:
        """Have a disabled webhook deliver again."""
        return self.exchange.read(Call(method="POST", path=f"{_path(webhook)}/enable"), Webhook)

    @operation
    def test(self, webhook: Webhook | str) -> Flow[Delivery]:
        """Send a ``ping``; its delivery says how that went."""
        call = Call(method="POST", path=f"{_path(webhook)}/test", repeatable=False)
        return self.exchange.read(call, Delivery)

    @items
    def deliveries(
        self,
        webhook: Webhook | str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
    ) -> Stream[Delivery]:
        """What was or will be sent, with every attempt, newest first."""
        path = f"{_path(webhook)}/deliveries"
        return every(self.exchange, path, Delivery, params={"status": status}, limit=limit)

    @operation
    def redeliver(self, webhook: Webhook | str, delivery: Delivery | str) -> Flow[Delivery]:
        """Send it again at once, under the same id."""
        delivery_id = delivery if isinstance(delivery, str) else delivery.id
        path = f"{_path(webhook)}/deliveries/{delivery_id}/redeliver"
        return self.exchange.read(Call(method="POST", path=path, repeatable=False), Delivery)


def _path(webhook: Webhook | str) -> str:
    return f"/webhooks/{webhook if isinstance(webhook, str) else webhook.id}"
