"""API keys, for holders of an ``admin`` key."""

from collections.abc import Iterator

from lesiongan.client.paging import every
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.keys import Key, KeyCommand, NewKey


class Keys:
    """API keys: ``client.keys``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, command: KeyCommand) -> NewKey:
        """Make a key; its secret is shown this once."""
        call = Call(
            method="POST",
            path="/keys",
            json=command.model_dump(mode="json", exclude_unset=True),
            repeatable=False,
        )
        return self._transport.read(call, NewKey)

    def list(self, *, limit: int | None = None) -> Iterator[Key]:
        """Keys without their secrets, newest first."""
        return every(self._transport, "/keys", Key, limit=limit)

    def revoke(self, key: Key | str) -> None:
        """Make the key worthless at once."""
        key_id = key if isinstance(key, str) else key.id
        self._transport.send(Call(method="DELETE", path=f"/keys/{key_id}"))
