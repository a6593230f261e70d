"""Withdrawals of patients, for holders of an ``admin`` key."""

from lesiongan.client.binding import Mode, Resource, items
from lesiongan.client.call import Call
from lesiongan.client.flow import Stream
from lesiongan.client.paging import every
from lesiongan.contracts.withdrawals import WithdrawalCommand, WithdrawalSummary

#: All objects are deleted before the server answers.
ANSWER_SECONDS = 600.0


class Withdrawals(Resource[Mode]):
    """What was withdrawn: ``client.withdrawals``."""

    @items
    def list(self, *, limit: int | None = None) -> Stream[WithdrawalSummary]:
        """Withdrawals, newest first: pseudonyms and counts."""
        return every(self.exchange, "/withdrawals", WithdrawalSummary, limit=limit)


def withdraw_call(command: WithdrawalCommand) -> Call:
    """The request; a real one is sent once, so that its answer says what it removed."""
    return Call(
        method="POST",
        path="/withdrawals",
        json=command.model_dump(mode="json"),
        repeatable=command.dry_run,
        read_seconds=ANSWER_SECONDS,
    )
