"""Withdrawals of patients, for holders of an ``admin`` key."""

from collections.abc import Iterator

from lesiongan.client.paging import every
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.withdrawals import WithdrawalCommand, WithdrawalSummary

#: All objects are deleted before the server answers.
ANSWER_SECONDS = 600.0


class Withdrawals:
    """What was withdrawn: ``client.withdrawals``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> Iterator[WithdrawalSummary]:
        """Withdrawals, newest first: pseudonyms and counts."""
        return every(self._transport, "/withdrawals", WithdrawalSummary, limit=limit)


def withdraw_call(command: WithdrawalCommand) -> Call:
    """The request; a real one is sent once, so that its answer says what it removed."""
    return Call(
        method="POST",
        path="/withdrawals",
        json=command.model_dump(mode="json"),
        repeatable=command.dry_run,
        read_seconds=ANSWER_SECONDS,
    )
