"""API keys, for holders of an ``admin`` key."""

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.paging import every
from lesiongan.contracts.keys import Key, KeyChange, KeyCommand, NewKey, RotateCommand


class Keys(Resource[Mode]):
    """API keys: ``client.keys``."""

    @operation
    def create(self, command: KeyCommand) -> Flow[NewKey]:
        """Make a key; its secret is shown this once."""
        call = Call(
            method="POST",
            path="/keys",
            json=command.model_dump(mode="json", exclude_unset=True),
            repeatable=False,
        )
        return self.exchange.read(call, NewKey)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Key]:
        """Keys without their secrets, newest first."""
        return every(self.exchange, "/keys", Key, limit=limit)

    @operation
    def get(self, key: Key | str) -> Flow[Key]:
        """A key as it is now, without its secret."""
        return self.exchange.read(Call(method="GET", path=_path(key)), Key)

    @operation
    def change(self, key: Key | str, command: KeyChange) -> Flow[Key]:
        """Change name, expiry or quota; what ``command`` does not set stays."""
        body = command.model_dump(mode="json", exclude_unset=True)
        return self.exchange.read(Call(method="PATCH", path=_path(key), json=body), Key)

    @operation
    def rotate(self, key: Key | str, *, grace_seconds: int = 0) -> Flow[NewKey]:
        """A new secret for the same key, shown this once; the old one is good for the grace."""
        command = RotateCommand(grace_seconds=grace_seconds)
        call = Call(
            method="POST",
            path=f"{_path(key)}/rotate",
            json=command.model_dump(mode="json"),
            repeatable=False,
        )
        return self.exchange.read(call, NewKey)

    @operation
    def revoke(self, key: Key | str) -> Flow[None]:
        """Make the key worthless at once."""
        yield from self.exchange.answer(Call(method="DELETE", path=_path(key)))


def _path(key: Key | str) -> str:
    return f"/keys/{key if isinstance(key, str) else key.id}"
