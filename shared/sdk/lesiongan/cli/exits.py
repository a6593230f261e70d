"""Exit codes, the same for every command."""

from lesiongan.errors import (
    ApiError,
    ClientError,
    ConnectionFailed,
    Forbidden,
    JobFailed,
    NoServer,
    ServerFault,
    Unauthorized,
    UnexpectedAnswer,
    WaitTimeout,
)

#: The job failed or was cancelled, or a file could not be read or written.
FAILED = 1
#: The command was written wrongly.
USAGE = 2
#: There is no such thing, or the server said no: the detail says why.
REFUSED = 3
#: No key, none that is valid, or one without the scope.
NOT_ALLOWED = 4
#: No server is known or answers, or it is at fault: worth another try.
UNREACHABLE = 5
#: Ctrl-C.
INTERRUPTED = 130

_CODES: tuple[tuple[type[ClientError], int], ...] = (
    (Unauthorized, NOT_ALLOWED),
    (Forbidden, NOT_ALLOWED),
    (ServerFault, UNREACHABLE),
    (ApiError, REFUSED),
    (NoServer, UNREACHABLE),
    (ConnectionFailed, UNREACHABLE),
    (UnexpectedAnswer, UNREACHABLE),
    (JobFailed, FAILED),
    (WaitTimeout, FAILED),
)


def exit_code(error: ClientError) -> int:
    """The exit code of a command that ended with ``error``."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
