"""``python -m services.preprocessing.domain.dicom.decoder_process``: decompresses, and may crash.

Decoders of compressed pixels are C and C++, and are given whatever was uploaded. They run in this
process, which knows no secret, can write no file, and is bounded in memory and time.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from services.preprocessing.domain.dicom.decoder_protocol import (
    ANSWER,
    FAILED,
    READY,
    REQUEST,
    SUCCEEDED,
    About,
)
from services.preprocessing.domain.dicom.syntaxes import DECODERS

#: Beyond what the process holds when it does nothing: several copies of the largest image.
MEMORY_BYTES: Final = 256 << 20
#: Of computing, for a frame. The largest image takes some seconds.
SECONDS: Final = 30


def main() -> None:
    """Answers until standard input ends, or a frame brings this process down."""
    answers = _sole_output()
    _confine()
    answers.write(READY)
    answers.flush()
    while head := sys.stdin.buffer.read(REQUEST.size):
        about_size, frame_size = REQUEST.unpack(head)
        about = json.loads(sys.stdin.buffer.read(about_size))
        _answer(answers, sys.stdin.buffer.read(frame_size), about)
        answers.flush()


def decoded(frame: bytes, about: About) -> bytes:
    """Cells as the protocol has them. Raises whatever a decoder raises."""
    syntax = UID(about["syntax"])
    options: dict[str, Any] = {name: value for name, value in about.items() if name != "syntax"}
    options |= {"number_of_frames": 1, "samples_per_pixel": 1, "pixel_keyword": "PixelData"}
    options |= {"photometric_interpretation": "MONOCHROME2"}
    cells, _ = get_decoder(syntax).as_array(
        encapsulate([frame], has_bot=False),
        index=0,
        decoding_plugin=DECODERS[syntax],
        **options,
    )
    if cells.shape != (about["rows"], about["columns"]) or cells.dtype.itemsize > 2:
        raise ValueError("not what was asked for")
    content: bytes = cells.astype("<i2" if about["pixel_representation"] else "<u2").tobytes()
    return content


def _answer(answers: BinaryIO, frame: bytes, about: About) -> None:
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # whose signal ends the process
    try:
        cells = decoded(frame, about)
    except Exception:  # noqa: BLE001 - why does not matter, and may quote the file
        answers.write(ANSWER.pack(FAILED, 0))
    else:
        answers.write(ANSWER.pack(SUCCEEDED, len(cells)))
        answers.write(cells)
    signal.setitimer(signal.ITIMER_PROF, 0)


def _sole_output() -> BinaryIO:
    """Standard output, for answers alone: what decoders print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _confine() -> None:
    """Whoever goes beyond is refused memory, or ended."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = {
        resource.RLIMIT_AS: pages * resource.getpagesize() + MEMORY_BYTES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
