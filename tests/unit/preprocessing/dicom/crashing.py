"""A decoder that no frame survives."""

import os
import signal
import sys

from services.preprocessing.domain.dicom.decoder_protocol import READY

if __name__ == "__main__":
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read(1)
    os.kill(os.getpid(), signal.SIGSEGV)
