"""``/withdrawals``: a patient's images go, with all that was made of them."""

from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.withdrawals import Withdrawal, WithdrawalCommand, WithdrawalSummary
from shared.datasets.pseudonyms import all_pseudonyms
from shared.db.pages import newest_first
from shared.db.tables import WithdrawalRow
from shared.web.auth import Admin
from shared.web.paging import PagingDep
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep
from shared.withdrawals.report import summary
from shared.withdrawals.withdraw import preview, withdraw

router = Router(prefix="/withdrawals", tags=["withdrawals"])


@router.post("", summary="Withdraw a patient", operation_id="withdraw_patient")
def post_withdrawal(command: WithdrawalCommand, _: Admin, state: StateDep) -> Withdrawal:
    """Removes every data set that holds the patient, and all that was made of one.

    Send `"dry_run": true` first: it names what would go. Removed ids answer 410 from then on, and
    whatever is taken in later leaves the patient out, also one that nothing holds yet.
    """
    pseudonyms = all_pseudonyms(command.patient, state.settings.secret.get_secret_value())
    run = preview if command.dry_run else withdraw
    return run(state.sessions, state.store, pseudonyms)


@router.get("", summary="List withdrawals", operation_id="list_withdrawals")
def list_withdrawals(_: Admin, session: SessionDep, paging: PagingDep) -> Page[WithdrawalSummary]:
    """When who withdrew, by pseudonym, and how much went."""
    page = newest_first(
        session, select(WithdrawalRow), WithdrawalRow, limit=paging.limit, cursor=paging.cursor
    )
    return Page(items=[summary(row) for row in page.rows], next_cursor=page.next_cursor)
