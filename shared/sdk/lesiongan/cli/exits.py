"""Exit codes, the same for every command; which error it was, ``--json`` says."""

#: What was asked for did not happen: the job failed, the server refused or does not answer, a file
#: could not be read or written.
FAILED = 1
#: Ctrl-C.
INTERRUPTED = 130
