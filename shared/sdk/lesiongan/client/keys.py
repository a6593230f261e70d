"""API keys, for holders of an ``admin`` key."""

from collections.abc import Iterator

from lesiongan.client.paging import every
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.keys import Key, KeyChange, KeyCommand, NewKey, RotateCommand


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

    def get(self, key: Key | str) -> Key:
        """A key as it is now, without its secret."""
        return self._transport.read(Call(method="GET", path=_path(key)), Key)

    def change(self, key: Key | str, command: KeyChange) -> Key:
        """Change name, expiry or quota; what ``command`` does not set stays."""
        body = command.model_dump(mode="json", exclude_unset=True)
        return self._transport.read(Call(method="PATCH", path=_path(key), json=body), Key)

    def rotate(self, key: Key | str, *, grace_seconds: int = 0) -> NewKey:
        """A new secret for the same key, shown this once; the old one is good for the grace."""
        command = RotateCommand(grace_seconds=grace_seconds)
        call = Call(
            method="POST",
            path=f"{_path(key)}/rotate",
            json=command.model_dump(mode="json"),
            repeatable=False,
        )
        return self._transport.read(call, NewKey)

    def revoke(self, key: Key | str) -> None:
        """Make the key worthless at once."""
        self._transport.send(Call(method="DELETE", path=_path(key)))


def _path(key: Key | str) -> str:
    return f"/keys/{key if isinstance(key, str) else key.id}"
