"""Compressed frames as cells, decompressed in a process that may crash."""

import json
import os
import struct
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import IO, Final, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID, JPEGExtended12Bit, RLELossless

from services.preprocessing.domain.dicom.codestream import size_of
from services.preprocessing.domain.dicom.decoder_protocol import ANSWER, READY, REQUEST, About
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.png import UnreadableImage
from shared.errors import BadInput

#: A source with more frames that bring the decoder down is damaged as a whole, or an attack.
MAX_CRASHES: Final = 100

_PROCESS: Final = "services.preprocessing.domain.dicom.decoder_process"
#: A compressed frame is smaller than a plain one, but for RLE and headers, which may add a little.
_MAX_GROWTH: Final = 2
_SPARE_BYTES: Final = 1 << 16


class Decoder:
    """A context manager. Its process begins with the first frame, and anew after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._crashes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def decode(self, frame: bytes, syntax: UID, form: PixelFormat) -> NDArray[np.uint16]:
        """Cells ``[H, W]``.

        Raises:
            UnreadableImage: damaged, of another size than its header says, or too costly.
            BadInput: too many frames have brought the decoder down.
        """
        _check(frame, syntax, form)
        about = About(
            syntax=syntax,
            rows=form.rows,
            columns=form.columns,
            bits_allocated=form.bits_allocated,
            bits_stored=form.bits_stored,
            pixel_representation=int(form.is_signed),
        )
        cells = self._ask(json.dumps(about).encode(), frame)
        if cells is None or len(cells) != 2 * form.rows * form.columns:
            raise UnreadableImage("its compressed pixels cannot be decompressed")
        return np.frombuffer(cells, "<u2").reshape(form.rows, form.columns)

    def _ask(self, about: bytes, frame: bytes) -> bytes | None:
        """None where the frame could not be decompressed."""
        process = self._process or self._start()
        try:
            return _exchanged(process, about, frame)
        except (OSError, struct.error):
            self._stop()
            self._crashes += 1
            if self._crashes > MAX_CRASHES:
                raise BadInput(
                    f"More than {MAX_CRASHES} images bring their decoder down: the source is "
                    "damaged."
                ) from None
            return None

    def _start(self) -> subprocess.Popen[bytes]:
        """With nothing of this process's environment: it holds secrets.

        In a session of its own, so that Ctrl-C is no crash.
        """
        environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
        self._process = process = subprocess.Popen(  # noqa: S603 - no word of it is a user's
            (sys.executable, "-m", _PROCESS),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        assert process.stdout is not None
        if process.stdout.read(len(READY)) != READY:
            self._stop()
            raise RuntimeError("the decoder of compressed DICOM images does not start")
        return process

    def _stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what it had not read
                    cast("IO[bytes]", pipe).close()


def _exchanged(process: subprocess.Popen[bytes], about: bytes, frame: bytes) -> bytes | None:
    """Raises OSError or struct.error where the process has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(REQUEST.pack(len(about), len(frame)) + about)
    process.stdin.write(frame)
    process.stdin.flush()
    succeeded, size = ANSWER.unpack(process.stdout.read(ANSWER.size))
    cells = process.stdout.read(size)
    if len(cells) != size:
        raise BrokenPipeError
    return cells if succeeded else None


def _check(frame: bytes, syntax: UID, form: PixelFormat) -> None:
    """What can be told before a decoder sees the frame."""
    if len(frame) > _MAX_GROWTH * form.frame_bytes + _SPARE_BYTES:
        raise UnreadableImage("its compressed pixels are larger than plain ones")
    if syntax == RLELossless:  # it states no size of its own
        return
    size = size_of(frame)
    if (size.rows, size.columns) != (form.rows, form.columns):
        raise UnreadableImage("its compressed pixels are of another size than its header says")
    if size.components != 1:
        raise UnreadableImage("it is a colour picture; CT images are grey")
    if syntax == JPEGExtended12Bit and size.bits > 8:
        raise UnreadableImage("it is lossy JPEG of 12 bits, which is not read")
