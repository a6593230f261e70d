"""What is counted only once it is true: after the commit."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

_KEY = "after_commit"


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """``call`` when the session commits, and never if it does not. It must not raise."""
    session.info.setdefault(_KEY, []).append(call)


def listen(sessions: sessionmaker[Session]) -> None:
    """Have the sessions of this factory do so."""
    event.listen(sessions, "after_commit", _call)
    event.listen(sessions, "after_rollback", _forget)


def _call(session: Session) -> None:
    for each in session.info.pop(_KEY, ()):
        each()


def _forget(session: Session) -> None:
    session.info.pop(_KEY, None)
