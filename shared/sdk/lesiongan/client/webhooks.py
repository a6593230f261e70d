"""Webhooks: be told of jobs that end."""

from collections.abc import Iterator

from lesiongan.client.paging import every
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    NewWebhook,
    Webhook,
    WebhookCommand,
)


class Webhooks:
    """Webhooks of this key, for an admin's key all: ``client.webhooks``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add(self, command: WebhookCommand) -> NewWebhook:
        """Add a webhook; its secret is shown this once."""
        call = Call(
            method="POST",
            path="/webhooks",
            json=command.model_dump(mode="json", exclude_unset=True),
            repeatable=False,
        )
        return self._transport.read(call, NewWebhook)

    def get(self, webhook: Webhook | str) -> Webhook:
        """The webhook as it is now."""
        return self._transport.read(Call(method="GET", path=_path(webhook)), Webhook)

    def list(self, *, limit: int | None = None) -> Iterator[Webhook]:
        """Webhooks without their secrets, newest first."""
        return every(self._transport, "/webhooks", Webhook, limit=limit)

    def remove(self, webhook: Webhook | str) -> None:
        """Remove the webhook, with all that it still had to deliver."""
        self._transport.send(Call(method="DELETE", path=_path(webhook)))

    def rotate(self, webhook: Webhook | str) -> NewWebhook:
        """Change the secret, shown this once; the old one signs as well for 24 hours."""
        call = Call(method="POST", path=f"{_path(webhook)}/rotate", repeatable=False)
        return self._transport.read(call, NewWebhook)

    def enable(self, webhook: Webhook | str) -> Webhook:
        """Have a disabled webhook deliver again."""
        return self._transport.read(Call(method="POST", path=f"{_path(webhook)}/enable"), Webhook)

    def test(self, webhook: Webhook | str) -> Delivery:
        """Send a ``ping``; its delivery says how that went."""
        call = Call(method="POST", path=f"{_path(webhook)}/test", repeatable=False)
        return self._transport.read(call, Delivery)

    def deliveries(
        self,
        webhook: Webhook | str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
    ) -> Iterator[Delivery]:
        """What was or will be sent, with every attempt, newest first."""
        path = f"{_path(webhook)}/deliveries"
        return every(self._transport, path, Delivery, params={"status": status}, limit=limit)

    def redeliver(self, webhook: Webhook | str, delivery: Delivery | str) -> Delivery:
        """Send it again at once, under the same id."""
        delivery_id = delivery if isinstance(delivery, str) else delivery.id
        path = f"{_path(webhook)}/deliveries/{delivery_id}/redeliver"
        return self._transport.read(Call(method="POST", path=path, repeatable=False), Delivery)


def _path(webhook: Webhook | str) -> str:
    return f"/webhooks/{webhook if isinstance(webhook, str) else webhook.id}"
